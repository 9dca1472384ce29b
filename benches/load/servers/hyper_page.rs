//! Bare hyper: one fixed answer, or one template, and nothing around it.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use minijinja::{Environment, context};

pub fn serve(page: &str) {
    let template = page == "template";
    super::runtime().block_on(async move {
        let engine: &'static Environment<'static> = Box::leak(Box::new(engine()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        super::announce(listener.local_addr().expect("an address"), "");
        loop {
            let (stream, _) = listener.accept().await.expect("a client");
            stream.set_nodelay(true).expect("TCP");
            let answer = move |_: Request<Incoming>| async move {
                let body = if template { render(engine) } else { "hello".to_owned() };
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(body))))
            };
            let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
            tokio::spawn(serving);
        }
    });
}

fn engine() -> Environment<'static> {
    let mut engine = Environment::new();
    engine.add_template("page.html", super::solent::PAGE).expect("a template");
    engine
}

fn render(engine: &Environment<'static>) -> String {
    let page = engine.get_template("page.html").expect("it is there");
    let courses = super::solent::courses();
    page.render(context! { courses => minijinja::Value::from(minijinja::value::Serde(courses)), user => context! { username => "alice" } }).expect("it renders")
}

//! The chat as an application: its routes and what stands around them.

mod blocking_consumer;
mod consumer;
mod guests;
mod wire;

use std::path::Path;
use std::time::SystemTime;

use solent::Scoped;
use solent::consumer::{blocking, consumer};
use solent::http::{
    Render, Request, RequestExt, Response, StaticFiles, Templates, TemplatesLayer, context, get,
};
use solent::middleware::{
    AllowedHosts, AllowedHostsLayer, CookieLayer, SecurityHeadersLayer, allowed_hosts_origin_validator,
};
use solent::routing::{BoxedApplication, ProtocolTypeRouter, UrlRouter, ViewRouter, include, path, re_path};
use tower::Layer;

use self::blocking_consumer::BlockingChatConsumer;
use self::consumer::ChatConsumer;
use self::guests::{guest_of, new_guest};

/// What the pages may load: everything comes from the site itself, and nothing stands inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Which of the two consumers serves the rooms. They behave the same.
#[derive(Debug, Clone, Copy)]
pub enum Handlers {
    Async,
    Blocking,
}

/// The whole application. `templates` is the folder of that name.
pub fn application(templates: &Path, handlers: Handlers) -> solent::Result<ProtocolTypeRouter> {
    let pages = TemplatesLayer::new(Templates::folder(templates));
    let hosts = AllowedHosts::local();
    let views = ViewRouter::new([
        path("", get(start)),
        path("chat/room/<int:course_id>/", get(room)).name("chat:room"),
        include("static/", StaticFiles::folder(templates.join("static"))),
    ])?;
    let sockets =
        UrlRouter::new([re_path(r"^ws/chat/room/(?P<course_id>\d+)/$", chat(handlers)).name("chat:socket")])?;
    let origins = allowed_hosts_origin_validator(&hosts);
    let headers = SecurityHeadersLayer::new().content_security_policy(POLICY)?;
    Ok(ProtocolTypeRouter::new()
        .http(
            headers.layer(AllowedHostsLayer::new(hosts).layer(CookieLayer::new().layer(pages.layer(views)))),
        )
        .websocket(origins.layer(CookieLayer::new().layer(sockets))))
}

fn chat(handlers: Handlers) -> BoxedApplication {
    match handlers {
        Handlers::Async => BoxedApplication::new(consumer::<ChatConsumer>()),
        Handlers::Blocking => BoxedApplication::new(blocking::consumer::<BlockingChatConsumer>()),
    }
}

async fn start(request: Request) -> solent::Result<Response> {
    Ok(solent::http::redirect(&request.reverse("chat:room", &[("course_id", &1)])?)?)
}

async fn room(request: Request) -> solent::Result<Response> {
    let course_id: i64 = request.kwargs().get("course_id")?;
    let course = context! { id => course_id, title => format!("Room {course_id}") };
    let Some((username, cookie)) = new_guest(request.scope()) else {
        return request.render("chat/room.html", context! { course, username => guest_of(request.scope()) });
    };
    let mut response = request.render("chat/room.html", context! { course, username })?;
    response.headers_mut().append(http::header::SET_COOKIE, cookie.header(SystemTime::now())?);
    Ok(response)
}

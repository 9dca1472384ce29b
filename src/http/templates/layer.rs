//! Templates for everything below: `request.render(…)`, and error pages of the site's own.

use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::StatusCode;
use ::http::header::CONTENT_SECURITY_POLICY;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either};
use serde::Serialize;
use tower::{Layer, Service};

use super::page::RequestValue;
use super::{Templates, context};
use crate::http::pages::wants_html;
use crate::http::{HttpError, Request, Response};
use crate::middleware::pass_routes_on;
use crate::{Error, Result, Scoped};

/// Rendering a template in a view.
///
/// ```
/// use solent::http::{Render, Request, Response, context};
///
/// async fn hello(request: Request) -> solent::Result<Response> {
///     request.render("hello.html", context! { name => "you" })
/// }
/// ```
pub trait Render: Scoped {
    /// Renders a template as the body of a 200.
    ///
    /// # Errors
    /// A [`TemplateError`](super::TemplateError); or, where no [`TemplatesLayer`] stands around the view, an error
    /// that says so.
    fn render(&self, template: &str, context: impl Serialize) -> Result<Response>;
}

impl<R: Scoped> Render for R {
    fn render(&self, template: &str, context: impl Serialize) -> Result<Response> {
        match &self.scope().templates {
            Some(templates) => Ok(templates.response(self, template, context)?),
            None => Err(Error::msg("no templates here: put a TemplatesLayer around the views")),
        }
    }
}

/// Gives templates to the views below, and the site's own pages to their errors.
///
/// An error page is the template `404.html`, named by the status, with the text for the client as `reason`. It
/// replaces the plain page that an [`HttpError`] makes, for clients that ask for HTML, where there is such a
/// template. With debug on, the pages that tell a developer more stay as they are.
///
/// It stands inside of the auth middleware, so that an error page knows the user. A second one around everything
/// gives pages to what the outer middleware refuses.
#[derive(Debug, Clone)]
pub struct TemplatesLayer(Templates);

impl TemplatesLayer {
    /// A layer that hands on these templates.
    pub fn new(templates: Templates) -> Self {
        Self(templates)
    }
}

impl<S> Layer<S> for TemplatesLayer {
    type Service = TemplatePages<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TemplatePages { inner, templates: self.0.clone() }
    }
}

/// The service of [`TemplatesLayer`].
#[derive(Debug, Clone)]
pub struct TemplatePages<S> {
    inner: S,
    templates: Templates,
}

impl<S> Service<Request> for TemplatePages<S>
where
    S: Service<Request, Response = Response>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Either<S::Future, BoxFuture<'static, Result<Response, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        request.scope_mut().templates = Some(self.templates.clone());
        if !wants_html(request.headers()) {
            return Either::Left(self.inner.call(request));
        }
        let (templates, known) = (self.templates.clone(), Arc::new(RequestValue::of(&request)));
        let answer = self.inner.call(request);
        Either::Right(async move { Ok(with_page(&templates, known, answer.await?)) }.boxed())
    }
}

pass_routes_on!(TemplatePages);

/// The response, with the site's page where it is a plain error page.
fn with_page(templates: &Templates, request: Arc<RequestValue>, mut response: Response) -> Response {
    let Some(error) = response.extensions().get::<HttpError>().cloned() else { return response };
    let name = format!("{}.html", response.status().as_u16());
    if !templates.contains(&name) {
        return response;
    }
    let reason = if error.status() == StatusCode::INTERNAL_SERVER_ERROR { "" } else { error.text() };
    match templates.fill(request, &name, context! { reason => reason }) {
        Ok(text) => {
            response.extensions_mut().remove::<HttpError>();
            // It was made for the plain page; the site's own has the site's.
            response.headers_mut().remove(CONTENT_SECURITY_POLICY);
            let page = super::response_of(&name, text);
            let (mut parts, body) = page.into_parts();
            parts.status = response.status();
            response.headers_mut().extend(std::mem::take(&mut parts.headers));
            *response.body_mut() = body;
            response
        }
        Err(error) => {
            tracing::error!(%error, "an error page cannot be rendered");
            response
        }
    }
}

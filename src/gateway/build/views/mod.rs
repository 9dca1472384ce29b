//! What routes of pages lead to: one file per target.

mod accounts;
mod events;
mod password;
mod redirect;
mod respond;
mod static_files;
mod template;

use std::sync::Arc;

use ::http::{HeaderValue, Method, StatusCode, header};
use tower::Layer;

pub(crate) use self::static_files::{static_files_of, static_view};
use super::allow::Conditions;
use super::bearer::Bearer;
use super::proxies::Proxies;
use super::routes::Endpoint;
use super::users::Users;
use crate::gateway::settings::{CachePolicy, HttpRoute, Settings, Target};
use crate::http::proxy::Proxy;
use crate::http::{BoxedHttp, BoxedView, CsrfLayer, HttpError, Response, TemplatesLayer, ViewService};
use crate::middleware::{CacheLayer, LoginRequiredLayer, SecurityHeadersLayer};
use crate::routing::Names;

/// What views are made of, beside their own settings.
pub(crate) struct Making<'s> {
    pub(crate) settings: &'s Settings,
    pub(crate) users: &'s Users,
    pub(crate) pages: TemplatesLayer,
    pub(crate) names: Names,
    pub(crate) proxies: Proxies,
    /// Pages in memory, where the site wants them kept.
    pub(crate) cache: Option<CacheLayer>,
    /// Tokens in place of sessions.
    pub(crate) bearer: Bearer,
}

impl Making<'_> {
    /// An address that is a path, or a route's name.
    pub(crate) fn address(&self, address: &str) -> Arc<str> {
        let is_address = address.starts_with('/') || address.contains("://");
        let path = if is_address { None } else { self.names.reverse(address, &[]).ok() };
        path.map_or_else(|| address.into(), Into::into)
    }

    fn login_url(&self) -> Arc<str> {
        self.address(&self.settings.auth.login_url)
    }

    /// What a route of pages leads to: its target, with everything that stands around it.
    pub(crate) fn endpoint(&self, route: &HttpRoute) -> Endpoint {
        let Some(target) = route.target() else { return Endpoint::nothing(false) };
        let view = match route.cache {
            Some(policy) => cached(self.target(route, target), policy, route.login_required),
            None => self.target(route, target),
        };
        let mut service = BoxedHttp::new(ViewService::new(view));
        // What others serve, files among it, has rules of its own; whoever asks for it need not be known.
        let is_own = !target.serves_below();
        if is_own {
            service = BoxedHttp::new(self.pages.layer(service));
            if let Some(cache) = &self.cache {
                service = BoxedHttp::new(cache.layer(service));
            }
        }
        if let Some(allow) = &route.allow {
            let recheck = self.settings.auth.recheck;
            service = Conditions::of(allow, self.users, &self.proxies, recheck).around_view(service);
        }
        if route.login_required {
            service = BoxedHttp::new(LoginRequiredLayer::new(self.login_url()).layer(service));
        }
        if is_own && !route.csrf_exempt {
            service = BoxedHttp::new(CsrfLayer::new().layer(service));
        }
        if is_own || route.login_required || route.allow.is_some() {
            service = self.users.around_view(service);
        }
        service = self.bearer.around_view(route.bearer, service);
        if !matches!(target, Target::Proxy(_)) {
            service = BoxedHttp::new(self.headers().layer(service));
        }
        let view = BoxedView::new(move |request| {
            let answer = service.call(request);
            Box::pin(async move { Ok(answer.await) })
        });
        let methods = methods_of(route, target);
        let view = if methods.is_empty() { view } else { view.with_methods(methods) };
        Endpoint::new(view, target.serves_below())
    }

    fn target(&self, route: &HttpRoute, target: Target<'_>) -> BoxedView {
        match target {
            Target::Template(template) => {
                template::view(template, &route.query, self.users.database.as_ref())
            }
            Target::Redirect(redirect) => redirect::view(redirect),
            Target::Respond(respond) => respond::view(respond),
            Target::Static(folder) => static_view(self.settings.r#static.files_of(&folder.value)),
            Target::Login(login) => {
                let home = self.address(&self.settings.auth.login_redirect_url);
                accounts::login_view(&login.template, home)
            }
            Target::Logout(logout) => {
                let next = logout.next.as_ref().map(|next| self.address(next));
                accounts::logout_view(next.unwrap_or_else(|| self.login_url()))
            }
            Target::Proxy(upstream) => self.proxies.get(&upstream.value).map_or_else(unavailable, proxied),
            Target::PasswordChange(page) => password::password_view(&page.template),
            Target::Events(events) => events::view(events),
        }
    }

    /// What tells browsers to be careful.
    pub(crate) fn headers(&self) -> SecurityHeadersLayer {
        let headers = SecurityHeadersLayer::new();
        match &self.settings.content_security_policy {
            Some(policy) => {
                let policy = policy.0.to_str().unwrap_or_default();
                headers.clone().content_security_policy(policy).unwrap_or(headers)
            }
            None => headers,
        }
    }
}

/// The server behind, as a view.
fn proxied(proxy: &Proxy) -> BoxedView {
    let service = BoxedHttp::new(proxy.clone());
    BoxedView::new(move |request| {
        let answer = service.call(request);
        Box::pin(async move { Ok(answer.await) })
    })
}

/// A target whose part of the program is not there.
fn unavailable() -> BoxedView {
    BoxedView::new(|_| {
        let error = HttpError::new(StatusCode::NOT_IMPLEMENTED, "This target is not available.");
        Box::pin(async move { Err(error.into()) })
    })
}

/// The methods that the file names, else those that make sense for the target; none for all.
fn methods_of(route: &HttpRoute, target: Target<'_>) -> Vec<Method> {
    if !route.methods.is_empty() {
        return route.methods.iter().map(|method| method.value.clone()).collect();
    }
    match target {
        Target::Template(_) | Target::Static(_) | Target::Events(_) | Target::Redirect(_) => {
            vec![Method::GET]
        }
        Target::Login(_) | Target::PasswordChange(_) => vec![Method::GET, Method::POST],
        Target::Logout(_) => vec![Method::POST],
        Target::Respond(_) | Target::Proxy(_) => Vec::new(),
    }
}

/// Says how long an answer may be kept, where the view has not said so itself.
fn cached(view: BoxedView, policy: CachePolicy, personal: bool) -> BoxedView {
    let text = match policy {
        CachePolicy::For(time) if personal => format!("private, max-age={}", time.as_secs()),
        CachePolicy::For(time) => format!("max-age={}", time.as_secs()),
        CachePolicy::Never => "no-store".to_owned(),
    };
    let value = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("no-store"));
    BoxedView::new(move |request| {
        let (view, value) = (view.clone(), value.clone());
        Box::pin(async move {
            let mut response: Response = view.call(request).await?;
            let keep = policy == CachePolicy::Never || response.status() == StatusCode::OK;
            if keep && !response.headers().contains_key(header::CACHE_CONTROL) {
                response.headers_mut().insert(header::CACHE_CONTROL, value);
            }
            Ok(response)
        })
    })
}

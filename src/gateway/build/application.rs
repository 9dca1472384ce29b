//! The whole application: routes, with everything that stands around them.

use tower::Layer;

use super::allow::Conditions;
use super::bearer::Bearer;
use super::consumers::consumer_of;
use super::guards::bounded;
use super::proxies::Proxies;
use super::routes::{Endpoint, NoConsumer, Pattern, socket_routes_of, view_routes_of};
use super::users::Users;
use super::views::{Making, static_files_of, static_view};
use super::{BuildError, Parts};
use crate::gateway::embedded;
use crate::gateway::setting::Placed;
use crate::gateway::settings::{Settings, SocketRoute};
use crate::http::{BoxedHttp, Templates, TemplatesLayer};
use crate::middleware::{
    AllowedHosts, AllowedHostsLayer, LocalOnlyLayer, LoginRequiredLayer, OriginValidator,
};
use crate::routing::{BoxedApplication, Names, ProtocolTypeRouter, Routes, UrlRouter, ViewRouter};

/// Why a site with demo accounts serves nobody else.
const DEMO: &str = "it has demo accounts, whose passwords everyone knows";

/// The templates that the settings name.
pub(crate) fn templates_of(settings: &Settings) -> Templates {
    let templates = match &settings.templates.dir {
        Some(dir) => Templates::folder(&dir.value),
        None => Templates::embedded(embedded::TEMPLATES.iter().copied()),
    };
    templates.with_static_url(settings.r#static.url.value.clone())
}

/// Puts the application together. With `demo` it serves this machine alone.
pub(crate) fn application_of(
    settings: &Settings,
    parts: &Parts,
    templates: Templates,
    users: &Users,
    demo: bool,
) -> Result<ProtocolTypeRouter, BuildError> {
    let hosts = hosts_of(settings);
    let pages = TemplatesLayer::new(templates);
    let origins = match &settings.allowed_origins {
        Some(origins) => OriginValidator::new(origins),
        None => OriginValidator::from_hosts(&hosts),
    };
    let making = Making {
        settings,
        users,
        pages: pages.clone(),
        names: names_of(settings)?,
        proxies: Proxies::of(settings),
        cache: settings.cache.layer(),
        bearer: Bearer::of(settings, users, origins.into())?,
    };
    let views = AllowedHostsLayer::new(hosts.clone()).layer(views_of(&making)?);
    let careful = making.headers();
    let views =
        if demo { BoxedHttp::new(LocalOnlyLayer::new(DEMO).layer(views)) } else { BoxedHttp::new(views) };
    let sockets = AllowedHostsLayer::new(hosts).layer(sockets_of(&making, parts)?);
    let sockets = if demo {
        BoxedApplication::new(LocalOnlyLayer::new(DEMO).layer(sockets))
    } else {
        BoxedApplication::new(sockets)
    };
    let views = BoxedHttp::new(making.pages.layer(views));
    // Another server's answers say themselves how careful browsers should be.
    let views = if settings.http.iter().any(|route| route.proxy.is_some()) {
        views
    } else {
        BoxedHttp::new(careful.layer(views))
    };
    Ok(ProtocolTypeRouter::new().http(views).websocket(sockets))
}

fn hosts_of(settings: &Settings) -> AllowedHosts {
    match settings.allowed_hosts.as_slice() {
        [] if *settings.debug => AllowedHosts::local(),
        named => AllowedHosts::new(named.iter().cloned()),
    }
}

/// The names of all routes, which are asked for while the routes are being made.
fn names_of(settings: &Settings) -> Result<Names, BuildError> {
    let pages = settings.http.iter().filter_map(|route| {
        let below = route.target().is_some_and(crate::gateway::settings::Target::serves_below);
        let pattern = pattern_of(route.path.as_ref(), route.re_path.as_ref())?;
        Some((pattern, name_of(route.name.as_ref()), Endpoint::nothing(below)))
    });
    let sockets = settings.websocket.iter().filter_map(|route| {
        let pattern = pattern_of(route.path.as_ref(), route.re_path.as_ref())?;
        Some((pattern, name_of(route.name.as_ref()), NoConsumer))
    });
    let views = ViewRouter::new(view_routes_of(settings, pages, Endpoint::nothing(true)))?.routes();
    let sockets = UrlRouter::new(socket_routes_of(sockets))?.routes();
    Ok(Names::new(views.into_iter().chain(sockets))?)
}

fn views_of(making: &Making<'_>) -> Result<ViewRouter, BuildError> {
    let settings = making.settings;
    let routes = settings.http.iter().filter_map(|route| {
        let pattern = pattern_of(route.path.as_ref(), route.re_path.as_ref())?;
        Some((pattern, name_of(route.name.as_ref()), making.endpoint(route)))
    });
    let files = Endpoint::new(static_view(static_files_of(settings)), true);
    Ok(ViewRouter::new(view_routes_of(settings, routes, files))?)
}

fn sockets_of(making: &Making<'_>, parts: &Parts) -> Result<UrlRouter, BuildError> {
    let routes = making.settings.websocket.iter().filter_map(|route| {
        let pattern = pattern_of(route.path.as_ref(), route.re_path.as_ref())?;
        let consumer = guarded(making, route, bounded(route, consumer_of(route, parts, &making.proxies)?));
        Some((pattern, name_of(route.name.as_ref()), consumer))
    });
    Ok(UrlRouter::new(socket_routes_of(routes))?)
}

/// A consumer behind what its route asks of users.
fn guarded(making: &Making<'_>, route: &SocketRoute, mut consumer: BoxedApplication) -> BoxedApplication {
    let users = making.users;
    if let Some(allow) = &route.allow {
        let recheck = making.settings.auth.recheck;
        consumer = Conditions::of(allow, users, &making.proxies, recheck).around_consumer(consumer);
    }
    if route.login_required {
        consumer = BoxedApplication::new(LoginRequiredLayer::new("").layer(consumer));
    }
    making.bearer.around_consumer(route.bearer, users.around_consumer(consumer))
}

fn pattern_of<'s>(
    path: Option<&'s Placed<String>>,
    re_path: Option<&'s Placed<String>>,
) -> Option<Pattern<'s>> {
    match (path, re_path) {
        (Some(path), _) => Some(Pattern::Path(path)),
        (None, regex) => regex.map(|regex| Pattern::Regex(regex)),
    }
}

fn name_of(name: Option<&Placed<String>>) -> Option<&str> {
    name.map(|name| name.as_str())
}

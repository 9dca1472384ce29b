//! Pages: one path and one target each, and what fits to the target.

use ::http::Method;

use super::Checked;
use super::patterns::captures_of;
use crate::gateway::document::Span;
use crate::gateway::problem::Problem;
use crate::gateway::reader::{nearest, one_of};
use crate::gateway::setting::Placed;
use crate::gateway::settings::{HttpRoute, Redirect, Target};

const TARGETS: [&str; 9] =
    ["template", "redirect", "respond", "static", "proxy", "login", "logout", "password_change", "events"];

impl Checked<'_> {
    pub(super) fn http_routes(&mut self) {
        for route in &self.settings.http {
            self.one_path(&route.span, route.path.as_ref(), route.re_path.as_ref());
            self.one_target(route);
            self.what_fits(route);
            self.queries(route);
            if route.login_required && !self.settings.has_users() {
                self.needs_users(&self.document.place_of(&route.span, "login_required"), "login_required");
            }
            self.bearing(&route.span, route.bearer);
        }
    }

    /// Either `path` or `re_path`.
    pub(super) fn one_path<T>(
        &mut self,
        route: &Span,
        path: Option<&Placed<T>>,
        re_path: Option<&Placed<T>>,
    ) {
        let problem = match (path, re_path) {
            (Some(_), Some(second)) => Problem::new(second.span.clone(), "path and re_path on one route"),
            (None, None) if !self.document.has(route, "path") && !self.document.has(route, "re_path") => {
                Problem::new(route.clone(), "a route without path")
            }
            _ => return,
        };
        self.report(problem.expecting("path = … or re_path = …"));
    }

    fn one_target(&mut self, route: &HttpRoute) {
        let targets = route.targets();
        let names: Vec<&str> = targets.iter().map(|(name, _, _)| *name).collect();
        match targets.as_slice() {
            [_] => {}
            [] if TARGETS.iter().any(|target| self.document.has(&route.span, target)) => {}
            [] => {
                let problem = Problem::new(route.span.clone(), "a route that leads nowhere");
                self.report(problem.expecting(format!("one target: {}", one_of(&TARGETS))));
            }
            [_, (_, second, _), ..] => {
                let what = format!("a route with {} targets: {}", names.len(), names.join(", "));
                self.report(Problem::new(second.clone(), what).expecting("one of them"));
            }
        }
    }

    fn what_fits(&mut self, route: &HttpRoute) {
        let Some(target) = route.target() else { return };
        if let Some(name) = route.name.as_ref().filter(|_| target.serves_below()) {
            let problem = Problem::new(name.span.clone(), "a name on a route to everything under a path");
            self.report(
                problem.expecting("names on routes to one page only: there is no way back from this one"),
            );
        }
        if let Some((name, query)) = route.query.iter().find(|_| !matches!(target, Target::Template(_))) {
            let problem =
                Problem::new(query.span.clone(), format!("the query {name:?} without a template to show it"));
            self.report(problem.expecting("queries beside template = …"));
        }
        match target {
            Target::Redirect(redirect) => self.one_address(redirect),
            Target::Events(events) => {
                if events.groups.is_empty() {
                    let problem =
                        Problem::new(events.span.clone(), "events without a group to take them from");
                    self.report(problem.expecting("groups = [\"…\"], such as [\"user_{user.id}\"]"));
                }
                let captured = captures_of(route.path.as_ref(), route.re_path.as_ref());
                for group in &events.groups {
                    self.group(group, &captured, route.has_users());
                }
                self.layer(&events.channel_layer, &events.span);
            }
            Target::Login(_) | Target::Logout(_) if !self.settings.has_users() => {
                let key = if matches!(target, Target::Login(_)) { "login" } else { "logout" };
                self.needs_users(&self.document.place_of(&route.span, key), "log-in");
            }
            Target::PasswordChange(page) if !route.login_required => {
                let problem =
                    Problem::new(page.span.clone(), "a password to change, for visitors who are nobody");
                self.report(problem.expecting("login_required = true beside it"));
            }
            Target::Static(folder) if !folder.is_dir() => self.missing_folder(&folder.span, folder),
            _ => {}
        }
        if !matches!(target, Target::Proxy(_)) {
            self.methods(route, target);
        }
    }

    fn one_address(&mut self, redirect: &Redirect) {
        let problem = match (&redirect.url, &redirect.name) {
            (Some(_), Some(second)) => Problem::new(second.span.clone(), "url and name in one redirect"),
            // What could not be read has been reported.
            (None, None) if !["url", "name"].iter().any(|key| self.document.has(&redirect.span, key)) => {
                Problem::new(redirect.span.clone(), "a redirect without an address")
            }
            _ => return,
        };
        self.report(problem.expecting("url = … or name = …"));
    }

    fn methods(&mut self, route: &HttpRoute, target: Target<'_>) {
        let taken: &[Method] = match target {
            Target::Template(_) | Target::Static(_) | Target::Events(_) => {
                &[Method::GET, Method::HEAD, Method::OPTIONS]
            }
            Target::Login(_) | Target::PasswordChange(_) => {
                &[Method::GET, Method::HEAD, Method::POST, Method::OPTIONS]
            }
            Target::Logout(_) => &[Method::POST, Method::OPTIONS],
            _ => return,
        };
        if let Some(method) = route.methods.iter().find(|method| !taken.contains(method)) {
            let names: Vec<&str> = taken.iter().map(Method::as_str).collect();
            let what = format!("this target does not take {}", method.value);
            let problem = Problem::new(method.span.clone(), what);
            self.report(problem.expecting(format!("methods among {}", one_of(&names))));
        }
    }

    fn queries(&mut self, route: &HttpRoute) {
        for query in route.query.values() {
            if let Some(otherwise) = query.otherwise.as_ref().filter(|_| !query.one) {
                let problem = Problem::new(otherwise.span.clone(), "otherwise without one = true");
                self.report(problem.expecting("one = true beside it: a list without rows is a list"));
            }
        }
        let captured = captures_of(route.path.as_ref(), route.re_path.as_ref());
        for query in route.query.values() {
            self.sql(&query.sql, &captured);
        }
        if let Some(allow) = &route.allow {
            self.allow(allow, &captured, route.has_users());
        }
    }

    /// An alias of a channel layer.
    pub(super) fn layer(&mut self, alias: &Placed<String>, user: &Span) {
        if self.document.has_in("channel_layers", alias) {
            return;
        }
        let known: Vec<&str> = self.settings.channel_layers.keys().map(String::as_str).collect();
        // Without the key there is no place but its table's.
        let span = if alias.span.is_empty() { user } else { &alias.span };
        let problem = Problem::new(span.clone(), format!("no channel layer {:?} is configured", alias.value))
            .expecting(if known.is_empty() {
                format!("a table [channel_layers.{}]", alias.value)
            } else {
                one_of(&known)
            })
            .nearest(nearest(alias, &known));
        self.report(problem);
    }
}

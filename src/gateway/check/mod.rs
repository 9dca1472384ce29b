//! What keys must have in common: routes that can be reached, names that exist, groups that can be filled.
//!
//! One file per part of the file. Everything is looked at, whatever was found before, so that one look tells all.

mod bearer;
mod http_routes;
mod patterns;
mod placeholders;
mod site;
mod socket_routes;
mod sql;
mod templates;
mod workers;

use std::collections::BTreeSet;

use super::build::{BuildError, Parts};
use super::document::Document;
use super::problem::Problem;
use super::settings::Settings;
use crate::http::Templates;
use crate::layers::LayerError;
use crate::routing::{Names, ReverseError};

pub(crate) use sql::check_queries;

/// What is known while checking.
pub(super) struct Checked<'s> {
    pub(super) settings: &'s Settings,
    pub(super) document: &'s Document,
    pub(super) parts: &'s Parts,
    pub(super) problems: Vec<Problem>,
    /// What works, and is hardly what was meant.
    pub(super) warnings: Vec<Problem>,
}

/// What was found.
pub(crate) struct Found {
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
}

/// Looks for everything that is wrong with settings whose keys are right one by one.
pub(crate) fn check(settings: &Settings, document: &Document, parts: &Parts, templates: &Templates) -> Found {
    let mut checked = Checked { settings, document, parts, problems: Vec::new(), warnings: Vec::new() };
    checked.site();
    checked.bearer();
    checked.names();
    checked.http_routes();
    checked.socket_routes();
    checked.layers();
    let names = checked.routes();
    checked.references(&names);
    checked.templates(templates, &names);
    Found { problems: checked.problems, warnings: checked.warnings }
}

impl Checked<'_> {
    pub(super) fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(super) fn warn(&mut self, problem: Problem) {
        self.warnings.push(problem);
    }

    /// Names are given once, to pages and sockets alike.
    fn names(&mut self) {
        let settings = self.settings;
        let pages = settings.http.iter().map(|route| route.name.as_ref());
        let sockets = settings.websocket.iter().map(|route| route.name.as_ref());
        let mut seen = BTreeSet::new();
        for name in pages.chain(sockets).flatten() {
            if !seen.insert(name.as_str()) {
                let problem =
                    Problem::new(name.span.clone(), format!("a second route named {:?}", name.value));
                self.report(problem.expecting("a name of its own for each route"));
            }
        }
    }

    /// What is addressed by a route's name or by a path.
    fn references(&mut self, names: &Names) {
        let settings = self.settings;
        for route in &settings.http {
            if let Some(name) = route.redirect.as_ref().and_then(|redirect| redirect.name.as_ref()) {
                self.refute_name(names, name);
            }
        }
        let addresses = [&settings.auth.login_url, &settings.auth.login_redirect_url];
        let next = settings.http.iter().filter_map(|route| route.logout.as_ref()?.next.as_ref());
        for address in addresses.into_iter().chain(next) {
            if address.starts_with('/') || address.contains("://") {
                continue;
            }
            self.refute_name(names, address);
            if let Err(error @ (ReverseError::Missing { .. } | ReverseError::NotReversible { .. })) =
                names.reverse(address, &[])
            {
                let problem = Problem::new(address.span.clone(), error.to_string());
                self.report(problem.expecting("a path, or the name of a route without arguments"));
            }
        }
    }

    /// Settings of channel layers that do not fit together.
    fn layers(&mut self) {
        let settings = self.settings;
        for (alias, layer) in &settings.channel_layers {
            let error = match super::build::layer_of(alias, layer) {
                Ok(_) => continue,
                Err(error) => error,
            };
            if let BuildError::Layer { source: LayerError::Setting { setting, reason }, .. } = &error {
                let place = self.document.place_of(&layer.span, setting);
                self.report(Problem::new(place, format!("{setting}: {reason}")));
            } else {
                let what = crate::Error::from(error).chain();
                self.report(Problem::new(layer.span.clone(), what));
            }
        }
    }

    fn refute_name(&mut self, names: &Names, name: &super::setting::Placed<String>) {
        if names.iter().any(|known| known == name.value) {
            return;
        }
        let known: Vec<&str> = names.iter().collect();
        let problem = Problem::new(name.span.clone(), format!("no route is named {:?}", name.value))
            .expecting("the name of a route")
            .nearest(super::reader::nearest(name, &known));
        self.report(problem);
    }
}

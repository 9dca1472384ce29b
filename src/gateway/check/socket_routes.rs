//! Sockets: consumers that exist, and what each of them needs.

use ::http::HeaderName;

use super::Checked;
use super::patterns::captures_of;
use crate::gateway::problem::Problem;
use crate::gateway::reader::{nearest, one_of};
use crate::gateway::settings::SocketRoute;

/// The consumers that are part of the program.
pub(crate) const CONSUMERS: [&str; 6] = ["echo", "chat", "relay", "listen", "worker", "proxy"];

impl Checked<'_> {
    pub(super) fn socket_routes(&mut self) {
        for route in &self.settings.websocket {
            self.one_path(&route.span, route.path.as_ref(), route.re_path.as_ref());
            self.consumer(route);
            self.worker(route);
            self.groups(route);
            self.subprotocols(route);
            self.bounds(route);
            if let Some(allow) = &route.allow {
                let captured = captures_of(route.path.as_ref(), route.re_path.as_ref());
                self.allow(allow, &captured, route.has_users());
            }
            if route.login_required && !self.settings.has_users() {
                self.needs_users(&self.document.place_of(&route.span, "login_required"), "login_required");
            }
            self.bearing(&route.span, route.bearer);
        }
    }

    fn consumer(&mut self, route: &SocketRoute) {
        let name = &route.consumer;
        let known: Vec<&str> = CONSUMERS.into_iter().chain(self.parts.consumers()).collect();
        if !known.contains(&name.as_str()) {
            let problem = Problem::new(name.span.clone(), format!("unknown consumer {:?}", name.value))
                .expecting(one_of(&known))
                .nearest(nearest(name, &known));
            self.report(problem);
        }
        match (name.as_str(), &route.upstream) {
            ("proxy", None) if !self.document.has(&route.span, "upstream") => {
                let problem =
                    Problem::new(route.span.clone(), "the consumer proxy without a server behind it");
                self.report(problem.expecting("upstream = \"http://host:port\""));
            }
            (_, None) | ("proxy", _) => {}
            (_, Some(upstream)) => {
                let problem = Problem::new(
                    upstream.span.clone(),
                    format!("an upstream for the consumer {}", name.value),
                );
                self.report(problem.expecting("consumer = \"proxy\" beside it"));
            }
        }
    }

    fn groups(&mut self, route: &SocketRoute) {
        if let (Some(_), Some(second)) = (&route.group, route.groups.first()) {
            let problem = Problem::new(second.span.clone(), "group and groups on one route");
            self.report(problem.expecting("group = \"…\" or groups = [\"…\"]"));
        }
        // What could not be read has been reported.
        if route.group.is_none() && self.document.has(&route.span, "group") {
            return;
        }
        let groups: Vec<_> = route.group.iter().chain(&route.groups).collect();
        let what = match (route.consumer.as_str(), groups.len()) {
            ("chat", 1) | ("relay" | "listen", 1..) => None,
            ("chat", _) => Some("one group, such as group = \"chat_{course_id}\""),
            ("relay" | "listen", 0) => Some("a group, such as group = \"user_{user.id}\""),
            ("echo" | "proxy", 1..) => Some("no group: this consumer serves none"),
            _ => None,
        };
        if let Some(expected) = what {
            let count = match groups.len() {
                0 => "no group".to_owned(),
                1 => "a group".to_owned(),
                count => format!("{count} groups"),
            };
            let found = format!("the consumer {} with {count}", route.consumer.value);
            self.report(Problem::new(route.span.clone(), found).expecting(expected));
        }
        let captured = captures_of(route.path.as_ref(), route.re_path.as_ref());
        for group in &groups {
            self.group(group, &captured, route.has_users());
        }
        if !groups.is_empty() || *route.consumer == "worker" {
            self.layer(&route.channel_layer, &route.span);
        }
    }

    /// Subprotocols travel in a header, divided by commas.
    fn subprotocols(&mut self, route: &SocketRoute) {
        for subprotocol in &route.subprotocols {
            if HeaderName::from_bytes(subprotocol.as_bytes()).is_err() {
                let what = format!("no subprotocol can be named {:?}", subprotocol.value);
                let problem = Problem::new(subprotocol.span.clone(), what);
                self.report(problem.expecting("a word without spaces and commas, such as \"chat.v1\""));
            }
        }
    }

    fn bounds(&mut self, route: &SocketRoute) {
        let per_user = route.connections_per_user.iter().map(|bound| (&bound.span, "connections_per_user"));
        let rate = route.rate.iter().filter_map(|rate| rate.user.as_ref());
        for (span, name) in per_user.chain(rate.map(|rate| (&rate.span, "rate.user"))) {
            if !route.has_users() {
                let problem = Problem::new(span.clone(), format!("{name} for visitors who are nobody"));
                self.report(problem.expecting("login_required = true, or bearer = \"required\", beside it"));
            }
        }
    }
}

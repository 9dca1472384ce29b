//! The figures in Prometheus' text format.

use std::borrow::Cow;
use std::fmt::{Display, Write};

use super::Figures;
use super::histogram::Distribution;
use crate::layers::{DropCause, LayerStatsSnapshot};

impl Figures {
    /// The figures in Prometheus' text format, version 0.0.4.
    pub fn to_prometheus(&self) -> String {
        let mut page = Page::default();
        page.gauge("solent_info", "The version of Solent.");
        page.line("solent_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
        self.write_requests(&mut page);
        self.write_handshakes(&mut page);
        self.write_sockets(&mut page);
        self.write_layers(&mut page);
        self.write_upstreams(&mut page);
        page.0
    }

    fn write_requests(&self, page: &mut Page) {
        page.counter("solent_http_requests_total", "HTTP requests by the status of their answer.");
        for (status, count) in &self.requests {
            page.line("solent_http_requests_total", &[("status", &status.to_string())], count);
        }
        let name = "solent_http_request_duration_seconds";
        page.header(name, "From a request's head to its answer's.", "histogram");
        page.distribution(name, &[], &self.request_time);
    }

    fn write_handshakes(&self, page: &mut Page) {
        let name = "solent_websocket_handshakes_total";
        page.counter(name, "WebSocket handshakes by their result.");
        page.line(name, &[("result", "accepted")], self.handshakes_accepted);
        page.line(name, &[("result", "refused")], self.refusals.values().sum::<u64>());
        page.counter("solent_websocket_refusals_total", "Refused handshakes by the rule that refused.");
        for (rule, count) in &self.refusals {
            page.line("solent_websocket_refusals_total", &[("rule", rule)], count);
        }
        let name = "solent_websocket_handshake_duration_seconds";
        page.header(name, "From a handshake's head to its answer.", "histogram");
        page.distribution(name, &[], &self.handshake_time);
    }

    fn write_sockets(&self, page: &mut Page) {
        page.gauge("solent_websocket_connections", "Open WebSockets.");
        for (route, traffic) in &self.routes {
            page.line("solent_websocket_connections", &[("route", route)], traffic.open);
        }
        page.counter("solent_websocket_connections_opened_total", "WebSockets that were opened.");
        for (route, traffic) in &self.routes {
            page.line("solent_websocket_connections_opened_total", &[("route", route)], traffic.opened);
        }
        page.counter("solent_websocket_messages_total", "Messages from clients (in) and for them (out).");
        for (route, told) in &self.routes {
            let name = "solent_websocket_messages_total";
            page.line(name, &[("route", route), ("direction", "in")], told.traffic.messages_in);
            page.line(name, &[("route", route), ("direction", "out")], told.traffic.messages_out);
        }
        page.counter("solent_websocket_bytes_total", "The messages' bytes.");
        for (route, told) in &self.routes {
            let name = "solent_websocket_bytes_total";
            page.line(name, &[("route", route), ("direction", "in")], told.traffic.bytes_in);
            page.line(name, &[("route", route), ("direction", "out")], told.traffic.bytes_out);
        }
        let name = "solent_websocket_frames_dropped_total";
        page.counter(name, "Frames dropped for clients that read too slowly.");
        page.line(name, &[], self.frames_dropped);
    }

    fn write_layers(&self, page: &mut Page) {
        type Read = fn(&LayerStatsSnapshot) -> u64;
        let counters: [(&str, &str, Read); 5] = [
            ("solent_layer_sends_total", "Sends to single channels.", |stats| stats.sends),
            ("solent_layer_group_sends_total", "Sends to groups.", |stats| stats.group_sends),
            ("solent_layer_delivered_total", "Events that reached a consumer or a socket.", |stats| {
                stats.delivered
            }),
            ("solent_layer_errors_total", "Sends that failed.", |stats| stats.errors),
            ("solent_layer_reconnects_total", "Lost connections to the broker that came back.", |stats| {
                stats.reconnects
            }),
        ];
        for (name, help, read) in counters {
            page.counter(name, help);
            for (alias, (stats, _)) in &self.layers {
                page.line(name, &[("layer", alias)], read(stats));
            }
        }
        page.counter("solent_layer_dropped_total", "Events that did not reach somebody, by cause.");
        for (alias, (stats, _)) in &self.layers {
            for cause in DropCause::ALL {
                let labels = [("layer", &**alias), ("cause", cause.as_str())];
                page.line("solent_layer_dropped_total", &labels, stats.dropped(cause));
            }
        }
        page.gauge("solent_layer_ready", "Whether the layer can deliver now.");
        for (alias, (_, ready)) in &self.layers {
            page.line("solent_layer_ready", &[("layer", alias)], u8::from(*ready));
        }
    }

    fn write_upstreams(&self, page: &mut Page) {
        page.counter(
            "solent_upstream_results_total",
            "Answers of servers behind, and what came in their place.",
        );
        for (name, told) in &self.upstreams {
            for (result, count) in &told.results {
                page.line("solent_upstream_results_total", &[("upstream", name), ("result", result)], count);
            }
        }
        let name = "solent_upstream_duration_seconds";
        page.header(name, "From a request's head to the answer's.", "histogram");
        for (upstream, told) in &self.upstreams {
            page.distribution(name, &[("upstream", upstream)], &told.time);
        }
    }
}

/// The text as it grows.
#[derive(Default)]
struct Page(String);

impl Page {
    fn counter(&mut self, name: &str, help: &str) {
        self.header(name, help, "counter");
    }

    fn gauge(&mut self, name: &str, help: &str) {
        self.header(name, help, "gauge");
    }

    fn header(&mut self, name: &str, help: &str, kind: &str) {
        // Writing into a string does not fail; so below.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let sign = if index == 0 { '{' } else { ',' };
            let _ = write!(self.0, "{sign}{label}=\"{}\"", escape(text));
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{end} {value}");
    }

    fn distribution(&mut self, name: &str, labels: &[(&str, &str)], told: &Distribution) {
        let bucket = format!("{name}_bucket");
        let bounds = told.buckets.iter().map(|(bound, count)| (bound.to_string(), *count));
        for (bound, count) in bounds.chain([("+Inf".to_owned(), told.count)]) {
            let labels: Vec<_> = labels.iter().copied().chain([("le", &*bound)]).collect();
            self.line(&bucket, &labels, count);
        }
        self.line(&format!("{name}_sum"), labels, told.sum.as_secs_f64());
        self.line(&format!("{name}_count"), labels, told.count);
    }
}

/// A label's value as the format wants it.
fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['\\', '"', '\n']) {
        return Cow::Borrowed(text);
    }
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_break_out_of_its_line() {
        let mut page = Page::default();
        page.line("a", &[("route", "^ws/(?P<x>\\d+)/\"\n$"), ("b", "c")], 7);
        assert_eq!(page.0, "a{route=\"^ws/(?P<x>\\\\d+)/\\\"\\n$\",b=\"c\"} 7\n");
    }
}

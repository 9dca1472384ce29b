//! The routes as a table for people.

use super::settings::{Bearing, HttpRoute, Settings, SocketRoute, Target};

/// One line per route: kind, path, name, guards, target.
pub(super) fn table(settings: &Settings) -> String {
    let mut rows = vec![["", "PATH", "NAME", "GUARDS", "TARGET"].map(str::to_owned)];
    if settings.r#static.url.starts_with('/') {
        let files = settings
            .r#static
            .dir
            .as_ref()
            .map_or_else(|| "the program's own".to_owned(), |dir| dir.display().to_string());
        let path = format!("{}*", settings.r#static.url.value);
        rows.push(["HTTP".to_owned(), path, String::new(), String::new(), format!("static {files}")]);
    }
    rows.extend(settings.http.iter().map(page));
    rows.extend(settings.websocket.iter().map(socket));
    aligned(&rows)
}

fn page(route: &HttpRoute) -> [String; 5] {
    let below = route.target().is_some_and(Target::serves_below);
    let methods: Vec<&str> = route.methods.iter().map(|method| method.as_str()).collect();
    let kind = if methods.is_empty() { "HTTP".to_owned() } else { format!("HTTP {}", methods.join(",")) };
    let path = path(route.path.as_deref(), route.re_path.as_deref());
    let path = if below { format!("{path}*") } else { path };
    let mut guards = guards(route.login_required, route.allow.is_some(), route.bearer);
    if route.csrf_exempt {
        guards.push("csrf exempt");
    }
    let name = route.name.as_ref().map(|name| name.value.clone());
    [kind, path, name.unwrap_or_default(), guards.join(", "), target(route)]
}

fn target(route: &HttpRoute) -> String {
    match route.target() {
        Some(Target::Template(template)) => format!("template {}", template.value),
        Some(Target::Redirect(redirect)) => {
            let to = redirect.url.as_ref().or(redirect.name.as_ref());
            format!("redirect {}", to.map_or("", |to| to.as_str()))
        }
        Some(Target::Respond(respond)) => format!("respond {}", respond.status.as_u16()),
        Some(Target::Static(folder)) => format!("static {}", folder.display()),
        Some(Target::Proxy(upstream)) => format!("proxy {}", upstream.value),
        Some(Target::Login(login)) => format!("login {}", login.template.value),
        Some(Target::PasswordChange(page)) => format!("password_change {}", page.template.value),
        Some(Target::Logout(_)) => "logout".to_owned(),
        Some(Target::Events(events)) => format!("events {}", names(&events.groups)),
        None => String::new(),
    }
}

fn socket(route: &SocketRoute) -> [String; 5] {
    let path = path(route.path.as_deref(), route.re_path.as_deref());
    let guards = guards(route.login_required, route.allow.is_some(), route.bearer);
    let groups: Vec<_> = route.group.iter().chain(&route.groups).cloned().collect();
    let target = [route.consumer.value.clone(), names(&groups)];
    let upstream = route.upstream.iter().map(|upstream| upstream.to_string());
    let channel = route.channel.iter().map(|channel| match route.shards.value {
        1 => format!("channel {}", channel.value),
        shards => format!("channel {}-0 to -{}", channel.value, shards.saturating_sub(1)),
    });
    let target = target.into_iter().chain(upstream).chain(channel);
    let target: Vec<String> = target.filter(|part| !part.is_empty()).collect();
    let name = route.name.as_ref().map(|name| name.value.clone());
    ["WebSocket".to_owned(), path, name.unwrap_or_default(), guards.join(", "), target.join(" ")]
}

fn path(path: Option<&String>, re_path: Option<&String>) -> String {
    match (path, re_path) {
        (Some(path), _) => format!("/{path}"),
        (None, regex) => regex.cloned().unwrap_or_default(),
    }
}

fn guards(login_required: bool, allow: bool, bearer: Bearing) -> Vec<&'static str> {
    let guards = [
        (login_required, "login"),
        (allow, "allow"),
        (bearer == Bearing::Accepted, "bearer or session"),
        (bearer == Bearing::Required, "bearer"),
    ];
    guards.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect()
}

fn names(groups: &[super::setting::Placed<String>]) -> String {
    groups.iter().map(|group| group.as_str()).collect::<Vec<_>>().join(", ")
}

/// Columns as wide as their widest cell, two blanks apart.
fn aligned(rows: &[[String; 5]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

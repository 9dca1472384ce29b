//! `[[http]]`: a page, or whatever else a path leads to.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ::http::{HeaderName, HeaderValue, Method, StatusCode, header};

use super::allow::Allow;
use super::bearer::Bearing;
use crate::gateway::document::{Node, Span, Value};
use crate::gateway::problem::Problem;
use crate::gateway::reader::Reader;
use crate::gateway::section::section;
use crate::gateway::setting::{Placed, Setting};
use crate::gateway::units::{ByteSize, parse_duration};
use crate::gateway::upstream::Upstreams;

section! {
    /// `[[http]]`: one route of pages.
    pub(crate) struct HttpRoute {
        /// The path, without its first slash, as Django's `path()`: `chat/room/<int:course_id>/`. Either this or
        /// `re_path`.
        path: Option<Placed<String>> = None,
        /// The path as a regular expression, as Django's `re_path()`.
        re_path: Option<Placed<String>> = None,
        /// The route's name, for `url()` in templates and for `redirect`.
        name: Option<Placed<String>> = None,
        /// Target: a template, rendered with the route's queries.
        template: Option<Placed<String>> = None,
        /// Target: somewhere else.
        redirect: Option<Redirect> = None,
        /// Target: an answer as it stands here.
        respond: Option<Respond> = None,
        /// Target: the files of a folder; serves everything under its path.
        r#static: Option<Placed<PathBuf>> = None,
        /// Target: another server, `http://host:port`, `https://host:port` or `unix:` and a path, or a list of several that
        /// can stand in for each other; serves everything under its path.
        proxy: Option<Placed<Upstreams>> = None,
        /// Target: the log-in page.
        login: Option<Login> = None,
        /// Target: log-out, by POST.
        logout: Option<Logout> = None,
        /// Target: the page on which users change their password. Their other sessions end with it.
        password_change: Option<PasswordChange> = None,
        /// Target: the events of groups as an event stream.
        events: Option<Events> = None,
        /// The methods that are taken; others get 405. Without it, those that make sense for the target.
        methods: Vec<Placed<Method>> = Vec::new(),
        /// Whether a POST needs no CSRF token: for other programs, never for browsers' forms.
        csrf_exempt: bool = false,
        /// How long browsers and proxies may keep an answer, or `never`. Without it nothing is said about it.
        cache: Option<CachePolicy> = None,
        /// Sends visitors to the log-in page first.
        login_required: bool = false,
        /// Whether clients may show a token of `[auth.bearer]` in place of a session: `off`, `accepted`, or `required` (401
        /// without). In `Authorization: Bearer TOKEN`. With `off` the header is for who is behind.
        bearer: Bearing = Bearing::Off,
        /// A further condition; 403 when it does not hold.
        allow: Option<Allow> = None,
        /// What a template is given: the rows of queries, by name.
        query: BTreeMap<String, QuerySettings> = BTreeMap::new(),
    }
}

section! {
    /// `redirect`.
    pub(crate) struct Redirect {
        /// A URL or path.
        url: Option<Placed<String>> = None,
        /// The name of a route; its arguments are taken from this one's.
        name: Option<Placed<String>> = None,
        /// 301 in place of 302: browsers remember it for good.
        permanent: bool = false,
    }
}

section! {
    /// `respond`.
    pub(crate) struct Respond {
        /// The status.
        status: StatusCode = StatusCode::OK,
        /// Headers.
        headers: Headers = Headers(Vec::new()),
        /// The body.
        body: String = String::new(),
    }
}

section! {
    /// `login`.
    pub(crate) struct Login {
        /// The page with the form.
        template: Placed<String> = Placed { value: "registration/login.html".to_owned(), span: 0..0 },
    }
}

section! {
    /// `password_change`.
    pub(crate) struct PasswordChange {
        /// The page with the form.
        template: Placed<String> = Placed { value: "registration/password_change.html".to_owned(), span: 0..0 },
    }
}

section! {
    /// `logout`.
    pub(crate) struct Logout {
        /// Where to go afterwards: a path, or the name of a route. Without it, to the log-in page.
        next: Option<Placed<String>> = None,
    }
}

section! {
    /// `events`.
    pub(crate) struct Events {
        /// The groups, with placeholders as in `{course_id}` and `{user.id}`.
        groups: Vec<Placed<String>>,
        /// The alias of the channel layer.
        channel_layer: Placed<String> = Placed { value: "default".to_owned(), span: 0..0 },
        /// How many events of the groups each process keeps for clients that come back with `Last-Event-ID`; 0 keeps none.
        /// Too few and a short absence is a gap, which clients are told by `{"type": "layer.gap"}`.
        history: usize = 100,
        /// How many bytes of them.
        history_bytes: ByteSize = ByteSize(256 << 10),
        /// For how long they are kept after the last client of the groups has left.
        history_time: Duration = Duration::from_secs(60),
    }
}

section! {
    /// `query.NAME`.
    pub(crate) struct QuerySettings {
        /// The query. Its parameters are the route's captures, and `:user_id` and `:username`.
        sql: Placed<String>,
        /// One row in place of a list of rows.
        one: bool = false,
        /// The status of the answer when `one` finds no row.
        otherwise: Option<Placed<StatusCode>> = None,
    }
}

/// What a route leads to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target<'r> {
    Template(&'r Placed<String>),
    Redirect(&'r Redirect),
    Respond(&'r Respond),
    Static(&'r Placed<PathBuf>),
    Proxy(&'r Placed<Upstreams>),
    Login(&'r Login),
    Logout(&'r Logout),
    PasswordChange(&'r PasswordChange),
    Events(&'r Events),
}

impl HttpRoute {
    /// Whether everybody who gets in is somebody.
    pub(crate) fn has_users(&self) -> bool {
        self.login_required || self.bearer == Bearing::Required
    }

    /// The targets that are named: one, unless the file is wrong.
    pub(crate) fn targets(&self) -> Vec<(&'static str, Span, Target<'_>)> {
        [
            self.template.as_ref().map(|it| ("template", it.span.clone(), Target::Template(it))),
            self.redirect.as_ref().map(|it| ("redirect", it.span.clone(), Target::Redirect(it))),
            self.respond.as_ref().map(|it| ("respond", it.span.clone(), Target::Respond(it))),
            self.r#static.as_ref().map(|it| ("static", it.span.clone(), Target::Static(it))),
            self.proxy.as_ref().map(|it| ("proxy", it.span.clone(), Target::Proxy(it))),
            self.login.as_ref().map(|it| ("login", it.span.clone(), Target::Login(it))),
            self.logout.as_ref().map(|it| ("logout", it.span.clone(), Target::Logout(it))),
            self.password_change
                .as_ref()
                .map(|it| ("password_change", it.span.clone(), Target::PasswordChange(it))),
            self.events.as_ref().map(|it| ("events", it.span.clone(), Target::Events(it))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The target.
    pub(crate) fn target(&self) -> Option<Target<'_>> {
        self.targets().into_iter().next().map(|(_, _, target)| target)
    }
}

impl Target<'_> {
    /// Whether everything under the route's path leads here.
    pub(crate) fn serves_below(self) -> bool {
        matches!(self, Self::Static(_) | Self::Proxy(_))
    }
}

/// How long an answer may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CachePolicy {
    For(Duration),
    Never,
}

impl Setting for CachePolicy {
    fn expected() -> String {
        "a time such as \"60s\", or \"never\"".to_owned()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Value::Text(text) = &node.value else { return reader.wrong(node, &Self::expected()) };
        if text.text == "never" {
            return Some(Self::Never);
        }
        parse_duration(&text.text).map(Self::For).or_else(|| reader.wrong(node, &Self::expected()))
    }

    fn show(&self) -> Option<String> {
        match self {
            Self::For(time) => time.show(),
            Self::Never => Some("\"never\"".to_owned()),
        }
    }
}

/// Headers of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Headers(pub(crate) Vec<(HeaderName, HeaderValue)>);

/// Those that say how an answer is carried, which is for the server to say.
const CARRIAGE: [HeaderName; 4] =
    [header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::UPGRADE];

impl Setting for Headers {
    fn expected() -> String {
        format!("a table, each value {}", HeaderText::expected())
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(entries) = node.entries() else { return reader.wrong(node, &Self::expected()) };
        let mut read = Vec::new();
        for entry in entries {
            let name = entry.key.parse().ok().filter(|name| !CARRIAGE.contains(name));
            if name.is_none() {
                let what = format!("this cannot be a header here: {:?}", entry.key);
                let problem = Problem::new(entry.key_span.clone(), what);
                reader.report::<()>(problem.expecting("a name such as \"Content-Language\""));
            }
            read.push(name.zip(HeaderText::read(&entry.node, reader)));
        }
        let read: Option<Vec<_>> = read.into_iter().collect();
        Some(Self(read?.into_iter().map(|(name, text): (_, HeaderText)| (name, text.0)).collect()))
    }

    fn show(&self) -> Option<String> {
        let shown = |(name, value): &(HeaderName, HeaderValue)| {
            Some(format!("{:?} = {}", name.as_str(), HeaderText(value.clone()).show()?))
        };
        let shown: Vec<String> = self.0.iter().filter_map(shown).collect();
        Some(if shown.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", shown.join(", ")) })
    }
}

/// A header's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeaderText(pub(crate) HeaderValue);

impl Setting for HeaderText {
    fn expected() -> String {
        "a text that can stand in a header".to_owned()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, &Self::expected())?;
        text.parse().ok().map(Self).or_else(|| reader.wrong(node, &Self::expected()))
    }

    fn show(&self) -> Option<String> {
        self.0.to_str().ok().map(crate::gateway::setting::quoted)
    }
}

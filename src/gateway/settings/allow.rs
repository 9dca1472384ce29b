//! `allow`: a further condition of a route.

use std::time::Duration;

use crate::gateway::section::section;
use crate::gateway::setting::Placed;
use crate::gateway::upstream::Upstreams;

section! {
    /// `allow`.
    pub(crate) struct Allow {
        /// A query; it holds when there is a row. Its parameters are the route's captures, and `:user_id` and
        /// `:username`.
        sql: Option<Placed<String>> = None,
        /// A server behind, which is asked with the client's cookies: 2xx lets in, 401 and 403 refuse, anything else is a
        /// 503.
        http: Option<AllowHttp> = None,
    }
}

section! {
    /// `allow.http`.
    pub(crate) struct AllowHttp {
        /// The server, as in `proxy`.
        upstream: Placed<Upstreams>,
        /// What it is asked for by GET, with placeholders as in `{course_id}` and `{user.id}`; its headers
        /// `X-Original-Method` and `X-Original-URI` tell what the client wants.
        path: Placed<String>,
        /// How long a yes or no holds for the same cookies and path; `0s` asks each time. Too long and people stay who
        /// should go.
        cache: Duration = Duration::from_secs(10),
        /// Answers that are kept at once; beyond, the oldest goes.
        cached: usize = 10_000,
        /// How long the answer may take; then 503.
        time: Duration = Duration::from_secs(5),
    }
}

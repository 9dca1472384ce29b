//! `[auth]`: users and log-in.

use std::time::Duration;

use super::bearer::BearerTable;
use super::changed;
use crate::auth::{LoginThrottle, Rehash};
use crate::gateway::section::section;
use crate::gateway::setting::Placed;
use crate::gateway::units::OrOff;
use crate::gateway::words::words;

section! {
    /// `[auth]`.
    pub(crate) struct AuthSettings {
        /// Where visitors are sent to log in: a path, or the name of a route.
        login_url: Placed<String> = Placed { value: "/accounts/login/".to_owned(), span: 0..0 },
        /// Where they go afterwards, when they came from nowhere: a path, or the name of a route.
        login_redirect_url: Placed<String> = Placed { value: "/".to_owned(), span: 0..0 },
        /// How soon an open socket notices that its session has ended or its permission was withdrawn behind Solent's
        /// back. Shorter costs queries, longer lets people stay who should go.
        recheck: Duration = Duration::from_secs(30),
        /// When a password is stored anew at log-in: `weaker` (than today's), `django` (as Django's own rule has it)
        /// or `never`.
        rehash: RehashWhen = RehashWhen::Weaker,
        /// The table of users.
        user_table: Placed<String> = Placed { value: "auth_user".to_owned(), span: 0..0 },
        /// Its primary key.
        id_column: Placed<String> = Placed { value: "id".to_owned(), span: 0..0 },
        /// The name that users log in with.
        name_column: Placed<String> = Placed { value: "username".to_owned(), span: 0..0 },
        /// Failed log-ins, each process counting for itself; beyond, 429 with `Retry-After`.
        throttle: ThrottleTable,
        /// Tokens of clients that are no browsers, for the routes that say `bearer`.
        bearer: Option<BearerTable> = None,
    }
}

section! {
    /// `auth.throttle`.
    pub(crate) struct ThrottleTable {
        /// Failed log-ins of one account in a window, from wherever. Too few and anybody can keep a user out for a
        /// while, too many and a weak password is guessed.
        per_account: OrOff<u32> = OrOff(LoginThrottle::default().per_account),
        /// Failed log-ins from one address in a window, for whatever account. Too few and a school behind one address
        /// is locked out; behind a proxy that is not trusted, all visitors are one address.
        per_address: OrOff<u32> = OrOff(LoginThrottle::default().per_address),
        /// How long failures count, from the first one on.
        window: Duration = LoginThrottle::default().window,
    }
}

impl ThrottleTable {
    pub(crate) fn throttle(&self) -> LoginThrottle {
        changed(|throttle: &mut LoginThrottle| {
            throttle.per_account = self.per_account.0;
            throttle.per_address = self.per_address.0;
            throttle.window = self.window;
        })
    }
}

/// When a password is stored anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RehashWhen {
    Weaker,
    Django,
    Never,
}

words! {
    RehashWhen { "weaker" => Self::Weaker, "django" => Self::Django, "never" => Self::Never }
}

impl From<RehashWhen> for Rehash {
    fn from(from: RehashWhen) -> Self {
        match from {
            RehashWhen::Weaker => Self::Weaker,
            RehashWhen::Django => Self::Django,
            RehashWhen::Never => Self::Never,
        }
    }
}

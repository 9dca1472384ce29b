//! `[admin]`: the listener for those who run the site.

use super::server::BindAddress;
use crate::gateway::section::section;
use crate::gateway::setting::Placed;

section! {
    /// `[admin]`.
    pub(crate) struct AdminSettings {
        /// Where to listen, such as `127.0.0.1:9100`. Off without it. Whoever reaches it may read all figures.
        bind: Option<Placed<BindAddress>> = None,
    }
}

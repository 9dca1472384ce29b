//! `[cache]`: whole pages in memory.

use std::time::Duration;

use super::changed;
use crate::gateway::section::section;
use crate::gateway::units::ByteSize;
use crate::middleware::{CacheLayer, CacheSettings};

section! {
    /// `[cache]`.
    pub(crate) struct CacheTable {
        /// Whether this process keeps pages and gives them to other visitors. Logged-in users always get pages of
        /// their own, and no page that was made for one, or holds a form, is kept.
        enabled: bool = false,
        /// How long a page is kept whose route has no `cache` of its own. Without it, such pages are made anew each
        /// time. Too long and visitors see yesterday's page.
        page_time: Option<Duration> = None,
        /// Pages at once; beyond, the one that was not asked for the longest goes.
        pages: usize = CacheSettings::default().pages,
        /// The size of all pages together; beyond, as above.
        bytes: ByteSize = ByteSize(CacheSettings::default().bytes),
        /// The largest page that is kept.
        page_bytes: ByteSize = ByteSize(CacheSettings::default().page_bytes),
    }
}

impl CacheTable {
    /// An empty cache; `None` when it is off.
    pub(crate) fn layer(&self) -> Option<CacheLayer> {
        let settings = changed(|settings: &mut CacheSettings| {
            settings.page_time = self.page_time;
            settings.pages = self.pages;
            settings.bytes = self.bytes.0;
            settings.page_bytes = self.page_bytes.0;
        });
        self.enabled.then(|| CacheLayer::new(settings))
    }
}

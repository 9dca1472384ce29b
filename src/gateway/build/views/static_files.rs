//! `static`, and the static files of templates.

use tower::ServiceExt;

use crate::gateway::embedded;
use crate::gateway::settings::Settings;
use crate::http::{BoxedView, StaticFiles};

/// The files that templates mean by `static()`.
pub(crate) fn static_files_of(settings: &Settings) -> StaticFiles {
    match (&settings.r#static.dir, &settings.templates.dir) {
        (Some(dir), _) => settings.r#static.files_of(&dir.value),
        (None, Some(_)) => StaticFiles::embedded(&[]),
        (None, None) => StaticFiles::embedded(embedded::STATIC_FILES),
    }
}

/// A view that serves files.
pub(crate) fn static_view(files: StaticFiles) -> BoxedView {
    BoxedView::new(move |request| {
        let files = files.clone();
        Box::pin(async move { Ok(files.oneshot(request).await?) })
    })
}

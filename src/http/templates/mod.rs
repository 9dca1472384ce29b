//! Templates: minijinja with Django's `url()` and `static()`, and what every page may ask for.
//!
//! Stands beside views: a view gives a template's name and a context, and gets the page. Knows routes only by their
//! names.

mod check;
mod error;
mod layer;
mod page;
mod references;
mod source;
mod words;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ::http::{HeaderValue, header};
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, UndefinedBehavior, escape_formatter};
use serde::Serialize;

pub use error::TemplateError;
pub use layer::{Render, TemplatePages, TemplatesLayer};
/// Builds a context for a template: `context! { course => course, next => "/" }`.
pub use minijinja::context;

use self::page::{Page, RequestValue};
use self::source::Source;
use super::{Body, Response};
use crate::Scoped;

/// The templates of a site: a folder, or files that are part of the program. Cheap to clone.
///
/// The language is Jinja's, by minijinja. Values are escaped by the file's ending: as HTML except in `.txt` files
/// (not at all) and `.json` files (as JSON). A variable that is not there is an error when it is printed; `if`,
/// `is defined` and `default` may ask for it.
///
/// Beside the view's context a page has:
///
/// | name | what it is |
/// |---|---|
/// | `url(name, key=value, …)` | the path of a route, of views and sockets alike |
/// | `static(path)` | the address of a static file |
/// | `user` | `is_authenticated`, `username`, `id`, `is_active`, `is_staff`, `is_superuser` |
/// | `request` | `method`, `path`, `full_path`, `query_string`, `scheme`, `host`, `is_secure`, `root_path`, `kwargs` |
/// | `csrf_token`, `csrf_input` | the token, and the hidden field that holds it, once the CSRF middleware has run |
///
/// ```
/// use solent::http::Templates;
/// use solent::http::context;
/// use solent::http::{Body, Request};
///
/// let templates = Templates::embedded([("hello.html", "Hello {{ name }}!")]);
/// let request = Request::new(Body::empty());
/// assert_eq!(templates.render(&request, "hello.html", context! { name => "<b>" })?, "Hello &lt;b&gt;!");
/// # Ok::<(), solent::http::TemplateError>(())
/// ```
#[derive(Clone)]
pub struct Templates(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    engine: minijinja::Environment<'static>,
    source: Source,
    live: Arc<AtomicBool>,
}

impl Templates {
    /// The templates in a folder, by their paths in it. Its sub-folder `static` and names that start with a dot are
    /// never templates.
    ///
    /// While [`Environment::debug`](crate::Environment::debug) is on, a changed file is live at the next page;
    /// otherwise each file is read once.
    pub fn folder(folder: impl Into<PathBuf>) -> Self {
        Self::new(Source::Folder(folder.into()))
    }

    /// Templates that are part of the program, such as by `include_str!`, each with its name.
    pub fn embedded(files: impl IntoIterator<Item = (&'static str, &'static str)>) -> Self {
        Self::new(Source::Embedded(Arc::new(files.into_iter().collect())))
    }

    fn new(source: Source) -> Self {
        let live = Arc::new(AtomicBool::new(false));
        let mut engine = minijinja::Environment::new();
        engine.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        engine.set_auto_escape_callback(escaping);
        engine.set_formatter(print);
        engine.set_loader(source.loader(&live));
        Self(Arc::new(Inner { engine, source, live })).with_static_url("/static/")
    }

    /// Where static files are served; `static()` puts it in front of their paths. Default: `/static/`.
    #[must_use]
    pub fn with_static_url(mut self, url: impl Into<String>) -> Self {
        let url = url.into();
        Arc::make_mut(&mut self.0)
            .engine
            .add_function("static", move |path: &str| format!("{url}{}", path.trim_start_matches('/')));
        self
    }

    /// Lets `static()` write the names that `files` has for its files, which hold hashes where it has
    /// [`hashed_names`](super::StaticFiles::hashed_names). While debug is on they stay plain.
    #[must_use]
    pub fn with_static_files(mut self, url: impl Into<String>, files: &super::StaticFiles) -> Self {
        let (url, files, live) = (url.into(), files.clone(), Arc::clone(&self.0.live));
        let name = move |path: &str| {
            let path = path.trim_start_matches('/');
            let name = if live.load(Ordering::Relaxed) { path.to_owned() } else { files.name_of(path) };
            format!("{url}{name}")
        };
        Arc::make_mut(&mut self.0).engine.add_function("static", name);
        self
    }

    /// Renders a template for a request.
    ///
    /// # Errors
    /// A [`TemplateError`] that names template and line: no such template, a mistake in it, a variable that is not
    /// there, a `url()` to no route.
    pub fn render(
        &self,
        request: &impl Scoped,
        template: &str,
        context: impl Serialize,
    ) -> Result<String, TemplateError> {
        self.fill(Arc::new(RequestValue::of(request)), template, context)
    }

    fn fill(
        &self,
        request: Arc<RequestValue>,
        template: &str,
        context: impl Serialize,
    ) -> Result<String, TemplateError> {
        self.0.live.store(request.is_debug(), Ordering::Relaxed);
        let page = Value::from_object(Page { context: Value::from(Serde(context)), request });
        let rendered = self.0.engine.get_template(template).and_then(|found| found.render(page));
        rendered.map_err(|error| TemplateError::of(template, error))
    }

    /// Renders a template as the body of a 200.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub fn response(
        &self,
        request: &impl Scoped,
        template: &str,
        context: impl Serialize,
    ) -> Result<Response, TemplateError> {
        Ok(response_of(template, self.render(request, template, context)?))
    }

    /// The names of all templates, sorted.
    pub fn names(&self) -> Vec<String> {
        self.0.source.names()
    }

    /// Whether there is a template of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.0.source.read(name).is_ok_and(|text| text.is_some())
    }

    /// A template's text as it was written; `None` when there is none of this name. With [`check`](Self::check), it
    /// shows the line that a mistake is in.
    ///
    /// ```
    /// use solent::http::Templates;
    ///
    /// let templates = Templates::embedded([("hello.html", "Hello, {{ name }}!")]);
    /// assert_eq!(templates.text("hello.html").as_deref(), Some("Hello, {{ name }}!"));
    /// ```
    pub fn text(&self, name: &str) -> Option<String> {
        self.0.source.read(name).ok().flatten()
    }
}

impl std::fmt::Debug for Templates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Templates").field(&self.0.source).finish()
    }
}

fn escaping(name: &str) -> AutoEscape {
    match name.rsplit('.').next() {
        Some("txt") => AutoEscape::None,
        Some("json") => AutoEscape::Json,
        _ => AutoEscape::Html,
    }
}

/// Prints a value. Text in HTML is escaped as Django escapes it: the engine would write each slash as an entity,
/// which is as safe and cannot be read.
fn print(
    out: &mut minijinja::Output<'_>,
    state: &mut minijinja::State<'_, '_>,
    value: &Value,
) -> Result<(), minijinja::Error> {
    match value.as_str() {
        Some(text) if !value.is_safe() && matches!(state.auto_escape(), AutoEscape::Html) => {
            out.write_str(&super::pages::escape(text)).map_err(minijinja::Error::from)
        }
        _ => escape_formatter(out, state, value),
    }
}

fn response_of(template: &str, text: String) -> Response {
    let kind = match template.rsplit('.').next() {
        Some("txt") => "text/plain; charset=utf-8",
        Some("json") => "application/json",
        Some("xml") => "application/xml; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/html; charset=utf-8",
    };
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

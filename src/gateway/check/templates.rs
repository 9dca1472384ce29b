//! Templates: that they are there, can be read, and name only what exists.

use std::path::Path;

use super::Checked;
use crate::gateway::problem::Problem;
use crate::gateway::reader::nearest;
use crate::gateway::setting::Placed;
use crate::http::Templates;
use crate::routing::Names;

impl Checked<'_> {
    pub(super) fn templates(&mut self, templates: &Templates, names: &Names) {
        let settings = self.settings;
        if let Some(dir) = settings.templates.dir.as_ref().filter(|dir| !dir.is_dir()) {
            return self.missing_folder(&dir.span, dir);
        }
        let pages = settings.http.iter().filter_map(|route| route.template.as_ref());
        let logins = settings.http.iter().filter_map(|route| Some(&route.login.as_ref()?.template));
        let changes =
            settings.http.iter().filter_map(|route| Some(&route.password_change.as_ref()?.template));
        let used: Vec<&Placed<String>> = pages.chain(logins).chain(changes).collect();
        let known = templates.names();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        for (at, template) in used.iter().enumerate() {
            let is_first = used[..at].iter().all(|earlier| earlier.value != template.value);
            if templates.contains(template) || !is_first {
                continue;
            }
            let place = settings.templates.dir.as_ref().map_or_else(
                || "among the program's own templates".to_owned(),
                |dir| format!("in {}", dir.display()),
            );
            let problem =
                Problem::new(template.span.clone(), format!("there is no template {:?}", template.value))
                    .expecting(format!("the name of a template {place}"))
                    .nearest(nearest(template, &known));
            self.report(problem);
        }
        // A site's own pages of errors are found by their names.
        let is_own = settings.templates.dir.is_some();
        let errors = known.iter().copied().filter(|name| is_own && is_error_page(name));
        let all: Vec<&str> = used.iter().map(|template| template.as_str()).chain(errors).collect();
        let folder =
            settings.templates.dir.as_ref().map_or(Path::new("(built in)"), |dir| dir.value.as_path());
        for error in templates.check_used(names, all) {
            self.report(Problem::in_template(folder, templates, &error));
        }
    }
}

/// `404.html`: the site's own page of an error.
fn is_error_page(name: &str) -> bool {
    let status = name.strip_suffix(".html").and_then(|status| status.parse::<u16>().ok());
    status.is_some_and(|status| (400..600).contains(&status))
}

//! The templates, static files and starter files that are part of the program, so that it runs anywhere.

macro_rules! files {
    ($include:ident: $($name:literal),* $(,)?) => {
        &[$(($name, $include!(concat!("../../templates/", $name)))),*]
    };
}

macro_rules! static_files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../templates/static/", $name)))),*]
    };
}

/// The templates, by name.
pub(crate) const TEMPLATES: &[(&str, &str)] = files![include_str:
    "400.html",
    "403.html",
    "404.html",
    "500.html",
    "base.html",
    "chat/room.html",
    "courses/detail.html",
    "courses/list.html",
    "error.html",
    "registration/login.html",
    "registration/password_change.html",
];

/// The static files, by their paths under `static.url`.
pub(crate) const STATIC_FILES: &[(&str, &[u8])] = static_files!["css/base.css", "img/icon.svg", "js/chat.js"];

/// The files of a site to start from, by path.
pub(crate) fn starter_files() -> Vec<(String, &'static [u8])> {
    let config = [
        ("config/solent.toml", include_bytes!("../../config/solent.toml").as_slice()),
        ("config/demo/courses.sql", include_bytes!("../../config/demo/courses.sql").as_slice()),
        ("config/demo/data.sql", include_bytes!("../../config/demo/data.sql").as_slice()),
    ]
    .map(|(name, bytes)| (name.to_owned(), bytes));
    let templates = TEMPLATES.iter().map(|(name, text)| (format!("templates/{name}"), text.as_bytes()));
    let files = STATIC_FILES.iter().map(|(name, bytes)| (format!("templates/static/{name}"), *bytes));
    config.into_iter().chain(templates).chain(files).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{STATIC_FILES, TEMPLATES};

    fn files_below(folder: &Path, prefix: &str, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                files_below(&entry.path(), &format!("{name}/"), found);
            } else {
                found.push(name);
            }
        }
    }

    #[test]
    fn every_file_of_the_demo_is_embedded() {
        let mut found = Vec::new();
        files_below(Path::new("templates"), "", &mut found);
        found.sort();
        let mut embedded: Vec<String> = TEMPLATES.iter().map(|(name, _)| (*name).to_owned()).collect();
        embedded.extend(STATIC_FILES.iter().map(|(name, _)| format!("static/{name}")));
        embedded.sort();
        assert_eq!(embedded, found);
    }
}

//! Where templates come from: a folder or the program itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, io};

use minijinja::{Error, ErrorKind, TemplateSource};

/// A folder, or texts by name.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Folder(PathBuf),
    Embedded(Arc<BTreeMap<&'static str, &'static str>>),
}

/// Depth of folders that `names` looks into; a link that leads in a circle ends here.
const MAX_DEPTH: usize = 16;

impl Source {
    /// What the engine calls for each template it does not hold yet. While `live`, it asks each time whether the
    /// text it holds still stands.
    pub(super) fn loader(
        &self,
        live: &Arc<AtomicBool>,
    ) -> impl Fn(&str) -> Result<Option<TemplateSource>, Error> + Send + Sync + use<> {
        let (source, live) = (self.clone(), Arc::clone(live));
        move |name| {
            let Some(text) = source.read(name).map_err(|error| unreadable(name, error))? else {
                return Ok(None);
            };
            let (source, live, name, held) =
                (source.clone(), Arc::clone(&live), name.to_owned(), text.clone());
            // Texts are compared, not times: two edits within a file system's tick would go unseen.
            let stands = move || {
                !live.load(Ordering::Relaxed)
                    || source.read(&name).is_ok_and(|text| text.as_ref() == Some(&held))
            };
            Ok(Some(TemplateSource::new(text).with_uptodate_check(stands)))
        }
    }

    /// A template's text; `None` when there is no such template.
    pub(super) fn read(&self, name: &str) -> io::Result<Option<String>> {
        match self {
            Self::Embedded(files) => Ok(files.get(name).map(|text| (*text).to_owned())),
            Self::Folder(_) if !is_template(name) => Ok(None),
            Self::Folder(folder) => match fs::read_to_string(folder.join(name)) {
                Ok(text) => Ok(Some(text)),
                Err(error) if is_absent(&error) => Ok(None),
                Err(error) => Err(error),
            },
        }
    }

    pub(super) fn names(&self) -> Vec<String> {
        match self {
            Self::Embedded(files) => files.keys().map(|&name| name.to_owned()).collect(),
            Self::Folder(folder) => {
                let mut names = Vec::new();
                collect(folder, "", MAX_DEPTH, &mut names);
                names.sort();
                names
            }
        }
    }
}

/// Whether a name stays inside the folder and outside of its static files.
fn is_template(name: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains(['\0', '\\', ':']);
    // Some file systems do not tell cases apart.
    name.split('/').all(plain)
        && !name.split('/').next().is_some_and(|first| first.eq_ignore_ascii_case("static"))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::InvalidFilename
    )
}

fn unreadable(name: &str, error: io::Error) -> Error {
    Error::new(ErrorKind::BadInclude, format!("cannot read template {name:?}: {error}")).with_source(error)
}

fn collect(folder: &Path, prefix: &str, depth: usize, names: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let name = format!("{prefix}{name}");
        let path = entry.path();
        if !is_template(&name) {
            continue;
        }
        if path.is_dir() && depth > 0 {
            collect(&path, &format!("{name}/"), depth - 1, names);
        } else if path.is_file() {
            names.push(name);
        }
    }
}

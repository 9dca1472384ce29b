//! The gateway: from a config file to a running application, with no Rust written.
//!
//! Three steps, each of which can be taken alone: a document is the file as a tree with places; [`Settings`] are
//! what it says, checked key by key and together; an application is what is built of them. Only public parts of the
//! other rooms are put together here.

mod accounts;
mod build;
mod check;
mod columns;
mod deployment;
mod document;
mod embedded;
mod expand;
mod group_template;
mod load;
mod mask;
mod path_template;
mod placeholders;
mod problem;
mod reader;
mod routes;
mod secret;
mod section;
mod setting;
mod settings;
mod show;
mod units;
mod upstream;
mod words;

pub(crate) use accounts::UserAccounts;
pub use build::{BuildError, Parts};
pub use deployment::Deployment;
pub(crate) use embedded::starter_files;
pub use load::Loaded;
pub use problem::ConfigError;
pub use secret::Secret;
pub use setting::{Inside, Key};
pub use settings::Settings;

//! What views are made of: forms, static files, templates.

mod blocking;
mod form;
mod static_files;
mod templates;

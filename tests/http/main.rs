//! What views are made of: forms, static files, templates; and a site that is for one machine only.

mod blocking;
mod form;
mod local_only;
mod security_headers;
mod static_cache;
mod static_files;
mod templates;

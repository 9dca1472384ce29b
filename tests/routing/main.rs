//! Routing: patterns, socket routes, views, names.

mod support;

mod linear_scan;
mod names;
mod patterns;
mod protocol_router;
mod url_router;
mod vectors;
mod view_errors;
mod view_router;
mod views;

//! Middleware: tower layers that serve HTTP requests and WebSocket connections alike.

mod cookies;

pub use cookies::Cookies;

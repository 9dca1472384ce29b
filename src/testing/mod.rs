//! In-process communicators and a live server, for tests.

//! The examples do what they say, and stay short.
#![allow(missing_docs, unreachable_pub)]

#[path = "../support/raw.rs"]
mod raw;

#[allow(dead_code, reason = "an example's `main` is for people")]
#[path = "../../examples/axum_in_solent.rs"]
mod axum_in_solent;
#[allow(dead_code, reason = "an example's `main` is for people")]
#[path = "../../examples/bearer.rs"]
mod bearer;
#[allow(dead_code, reason = "an example's `main` is for people")]
#[path = "../../examples/echo.rs"]
mod echo;
#[allow(dead_code, reason = "an example's `main` is for people")]
#[path = "../../examples/own_channel_layer.rs"]
mod own_channel_layer;
#[allow(dead_code, reason = "an example's `main` is for people")]
#[path = "../../examples/own_listener.rs"]
mod own_listener;
#[allow(dead_code, reason = "an example's `main` is for people")]
#[path = "../../examples/own_middleware.rs"]
mod own_middleware;
#[allow(dead_code, reason = "an example's `main` is for people")]
#[path = "../../examples/own_protocol.rs"]
mod own_protocol;
#[allow(dead_code, reason = "an example's `main` is for people")]
#[path = "../../examples/own_session_store.rs"]
mod own_session_store;
#[allow(dead_code, reason = "an example's `main` is for people")]
#[path = "../../examples/own_user_store.rs"]
mod own_user_store;
#[allow(dead_code, reason = "an example's `main` is for people")]
#[path = "../../examples/solent_in_axum.rs"]
mod solent_in_axum;

mod embedding;
mod own_parts;

#[test]
fn every_example_has_under_100_lines() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let lines = std::fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines < 100, "{} has {lines} lines", path.display());
            count += 1;
        }
    }
    assert!(count >= 9, "{count} examples");
}

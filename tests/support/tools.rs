//! Where the tests find the programs that `tests/run` installs.
//!
//! `tests/run` passes their places in `SOLENT_TEST_*`. A test started by plain `cargo test` looks where
//! `tests/setup/install` puts them. A missing program fails the test: nothing is skipped.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses the tools that it needs")]

use std::path::{Path, PathBuf};

/// Python with Django, channels, `websockets` and the rest of `tests/setup/requirements.txt`.
pub fn python() -> PathBuf {
    find("SOLENT_TEST_PYTHON", &[&test_tools().join("venv/bin/python")])
}

/// Node.
pub fn node() -> PathBuf {
    find("SOLENT_TEST_NODE", &[Path::new("/usr/bin/node"), Path::new("/usr/local/bin/node")])
}

/// The folder that holds playwright-core.
pub fn node_modules() -> PathBuf {
    find("SOLENT_TEST_NODE_MODULES", &[&test_tools().join("node/node_modules")])
}

/// Debian's Chromium.
pub fn chromium() -> PathBuf {
    find("SOLENT_TEST_CHROMIUM", &[Path::new("/usr/bin/chromium")])
}

/// A Redis server's program.
pub fn redis_server() -> PathBuf {
    find("SOLENT_TEST_REDIS_SERVER", &[Path::new("/usr/bin/redis-server")])
}

/// nginx.
pub fn nginx() -> PathBuf {
    find("SOLENT_TEST_NGINX", &[Path::new("/usr/sbin/nginx"), Path::new("/usr/bin/nginx")])
}

/// systemd's judge of units.
pub fn systemd_analyze() -> PathBuf {
    find("SOLENT_TEST_SYSTEMD_ANALYZE", &[Path::new("/usr/bin/systemd-analyze")])
}

/// The folder with PostgreSQL's `initdb` and `postgres`.
pub fn postgres_bin() -> PathBuf {
    let debian: Vec<PathBuf> =
        (15..=20).rev().map(|n| format!("/usr/lib/postgresql/{n}/bin").into()).collect();
    find("SOLENT_TEST_POSTGRES_BIN", &debian.iter().map(PathBuf::as_path).collect::<Vec<_>>())
}

/// Autobahn|Testsuite's `wstest`.
pub fn wstest() -> PathBuf {
    find("SOLENT_TEST_WSTEST", &[&test_tools().join("autobahn/env/bin/wstest")])
}

/// Where tests leave pictures of what they saw, for people to look at.
pub fn pictures() -> PathBuf {
    test_tools().join("pictures")
}

/// Whether the slow variants were asked for (`tests/run --all`).
pub fn all() -> bool {
    std::env::var_os("SOLENT_TEST_ALL").is_some()
}

fn test_tools() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"), PathBuf::from);
    target.join("test-tools")
}

fn find(variable: &str, usual: &[&Path]) -> PathBuf {
    if let Some(told) = std::env::var_os(variable).filter(|told| !told.is_empty()).map(PathBuf::from) {
        assert!(told.exists(), "{variable} is {}, which is not there; run tests/run once", told.display());
        return told;
    }
    usual.iter().find(|place| place.exists()).map(|place| place.to_path_buf()).unwrap_or_else(|| {
        panic!("{variable} is not set and none of {usual:?} is there; run tests/run once, which installs it")
    })
}

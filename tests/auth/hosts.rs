//! Only requests to the site's own hosts come in.

use serde_json::Value;
use solent::middleware::{AllowedHosts, is_same_domain};

use crate::support::{cases, text, vectors};

#[test]
fn domains_are_compared_as_django_compares_them() {
    let all = cases(&vectors("redirects.json"), "same_domain");
    for case in &all {
        let same = is_same_domain(text(case, "host"), text(case, "pattern"));
        assert_eq!(Value::Bool(same), case["same"], "{case}");
    }
    assert_eq!(all.len(), 42);
}

#[test]
fn hosts_are_allowed_by_name_whatever_the_port() {
    let hosts = AllowedHosts::new(["example.com", ".Example.ORG", "[::1]", "127.0.0.1"]);
    for host in
        ["example.com", "EXAMPLE.com:8000", "example.com.", "a.b.example.org", "[::1]:80", "127.0.0.1:1"]
    {
        assert!(hosts.allows(host), "{host}");
    }
    for host in [
        "",
        "www.example.com",
        "badexample.org",
        "example.com:",
        "example.com:x",
        "example.com@evil.com",
        "[::1",
        "example.com/",
        "a b",
        "example.com\n",
        "[fe80::1%eth0]",
        "exämple.com",
    ] {
        assert!(!hosts.allows(host), "{host}");
    }
    assert!(AllowedHosts::new(["*"]).allows("anything.example"));
    assert!(!AllowedHosts::new(["*"]).allows("not/a/host"));
    assert!(!AllowedHosts::new(Vec::<String>::new()).allows("example.com"));
}

#[test]
fn a_development_server_answers_to_this_machine() {
    let hosts = AllowedHosts::local();
    for host in ["localhost:8000", "a.localhost", "127.0.0.1:8000", "[::1]:8000"] {
        assert!(hosts.allows(host), "{host}");
    }
    assert!(!hosts.allows("example.com"));
}

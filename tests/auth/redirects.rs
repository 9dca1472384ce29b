//! A login leads back to the site and nowhere else.

use proptest::prelude::*;
use serde_json::Value;
use solent::auth::{escape_leading_slashes, iri_to_uri, login_redirect, url_has_allowed_host_and_scheme};

use crate::support::{cases, text, vectors};

#[test]
fn safe_addresses_are_those_that_django_follows() {
    let all = cases(&vectors("redirects.json"), "safe_url");
    for case in &all {
        let hosts = case["allowed_hosts"].as_array().unwrap();
        let hosts: Vec<&str> = hosts.iter().map(|host| host.as_str().unwrap()).collect();
        // No address at all is as unsafe as an empty one.
        let url = case["url"].as_str().unwrap_or_default();
        let safe = url_has_allowed_host_and_scheme(url, &hosts, case["require_https"] == true);
        assert_eq!(Value::Bool(safe), case["safe"], "{case}");
    }
    assert_eq!(all.len(), 89);
}

#[test]
fn the_way_to_the_login_page_is_written_as_django_writes_it() {
    let all = cases(&vectors("redirects.json"), "login_redirect");
    for case in &all {
        assert_eq!(login_redirect(text(case, "login_url"), text(case, "next")), text(case, "location"));
    }
    assert_eq!(all.len(), 15);
    assert_eq!(login_redirect("/login?next=/old&a=b c#top", "/new"), "/login?next=/new&a=b%20c#top");
}

#[test]
fn a_path_of_ones_own_making_never_names_another_host() {
    let all = cases(&vectors("redirects.json"), "escape_leading_slashes");
    for case in &all {
        assert_eq!(escape_leading_slashes(text(case, "in")), text(case, "out"));
    }
    assert_eq!(all.len(), 4);
}

#[test]
fn twenty_shapes_of_open_redirect_are_refused() {
    let shapes = [
        "//evil.example",
        "///evil.example",
        "////evil.example",
        r"\\evil.example",
        r"/\evil.example",
        r"\/evil.example",
        r"/\/evil.example",
        "http:evil.example",
        "http:/evil.example",
        "http:///evil.example",
        "https://evil.example",
        "HTTPS://EVIL.EXAMPLE",
        "http://site.example@evil.example",
        "http://site.example:80@evil.example/",
        "http://site.example.evil.example",
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "\t//evil.example",
        "\u{8}//evil.example",
        "\u{200b}//evil.example",
        "http://site.example\\@evil.example",
        "//site.example\\.evil.example",
        "ftp://site.example/",
        "vbscript:x",
    ];
    for shape in shapes {
        assert!(!url_has_allowed_host_and_scheme(shape, &["site.example"], false), "{shape:?}");
    }
}

proptest! {
    #[test]
    fn what_is_safe_stays_on_the_site(url in r"[/\\:a-z.@?#\t\n \u{8}\u{a0}]{0,24}|(http|https|javascript):[/\\a-z@.]{0,20}") {
        if url_has_allowed_host_and_scheme(&url, &["a"], false) {
            // What a browser makes of it: blanks and control characters off, tabs and breaks out, backslashes turned,
            // and after a scheme or two slashes any number of slashes more, then the host.
            let seen: String = url.trim_matches(|c: char| c <= ' ').chars().filter(|c| !"\t\r\n".contains(*c)).collect();
            let seen = seen.replace('\\', "/");
            prop_assert!(!seen.starts_with("javascript:"), "{:?}", url);
            let after_scheme = seen.strip_prefix("http:").or(seen.strip_prefix("https:"));
            if let Some(host) = after_scheme.or(seen.starts_with("//").then_some(&*seen)) {
                let host = host.trim_start_matches('/').split(['/', '?', '#']).next();
                // Two slashes with nothing or a blank behind them lead nowhere.
                prop_assert!(matches!(host.map(str::trim), Some("a" | "")), "{:?}", url);
            }
        }
    }

    #[test]
    fn any_next_survives_the_way_to_the_login_page(next in any::<String>()) {
        let location = login_redirect("/accounts/login/", &next);
        prop_assert!(location.is_ascii());
        let encoded = location.strip_prefix("/accounts/login/?next=").unwrap();
        let decoded = percent_decode(encoded);
        prop_assert_eq!(decoded, next);
    }

    #[test]
    fn any_address_fits_into_a_header(address in any::<String>()) {
        prop_assert!(iri_to_uri(&address).bytes().all(|b| (b'!'..=b'~').contains(&b)));
    }
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&tail[..2]).unwrap(), 16).unwrap());
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap()
}

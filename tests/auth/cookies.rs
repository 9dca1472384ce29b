//! Cookies are read and written by Django's rules.

use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use serde_json::{Value, json};
use solent::middleware::{Cookies, SameSite, SetCookie};

use crate::support::{cases, text, vectors};

#[test]
fn cookie_headers_are_read_as_django_reads_them() {
    let all = cases(&vectors("cookies.json"), "parse");
    for case in &all {
        // The vectors hold the header as Python sees it: one character per byte.
        let header: Vec<u8> = text(case, "header").chars().map(|c| u8::try_from(c).unwrap()).collect();
        let found: Value = Cookies::parse(&header).iter().map(|(k, v)| (k.to_owned(), json!(v))).collect();
        assert_eq!(found, case["cookies"], "{:?}", case["header"]);
    }
    assert_eq!(all.len(), 20);
}

#[test]
fn set_cookie_headers_are_djangos_character_by_character() {
    let vectors = vectors("cookies.json");
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(vectors["time"].as_u64().unwrap());
    let all = cases(&vectors, "set");
    for case in &all {
        let (cookie, expected) = match text(case, "case") {
            "Django deletes" => {
                (SetCookie::deletion("sessionid").same_site(SameSite::Lax), text(case, "set_cookie"))
            }
            // Different on purpose: one form of deletion, Django's.
            "Channels deletes" => (
                SetCookie::deletion("sessionid").same_site(SameSite::Lax),
                r#"sessionid=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=Lax"#,
            ),
            // It sets the session by default arguments, which the first case spells out.
            "Channels sets session" => (from_arguments(&all[0]["args"]), text(case, "set_cookie")),
            _ => (from_arguments(&case["args"]), text(case, "set_cookie")),
        };
        assert_eq!(cookie.header(now).unwrap(), expected, "{}", case["case"]);
    }
    assert_eq!(all.len(), 9);
}

fn from_arguments(args: &Value) -> SetCookie {
    let mut cookie = SetCookie::new(text(args, "key").to_owned(), text(args, "value"))
        .http_only(args["httponly"] == true)
        .secure(args["secure"] == true)
        .domain(args["domain"].as_str().map(str::to_owned));
    if let Some(age) = args["max_age"].as_u64() {
        cookie = cookie.max_age(Duration::from_secs(age));
    }
    match args["samesite"].as_str() {
        Some("Lax") => cookie = cookie.same_site(SameSite::Lax),
        Some("None") => cookie = cookie.same_site(SameSite::None),
        Some(other) => panic!("no such SameSite: {other}"),
        None => {}
    }
    cookie
}

#[test]
fn a_cookie_that_would_split_the_header_is_refused() {
    let now = SystemTime::now();
    assert!(SetCookie::new("a b", "1").header(now).is_err());
    assert!(SetCookie::new("", "1").header(now).is_err());
    assert!(SetCookie::new("a", "1").path("/; Secure").header(now).is_err());
    assert!(SetCookie::new("a", "1").domain(Some("x\r\nSet-Cookie: y=1")).header(now).is_err());
    let wrapped = SetCookie::new("a", "1\r\nSet-Cookie: y=1").header(now).unwrap();
    assert_eq!(wrapped, r#"a="1\015\012Set-Cookie: y=1"; Path=/"#);
}

#[test]
fn prefixed_cookies_and_cookies_for_all_sites_are_deleted_securely() {
    let now = SystemTime::now();
    for cookie in [
        SetCookie::deletion("__Host-sessionid"),
        SetCookie::deletion("__Secure-sessionid"),
        SetCookie::deletion("sessionid").same_site(SameSite::None),
    ] {
        assert!(cookie.header(now).unwrap().to_str().unwrap().ends_with("; Secure"));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(header: Vec<u8>) {
        Cookies::parse(&header);
    }

    #[test]
    fn a_latin_1_value_survives_being_written_and_read(value in r"[\u{0}-\u{ff}]{0,40}") {
        let header = SetCookie::new("name", value.as_str()).header(SystemTime::now()).unwrap();
        let pair = header.as_bytes().strip_suffix(b"; Path=/").unwrap();
        let read = Cookies::parse(pair);
        prop_assert_eq!(read.get("name"), Some(&*value));
    }
}

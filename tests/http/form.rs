//! Urlencoded forms.

use http::{StatusCode, header};
use proptest::prelude::*;
use solent::http::{Body, Form, HttpError, Request};

fn post(kind: &str, body: &'static str) -> Request {
    http::Request::builder().method("POST").header(header::CONTENT_TYPE, kind).body(Body::from(body)).unwrap()
}

#[test]
fn fields_are_decoded_as_django_decodes_them() {
    type Case = (&'static [u8], &'static [(&'static str, &'static str)]);
    let cases: &[Case] = &[
        (b"", &[]),
        (b"&&", &[]),
        (b"a=1&b=2", &[("a", "1"), ("b", "2")]),
        (b"a", &[("a", "")]),
        (b"=x", &[("", "x")]),
        (b"a=b=c", &[("a", "b=c")]),
        (b"a+b=c+d%2B", &[("a b", "c d+")]),
        (b"q=%e2%82%ac", &[("q", "\u{20ac}")]),
        (b"q=%ff", &[("q", "\u{fffd}")]),
        (b"q=100%", &[("q", "100%")]),
        (b"q=%zz", &[("q", "%zz")]),
    ];
    for (bytes, expected) in cases {
        let form = Form::parse(bytes).unwrap();
        assert_eq!(form.iter().collect::<Vec<_>>(), *expected, "{}", bytes.escape_ascii());
    }
}

#[test]
fn the_last_of_a_repeated_name_wins_and_all_are_kept() {
    let form = Form::parse(b"x=1&y=2&x=3").unwrap();
    assert_eq!(form.get("x"), Some("3"));
    assert_eq!(form.all("x").collect::<Vec<_>>(), ["1", "3"]);
    assert_eq!(form.get("z"), None);
}

#[test]
fn more_than_a_thousand_fields_are_a_400() {
    assert!(Form::parse("a=1&".repeat(Form::MAX_FIELDS).as_bytes()).is_ok());
    let refused = Form::parse("a=1&".repeat(Form::MAX_FIELDS + 1).as_bytes()).unwrap_err();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_form_is_read_from_a_request_whose_type_says_so() {
    let mut request = post("application/x-www-form-urlencoded; charset=UTF-8", "message=hi");
    assert_eq!(Form::read(&mut request).await.unwrap().get("message"), Some("hi"));
}

#[tokio::test]
async fn another_type_of_body_is_a_415() {
    let error = Form::read(&mut post("application/json", "{}")).await.unwrap_err();
    let answer = error.downcast_ref::<HttpError>().unwrap();
    assert_eq!(answer.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
        let _ = Form::parse(&bytes);
    }
}

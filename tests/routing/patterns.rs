//! Patterns: mistakes are found when the router is built, and say where.

use solent::routing::{Converter, Converters, RouteError, UrlRouter, path, re_path};

use crate::support::{Seen, given_back, send, websocket};

fn mistake(route: solent::routing::Route) -> String {
    UrlRouter::new([route]).unwrap_err().to_string()
}

#[test]
fn a_malformed_path_pattern_is_named_with_the_position() {
    let cases = [
        ("a/<int:n", r#"pattern "a/<int:n", character 3: this `<` has no `>`"#),
        (
            "ä/<nope:n>/",
            r#"pattern "ä/<nope:n>/", character 4: unknown converter "nope"; known are int, str, slug, uuid, path"#,
        ),
        (
            "<int:1n>",
            r#"pattern "<int:1n>", character 6: "1n" is not a parameter name: letters, digits and `_` only, no digit first"#,
        ),
        (
            "<>",
            r#"pattern "<>", character 2: "" is not a parameter name: letters, digits and `_` only, no digit first"#,
        ),
        (
            "<a >",
            r#"pattern "<a >", character 2: "a " is not a parameter name: letters, digits and `_` only, no digit first"#,
        ),
        (
            "<a>/<int:a>/",
            r#"pattern "<a>/<int:a>/", character 5: the parameter "a" stands twice in this pattern"#,
        ),
        (
            "^ws/$",
            r#"pattern "^ws/$", character 1: this is regex syntax, which path() takes literally; use re_path()"#,
        ),
        (
            "ws/$",
            r#"pattern "ws/$", character 4: this is regex syntax, which path() takes literally; use re_path()"#,
        ),
        (
            "/ws/",
            r#"pattern "/ws/", character 1: leading slashes are stripped before matching, so this can never match; leave the slash out"#,
        ),
    ];
    for (pattern, expected) in cases {
        assert_eq!(mistake(path(pattern, Seen::default())), expected);
    }
}

#[test]
fn a_malformed_regex_is_named_with_the_position() {
    let cases = [
        ("ws/(", "character 4: unclosed group"),
        ("(?=a)b", "character 1: look-around is not supported"),
        ("a(?<!b)", "character 2: look-around is not supported"),
        (r"(a)\1", "character 4: back-references are not supported"),
        (r"(?P<a>x)(?P=a)", "back-references are not supported"),
        (r"ws/\Z", r"character 4: `\Z` is Python's; the end of the text is `\z` or `$` here"),
        ("^/ws/", "character 1: leading slashes are stripped"),
        ("/ws/$", "character 1: leading slashes are stripped"),
        (r"\p{Nope}", "character 1: Unicode property not found"),
        ("(?P<a>x)(?P<a>y)", "duplicate capture group name"),
    ];
    for (pattern, expected) in cases {
        let found = mistake(re_path(pattern, Seen::default()));
        assert!(found.contains(expected) && found.contains(&format!("{pattern:?}")), "{found}");
    }
    for fine in ["^/?ws/$", "^/ws|x", "/ws", "^/{0,1}ws"] {
        UrlRouter::new([re_path(fine, Seen::default())]).unwrap();
    }
}

#[test]
fn a13_names_and_namespaces_stand_where_they_mean_something() {
    let inner = UrlRouter::new([path("a/", Seen::default())]).unwrap();
    let named = UrlRouter::new([path("x/", inner).name("x")]).unwrap_err();
    assert!(matches!(named, RouteError::Misplaced { .. }), "{named}");
    let spaced = UrlRouter::new([path("x/", Seen::default()).namespace("x")]).unwrap_err();
    assert!(matches!(spaced, RouteError::Misplaced { .. }), "{spaced}");
}

#[tokio::test]
async fn a8_converters_of_ones_own_check_and_rewrite() {
    let even = |text: &str| text.parse::<u32>().ok().filter(|n| n % 2 == 0).map(|n| n.to_string());
    let converters = Converters::default().with(Converter::new("even", "([0-9])+", even));
    let seen = Seen::default();
    let routes = [path("<even:n>/<str:rest>/", seen.clone())];
    let router = UrlRouter::with_converters(&converters, routes).unwrap();
    send(&router, websocket("/042/x/")).await.unwrap();
    let scope = seen.take().unwrap();
    assert_eq!(scope.url_route.kwargs.iter().collect::<Vec<_>>(), [("n", "42"), ("rest", "x")]);
    given_back(send(&router, websocket("/43/x/")).await);
}

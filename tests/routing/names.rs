//! Names: from a name and arguments back to a path, for views and sockets alike.

use std::sync::Arc;

use proptest::prelude::*;
use solent::Scoped;
use solent::http::{Body, Request, RequestExt};
use solent::routing::{
    Names, ProtocolTypeRouter, ReverseError, RouteError, Routes, UrlRouter, ViewRouter, include, path,
    re_path,
};

use crate::support::{Scribbles, Seen};

async fn view(_: Request) -> &'static str {
    "a page"
}

fn names() -> Names {
    let courses =
        ViewRouter::new([path("<int:course_id>/<slug:part>/", view).name("part").kwarg("lang", "en")]);
    let views = ViewRouter::new([
        path("", view).name("index"),
        path("chat/room/<int:course_id>/", view).name("chat:room"),
        path("wiki/<path:page>", view).name("wiki"),
        path("by-name/<name>/", view).name("by-name"),
        path("account/<uuid:id>/", view).name("account"),
        include("courses/", courses.unwrap()).namespace("courses"),
    ])
    .unwrap();
    let rooms = UrlRouter::new([
        re_path(r"^room/(?P<course_id>\d+)/$", Seen::default()).name("socket"),
        re_path(r"^(?:old/)(\w+)-(\d{2})\.x$", Seen::default()).name("unnamed"),
    ]);
    let sockets = UrlRouter::new([
        path("ws/chat/", Scribbles(rooms.unwrap())).namespace("chat"),
        re_path(r"^ws/(a|b)/(?P<n>\d)/$", Seen::default()).name("mixed"),
        re_path(r"^ws/\d/$", Seen::default()).name("class"),
        re_path(r"^ws/x+/$", Seen::default()).name("repeated"),
        re_path(r"^ws/y|z$", Seen::default()).name("either"),
        re_path(r"^ws/(?P<n>\w+)/(?P<m>\w+)?$", Seen::default()).name("optional"),
    ]);
    ProtocolTypeRouter::new().http(views).websocket(Scribbles(sockets.unwrap())).names().unwrap()
}

#[test]
fn views_and_sockets_are_reversed_by_name() {
    let names = names();
    assert_eq!(names.reverse("index", &[]).unwrap(), "/");
    assert_eq!(names.reverse("chat:room", &[("course_id", &1)]).unwrap(), "/chat/room/1/");
    assert_eq!(names.reverse("chat:socket", &[("course_id", &"12")]).unwrap(), "/ws/chat/room/12/");
    assert_eq!(names.reverse("chat:unnamed", &[("0", &"ab"), ("1", &12)]).unwrap(), "/ws/chat/old/ab-12.x");
    let part = [("course_id", &7 as &(dyn std::fmt::Display + Sync)), ("part", &"intro")];
    assert_eq!(names.reverse("courses:part", &part).unwrap(), "/courses/7/intro/");
    assert_eq!(names.reverse_positional("courses:part", &[&7, &"intro"]).unwrap(), "/courses/7/intro/");
    assert_eq!(names.reverse_positional("chat:unnamed", &[&"ab", &12]).unwrap(), "/ws/chat/old/ab-12.x");
}

#[test]
fn what_may_not_stand_in_a_path_is_encoded_as_django_does() {
    let names = names();
    let wiki = |page: &str| names.reverse("wiki", &[("page", &page)]).unwrap();
    assert_eq!(wiki("a b/ä?x#y%20"), "/wiki/a%20b/%C3%A4%3Fx%23y%2520");
    assert_eq!(wiki("!$&'()*+,;=~:@-._"), "/wiki/!$&'()*+,;=~:@-._");
    assert_eq!(wiki("\"<>\\^`{|}[]"), "/wiki/%22%3C%3E%5C%5E%60%7B%7C%7D%5B%5D");
    let rooted = ViewRouter::new([path("<path:page>", view).name("all")]).unwrap();
    let rooted = Names::new(rooted.routes()).unwrap();
    assert_eq!(rooted.reverse("all", &[("page", &"/evil.example/")]).unwrap(), "/%2Fevil.example/");
}

#[test]
fn an_unknown_name_is_told_with_its_neighbours() {
    let error = names().reverse("chat:rom", &[]).unwrap_err();
    assert!(
        error.to_string().starts_with(r#"no route is named "chat:rom"; near it: chat:room, "#),
        "{error}"
    );
    let error = Names::default().reverse("x", &[]).unwrap_err();
    assert_eq!(error.to_string(), r#"no route is named "x"; no route has a name"#);
}

#[test]
fn wrong_arguments_are_named_with_the_pattern() {
    let names = names();
    let room = |args: &[(&str, &(dyn std::fmt::Display + Sync))]| {
        names.reverse("chat:room", args).unwrap_err().to_string()
    };
    let pattern = r#"(pattern "chat/room/<int:course_id>/")"#;
    assert_eq!(room(&[]), format!(r#""chat:room" needs the argument "course_id" {pattern}"#));
    let both = room(&[("course_id", &1), ("x", &1)]);
    assert_eq!(both, format!(r#""chat:room" has no argument "x" {pattern}"#));
    for wrong in ["", "x", "-1", "1 ", "٣", "99999999999999999999", "1/"] {
        let expected =
            format!(r#""chat:room": the argument "course_id" must be int, found {wrong:?} {pattern}"#);
        assert_eq!(room(&[("course_id", &wrong)]), expected);
    }
    let many = names.reverse_positional("chat:room", &[&1, &2]).unwrap_err();
    assert_eq!(many.to_string(), format!(r#""chat:room" has no argument "2" {pattern}"#));
    let none = names.reverse_positional("chat:room", &[]).unwrap_err();
    assert!(matches!(none, ReverseError::Missing { .. }));
    let regex = names.reverse("chat:socket", &[("course_id", &"x")]).unwrap_err();
    assert!(regex.to_string().contains(r#"must be \d+, found "x""#), "{regex}");
    let upper = names.reverse("account", &[("id", &"0F8FAD5B-D9CB-469F-A165-70867728950E")]).unwrap_err();
    assert!(upper.to_string().contains("must be uuid"));
    assert!(names.reverse("by-name", &[("name", &"a/b")]).unwrap_err().to_string().contains("must be str"));
}

#[test]
fn fixed_values_may_be_given_when_they_are_the_same() {
    let names = names();
    let with = |lang: &'static str| {
        let args: [(&str, &(dyn std::fmt::Display + Sync)); 3] =
            [("course_id", &7), ("part", &"intro"), ("lang", &lang)];
        names.reverse("courses:part", &args)
    };
    assert_eq!(with("en").unwrap(), "/courses/7/intro/");
    assert!(matches!(with("de"), Err(ReverseError::Unexpected { .. })));
}

#[test]
fn a_pattern_without_a_way_back_says_so() {
    let names = names();
    for (name, part) in [
        ("mixed", "an unnamed group beside named ones"),
        ("class", r"`\d` can stand for several texts"),
        ("repeated", "`x+` can stand for several texts"),
        ("either", "can stand for several texts"),
        ("optional", r"`(?P<m>\w+)?` can stand for several texts"),
    ] {
        let error = names.reverse(name, &[("n", &1)]).unwrap_err();
        assert!(matches!(error, ReverseError::NotReversible { .. }), "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn a_name_given_twice_is_an_error() {
    let twice = ViewRouter::new([path("a/", view).name("x"), path("b/", view).name("x")]).unwrap_err();
    let expected =
        RouteError::DuplicateName { name: "x".to_owned(), first: "a/".to_owned(), second: "b/".to_owned() };
    assert_eq!(twice, expected);
    let socket = UrlRouter::new([path("a/", Seen::default()).name("x")]).unwrap();
    let views = ViewRouter::new([path("b/", view).name("x")]).unwrap();
    let app = ProtocolTypeRouter::new().http(views).websocket(socket);
    assert!(matches!(app.names(), Err(RouteError::DuplicateName { .. })));
}

#[test]
fn a_request_reverses_below_its_root_path() {
    let mut request = http::Request::get("/app/").body(Body::empty()).unwrap();
    let mut env = solent::Environment::default();
    env.names = Arc::new(names());
    request.scope_mut().env = Arc::new(env);
    request.scope_mut().root_path = "/app".to_owned();
    assert_eq!(request.reverse("chat:room", &[("course_id", &1)]).unwrap(), "/app/chat/room/1/");
}

proptest! {
    /// What is reversed leads back to its own route, with the same values.
    #[test]
    fn a_reversed_path_leads_back(page in ".{1,12}", name in "[^/]{1,8}", number in any::<u64>()) {
        let views = ViewRouter::new([path("<int:n>/<str:name>/<path:page>", view).name("x")]).unwrap();
        let names = Names::new(views.routes()).unwrap();
        let Ok(reversed) = names.reverse("x", &[("n", &number), ("name", &name), ("page", &page)]) else {
            prop_assert!(page.contains('\n') || name.contains('\n'));
            return Ok(());
        };
        let decoded = percent_encoding::percent_decode_str(&reversed).decode_utf8().unwrap();
        let kwargs = views.resolve(&decoded).unwrap().url_route.kwargs;
        let found: Vec<_> = kwargs.iter().map(|(_, value)| value.to_owned()).collect();
        prop_assert_eq!(found, [number.to_string(), name, page]);
    }
}

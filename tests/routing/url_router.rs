//! `UrlRouter`: order, nesting, merging, and giving the connection back.

use solent::routing::{Application, BoxedApplication, Route, RouteError, UrlRouter, path, re_path};
use solent::websocket::Refusal;
use solent::{Protocol, Scope, Scoped};

use crate::support::{Scribbles, Seen, connection, given_back, send, websocket};

fn router<const N: usize>(routes: [Route; N]) -> UrlRouter {
    UrlRouter::new(routes).unwrap()
}

/// What the application behind one route sees for a path, or nothing when it is not reached.
async fn seen_at(
    path_of_connection: &str,
    build: impl FnOnce(BoxedApplication) -> UrlRouter,
) -> Option<Scope> {
    let seen = Seen::default();
    let outcome = send(&build(BoxedApplication::new(seen.clone())), websocket(path_of_connection)).await;
    let scope = seen.take();
    assert_eq!(outcome.is_ok(), scope.is_some());
    scope
}

#[tokio::test]
async fn the_tutorials_pattern_matches_the_room_and_nothing_else() {
    let pattern = r"ws/chat/room/(?P<course_id>\d+)/$";
    let at = async |asked: &str| seen_at(asked, |app| router([re_path(pattern, app)])).await;
    let scope = at("/ws/chat/room/1/").await.unwrap();
    assert_eq!(scope.url_route.get::<i64>("course_id"), Ok(1));
    assert_eq!(&*scope.url_route.pattern, pattern);
    assert!(at("/xx/ws/chat/room/1/").await.is_none());
    assert!(at("/ws/chat/room/1/\n").await.is_none());
    assert!(at("/ws/chat/room/1").await.is_none());
}

#[tokio::test]
async fn a3_the_first_matching_route_wins() {
    let (first, second) = (Seen::default(), Seen::default());
    let router = router([path("ws/<slug:room>/", first.clone()), path("ws/<str:room>/", second.clone())]);
    send(&router, websocket("/ws/lobby/")).await.unwrap();
    assert!(first.take().is_some() && second.take().is_none());
    send(&router, websocket("/ws/a b/")).await.unwrap();
    assert!(first.take().is_none() && second.take().is_some());
}

#[tokio::test]
async fn a4_the_remaining_path_is_matched_where_an_outer_router_left_one() {
    let seen = Seen::default();
    let router = router([path("inner/", seen.clone())]);
    let mut scope = Scope::new(Protocol::new("anything"), "/outer/inner/");
    scope.path_remaining = Some("inner/".to_owned());
    send(&router, connection(scope)).await.unwrap();
    assert_eq!(seen.take().unwrap().path, "/outer/inner/");
}

#[tokio::test]
async fn a5_root_path_is_cut_off_by_the_outermost_router_only() {
    let seen = Seen::default();
    let inner = router([path("app/room/", seen.clone())]);
    let outer = router([path("x/", inner), path("", seen.clone())]);
    let below = |path: &str| {
        let mut scope = Scope::new(Protocol::WEBSOCKET, path);
        scope.root_path = "/app".to_owned();
        connection(scope)
    };
    send(&outer, below("/app/x/app/room/")).await.unwrap();
    assert!(seen.take().is_some());
    send(&outer, below("/app")).await.unwrap();
    given_back(send(&outer, below("/x/app/room/")).await);
    given_back(send(&outer, below("/apple/x/app/room/")).await);
}

#[tokio::test]
async fn a6_leading_slashes_are_stripped_at_each_level() {
    let nested = |app: BoxedApplication| router([path("outer", router([path("inner/", app)]))]);
    assert!(seen_at("///outer//inner/", nested).await.is_some());
    assert!(seen_at("outer/inner/", nested).await.is_some());
}

#[tokio::test]
async fn a7_captures_are_merged_and_the_inner_ones_and_fixed_values_win() {
    let build = |app: BoxedApplication| {
        let inner =
            router([re_path(r"^(?P<a>\w+)/(?P<own>\w+)/$", app).kwarg("own", "fixed").kwarg("extra", "1")]);
        let middle = router([re_path(r"^(\w+)/(\w+)/", inner)]);
        router([path("<a>/<b>/", Scribbles(middle)).kwarg("b", "outer").kwarg("own", "outer")])
    };
    let route = seen_at("/A/B/x/y/inner/text/", build).await.unwrap().url_route;
    assert_eq!(route.args, ["x", "y"]);
    let kwargs: Vec<_> = route.kwargs.iter().collect();
    assert_eq!(kwargs, [("a", "inner"), ("b", "outer"), ("extra", "1"), ("own", "fixed")]);
    assert_eq!(&*route.pattern, r"<a>/<b>/^(\w+)/(\w+)/^(?P<a>\w+)/(?P<own>\w+)/$");
}

#[tokio::test]
async fn names_are_joined_with_the_namespaces_of_outer_routes() {
    let build = |app: BoxedApplication| {
        let inner = router([path("room/", app).name("socket")]);
        let middle = router([path("", inner)]);
        router([path("ws/", router([path("chat/", middle).namespace("chat")])).namespace("site")])
    };
    let route = seen_at("/ws/chat/room/", build).await.unwrap().url_route;
    assert_eq!(route.name.as_deref(), Some("site:chat:socket"));
}

#[tokio::test]
async fn a9_path_takes_the_whole_path_and_a_prefix_when_it_leads_to_a_router() {
    let whole = async |asked: &str| seen_at(asked, |app| router([path("ws", app)])).await.is_some();
    assert!(whole("/ws").await && !whole("/ws/").await && !whole("/ws/x").await && !whole("/x/ws").await);
    let prefix = |app: BoxedApplication| router([path("ws/", Scribbles(router([path("<int:n>/", app)])))]);
    assert_eq!(seen_at("/ws/7/", prefix).await.unwrap().path_remaining.as_deref(), Some(""));
    assert!(seen_at("/x/ws/7/", prefix).await.is_none());
}

#[test]
fn a_route_that_can_never_be_reached_is_an_error() {
    let inner = || router([path("x/", Seen::default())]);
    let hidden = UrlRouter::new([re_path("^ws/", Seen::default()), path("ws/chat/", Seen::default())]);
    let expected = RouteError::Unreachable { pattern: "ws/chat/".to_owned(), earlier: "^ws/".to_owned() };
    assert_eq!(hidden.unwrap_err(), expected);
    // A router gives back what it does not take.
    UrlRouter::new([path("ws/", inner()), path("ws/chat/", Seen::default()), path("ws/", inner())]).unwrap();
}

#[tokio::test]
async fn a10_re_path_searches_unless_it_is_anchored_or_ends_in_a_dollar() {
    let at = async |asked: &str, pattern: &str| seen_at(asked, |app| router([re_path(pattern, app)])).await;
    assert_eq!(at("/a/room/7/b", r"room/(\d+)").await.unwrap().path_remaining.as_deref(), Some("/b"));
    assert!(at("/a/room/7", r"^room/(\d+)").await.is_none());
    assert!(at("/a/room/7", r"room/(\d+)$").await.is_none());
    assert!(at("/a/room/7$b", r"room/(\d+)\$").await.is_some());
    let mixed = at("/a/7", r"(\w)/(?P<n>\d)").await.unwrap().url_route;
    assert!(mixed.args.is_empty() && mixed.kwargs.text("n") == Some("7"));
    let optional = at("/ac", "(a)(b)?(c)").await.unwrap().url_route;
    assert_eq!(optional.args, ["a", "", "c"]);
}

#[tokio::test]
async fn a11_an_inner_miss_lets_the_outer_router_go_on_with_the_scope_as_it_was() {
    let (inner_seen, outer_seen) = (Seen::default(), Seen::default());
    let inner = router([path("nothing/", inner_seen.clone())]);
    let outer = router([
        path("ws/<int:room>/", Scribbles(inner)).kwarg("extra", "1").namespace("inner"),
        path("ws/<str:room>/here/", outer_seen.clone()).name("outer"),
    ]);
    send(&outer, websocket("/ws/7/here/")).await.unwrap();
    assert!(inner_seen.take().is_none());
    let scope = outer_seen.take().unwrap();
    assert!(scope.scheme == "http" && scope.subprotocols.is_empty() && scope.extensions.is_empty());
    assert_eq!(scope.url_route.kwargs.iter().collect::<Vec<_>>(), [("room", "7")]);
    assert_eq!(scope.url_route.name.as_deref(), Some("outer"));
}

#[tokio::test]
async fn a12_a_path_without_a_route_is_not_found_and_the_connection_comes_back_untouched() {
    let inner = router([path("nothing/", Seen::default())]);
    let outer = router([path("ws/", Scribbles(inner)), path("other/", Seen::default())]);
    let mut scope = Scope::new(Protocol::WEBSOCKET, "/ws/x/");
    scope.query_string = "a=1".to_owned();
    let before = format!("{scope:?}");
    let outcome = send(&outer, connection(scope)).await;
    assert_eq!(outcome.as_ref().map_err(Refusal::status), Err(http::StatusCode::NOT_FOUND));
    assert_eq!(format!("{:?}", given_back(outcome).scope()), before);
}

#[tokio::test]
async fn a_consumers_own_not_found_is_final() {
    #[derive(Clone)]
    struct Refuses;
    impl tower::Service<solent::websocket::Connection> for Refuses {
        type Response = ();
        type Error = Refusal;
        type Future = std::future::Ready<Result<(), Refusal>>;
        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Refusal>> {
            std::task::Poll::Ready(Ok(()))
        }
        fn call(&mut self, _: solent::websocket::Connection) -> Self::Future {
            std::future::ready(Err(Refusal::not_found("course")))
        }
    }
    impl solent::routing::Routes for Refuses {}
    fn is_application(_: &impl Application) {}
    is_application(&Refuses);

    let seen = Seen::default();
    let outer = router([path("ws/<int:id>/", Refuses), path("ws/<str:id>/", seen.clone())]);
    let outcome = send(&outer, websocket("/ws/1/")).await;
    assert!(matches!(outcome, Err(Refusal::Denied(_))));
    assert!(seen.take().is_none());
}

#[tokio::test]
async fn an_int_takes_ascii_digits_that_fit_and_gives_them_in_canonical_form() {
    let at = async |asked: &str| {
        seen_at(asked, |app| router([path("n/<int:n>/", app)]))
            .await
            .map(|scope| scope.url_route.kwargs.text("n").unwrap().to_owned())
    };
    assert_eq!(at("/n/007/").await.as_deref(), Some("7"));
    assert_eq!(at("/n/18446744073709551615/").await.as_deref(), Some("18446744073709551615"));
    assert_eq!(at("/n/18446744073709551616/").await, None);
    assert_eq!(at("/n/99999999999999999999/").await, None);
    assert_eq!(at("/n/٣/").await, None);
    assert_eq!(at("/n/-1/").await, None);
    assert_eq!(at("/n//").await, None);
}

//! The index never changes a result: a router always does what trying its routes one by one in order would do.

use proptest::prelude::*;
use solent::http::Request;
use solent::routing::{Route, RouteError, UrlRouter, ViewRouter, ViewTarget, include, path, re_path};

use crate::support::{Seen, send, websocket};

async fn view(_: Request) -> &'static str {
    "a page"
}

/// A route, as it can be built again and again.
#[derive(Debug, Clone)]
enum Plan {
    Path(String),
    Regex(String),
    Include(String, Vec<Self>),
}

impl Plan {
    fn view(&self, number: usize) -> Route<ViewTarget> {
        match self {
            Self::Path(pattern) => path(pattern, view).kwarg("number", number.to_string()),
            Self::Regex(pattern) => re_path(pattern, view).kwarg("number", number.to_string()),
            Self::Include(prefix, inner) => {
                include(prefix, views(inner).unwrap()).kwarg("outer", number.to_string())
            }
        }
    }

    fn socket(&self, number: usize, seen: &Seen) -> Route {
        match self {
            Self::Path(pattern) => path(pattern, seen.clone()).kwarg("number", number.to_string()),
            Self::Regex(pattern) => re_path(pattern, seen.clone()).kwarg("number", number.to_string()),
            Self::Include(prefix, inner) => {
                path(prefix, sockets(inner, seen).unwrap()).kwarg("outer", number.to_string())
            }
        }
    }
}

fn views(plans: &[Plan]) -> Result<ViewRouter, RouteError> {
    ViewRouter::new(plans.iter().enumerate().map(|(number, plan)| plan.view(number)))
}

fn sockets(plans: &[Plan], seen: &Seen) -> Result<UrlRouter, RouteError> {
    UrlRouter::new(plans.iter().enumerate().map(|(number, plan)| plan.socket(number, seen)))
}

/// Few pieces, so that routes and paths meet often.
fn piece() -> impl Strategy<Value = String> {
    let parameters = ["<int:N>", "<str:N>", "<slug:N>", "<path:N>", "<N>"];
    prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "ab", "7", "-", "é", "{x}", "*", ""]).prop_map(str::to_owned),
        3 => prop::sample::select(parameters.to_vec()).prop_map(str::to_owned),
        3 => Just("/".to_owned()),
    ]
}

fn pattern() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..6).prop_map(|pieces| {
        let pattern: String = pieces
            .iter()
            .enumerate()
            .map(|(number, piece)| piece.replace("N>", &format!("n{number}>")))
            .collect();
        pattern.trim_start_matches('/').to_owned()
    })
}

fn regex() -> impl Strategy<Value = String> {
    let pieces =
        ["a", "b", "ab", "7", "/", r"\d+", r"[^/]+", ".*", r"(\w)", "(a|b/)", "a?", "(?i:A)", "é", "^", "$"];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..6).prop_map(|pieces| pieces.concat())
}

fn plan() -> impl Strategy<Value = Plan> {
    let leaf = prop_oneof![4 => pattern().prop_map(Plan::Path), 1 => regex().prop_map(Plan::Regex)];
    leaf.prop_recursive(2, 12, 4, |inner| {
        (pattern(), prop::collection::vec(inner, 1..4))
            .prop_map(|(prefix, inner)| Plan::Include(prefix, inner))
    })
}

fn asked() -> impl Strategy<Value = String> {
    let pieces = ["a", "b", "ab", "7", "77", "-", "é", "{x}", "{p0}", "*", "/", "/", "x", "\n", "A"];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..8)
        .prop_map(|pieces| format!("/{}", pieces.concat()))
}

/// Leaves out what no router takes, the innermost first.
fn buildable(plans: Vec<Plan>) -> Vec<Plan> {
    let mut kept = Vec::new();
    for plan in plans {
        let plan = match plan {
            Plan::Include(prefix, inner) => Plan::Include(prefix, buildable(inner)),
            other => other,
        };
        kept.push(plan);
        if views(&kept).is_err() {
            kept.pop();
        }
    }
    kept
}

fn resolved(router: &ViewRouter, path: &str) -> Option<String> {
    router.resolve(path).map(|found| format!("{:?} {:?}", found.url_route, found.path_remaining))
}

fn reached(router: &UrlRouter, seen: &Seen, path: &str) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let outcome = runtime.block_on(send(router, websocket(path)));
    let scope = seen.take();
    assert_eq!(outcome.is_ok(), scope.is_some());
    scope.map(|scope| format!("{:?} {:?}", scope.url_route, scope.path_remaining))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn views_are_found_as_by_a_linear_scan(
        plans in prop::collection::vec(plan(), 1..12),
        paths in prop::collection::vec(asked(), 1..40),
    ) {
        let plans = buildable(plans);
        let router = views(&plans).unwrap();
        let alone = |(number, plan): (usize, &Plan)| ViewRouter::new([plan.view(number)]).unwrap();
        let single: Vec<_> = plans.iter().enumerate().map(alone).collect();
        for path in &paths {
            let scanned = single.iter().find_map(|router| resolved(router, path));
            prop_assert_eq!(resolved(&router, path), scanned, "{:?}: {:?}", path, plans);
        }
    }

    #[test]
    fn sockets_are_found_as_by_a_linear_scan(
        plans in prop::collection::vec(plan(), 1..8),
        paths in prop::collection::vec(asked(), 1..20),
    ) {
        let (plans, seen) = (buildable(plans), Seen::default());
        let router = sockets(&plans, &seen).unwrap();
        let alone = |(number, plan): (usize, &Plan)| UrlRouter::new([plan.socket(number, &seen)]).unwrap();
        let single: Vec<_> = plans.iter().enumerate().map(alone).collect();
        for path in &paths {
            let scanned = single.iter().find_map(|router| reached(router, &seen, path));
            prop_assert_eq!(reached(&router, &seen, path), scanned, "{:?}: {:?}", path, plans);
        }
    }

    #[test]
    fn a_route_called_unreachable_is_never_reached(
        first in plan(),
        second in plan(),
        paths in prop::collection::vec(asked(), 1..60),
    ) {
        let (first, second) = (buildable(vec![first]), buildable(vec![second]));
        let ([first], [second @ (Plan::Path(_) | Plan::Regex(_))]) = (&*first, &*second) else {
            return Ok(()); // of an include, the error may be about one route of several
        };
        let alone = |plan: &Plan| views(std::slice::from_ref(plan)).unwrap();
        let (one, other) = (alone(first), alone(second));
        if let Err(RouteError::Unreachable { .. }) = views(&[first.clone(), second.clone()]) {
            for path in &paths {
                // `.` takes no line break, so that a parameter may reach where `<path:…>` does not; nobody
                // means that.
                let meant = !path.contains('\n') && other.resolve(path).is_some();
                let reached = meant && one.resolve(path).is_none();
                prop_assert!(!reached, "{:?} reaches {:?} past {:?}", path, second, first);
            }
        }
    }
}

#[test]
fn a_thousand_routes_are_told_apart() {
    let plans: Vec<_> = (0..1000)
        .map(|number| match number % 4 {
            0 => Plan::Path(format!("static/{number}/")),
            1 => Plan::Path(format!("section{number}/<int:id>/<slug:name>/")),
            2 => Plan::Path(format!("<slug:any>/page{number}/")),
            _ => Plan::Regex(format!(r"^regex{number}/(?P<id>\d+)/$")),
        })
        .collect();
    let router = views(&plans).unwrap();
    let number = |path: &str| {
        let found = router.resolve(path)?;
        found.url_route.kwargs.text("number").map(str::to_owned)
    };
    assert_eq!(number("/static/996/").as_deref(), Some("996"));
    assert_eq!(number("/section997/1/x/").as_deref(), Some("997"));
    assert_eq!(number("/section997/page998/").as_deref(), Some("998"));
    assert_eq!(number("/regex999/1/").as_deref(), Some("999"));
    assert_eq!(number("/regex999/x/"), None);
}

//! Templates: what a page may ask for, what goes wrong and how it is told, and the site's own error pages.

use std::fs;
use std::sync::Arc;

use http::{StatusCode, header};
use solent::auth::{Account, User};
use solent::http::{
    Body, HttpError, Render, Request, Response, TemplateError, Templates, TemplatesLayer, context, get,
};
use solent::routing::{Names, Routes, ViewRouter, path};
use solent::{Environment, Scoped};
use tower::{Layer, ServiceExt};

fn views() -> ViewRouter {
    async fn nothing(_: Request) -> &'static str {
        ""
    }
    ViewRouter::new([path("chat/room/<int:course_id>/", get(nothing)).name("chat:room")]).unwrap()
}

fn environment(debug: bool) -> Arc<Environment> {
    let mut env = Environment::default();
    env.debug = debug;
    env.names = Arc::new(Names::new(views().routes()).unwrap());
    env.into()
}

fn request() -> Request {
    let mut request = http::Request::builder().uri("/a%20b/?x=1&y").body(Body::empty()).unwrap();
    request.headers_mut().insert(header::HOST, "example.com:8000".parse().unwrap());
    request.headers_mut().insert(header::ACCEPT, "text/html".parse().unwrap());
    request.scope_mut().env = environment(false);
    request
}

fn alice() -> User {
    User::new(Account::new("7", "alice"))
}

/// Renders one text, as a template with that ending.
fn render_as(name: &'static str, text: &'static str, request: &Request) -> Result<String, TemplateError> {
    Templates::embedded([(name, text)]).render(request, name, context! { text => "<a href='/x'>\"&" })
}

fn render(text: &'static str) -> Result<String, TemplateError> {
    render_as("page.html", text, &request())
}

#[test]
fn text_is_escaped_as_django_escapes_it() {
    let escaped = "&lt;a href=&#x27;/x&#x27;&gt;&quot;&amp;";
    for name in ["page.html", "page.htm", "page.xml", "page.svg", "page"] {
        assert_eq!(render_as(name, "{{ text }}", &request()).unwrap(), escaped, "{name}");
    }
    assert_eq!(render_as("page.txt", "{{ text }}", &request()).unwrap(), "<a href='/x'>\"&");
    assert_eq!(render_as("page.json", "{{ text }}", &request()).unwrap(), r#""<a href='/x'>\"&""#);
    assert_eq!(render("{{ text | safe }}").unwrap(), "<a href='/x'>\"&");
}

#[test]
fn json_in_a_script_element_cannot_end_the_element() {
    let data = r#"<script type="application/json">{{ {"name": "</script><b>&'"} | tojson }}</script>"#;
    let page = render(data).unwrap();
    assert_eq!(page.matches("</script>").count(), 1, "{page}");
    assert!(page.contains(r#""\u003c/script\u003e\u003cb\u003e\u0026\u0027""#), "{page}");
}

#[test]
fn templates_extend_and_include_each_other() {
    let templates = Templates::embedded([
        ("base.html", "<{% block content %}base{% endblock %}>{% block js %}{% endblock %}"),
        (
            "a/page.html",
            "{% extends 'base.html' %}{% block content %}{% include 'part.html' %}{% endblock %}",
        ),
        ("part.html", "part of {{ what }}"),
    ]);
    let page = templates.render(&request(), "a/page.html", context! { what => "it" }).unwrap();
    assert_eq!(page, "<part of it>");
}

#[test]
fn j11_url_gives_the_path_of_a_route_below_the_root_path() {
    let mut request = request();
    let link = r#"{{ url("chat:room", course_id=7) }}"#;
    assert_eq!(render_as("page.html", link, &request).unwrap(), "/chat/room/7/");
    request.scope_mut().root_path = "/app".to_owned();
    assert_eq!(render_as("page.html", link, &request).unwrap(), "/app/chat/room/7/");
}

#[test]
fn url_works_in_what_a_page_extends_includes_and_imports() {
    let templates = Templates::embedded([
        ("base.html", r#"{{ url("chat:room", course_id=1) }}{% block content %}{% endblock %}"#),
        ("part.html", r#" {{ url("chat:room", course_id=2) }}"#),
        ("links.html", r#"{% macro link(id) %} {{ url("chat:room", course_id=id) }}{% endmacro %}"#),
        (
            "page.html",
            "{% extends 'base.html' %}{% block content %}{% include 'part.html' %}\
             {% from 'links.html' import link %}{{ link(3) }}{% endblock %}",
        ),
    ]);
    let page = templates.render(&request(), "page.html", context! {}).unwrap();
    assert_eq!(page, "/chat/room/1/ /chat/room/2/ /chat/room/3/");
}

#[test]
fn a_url_that_cannot_be_made_is_an_error_that_says_where_and_why() {
    for (text, line, words) in [
        ("\n{{ url('chat:rom', course_id=1) }}", 2, "chat:rom"),
        ("{{ url('chat:room') }}", 1, "course_id"),
        ("{{ url('chat:room', course_id='x') }}", 1, "course_id"),
        ("{{ url('chat:room', course_id=none) }}", 1, "course_id has no value"),
        ("{{ url('chat:room', course_id=absent) }}", 1, "course_id has no value"),
    ] {
        let error = render(text).unwrap_err();
        assert_eq!((error.template(), error.line()), ("page.html", Some(line)), "{error}");
        assert!(error.problem().contains(words), "{error}");
    }
}

#[test]
fn static_puts_the_address_of_static_files_in_front() {
    assert_eq!(render("{{ static('css/base.css') }}").unwrap(), "/static/css/base.css");
    assert_eq!(render("{{ static('/css/base.css') }}").unwrap(), "/static/css/base.css");
    let elsewhere =
        Templates::embedded([("p.html", "{{ static('a.js') }}")]).with_static_url("https://cdn.example/");
    assert_eq!(elsewhere.render(&request(), "p.html", context! {}).unwrap(), "https://cdn.example/a.js");
}

#[test]
fn static_writes_names_with_hashes_where_files_have_them() {
    let files = solent::http::StaticFiles::embedded(&[("css/base.css", b"x")]).hashed_names();
    let page = [("page.html", "{{ static('/css/base.css') }} {{ static('none.css') }}")];
    let templates = Templates::embedded(page).with_static_files("/assets/", &files);
    let expected = format!("/assets/{} /assets/none.css", files.name_of("css/base.css"));
    assert_eq!(templates.render(&request(), "page.html", context! {}).unwrap(), expected);
    assert_ne!(files.name_of("css/base.css"), "css/base.css");
}

#[test]
fn every_page_knows_its_request_and_its_user() {
    let mut request = request();
    let show = "{{ request.method }} {{ request.path }} {{ request.full_path }} {{ request.host }} \
                {{ request.is_secure }} {{ user }} {{ user.is_authenticated }} {{ user.username }} {{ user.id }}";
    let nobody = render_as("page.html", show, &request).unwrap();
    assert_eq!(nobody, "GET /a b/ /a%20b/?x=1&amp;y example.com:8000 False AnonymousUser False  None");
    request.scope_mut().user = alice();
    assert!(render_as("page.html", show, &request).unwrap().ends_with(" alice True alice 7"));
    assert_eq!(render_as("page.html", "{{ request.user.username }}", &request).unwrap(), "alice");
}

#[test]
fn the_views_own_words_come_first() {
    let templates = Templates::embedded([("page.html", "{{ user }}")]);
    assert_eq!(templates.render(&request(), "page.html", context! { user => "mine" }).unwrap(), "mine");
    let json = serde_json::json!({ "user": "json" });
    assert_eq!(templates.render(&request(), "page.html", json).unwrap(), "json");
}

#[test]
fn a_missing_variable_is_an_error_when_printed_and_false_when_asked_for() {
    assert!(render("{{ absent }}").unwrap_err().to_string().contains("line 1"));
    assert_eq!(render("{% if absent %}yes{% else %}no{% endif %}").unwrap(), "no");
    assert_eq!(render("{{ absent | default('-') }}").unwrap(), "-");
}

#[test]
fn a_template_that_is_not_there_is_an_error_with_its_name() {
    let error = Templates::embedded([]).render(&request(), "gone.html", context! {}).unwrap_err();
    assert_eq!(error.to_string(), "template \"gone.html\": template \"gone.html\" does not exist");
}

#[test]
fn nothing_but_templates_below_the_folder_is_reachable() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("templates");
    for file in ["a.html", "courses/list.html", "static/css/base.css", ".hidden", "courses/.hidden.html"] {
        let file = root.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "text").unwrap();
    }
    fs::write(dir.path().join("secret.html"), "secret").unwrap();
    let templates = Templates::folder(&root);
    assert_eq!(templates.names(), ["a.html", "courses/list.html"]);
    for name in [
        "static/css/base.css",
        "STATIC/css/base.css",
        "./static/css/base.css",
        "courses/../static/css/base.css",
        "../secret.html",
        "courses/../../secret.html",
        ".hidden",
        "courses/.hidden.html",
        "",
        "courses",
        "/etc/passwd",
        "a.html/x",
        "a.html\0",
        "courses\\list.html",
    ] {
        assert!(!templates.contains(name), "{name:?}");
        assert!(templates.render(&request(), name, context! {}).is_err(), "{name:?}");
    }
    assert!(!templates.contains(&"x".repeat(300)));
}

#[test]
fn with_debug_on_a_changed_template_is_live_at_the_next_page_and_otherwise_it_stays() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write("base.html", "old {% block b %}{% endblock %}");
    write("page.html", "{% extends 'base.html' %}{% block b %}old{% endblock %}");
    let (mut debug, production) = (request(), request());
    debug.scope_mut().env = environment(true);
    let templates = Templates::folder(dir.path());
    let page = |request: &Request| templates.render(request, "page.html", context! {}).unwrap();
    assert_eq!(page(&production), "old old");
    write("base.html", "new {% block b %}{% endblock %}");
    assert_eq!(page(&production), "old old");
    assert_eq!(page(&debug), "new old");
    write("page.html", "{% extends 'base.html' %}{% block b %}new{% endblock %}");
    assert_eq!(page(&debug), "new new");
    assert!(templates.render(&debug, "later.html", context! {}).is_err());
    write("later.html", "here");
    assert_eq!(templates.render(&debug, "later.html", context! {}).unwrap(), "here");
}

#[test]
fn check_finds_mistakes_before_anyone_asks_for_the_page() {
    let templates = Templates::embedded([
        ("a.html", "{% extends 'bse.html' %}"),
        ("b.html", "\n  <a href=\"{{ url('chat:rom') }}\">{{ url('chat:room', course_id=1) }}"),
        ("c.html", "{% if %}"),
        ("good.html", "{% include 'gone.html' ignore missing %}{# {{ url('x') }} #}"),
    ]);
    let errors = templates.check(&environment(false).names);
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3, "{told:#?}");
    assert_eq!(
        told[0],
        "template \"a.html\", line 1, column 12: there is no template \"bse.html\"; near it: b.html"
    );
    assert_eq!(
        told[1],
        "template \"b.html\", line 2, column 19: url(): no route is named \"chat:rom\"; near it: chat:room"
    );
    assert!(told[2].starts_with("template \"c.html\", line 1: syntax error"), "{}", told[2]);
}

async fn ask(templates: Templates, mut request: Request, error: HttpError) -> Response {
    request.scope_mut().path_remaining = None;
    *request.uri_mut() = "/x/".parse().unwrap();
    request.scope_mut().path = "/x/".to_owned();
    let views = ViewRouter::new([path(
        "x/",
        get(move |_: Request| {
            let error = error.clone();
            async move { Err::<String, _>(error) }
        }),
    )])
    .unwrap();
    TemplatesLayer::new(templates).layer(views).oneshot(request).await.unwrap()
}

async fn text(response: Response) -> String {
    String::from_utf8(response.into_body().bytes().await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn a_site_has_error_pages_of_its_own_that_know_the_user() {
    let templates = || Templates::embedded([("403.html", "<p>{{ reason }}</p>{{ user }}")]);
    let mut asked = request();
    asked.scope_mut().user = alice();
    let response = ask(templates(), asked, HttpError::forbidden("Not <you>.")).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
    let policy = response.headers().get(header::CONTENT_SECURITY_POLICY);
    assert!(
        policy.is_none(),
        "the plain page's policy, which lets no form be sent, went with it: {policy:?}"
    );
    assert_eq!(text(response).await, "<p>Not &lt;you&gt;.</p>alice");
}

#[tokio::test]
async fn clients_that_do_not_ask_for_html_get_plain_text() {
    let templates = Templates::embedded([("403.html", "page")]);
    let mut asked = request();
    asked.headers_mut().remove(header::ACCEPT);
    let response = ask(templates, asked, HttpError::forbidden("Not you.")).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/plain; charset=utf-8");
    assert_eq!(text(response).await, "Not you.\n");
}

#[tokio::test]
async fn an_error_page_that_fails_leaves_the_plain_one() {
    let templates = Templates::embedded([("404.html", "{{ absent }}")]);
    let response = ask(templates, request(), HttpError::not_found()).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert!(text(response).await.contains("Not found."));
}

#[tokio::test]
async fn a_view_renders_by_the_templates_around_it_and_is_told_when_there_are_none() {
    let templates = Templates::embedded([("a.html", "hello")]);
    let view = tower::service_fn(|request: Request| async move { request.render("a.html", context! {}) });
    let response = TemplatesLayer::new(templates).layer(view).oneshot(request()).await.unwrap();
    assert_eq!(text(response).await, "hello");
    let error = request().render("a.html", context! {}).unwrap_err();
    assert!(error.to_string().contains("TemplatesLayer"), "{error}");
}

/// The frame of the project's own pages.
#[test]
fn a_page_of_the_course_chat_site_can_bring_its_own_style_content_and_script() {
    let folder = tempfile::tempdir().unwrap();
    let base = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/base.html");
    fs::copy(base, folder.path().join("base.html")).unwrap();
    let child = "{% extends 'base.html' %}{% block css %}my style{% endblock %}{% block content %}my content\
                 {% endblock %}{% block js %}my script{% endblock %}";
    fs::write(folder.path().join("child.html"), child).unwrap();
    let page = Templates::folder(folder.path()).render(&request(), "child.html", context! {}).unwrap();
    let parts = ["<head>", "my style", "</head>", "<main", "my content", "</main>", "my script", "</body>"];
    let places = parts.map(|part| page.find(part).unwrap_or_else(|| panic!("{part}: {page}")));
    assert!(places.is_sorted(), "{places:?}");
}

/// The project's own pages, checked as a deployment would check them.
#[test]
fn the_course_chat_sites_templates_have_no_mistakes() {
    let templates = Templates::folder(concat!(env!("CARGO_MANIFEST_DIR"), "/templates"));
    assert!(templates.names().len() >= 10, "{:?}", templates.names());
    let async_view = || get(|_: Request| async { "" });
    let plain = ["courses:list", "logout", "password_change"].map(|name| (name, ""));
    let of_courses = ["courses:detail", "chat:room", "chat:socket"].map(|name| (name, "<int:course_id>/"));
    let routes = plain.into_iter().chain(of_courses).map(|(name, argument)| {
        path(format!("{}/{argument}", name.replace(':', "/")), async_view()).name(name)
    });
    let names = Names::new(ViewRouter::new(routes).unwrap().routes()).unwrap();
    let errors = templates.check(&names);
    assert!(errors.is_empty(), "{errors:#?}");
}

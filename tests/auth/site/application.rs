//! What the site under test serves.

use solent::auth::{Database, QueryPermission, authenticate, login, logout};
use solent::consumer::{blocking, consumer};
use solent::http::{Form, HttpError, Request, RequestExt, Response, redirect};
use solent::middleware::{AllowedHosts, AllowedHostsLayer, AuthStack, LoginRequiredLayer, PermissionLayer};
use solent::routing::{ProtocolTypeRouter, UrlRouter, ViewRouter, path};
use solent::{Result, Scoped};
use tower::Layer;

use super::consumers::{BlockingLogsIn, LogsIn, LogsInLate, LogsOut, Slow, WhoAmI};

pub(super) fn application(stack: &AuthStack, database: &Database) -> ProtocolTypeRouter {
    let enrolled = QueryPermission::new(
        "enrolled",
        database.clone(),
        "SELECT 1 FROM enrolled WHERE course_id = :course_id AND user_id = :user_id",
    );
    let enrolled = PermissionLayer::new(enrolled);
    let login_required = LoginRequiredLayer::new("/login/");
    let views = ViewRouter::new([
        path("whoami/", whoami),
        path("plain/", plain),
        path("count/", count),
        path("fail/", fail),
        path("login/", log_in),
        path("logout/", log_out),
        path("private/", whoami).layer(login_required.clone()),
        path("course/<int:course_id>/", whoami).layer(enrolled.clone()).layer(login_required.clone()),
    ])
    .unwrap();
    let sockets = UrlRouter::new([
        path("ws/whoami/", consumer::<WhoAmI>()),
        path("ws/login/", consumer::<LogsIn>()),
        path("ws/blocking/login/", blocking::consumer::<BlockingLogsIn>()),
        path("ws/late/", consumer::<LogsInLate>()),
        path("ws/logout/", consumer::<LogsOut>()),
        path("ws/slow/", consumer::<Slow>()),
        path("ws/private/", login_required.layer(consumer::<WhoAmI>())),
        path("ws/course/<int:course_id>/", enrolled.layer(consumer::<WhoAmI>())),
    ])
    .unwrap();
    let hosts = AllowedHostsLayer::new(AllowedHosts::new(["localhost", "127.0.0.1"]));
    ProtocolTypeRouter::new()
        .http(hosts.layer(stack.layer(views)))
        .websocket(hosts.layer(stack.layer(sockets)))
}

pub(super) fn name_of(scope: &impl Scoped) -> String {
    let user = &scope.scope().user;
    if user.is_authenticated() { user.username().to_owned() } else { "nobody".to_owned() }
}

pub(crate) async fn whoami(request: Request) -> String {
    name_of(&request)
}

async fn plain(_: Request) -> &'static str {
    "plain"
}

async fn count(request: Request) -> Result<String> {
    let session = &request.scope().session;
    let count = session.get::<u32>("count").await?.unwrap_or(0) + 1;
    session.set("count", &count).await?;
    Ok(count.to_string())
}

async fn fail(request: Request) -> Result<String> {
    request.scope().session.set("count", &99).await?;
    Err(solent::Error::msg("on purpose"))
}

pub(crate) async fn log_in(mut request: Request) -> Result<Response> {
    let form = Form::read(&mut request).await?;
    let (username, password) = (form.get("username").unwrap_or(""), form.get("password").unwrap_or(""));
    let Some(user) = authenticate(&request, username, password).await? else {
        return Err(HttpError::forbidden("Please enter a correct username and password.").into());
    };
    login(&mut request, &user).await?;
    Ok(redirect("/whoami/")?)
}

pub(crate) async fn log_out(mut request: Request) -> Result<String> {
    logout(&mut request).await?;
    Ok(request.user().username().to_owned())
}

//! Users from a place of one's own: here a list in memory, elsewhere a directory or another service.
//!
//! Run with `cargo run --example own_user_store`, then
//! `curl -d 'username=ada&password=lovelace' http://127.0.0.1:8000/login/`.

use std::sync::{Mutex, PoisonError};

use futures_util::future::{BoxFuture, FutureExt, ready};
use solent::auth::{
    Account, Auth, AuthError, AuthSettings, MemorySessions, SecretKeys, StoredUser, UserStore, authenticate,
    login,
};
use solent::http::{Form, Request, RequestExt, post};
use solent::middleware::{SessionLayer, auth_stack};
use solent::routing::{ProtocolTypeRouter, ViewRouter, path};
use solent::server::Server;
use solent::{Result, Scoped};
use tower::Layer;

/// Users in memory.
#[derive(Debug, Default)]
struct Members(Mutex<Vec<StoredUser>>);

impl Members {
    fn find(&self, is: impl Fn(&StoredUser) -> bool) -> Option<StoredUser> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().find(|user| is(user)).cloned()
    }
}

impl UserStore for Members {
    fn by_id<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<StoredUser>, AuthError>> {
        ready(Ok(self.find(|user| user.account.id == id))).boxed()
    }

    fn by_username<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<StoredUser>, AuthError>> {
        ready(Ok(self.find(|user| user.account.username == name))).boxed()
    }

    fn set_password<'a>(&'a self, id: &'a str, encoded: &'a str) -> BoxFuture<'a, Result<(), AuthError>> {
        let mut users = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for user in users.iter_mut().filter(|user| user.account.id == id) {
            user.password = encoded.to_owned();
        }
        ready(Ok(())).boxed()
    }
}

async fn log_in(mut request: Request) -> Result<String> {
    let form = Form::read(&mut request).await?;
    let given = |name| form.get(name).unwrap_or_default();
    match authenticate(request.scope(), given("username"), given("password")).await? {
        Some(user) => {
            login(&mut request, &user).await?;
            Ok(format!("hello {}", request.user().username()))
        }
        None => Ok("no such user, or another password".to_owned()),
    }
}

async fn who(request: Request) -> Result<String> {
    Ok(format!("you are {:?}", request.user().username()))
}

/// A site with one member: ada, lovelace.
pub(crate) async fn app() -> Result<ProtocolTypeRouter> {
    let settings = AuthSettings::default();
    let password = settings.passwords.make("lovelace").await?;
    let ada = StoredUser::new(Account::new("1", "ada"), password);
    let keys = SecretKeys::new("read this from the environment in earnest");
    let auth = Auth::new(Members(Mutex::new(vec![ada])), keys, settings);
    let views = ViewRouter::new([path("login/", post(log_in)), path("", who)])?;
    let stack = auth_stack(SessionLayer::new(MemorySessions::new()), auth);
    Ok(ProtocolTypeRouter::new().http(stack.layer(views)))
}

#[tokio::main]
async fn main() -> Result<()> {
    Server::new(app().await?).bind("127.0.0.1:8000").serve().await?;
    Ok(())
}

//! What a page may ask for beside its view's context. Nothing is made before it is asked for.

use std::fmt;
use std::sync::Arc;

use ::http::header;
use minijinja::value::{Enumerator, Kwargs, Object, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use crate::auth::User;
use crate::{Environment, Scoped};

/// The variables of one page: the view's own, which come first, and those of every page.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) context: Value,
    pub(super) request: Arc<RequestValue>,
}

impl Object for Page {
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match self.context.get_attr(key) {
            Ok(value) if !value.is_undefined() => return Some(value),
            _ => {}
        }
        Some(match key {
            "request" => Value::from_dyn_object(Arc::clone(&self.request)),
            "user" => Value::from_object(UserValue(self.request.user.clone())),
            "url" => Value::from_object(Url(Arc::clone(&self.request))),
            "csrf_token" => self.request.csrf_token()?.into(),
            "csrf_input" => {
                // The token is made of letters and digits, so that nothing needs to be escaped.
                let token = self.request.csrf_token()?;
                let input = format!("<input type=\"hidden\" name=\"csrfmiddlewaretoken\" value=\"{token}\">");
                Value::from_safe_string(input)
            }
            _ => return None,
        })
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["request", "user", "url", "csrf_token", "csrf_input"])
    }
}

/// `request`: what a template may know of it.
pub(super) struct RequestValue {
    env: Arc<Environment>,
    user: User,
    method: ::http::Method,
    path: String,
    raw_path: Arc<str>,
    query_string: String,
    scheme: String,
    host: String,
    root_path: String,
    is_secure: bool,
    kwargs: Value,
    #[cfg(feature = "auth")]
    csrf: Option<crate::http::CsrfToken>,
}

impl RequestValue {
    pub(super) fn of(request: &impl Scoped) -> Self {
        let scope = request.scope();
        let host =
            request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        Self {
            env: Arc::clone(&scope.env),
            user: scope.user.clone(),
            method: scope.method.clone(),
            path: scope.path.clone(),
            raw_path: scope.raw_path.clone(),
            query_string: scope.query_string.clone(),
            scheme: scope.scheme.to_string(),
            host: host.to_owned(),
            root_path: scope.root_path.clone(),
            is_secure: scope.is_secure(),
            kwargs: scope.url_route.kwargs.iter().collect(),
            #[cfg(feature = "auth")]
            csrf: scope.extensions.get().cloned(),
        }
    }

    /// A token for a form of this page; `None` without CSRF middleware.
    #[cfg(feature = "auth")]
    fn csrf_token(&self) -> Option<String> {
        self.csrf.as_ref().map(crate::http::CsrfToken::token)
    }

    #[cfg(not(feature = "auth"))]
    #[allow(clippy::unused_self, reason = "the same call as with users")]
    fn csrf_token(&self) -> Option<String> {
        None
    }

    pub(super) fn is_debug(&self) -> bool {
        self.env.debug
    }

    /// As it stood in the request line, fit for a link.
    fn full_path(&self) -> String {
        if self.query_string.is_empty() {
            return self.raw_path.to_string();
        }
        format!("{}?{}", self.raw_path, self.query_string)
    }
}

impl fmt::Debug for RequestValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<request {} {}>", self.method, self.path)
    }
}

impl Object for RequestValue {
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        Some(match key {
            "method" => self.method.as_str().into(),
            "path" => self.path.as_str().into(),
            "full_path" => self.full_path().into(),
            "query_string" => self.query_string.as_str().into(),
            "scheme" => self.scheme.as_str().into(),
            "host" => self.host.as_str().into(),
            "root_path" => self.root_path.as_str().into(),
            "is_secure" => self.is_secure.into(),
            "kwargs" => self.kwargs.clone(),
            "user" => Value::from_object(UserValue(self.user.clone())),
            _ => return None,
        })
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }
}

/// `user`: prints as the name, and is true for everyone, as in Django; ask for `is_authenticated`.
#[derive(Debug)]
struct UserValue(User);

impl Object for UserValue {
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let account = self.0.account();
        Some(match key {
            "is_authenticated" => self.0.is_authenticated().into(),
            "is_anonymous" => (!self.0.is_authenticated()).into(),
            "username" => self.0.username().into(),
            "id" => account.map(|account| account.id.as_str()).into(),
            "is_active" => account.is_some_and(|account| account.is_active).into(),
            "is_staff" => account.is_some_and(|account| account.is_staff).into(),
            "is_superuser" => account.is_some_and(|account| account.is_superuser).into(),
            _ => return None,
        })
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_authenticated() { self.0.username() } else { "AnonymousUser" })
    }
}

/// `url("chat:room", course_id=1)`.
#[derive(Debug)]
struct Url(Arc<RequestValue>);

impl Object for Url {
    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let (name, given): (&str, Kwargs) = from_args(args)?;
        let mut values = Vec::new();
        for key in given.args() {
            let value: Value = given.peek(key)?;
            if value.is_undefined() || value.is_none() {
                return Err(refused(format!("url({name:?}): {key} has no value")));
            }
            values.push((key, value));
        }
        let args: Vec<(&str, &(dyn fmt::Display + Sync))> =
            values.iter().map(|(key, value)| (*key, value as &(dyn fmt::Display + Sync))).collect();
        let path = self.0.env.names.reverse(name, &args);
        let path = path.map_err(|error| refused(format!("url(): {error}")).with_source(error))?;
        Ok(Value::from(format!("{}{path}", self.0.root_path.trim_end_matches('/'))))
    }
}

fn refused(problem: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, problem)
}

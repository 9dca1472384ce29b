//! Users by token: for clients that are no browsers, over both protocols.

mod challenge;
mod presented;

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use ::http::StatusCode;
use futures_util::future::BoxFuture;
use tokio::time::Instant;
use tower::{Layer, Service};

use super::auth::{denial as users_away, is_public};
use super::outcome::Outcome;
use super::sessions::vary_on;
use super::{pass_routes_on, take_ready};
use crate::auth::{Account, Auth, BearerClaims, TokenError, TokenVerifier, User, bears_token};
use crate::websocket::{CloseCode, CloseFrame, Denial, EndsAt};
use crate::{Protocol, Scope, Scoped};

pub(super) use challenge::challenge;
use presented::{Presented, presented};

/// Lets clients say who they are by a token: in `Authorization: Bearer TOKEN`, or, in a handshake, as the subprotocol
/// `bearer.TOKEN`, which is taken out of the scope and never chosen. Tokens in the query are not looked at: they would
/// stand in logs.
///
/// A token that is not believed, and more than one, is answered with 401 and `WWW-Authenticate: Bearer`; so is none at
/// all where it is [`required`](Self::required). What a token says stands in the scope's extensions as
/// [`BearerClaims`], and its user in `scope.user`. A socket is closed with 4401 when its token ends.
///
/// It stands outside of the [origin check](super::OriginValidatorLayer) and of [`AuthLayer`](super::AuthLayer): a token
/// goes before a session, and a request that bears one needs no CSRF token.
///
/// ```
/// use std::time::Duration;
/// use solent::auth::{SecretKeys, SignedTokens};
/// use solent::middleware::BearerLayer;
///
/// let keys = SecretKeys::new("the site's key");
/// let layer = BearerLayer::claims_only(SignedTokens::new(keys, Duration::from_secs(3600))).required();
/// ```
#[derive(Debug, Clone)]
pub struct BearerLayer {
    tokens: Arc<dyn TokenVerifier>,
    users: Option<Auth>,
    required: bool,
}

impl BearerLayer {
    /// Tokens of the users of `auth`: one whose user is gone or not active is not believed, and while users are away the
    /// answer is 503. Open sockets follow the user as those of sessions do.
    pub fn new(tokens: impl TokenVerifier, auth: Auth) -> Self {
        Self { tokens: Arc::new(tokens), users: Some(auth), required: false }
    }

    /// Tokens that are enough by themselves: the user is what they say, and nobody is asked.
    pub fn claims_only(tokens: impl TokenVerifier) -> Self {
        Self { tokens: Arc::new(tokens), users: None, required: false }
    }

    /// Lets nobody in without a token. Without this, who bears none goes on as what else is known of the client, such
    /// as its session, says.
    #[must_use]
    pub fn required(self) -> Self {
        Self { required: true, ..self }
    }

    async fn admit(&self, scope: &mut Scope, presented: Presented) -> Result<(), Denial> {
        let token = match presented {
            // A layer further out has verified it.
            _ if bears_token(scope) => return Ok(()),
            Presented::Nothing if self.required => return Err(challenge("bearer", None)),
            Presented::Nothing => return Ok(()),
            Presented::Several => return Err(unbelieved(&TokenError::Malformed("one token"))),
            Presented::Token(token) => token,
        };
        let claims = self.tokens.verify(&token).await.map_err(|error| unbelieved(&error))?;
        if !self.enter(scope, &claims).await? {
            return Err(unbelieved(&TokenError::Missing("user, or the account is not active".to_owned())));
        }
        if let Some(ends) = claims.expires.and_then(ends_at).filter(|_| scope.protocol == Protocol::WEBSOCKET)
        {
            scope.extensions.insert(ends);
        }
        scope.extensions.insert(claims);
        Ok(())
    }

    /// Puts the token's user into the scope; `false` when there is none.
    async fn enter(&self, scope: &mut Scope, claims: &BearerClaims) -> Result<bool, Denial> {
        match &self.users {
            Some(auth) => auth.resolve_id(scope, &claims.user_id).await.map_err(|error| users_away(&error)),
            None => {
                scope.user = User::new(Account::new(&claims.user_id, &claims.username));
                Ok(true)
            }
        }
    }
}

/// `None` for an end beyond this process's clock.
fn ends_at(expires: SystemTime) -> Option<EndsAt> {
    let left = expires.duration_since(SystemTime::now()).unwrap_or_default();
    let when = Instant::now().checked_add(left)?;
    Some(EndsAt::new(when, CloseFrame::new(CloseCode::SESSION_ENDED, "the token has expired")))
}

fn unbelieved(error: &TokenError) -> Denial {
    if let TokenError::Unavailable(source) = error {
        tracing::error!(%source, "a token could not be verified");
        return Denial::new(StatusCode::SERVICE_UNAVAILABLE, "bearer", "Service unavailable.");
    }
    tracing::info!("refused a token: {error}");
    challenge("bearer", Some(error))
}

impl<S> Layer<S> for BearerLayer {
    type Service = Bearer<S>;

    fn layer(&self, inner: S) -> Bearer<S> {
        Bearer { inner, layer: self.clone() }
    }
}

/// The service of [`BearerLayer`].
#[derive(Debug, Clone)]
pub struct Bearer<S> {
    inner: S,
    layer: BearerLayer,
}

impl<S, R> Service<R> for Bearer<S>
where
    R: Scoped + Send + 'static,
    S: Service<R, Response: Outcome<S::Error>, Future: Send> + Clone + Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: R) -> Self::Future {
        let mut inner = take_ready(&mut self.inner);
        let layer = self.layer.clone();
        let presented = presented(&mut request);
        Box::pin(async move {
            if let Err(denial) = layer.admit(request.scope_mut(), presented).await {
                return S::Response::refused(denial);
            }
            let mut outcome = inner.call(request).await?;
            if let Some(headers) = outcome.headers_mut().filter(|headers| !is_public(headers)) {
                vary_on(headers, "Authorization");
            }
            Ok(outcome)
        })
    }
}

pass_routes_on!(Bearer);

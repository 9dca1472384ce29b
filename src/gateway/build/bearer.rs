//! Tokens in place of sessions, on the routes that take them.

use std::fmt;

use futures_util::future::BoxFuture;
use tower::Layer;

use super::BuildError;
use super::users::{Users, keys_of};
use crate::auth::{BearerClaims, JwtTokens, SignedTokens, TokenError, TokenVerifier};
use crate::gateway::settings::{BearerUsers, Bearing, JwtTable, Settings};
use crate::http::BoxedHttp;
use crate::middleware::{BearerLayer, OriginValidatorLayer};
use crate::routing::BoxedApplication;

/// What routes make of tokens: nothing, where the file has no `[auth.bearer]`.
#[derive(Debug, Clone)]
pub(crate) struct Bearer {
    layer: Option<BearerLayer>,
    origins: OriginValidatorLayer,
    origins_of_bearers: OriginValidatorLayer,
}

impl Bearer {
    /// The tokens that the settings describe, and the check of origins, which makes a difference for who bears one.
    pub(crate) fn of(
        settings: &Settings,
        users: &Users,
        origins: OriginValidatorLayer,
    ) -> Result<Self, BuildError> {
        let without_origin = settings.auth.bearer.as_ref().is_some_and(|bearer| bearer.without_origin);
        let origins_of_bearers =
            if without_origin { origins.clone().without_origin_for_bearer() } else { origins.clone() };
        Ok(Self { layer: layer_of(settings, users)?, origins, origins_of_bearers })
    }

    fn layer(&self, bearing: Bearing) -> Option<BearerLayer> {
        let layer = self.layer.clone()?;
        match bearing {
            Bearing::Off => None,
            Bearing::Accepted => Some(layer),
            Bearing::Required => Some(layer.required()),
        }
    }

    /// Tokens around a view, its session and its user.
    pub(crate) fn around_view(&self, bearing: Bearing, view: BoxedHttp) -> BoxedHttp {
        match self.layer(bearing) {
            Some(layer) => BoxedHttp::new(layer.layer(view)),
            None => view,
        }
    }

    /// Tokens around a consumer, its session and its user, with the check of origins between them.
    pub(crate) fn around_consumer(&self, bearing: Bearing, consumer: BoxedApplication) -> BoxedApplication {
        match self.layer(bearing) {
            Some(layer) => BoxedApplication::new(layer.layer(self.origins_of_bearers.layer(consumer))),
            None => BoxedApplication::new(self.origins.layer(consumer)),
        }
    }
}

fn layer_of(settings: &Settings, users: &Users) -> Result<Option<BearerLayer>, BuildError> {
    let Some(bearer) = &settings.auth.bearer else { return Ok(None) };
    let signed = bearer
        .signed
        .as_ref()
        .zip(keys_of(settings))
        .map(|(signed, keys)| SignedTokens::new(keys, signed.max_age).with_salt(signed.salt.clone()));
    let jwt = bearer.jwt.as_ref().map(jwt_of).transpose()?;
    let tokens = Tokens { signed, jwt };
    let claims_only = bearer.users.as_ref().is_some_and(|users| users.value == BearerUsers::Claims);
    Ok(Some(match &users.auth {
        Some(auth) if !claims_only => BearerLayer::new(tokens, auth.clone()),
        _ => BearerLayer::claims_only(tokens),
    }))
}

fn jwt_of(table: &JwtTable) -> Result<JwtTokens, BuildError> {
    let keys = table.keys.iter().map(|key| key.key()).collect::<Result<Vec<_>, _>>()?;
    let tokens = JwtTokens::new(keys)
        .with_user_claim(&table.user_claim)
        .with_name_claim(&table.name_claim)
        .with_leeway(table.leeway);
    let tokens = match &table.audience {
        Some(audience) => tokens.with_audience(audience),
        None => tokens,
    };
    Ok(match &table.issuer {
        Some(issuer) => tokens.with_issuer(issuer),
        None => tokens,
    })
}

/// Tokens of either kind.
struct Tokens {
    signed: Option<SignedTokens>,
    jwt: Option<JwtTokens>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens(signed: {}, jwt: {})", self.signed.is_some(), self.jwt.is_some())
    }
}

impl TokenVerifier for Tokens {
    fn verify<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<BearerClaims, TokenError>> {
        Box::pin(async move {
            let signed = match &self.signed {
                Some(signed) => signed.verify(token).await,
                None => Err(TokenError::Signature),
            };
            match (&self.jwt, signed) {
                // Not what this site has signed, so that it may be somebody else's.
                (Some(jwt), Err(TokenError::Signature)) => jwt.verify(token).await,
                (_, signed) => signed,
            }
        })
    }
}

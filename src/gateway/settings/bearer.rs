//! `auth.bearer`: tokens of clients that are no browsers.

use std::time::Duration;

use crate::auth::{BEARER_SALT, JwtKey, JwtKeyError};
use crate::gateway::secret::Secret;
use crate::gateway::section::section;
use crate::gateway::setting::Placed;
use crate::gateway::words::words;

section! {
    /// `auth.bearer`.
    pub(crate) struct BearerTable {
        /// Tokens signed as Django signs: `TimestampSigner(sep=".", salt="solent.bearer").sign(str(user.pk))`. They need
        /// `secret_key`.
        signed: Option<SignedTable> = None,
        /// Tokens that are JWTs, such as an identity provider's.
        jwt: Option<JwtTable> = None,
        /// Whose tokens they are: `database` (of its active users, whose sockets are followed) or `claims` (of whom they
        /// name; nobody is asked, so that a token counts until it ends). Without it, `database` where there is one.
        users: Option<Placed<BearerUsers>> = None,
        /// Whether sockets may come without `Origin` where a token lets them in: programs send none, browsers always do.
        without_origin: bool = false,
    }
}

section! {
    /// `auth.bearer.signed`.
    pub(crate) struct SignedTable {
        /// The salt, which keeps these tokens apart from everything else that the key signs.
        salt: String = BEARER_SALT.to_owned(),
        /// How long a token counts from its signing on. Nothing else ends it, so that too long lets people in who should
        /// be out.
        max_age: Duration = Duration::from_secs(3600),
    }
}

section! {
    /// `auth.bearer.jwt`.
    pub(crate) struct JwtTable {
        /// The keys that tokens are verified with. Several are for the time in which keys are changed.
        keys: Vec<JwtKeyTable>,
        /// Whom tokens must be made for: their `aud` is or holds it. Without it, a token that names an audience is
        /// refused.
        audience: Option<String> = None,
        /// Who must have made them: their `iss`.
        issuer: Option<String> = None,
        /// The claim with the user's primary key; simplejwt writes `user_id`.
        user_claim: String = "sub".to_owned(),
        /// The claim with the user's name, which need not be there.
        name_claim: String = "username".to_owned(),
        /// How far the clocks of who signs and who verifies may be apart.
        leeway: Duration = Duration::from_secs(10),
    }
}

section! {
    /// `auth.bearer.jwt.keys`.
    pub(crate) struct JwtKeyTable {
        /// The one algorithm that the key is for: `HS256`, `RS256` or `ES256`. What a token says of it decides nothing.
        algorithm: JwtAlgorithm,
        /// A secret of at least 32 bytes for HS256, else a public key in PEM form.
        verifying_key: Placed<Secret>,
        /// The `kid` of its tokens. Without it, the key is tried whatever `kid` a token has.
        id: Option<String> = None,
    }
}

/// Whose tokens they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BearerUsers {
    Database,
    Claims,
}

/// What a JWT is signed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JwtAlgorithm {
    Hs256,
    Rs256,
    Es256,
}

/// What a route makes of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bearing {
    Off,
    Accepted,
    Required,
}

words! {
    BearerUsers { "database" => Self::Database, "claims" => Self::Claims }
    JwtAlgorithm { "HS256" => Self::Hs256, "RS256" => Self::Rs256, "ES256" => Self::Es256 }
    Bearing { "off" => Self::Off, "accepted" => Self::Accepted, "required" => Self::Required }
}

impl JwtKeyTable {
    /// The key.
    pub(crate) fn key(&self) -> Result<JwtKey, JwtKeyError> {
        let text = self.verifying_key.expose();
        let key = match self.algorithm {
            JwtAlgorithm::Hs256 => JwtKey::hs256(text),
            JwtAlgorithm::Rs256 => JwtKey::rs256(text),
            JwtAlgorithm::Es256 => JwtKey::es256(text),
        }?;
        Ok(match &self.id {
            Some(id) => key.with_id(id),
            None => key,
        })
    }
}

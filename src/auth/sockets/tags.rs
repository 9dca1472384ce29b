//! Names for sessions and users that tell nothing of them: 64 bits of a keyed hash.

use crate::auth::SecretKeys;
use crate::auth::signing::{Algorithm, salted_hmac};

/// Makes tags. The same key and the same name give the same tag in every process of a deployment.
#[derive(Clone, Debug)]
pub(super) struct Tags(SecretKeys);

const SESSION: &str = "solent.sockets.session";
const USER: &str = "solent.sockets.user";

impl Tags {
    pub(super) fn new(keys: SecretKeys) -> Self {
        Self(keys)
    }

    /// A session's tags under all keys: while keys are changed, other processes may still know the old one.
    pub(super) fn of_session(&self, key: &str) -> Vec<u64> {
        self.0.verifying().map(|secret| tag(SESSION, key, secret)).collect()
    }

    /// A user's tags under all keys.
    pub(super) fn of_user(&self, id: &str) -> Vec<u64> {
        self.0.verifying().map(|secret| tag(USER, id, secret)).collect()
    }

    /// The tag under which this process looks a session up.
    pub(super) fn index_of_session(&self, key: &str) -> u64 {
        tag(SESSION, key, self.0.signing())
    }

    /// The tag under which this process looks a user up.
    pub(super) fn index_of_user(&self, id: &str) -> u64 {
        tag(USER, id, self.0.signing())
    }
}

fn tag(salt: &str, name: &str, secret: &str) -> u64 {
    let hash = salted_hmac(salt, name.as_bytes(), secret, Algorithm::Sha256);
    // 0 stands for no session and no user.
    hash.iter().take(8).fold(0, |tag, &byte| tag << 8 | u64::from(byte)).max(1)
}

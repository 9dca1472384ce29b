//! Names for sessions and users that tell nothing of them: 64 bits of a keyed hash.

use crate::auth::SecretKeys;
use crate::auth::signing::{Algorithm, SaltedKey, SaltedKeys};

/// Makes tags. The same key and the same name give the same tag in every process of a deployment.
#[derive(Clone, Debug)]
pub(super) struct Tags {
    sessions: SaltedKeys,
    users: SaltedKeys,
}

const SESSION: &str = "solent.sockets.session";
const USER: &str = "solent.sockets.user";

impl Tags {
    pub(super) fn new(keys: &SecretKeys) -> Self {
        let salted = |salt| SaltedKeys::new(keys, salt, Algorithm::Sha256);
        Self { sessions: salted(SESSION), users: salted(USER) }
    }

    /// A session's tags under all keys: while keys are changed, other processes may still know the old one.
    pub(super) fn of_session(&self, key: &str) -> Vec<u64> {
        self.sessions.verifying().map(|secret| tag(key, secret)).collect()
    }

    /// A user's tags under all keys.
    pub(super) fn of_user(&self, id: &str) -> Vec<u64> {
        self.users.verifying().map(|secret| tag(id, secret)).collect()
    }

    /// The tag under which this process looks a session up.
    pub(super) fn index_of_session(&self, key: &str) -> u64 {
        tag(key, self.sessions.signing())
    }

    /// The tag under which this process looks a user up.
    pub(super) fn index_of_user(&self, id: &str) -> u64 {
        tag(id, self.users.signing())
    }
}

fn tag(name: &str, key: &SaltedKey) -> u64 {
    let hash = key.hash(name.as_bytes());
    // 0 stands for no session and no user.
    hash.iter().take(8).fold(0, |tag, &byte| tag << 8 | u64::from(byte)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_can_be_made_only_with_the_deployments_key_and_outlives_its_change() {
        let of = |key: &str| Tags::new(&SecretKeys::new(key));
        let (ours, theirs) = (of("ours"), of("theirs"));
        assert_eq!(ours.of_session("a"), of("ours").of_session("a"));
        assert_ne!(ours.of_session("a"), theirs.of_session("a"));
        assert_ne!(ours.of_user("1"), theirs.of_user("1"));
        assert_ne!(ours.of_user("1"), ours.of_session("1"), "a user is no session");

        let renewed = Tags::new(&SecretKeys::new("new").with_fallbacks(["ours"]));
        assert!(renewed.of_session("a").contains(&ours.index_of_session("a")));
        assert!(renewed.of_user("1").contains(&ours.index_of_user("1")));
    }
}

//! A session's hash over its user's password is Django's.

use solent::auth::session_auth_hash;

use crate::support::{cases, keys_of, text, vectors};

#[test]
fn session_hashes_are_djangos() {
    let all = cases(&vectors("auth_hash.json"), "session_auth_hash");
    for case in &all {
        let password = text(case, "password_field");
        assert_eq!(session_auth_hash(password, &keys_of(text(case, "secret_key"))), text(case, "hash"));
        let keys = case["fallback_keys"].as_array().unwrap().iter();
        let hashes = case["fallback_hashes"].as_array().unwrap().iter();
        for (key, hash) in keys.zip(hashes) {
            assert_eq!(session_auth_hash(password, &keys_of(key.as_str().unwrap())), hash.as_str().unwrap());
        }
    }
    assert_eq!(all.len(), 30);
}

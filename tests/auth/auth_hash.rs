//! What is hashed over a user's password is Django's: the session's hash, and password-reset tokens.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use solent::auth::{PasswordResetTokens, ResetAccount, SecretKeys, session_auth_hash};

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

#[test]
fn password_reset_tokens_are_djangos() {
    let all = cases(&vectors("auth_hash.json"), "password_reset_tokens");
    for case in &all {
        let id = case["pk"].to_string();
        let mut account = ResetAccount::new(&id, text(case, "password_field"));
        account.email = text(case, "email");
        account.last_login = case["last_login"].as_str().map(|login| login.parse::<DateTime<Utc>>().unwrap());
        let now = text(case, "now").parse::<NaiveDateTime>().unwrap().and_utc();
        let (key, token) = (text(case, "secret_key"), text(case, "token"));
        let tokens = PasswordResetTokens::new(keys_of(key));
        assert_eq!(tokens.make(&account, now), token);
        assert!(tokens.check(&account, token, now));
        let rotated = PasswordResetTokens::new(SecretKeys::new("another").with_fallbacks([key]));
        assert!(rotated.check(&account, token, now));
        assert_ne!(rotated.make(&account, now), token);

        assert!(tokens.check(&account, token, now + TimeDelta::days(3)));
        assert!(!tokens.check(&account, token, now + TimeDelta::days(3) + TimeDelta::seconds(1)));
        let changes: [fn(&mut ResetAccount<'_>); 4] = [
            |account| account.id = "2",
            |account| account.password = "pbkdf2_sha256$1$a$c",
            |account| account.email = "v@example.com",
            |account| account.last_login = Some(DateTime::UNIX_EPOCH),
        ];
        for change in changes {
            let mut other = account.clone();
            change(&mut other);
            assert!(!tokens.check(&other, token, now));
        }
        for forged in
            ["", "-", "x", "d1rcit-", &token[1..], &token.to_uppercase(), "zzzzzzzzzzzzzz-0", "d1rciu-0"]
        {
            assert!(!tokens.check(&account, forged, now), "{forged}");
        }
    }
    assert_eq!(all.len(), 2);
}

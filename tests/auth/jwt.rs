//! JWTs: believed for what a key has signed by its own algorithm, and for nothing else.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use solent::auth::{BearerClaims, JwtKey, JwtTokens, TokenError};

const SECRET: &str = "a secret of at least thirty-two bytes";
const RSA: &[u8] = include_bytes!("keys/rsa.pem");
const RSA_PUBLIC: &[u8] = include_bytes!("keys/rsa.pub.pem");

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn good() -> Value {
    json!({ "sub": "7", "username": "alice", "exp": now() + 60, "nbf": now() - 60, "aud": "chat", "iss": "https://id" })
}

/// The good claims with one of another value, or without it.
fn but(name: &str, value: Value) -> Value {
    let mut claims = good();
    match value {
        Value::Null => claims.as_object_mut().unwrap().remove(name),
        value => claims.as_object_mut().unwrap().insert(name.to_owned(), value),
    };
    claims
}

fn signed(algorithm: Algorithm, key: &EncodingKey, kid: Option<&str>, claims: &Value) -> String {
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
    encode(&header, claims, key).unwrap()
}

fn hs256(claims: &Value) -> String {
    signed(Algorithm::HS256, &secret(SECRET.as_bytes()), None, claims)
}

fn secret(bytes: &[u8]) -> EncodingKey {
    EncodingKey::from_secret(bytes).unwrap()
}

fn tokens(key: JwtKey) -> JwtTokens {
    JwtTokens::new([key]).with_audience("chat").with_issuer("https://id")
}

fn verify(tokens: &JwtTokens, token: &str) -> Result<BearerClaims, String> {
    tokens.verify_now(token).map_err(|error| error.to_string())
}

#[test]
fn a_good_token_of_each_algorithm_says_who_and_until_when() {
    let pair = rcgen::KeyPair::generate().unwrap();
    let rsa = EncodingKey::from_rsa_pem(RSA).unwrap();
    let curve = EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap();
    let cases = [
        (JwtKey::hs256(SECRET).unwrap(), hs256(&good())),
        (JwtKey::rs256(RSA_PUBLIC).unwrap(), signed(Algorithm::RS256, &rsa, None, &good())),
        (JwtKey::es256(pair.public_key_pem()).unwrap(), signed(Algorithm::ES256, &curve, None, &good())),
    ];
    for (key, token) in cases {
        let claims = verify(&tokens(key.clone()), &token).unwrap_or_else(|error| panic!("{key:?}: {error}"));
        assert_eq!((&*claims.user_id, &*claims.username), ("7", "alice"), "{key:?}");
        let left = claims.expires.unwrap().duration_since(SystemTime::now()).unwrap();
        assert!(left > Duration::from_secs(50) && left <= Duration::from_secs(70), "{left:?}");
        assert_eq!(claims.all["aud"], "chat");
    }
}

#[test]
fn claims_that_do_not_hold_make_a_token_worth_nothing() {
    let cases = [
        (but("exp", json!(now() - 60)), "the token has expired"),
        (but("exp", Value::Null), "the token does not say its exp"),
        (but("nbf", json!(now() + 60)), "the token is not valid yet"),
        (but("aud", json!("shop")), "the token was made for another audience"),
        (but("aud", Value::Null), "the token does not say its aud"),
        (but("iss", json!("https://other")), "the token was made by another issuer"),
        (but("iss", Value::Null), "the token does not say its iss"),
        (but("sub", Value::Null), "the token does not say its sub"),
        (but("sub", json!(["7"])), "expected claims of the kinds that RFC 7519 gives them"),
        (but("exp", json!("soon")), "the token does not say its exp"),
    ];
    let tokens = tokens(JwtKey::hs256(SECRET).unwrap());
    for (claims, why) in cases {
        assert_eq!(verify(&tokens, &hs256(&claims)).unwrap_err(), why, "{claims}");
    }
    let unasked = JwtTokens::new([JwtKey::hs256(SECRET).unwrap()]);
    assert!(matches!(unasked.verify_now(&hs256(&good())), Err(TokenError::Audience)));
}

#[test]
fn the_algorithm_is_the_keys_whatever_a_token_says() {
    let encoded = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let (head, claims) = (encoded(json!({ "alg": "none", "typ": "JWT" })), encoded(good()));
    let by_public_key = signed(Algorithm::HS256, &secret(RSA_PUBLIC), None, &good());
    let longer = signed(Algorithm::HS512, &secret(SECRET.as_bytes()), None, &good());
    let rsa = EncodingKey::from_rsa_pem(RSA).unwrap();
    let other_family = signed(Algorithm::RS512, &rsa, None, &good());
    let bad =
        [format!("{head}.{claims}."), format!("{head}.{claims}.AAAA"), by_public_key, longer, other_family];
    for key in [JwtKey::hs256(SECRET).unwrap(), JwtKey::rs256(RSA_PUBLIC).unwrap()] {
        for token in &bad {
            assert!(verify(&tokens(key.clone()), token).is_err(), "{key:?} believes {token}");
        }
    }
}

#[test]
fn what_is_no_token_or_was_changed_is_refused() {
    let tokens = tokens(JwtKey::hs256(SECRET).unwrap());
    let good = hs256(&good());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let forged = hs256(&but("sub", json!("1")));
    let swapped = format!("{}.{signature}", forged.rsplit_once('.').unwrap().0);
    let garbage = ["", ".", "..", "a.b.c", "é.é.é", signed, &good[1..], &swapped];
    for token in garbage {
        assert!(verify(&tokens, token).is_err(), "{token}");
    }
}

#[test]
fn keys_are_changed_by_their_id_or_by_trying_them() {
    let (old, new) = (SECRET, "another secret of at least 32 bytes");
    let keys = |first: JwtKey, second: JwtKey| {
        JwtTokens::new([first, second]).with_audience("chat").with_issuer("https://id")
    };
    let named = keys(JwtKey::hs256(old).unwrap().with_id("old"), JwtKey::hs256(new).unwrap().with_id("new"));
    let token = |key: &str, kid| signed(Algorithm::HS256, &secret(key.as_bytes()), kid, &good());
    for good in [token(old, Some("old")), token(new, Some("new")), token(new, None)] {
        verify(&named, &good).unwrap();
    }
    for bad in [token(old, Some("new")), token(new, Some("newer"))] {
        verify(&named, &bad).unwrap_err();
    }
    verify(&keys(JwtKey::hs256(old).unwrap(), JwtKey::hs256(new).unwrap()), &token(new, Some("any")))
        .unwrap();
}

#[test]
fn a_number_is_a_primary_key_and_the_claim_can_be_another() {
    let tokens = tokens(JwtKey::hs256(SECRET).unwrap()).with_user_claim("user_id");
    assert_eq!(verify(&tokens, &hs256(&but("user_id", json!(7)))).unwrap().user_id, "7");
}

#[test]
fn a_text_that_is_no_key_is_told_so_and_keys_never_show() {
    let short = JwtKey::hs256("short").unwrap_err().to_string();
    assert_eq!(short, "expected a secret of at least 32 bytes for HS256");
    JwtKey::hs256(RSA_PUBLIC).unwrap_err();
    JwtKey::rs256("no key").unwrap_err();
    JwtKey::es256(RSA_PUBLIC).unwrap_err();
    JwtKey::rs256(rcgen::KeyPair::generate().unwrap().public_key_pem()).unwrap_err();
    assert!(!format!("{:?}", tokens(JwtKey::hs256(SECRET).unwrap())).contains("secret of"));
}

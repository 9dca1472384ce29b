//! Signed values are Django's, in both directions.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use solent::auth::{Algorithm, SecretKeys, Signer, SigningError, TimestampSigner, dumps, loads, salted_hmac};

use crate::support::{Ordered, cases, keys_of, text, vectors};

fn at(seconds: f64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs_f64(seconds)
}

fn time_of(case: &Value, key: &str) -> SystemTime {
    at(case[key].as_f64().unwrap())
}

fn algorithm(case: &Value) -> Algorithm {
    match text(case, "algorithm") {
        "sha1" => Algorithm::Sha1,
        "sha256" => Algorithm::Sha256,
        "sha512" => Algorithm::Sha512,
        other => panic!("no such algorithm: {other}"),
    }
}

#[test]
fn keyed_hashes_are_djangos() {
    let all = cases(&vectors("signing.json"), "salted_hmac");
    for case in &all {
        let hash = salted_hmac(
            text(case, "key_salt"),
            text(case, "value").as_bytes(),
            text(case, "secret"),
            algorithm(case),
        );
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, text(case, "hex"));
    }
    assert_eq!(all.len(), 21);
}

#[test]
fn plain_signatures_are_djangos() {
    let all = cases(&vectors("signing.json"), "signer");
    for case in &all {
        let signer = Signer::new(SecretKeys::new(text(case, "key")))
            .with_salt(text(case, "salt").to_owned())
            .with_separator(text(case, "sep").to_owned())
            .unwrap()
            .with_algorithm(algorithm(case));
        assert_eq!(signer.sign(text(case, "value")), text(case, "signed"));
        assert_eq!(signer.unsign(text(case, "signed")), Ok(text(case, "value")));
    }
    assert_eq!(all.len(), 49);
}

#[test]
fn signatures_with_a_time_are_djangos() {
    let all = cases(&vectors("signing.json"), "timestamp_signer");
    for case in &all {
        let signer =
            TimestampSigner::new(SecretKeys::new(text(case, "key"))).with_salt(text(case, "salt").to_owned());
        assert_eq!(signer.sign(text(case, "value"), time_of(case, "time")), text(case, "signed"));
    }
    assert_eq!(all.len(), 21);
}

#[test]
fn signatures_are_checked_and_expire_as_in_django() {
    let all = cases(&vectors("signing.json"), "unsign");
    for case in &all {
        let keys = SecretKeys::new(text(case, "key")).with_fallbacks(
            case["fallback_keys"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()),
        );
        let signer = TimestampSigner::new(keys).with_salt(text(case, "salt").to_owned());
        let max_age = case["max_age"].as_f64().map(Duration::from_secs_f64);
        let found = signer.unsign(text(case, "signed"), max_age, time_of(case, "now"));
        match case["ok"].as_bool().unwrap() {
            true => assert_eq!(found, Ok(text(case, "value")), "{}", case["case"]),
            false if case["error"] == "SignatureExpired" => {
                assert!(matches!(found, Err(SigningError::Expired { .. })), "{}", case["case"]);
            }
            false => assert_eq!(found, Err(SigningError::BadSignature), "{}", case["case"]),
        }
    }
    assert_eq!(all.len(), 15);
}

#[test]
fn dumped_values_are_djangos_and_load_again() {
    let all = cases(&vectors("signing.json"), "dumps");
    let mut compressed = 0;
    for case in &all {
        let keys = SecretKeys::new(text(case, "key"));
        let (salt, now) = (text(case, "salt").to_owned(), time_of(case, "time"));
        let value: Ordered = serde_json::from_str(text(case, "json")).unwrap();
        let compress = case["compress_requested"] == true;
        let signed = dumps(&value, &keys, salt.clone(), compress, now).unwrap();
        assert_eq!(signed.starts_with('.'), case["compressed"] == true, "{}", case["json"]);
        if signed.starts_with('.') {
            // Two zlibs need not agree byte by byte; each must inflate the other's.
            compressed += 1;
        } else {
            assert_eq!(signed, text(case, "signed"));
        }
        for signed in [&signed, text(case, "signed")] {
            let loaded: Value = loads(signed, &keys, salt.clone(), None, now).unwrap();
            assert_eq!(loaded, case["object"]);
        }
    }
    assert_eq!((all.len(), compressed > 0), (40, true));
}

#[test]
fn damaged_values_are_bad_signatures() {
    let all = cases(&vectors("signing.json"), "loads_bad");
    for case in &all {
        let keys = SecretKeys::new(text(case, "key"));
        let found: Result<Value, _> =
            loads(text(case, "signed"), &keys, text(case, "salt").to_owned(), None, SystemTime::now());
        assert_eq!(found, Err(SigningError::BadSignature), "{}", case["case"]);
    }
    assert_eq!(all.len(), 6);
}

#[test]
fn signed_cookies_verify_under_the_current_and_the_legacy_salt() {
    let all = cases(&vectors("signing.json"), "signed_cookies");
    for case in &all {
        let signer = TimestampSigner::new(SecretKeys::new(text(case, "derived_key")));
        for (salt, signed) in [("effective_salt", "signed"), ("legacy_salt", "signed_legacy")] {
            let signer = signer.clone().with_salt(text(case, salt).to_owned());
            assert_eq!(signer.sign(text(case, "value"), time_of(case, "time")), text(case, signed));
        }
    }
    assert_eq!(all.len(), 8);
}

#[test]
fn a_separator_that_could_be_part_of_a_signature_is_refused() {
    for separator in ["", "-", "abc", "_", "="] {
        assert!(Signer::new(keys_of("k")).with_separator(separator).is_err(), "{separator:?}");
    }
}

#[test]
fn an_inflated_value_is_bounded() {
    let keys = keys_of("k");
    let bomb = vec![0_u8; 5 << 20];
    let signed = dumps(&bomb, &keys, "bomb", true, SystemTime::now()).unwrap();
    let found: Result<Vec<u8>, _> = loads(&signed, &keys, "bomb", None, SystemTime::now());
    assert!(matches!(found, Err(SigningError::Malformed(_))));
}

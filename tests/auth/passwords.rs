//! Passwords are verified and made in Django's formats, and time tells nothing about accounts.

use serde_json::Value;
use solent::auth::{
    Argon2Cost, Hasher, Passwords, Rehash, ScryptCost, is_usable, unusable_password, verify_password,
};

use crate::support::{cases, text, vectors};

#[test]
fn passwords_are_verified_as_django_verifies_them() {
    let all = cases(&vectors("passwords.json"), "verify");
    // The slow ones are slow by intent; two threads share them.
    let (even, odd): (Vec<_>, Vec<_>) = all.iter().enumerate().partition(|(index, _)| index % 2 == 0);
    std::thread::scope(|scope| {
        for half in [even, odd] {
            scope.spawn(move || half.iter().for_each(|(_, case)| check(case)));
        }
    });
    assert_eq!(all.len(), 199);
}

fn check(case: &Value) {
    let (password, encoded) = (text(case, "password"), text(case, "encoded"));
    // Where Django raises over a malformed column, the answer is no.
    let expected = case["valid"].as_bool().unwrap_or(false);
    assert_eq!(verify_password(password, encoded), expected, "{password:?} {encoded}");
    let update = case["must_update_to_default"].as_bool().unwrap_or(false);
    assert_eq!(Rehash::Django.wants(encoded, Hasher::default()), update, "{encoded}");
    assert!(!Rehash::Never.wants(encoded, Hasher::default()));
}

#[test]
fn passwords_are_made_as_django_makes_them() {
    let all = cases(&vectors("passwords.json"), "create");
    for case in &all {
        let number = |key: &str| case["params"][key].as_u64().map(|n| u32::try_from(n).unwrap());
        let (mut salt, mut hasher) = (text(case, "salt"), Hasher::argon2());
        match text(case, "algorithm") {
            "pbkdf2_sha256" => hasher = Hasher::Pbkdf2Sha256 { iterations: number("iterations").unwrap() },
            "scrypt" => {
                let (work, block, lanes) = (number("n").unwrap(), number("r").unwrap(), number("p").unwrap());
                hasher = Hasher::Scrypt(ScryptCost { work, block, lanes });
            }
            "bcrypt_sha256" => {
                salt = salt.strip_prefix("$2b$05$").unwrap();
                hasher = Hasher::BcryptSha256 { cost: 5 };
            }
            "argon2" => {}
            other => panic!("no such algorithm: {other}"),
        }
        assert_eq!(hasher.encode(text(case, "password"), salt).as_deref(), Some(text(case, "encoded")));
    }
    assert_eq!(all.len(), 20);
}

#[test]
fn new_passwords_cost_what_djangos_do() {
    let defaults = &vectors("passwords.json")["defaults"];
    let number = |value: &Value| u32::try_from(value.as_u64().unwrap()).unwrap();
    let (argon2, scrypt) = (&defaults["argon2"], &defaults["scrypt"]);
    assert_eq!(Hasher::default(), Hasher::Pbkdf2Sha256 { iterations: number(&defaults["pbkdf2_sha256"]) });
    let cost = Argon2Cost {
        memory_kib: number(&argon2["m"]),
        passes: number(&argon2["t"]),
        lanes: number(&argon2["p"]),
    };
    assert_eq!(Hasher::argon2(), Hasher::Argon2(cost));
    let cost =
        ScryptCost { work: number(&scrypt["n"]), block: number(&scrypt["r"]), lanes: number(&scrypt["p"]) };
    assert_eq!(ScryptCost::default(), cost);
}

#[test]
fn only_a_weaker_hash_is_replaced_by_default() {
    let salt = "abcdefghijklmnopqrstuv";
    let pbkdf2 = |iterations| Hasher::Pbkdf2Sha256 { iterations };
    let argon2 = |memory_kib| Hasher::Argon2(Argon2Cost { memory_kib, passes: 1, lanes: 1 });
    let wants =
        |stored: Hasher, preferred| Rehash::Weaker.wants(&stored.encode("x", salt).unwrap(), preferred);
    assert!(wants(pbkdf2(10), pbkdf2(20)));
    assert!(!wants(pbkdf2(30), pbkdf2(20)));
    assert!(wants(argon2(16), argon2(32)));
    assert!(!wants(argon2(64), argon2(32)));
    assert!(!wants(argon2(16), pbkdf2(20)));
    assert!(!wants(pbkdf2(10), argon2(16)));
    assert!(Rehash::Weaker.wants(&pbkdf2(30).encode("x", "short").unwrap(), pbkdf2(20)));
    for obsolete in ["md5$salt$0", "pbkdf2_sha1$1000$AUvFMZ44k8cRvicmQivfnS$Xu4WAVaZQ8xR7j5nXbPBVUeThi4="] {
        assert!(Rehash::Weaker.wants(obsolete, pbkdf2(20)), "{obsolete}");
    }
    for unusable in ["", "!", "unknown$1$a$b", "pbkdf2_sha256$"] {
        assert!(!Rehash::Weaker.wants(unusable, pbkdf2(20)), "{unusable}");
    }
}

#[test]
fn unusable_passwords_match_nothing() {
    let unusable = unusable_password();
    assert_eq!((unusable.len(), is_usable(&unusable)), (41, false));
    assert!(!verify_password("", &unusable));
    assert!(!is_usable(""));
}

#[test]
fn a_column_with_absurd_costs_is_refused_rather_than_computed() {
    for column in [
        "pbkdf2_sha256$4294967295$salt$hash",
        "argon2$argon2id$v=19$m=4294967295,t=2,p=8$c2FsdHNhbHQ$aGFzaA",
        "argon2$argon2id$v=19$m=8,t=4294967295,p=1$c2FsdHNhbHQ$aGFzaA",
        "scrypt$2147483648$salt$8$5$hash",
        "scrypt$0$salt$8$5$hash",
        "scrypt$16384$salt$4294967295$4294967295$hash",
        "bcrypt$$2b$31$LlEXqRp10ZXuImH6bkZai.DdeVOKbbzVt3ScTlop8k1JEArK0gC3G",
    ] {
        assert!(!verify_password("x", column), "{column}");
    }
}

#[tokio::test]
async fn a_check_off_the_async_threads_verifies_and_rehashes() {
    let passwords = Passwords::new(Hasher::Pbkdf2Sha256 { iterations: 50 });
    let stored = Hasher::Pbkdf2Sha256 { iterations: 10 }.encode("secret", "abcdefghijklmnopqrstuv").unwrap();
    let checked = passwords.check("secret", Some(&stored)).await.unwrap();
    assert!(checked.correct);
    let rehashed = checked.rehashed.unwrap();
    assert!(rehashed.starts_with("pbkdf2_sha256$50$"));
    assert!(verify_password("secret", &rehashed));
    assert_eq!(passwords.check("secret", Some(&rehashed)).await.unwrap().rehashed, None);

    let wrong = passwords.check("Secret", Some(&stored)).await.unwrap();
    assert_eq!((wrong.correct, wrong.rehashed), (false, None));
    assert!(!passwords.check("secret", None).await.unwrap().correct);
}

#[tokio::test]
async fn an_unknown_user_costs_as_much_as_a_wrong_password() {
    // Compared by a ratio and not in milliseconds, since the machine is shared; one that did not hash would be tens of
    // times faster. Each is measured until the fastest of its runs had the machine to itself, which a short one has soon.
    let passwords = Passwords::new(Hasher::Pbkdf2Sha256 { iterations: 10_000 });
    let current = passwords.make("secret").await.unwrap();
    let cheap = Hasher::Pbkdf2Sha256 { iterations: 1 }.encode("secret", "abcdefghijklmnopqrstuv").unwrap();
    let columns = [Some(&*current), None, Some(&*cheap), Some("!"), Some("unknown$x"), Some("md5$a$b")];
    let mut fastest = [f64::MAX; 6];
    let is_even = |times: &[f64]| times[1..].iter().all(|time| (0.3..3.0).contains(&(times[0] / time)));
    for round in 0..1000 {
        for (column, fastest) in columns.iter().zip(&mut fastest) {
            let start = std::time::Instant::now();
            assert!(!passwords.check("wrong", *column).await.unwrap().correct);
            *fastest = fastest.min(start.elapsed().as_secs_f64());
        }
        if round >= 4 && is_even(&fastest) {
            return;
        }
    }
    panic!("for {columns:?}: {fastest:?} s");
}

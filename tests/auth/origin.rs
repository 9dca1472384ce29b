//! Sockets open only from pages of allowed origins.

use solent::middleware::OriginValidator;

use crate::support::{cases, vectors};

#[test]
fn origins_are_checked_by_channels_rules() {
    let all = cases(&vectors("origin_validator.json"), "cases");
    for case in &all {
        let allowed = case["allowed"].as_array().unwrap().iter().map(|pattern| pattern.as_str().unwrap());
        let allows = OriginValidator::new(allowed).allows(case["origin"].as_str());
        // Where Python raises, the connection fails there too: denied.
        let expected = case["raises"].is_null() && case["valid"] == true;
        assert_eq!(allows, expected, "{case}");
    }
    assert_eq!(all.len(), 315);
}

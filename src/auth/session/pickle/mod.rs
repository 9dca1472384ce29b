//! Python's pickles, as far as a session needs them: Django's cache keeps sessions so.
//!
//! Reading never builds an object: what is more than plain data is a place that nothing can be had of, and the session
//! it stands in is marked as one that must not be written over. All protocols are read; written is protocol 2, without
//! a memo, which every Python reads.

mod cursor;
mod json;
mod machine;
mod writer;

use super::SessionData;

pub(super) use writer::pickle;

/// The largest pickle that is read. A session of this size is none.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// Why a pickle was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum PickleError {
    #[error("expected a pickle of at most {MAX_BYTES} bytes, found {0}")]
    Size(usize),
    #[error("expected a pickle, found its end at byte {0}")]
    End(usize),
    #[error("expected an instruction of a pickle at byte {at}, found 0x{found:02x}")]
    Instruction { at: usize, found: u8 },
    #[error("expected {expected} at byte {at}")]
    Malformed { at: usize, expected: &'static str },
    #[error("expected a dictionary")]
    NoDictionary,
}

/// The session of a pickled dictionary. Entries that JSON cannot hold are left out, and mark it as partial.
pub(super) fn unpickle(bytes: &[u8]) -> Result<SessionData, PickleError> {
    if bytes.len() > MAX_BYTES {
        return Err(PickleError::Size(bytes.len()));
    }
    let (nodes, root) = machine::run(bytes)?;
    json::session(&nodes, root).ok_or(PickleError::NoDictionary)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn value(data: &SessionData) -> Value {
        serde_json::from_str(&data.to_json()).unwrap()
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_filter("JSON has no others", |number| number.is_finite()).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(entries in prop::collection::btree_map(any::<String>(), any_json(), 0..6)) {
            let mut data = SessionData::default();
            for (name, entry) in &entries {
                data.set(name, entry).unwrap();
            }
            let read = unpickle(&pickle(&data).unwrap()).unwrap();
            prop_assert!(!read.is_partial());
            prop_assert_eq!(value(&read), value(&data));
        }

        #[test]
        fn any_bytes_are_a_session_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpickle(&bytes);
        }

        #[test]
        fn a_damaged_pickle_is_a_session_or_an_error(at in 0_usize..60, to in any::<u8>()) {
            let mut data = SessionData::default();
            data.set("cart", &json!({"n": [1, 2.5, null, true], "name": "Zo\u{eb}", "big": 1_u64 << 40})).unwrap();
            let mut bytes = pickle(&data).unwrap();
            if let Some(byte) = bytes.get_mut(at) {
                *byte = to;
            }
            let _ = unpickle(&bytes);
            let _ = unpickle(&bytes[..at.min(bytes.len())]);
        }
    }

    #[test]
    fn numbers_of_any_length_stay_what_they_are() {
        let json = br#"{"a":123456789012345678901234567890,"b":-2147483649,"c":-0.0,"d":1e300}"#;
        let data = SessionData::parse(json).unwrap();
        assert_eq!(
            unpickle(&pickle(&data).unwrap()).unwrap().to_json().as_bytes(),
            br#"{"a":123456789012345678901234567890,"b":-2147483649,"c":-0.0,"d":1e+300}"#
        );
    }

    /// What stands beside plain data is skipped whatever it is, and nothing is called.
    #[test]
    fn objects_are_never_built_and_what_stands_beside_them_is_read() {
        // {'a': os.system('true'), 'b': 1, 'c': (1, 2), 'd': b'x', 5: 6, 'e': {1, 2}, 'f': nan}
        let bytes = b"\x80\x04}(\x8c\x01acos\nsystem\n\x8c\x04true\x85R\x8c\x01bK\x01\x8c\x01cK\x01K\x02\x86\
            \x8c\x01dC\x01xK\x05K\x06\x8c\x01e\x8f(K\x01K\x02\x90\x8c\x01fG\x7f\xf8\0\0\0\0\0\0u.";
        let data = unpickle(bytes).unwrap();
        assert_eq!(data.to_json(), r#"{"b":1,"c":[1,2]}"#);
        assert!(data.is_partial());
        // A tuple alone would come back as a list.
        assert!(unpickle(b"\x80\x02}(X\x01\0\0\0cK\x01K\x02\x86u.").unwrap().is_partial());
    }

    #[test]
    fn what_multiplies_or_holds_itself_is_left_out() {
        // a = ['x' * 250] * 250 over four levels of the memo: 250^4 characters.
        let mut bomb = b"\x80\x04}(\x8c\x01a".to_vec();
        bomb.extend(b"\x8c\xfa");
        bomb.extend([b'x'; 250]);
        bomb.extend(b"q\x000");
        for level in 0..4_u8 {
            bomb.extend(b"](");
            for _ in 0..250 {
                bomb.extend([b'h', level]);
            }
            bomb.extend([b'e', b'q', level + 1, b'0']);
        }
        bomb.extend(b"h\x04\x8c\x01bK\x01u.");
        let data = unpickle(&bomb).unwrap();
        assert_eq!((data.to_json().as_str(), data.is_partial()), (r#"{"b":1}"#, true));

        let data = unpickle(b"\x80\x04}q\0(\x8c\x01ah\0\x8c\x01bK\x01u.").unwrap();
        assert_eq!((data.to_json().as_str(), data.is_partial()), (r#"{"b":1}"#, true));
        let mut deep = b"\x80\x04}(\x8c\x01a".to_vec();
        deep.extend([b']'; 5000]);
        deep.extend([b'a'; 4999]);
        deep.extend(b"u.");
        assert!(unpickle(&deep).unwrap().is_partial());
        assert!(matches!(unpickle(&vec![b'N'; MAX_BYTES + 1]), Err(PickleError::Size(_))));
        assert!(matches!(
            unpickle(b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xff."),
            Err(PickleError::End(_))
        ));
    }
}

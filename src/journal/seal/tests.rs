//! Tests of the module above.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::value::origin::Origin;
use crate::value::secret::Home;
use crate::value::{Object, Record};

fn sealer() -> Sealer {
    Sealer::new(&[7; 32])
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>()
            .prop_filter("a NaN is not equal to itself", |float| !float.is_nan())
            .prop_map(Value::Float),
        ".*".prop_map(Value::Text),
        (".*", prop::collection::vec("[a-z]{1,8}\\.example", 0..3)).prop_map(|(text, places)| {
            let homes = places.iter().filter_map(|place| Home::of(Origin::parse(place)));
            Value::Secret(Secret::with_homes(text, homes.collect()))
        }),
    ];
    leaf.prop_recursive(4, 64, 6, |inner| {
        let record = prop::collection::btree_map("[$a-z]{0,6}", inner.clone(), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(Value::List),
            record.clone().prop_map(Value::Record),
            ("[a-z:]{0,12}", record).prop_map(|(kind, fields)| Value::Object(Object { kind, fields })),
        ]
    })
}

fn homes(value: &Value) -> Vec<Vec<Home>> {
    let mut homes = Vec::new();
    value.for_each_secret(&mut |secret| homes.push(secret.homes().to_vec()));
    homes
}

/// Secrets sealed by earlier versions have no home, and steps are found by digests written by them.
#[test]
fn secret_encoding_and_digest_stay_compatible_with_secrets_without_an_origin() {
    let bare = Secret::new("hunter2");
    assert_eq!(
        codec::encode(&Value::Secret(bare.clone()), EXPOSED).as_slice(),
        b"\x06\x07\0\0\0hunter2"
    );
    let home = Home::of(Origin::parse("https://t1.example")).unwrap();
    let bound = Value::Secret(bare.clone().with_home(&home));
    assert_eq!(sealer().digest(&bound), sealer().digest(&bare.into()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sealing_round_trips_every_value(value in value()) {
        let sealed = sealer().seal("here", &value);
        let opened = sealer().open("here", &sealed).unwrap();
        prop_assert_eq!(homes(&opened), homes(&value));
        prop_assert_eq!(opened, value);
    }

    #[test]
    fn decoding_arbitrary_bytes_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = codec::decode(&bytes);
        prop_assert!(sealer().open("here", &bytes).is_err());
    }
}

#[test]
fn floats_that_json_cannot_represent_round_trip() {
    for float in [
        f64::INFINITY,
        f64::NEG_INFINITY,
        -0.0,
        f64::NAN,
        f64::MIN_POSITIVE,
    ] {
        let sealed = sealer().seal("here", &Value::Float(float));
        let Value::Float(back) = sealer().open("here", &sealed).unwrap() else {
            panic!("not a float");
        };
        assert_eq!(back.to_bits(), float.to_bits());
    }
}

#[test]
fn a_record_is_never_taken_for_a_secret() {
    let record = Record::from([("$secret".to_owned(), Value::from("plain"))]);
    let value = Value::Record(record);
    let back = sealer().open("here", &sealer().seal("here", &value)).unwrap();
    assert!(!back.has_secret());
    assert_eq!(back, value);
}

#[test]
fn a_sealed_value_opens_only_with_its_key_and_context() {
    let sealed = sealer().seal("run a step 1", &Value::from("secret"));
    assert!(!sealed.windows(6).any(|bytes| bytes == b"secret"));
    assert_eq!(sealer().open("run a step 2", &sealed), Err(SealError::Refused));
    assert_eq!(
        Sealer::new(&[8; 32]).open("run a step 1", &sealed),
        Err(SealError::Refused)
    );
    let mut damaged = sealed.clone();
    *damaged.last_mut().unwrap() ^= 1;
    assert_eq!(sealer().open("run a step 1", &damaged), Err(SealError::Refused));
    assert_eq!(sealer().open("run a step 1", &[]), Err(SealError::Refused));
    assert_eq!(
        sealer().open("run a step 1", &[9; 60]),
        Err(SealError::Unreadable)
    );
}

#[test]
fn digests_depend_on_the_value_its_type_and_the_key() {
    let text = Value::from("ann@example.com");
    assert_eq!(sealer().digest(&text), sealer().digest(&text));
    assert_eq!(sealer().digest(&text).len(), 16);
    assert_ne!(
        sealer().digest(&text),
        sealer().digest(&Secret::new("ann@example.com").into())
    );
    assert_ne!(sealer().digest(&text), Sealer::new(&[8; 32]).digest(&text));
}

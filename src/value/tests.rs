//! Tests of the module above.

use super::*;

#[test]
fn json_integers_beyond_64_bits_stay_exact() {
    let json: Json = serde_json::from_str("[1, 12345678901234567890, 1.5]").unwrap();
    assert_eq!(
        Value::from_json(json),
        Value::List(vec![
            Value::Int(1),
            Value::from("12345678901234567890"),
            Value::Float(1.5)
        ])
    );
}

proptest::proptest! {
    #[test]
    fn floats_round_trip_through_json_exactly(bits: u64) {
        let float = f64::from_bits(bits);
        proptest::prop_assume!(float.is_finite());
        let written = Value::Float(float).to_masked_json().to_string();
        match Value::from_json(read_json(written.as_bytes()).unwrap()) {
            Value::Float(read) => assert_eq!(read.to_bits(), bits, "{written}"),
            other => panic!("{written} is {other:?}"),
        }
    }
}

#[test]
fn integers_keep_their_digits_however_many_there_are() {
    let read = |text: &str| Value::from_json(read_json(text.as_bytes()).unwrap());
    let list = |items: &[Value]| Value::List(items.to_vec());
    assert_eq!(
        read(
            "[9223372036854775807, -9223372036854775808,9223372036854775808,123456789012345678901234567890,\
             -123456789012345678901234567890 ,1234567890123456789012e3,0.1234567890123456789]"
        ),
        list(&[
            Value::Int(i64::MAX),
            Value::Int(i64::MIN),
            "9223372036854775808".into(),
            "123456789012345678901234567890".into(),
            "-123456789012345678901234567890".into(),
            Value::Float("1234567890123456789012e3".parse().unwrap()),
            Value::Float("0.1234567890123456789".parse().unwrap()),
        ])
    );
    let text = r#"{"a\"123456789012345678901": "\\", "b": "123456789012345678901 \" 1", "c": 123456789012345678901}"#;
    assert_eq!(
        read(text).to_masked_json().to_string(),
        r#"{"a\"123456789012345678901":"\\","b":"123456789012345678901 \" 1","c":"123456789012345678901"}"#
    );
    for wrong in [
        "0123456789012345678901",
        "123456789012345678901x",
        "\"123456789012345678901",
        "[",
    ] {
        assert!(read_json(wrong.as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn fields_of_data_may_begin_with_a_dollar() {
    let json = r#"{"$set":{"$ref":"x","a":1}}"#;
    let value = Value::from_json(read_json(json.as_bytes()).unwrap());
    assert_eq!(value.to_masked_json().to_string(), json);
}

#[test]
fn masked_json_shows_no_secret_and_no_hidden_field() {
    let tenant = Value::Object(Object::new(
        "mobsted::Tenant",
        [
            ("email", "ann@example.com".into()),
            ("password", Secret::new("hunter2").into()),
            ("$account", "hidden".into()),
        ],
    ));
    assert_eq!(
        tenant.to_masked_json().to_string(),
        r#"{"email":"ann@example.com","password":"***"}"#
    );
}

fn home(places: &[&str]) -> Home {
    Home::of(places.iter().filter_map(|place| Origin::parse(place))).unwrap()
}

#[test]
fn received_secrets_are_bound_to_their_account_and_tenant_origins() {
    let tenant = Object::new(
        "mobsted::Tenant",
        [
            ("url", "https://t1-admin.mobsted.com/".into()),
            ("password", Secret::new("hunter2").into()),
        ],
    );
    let given = Value::List(vec![Value::Object(tenant), Secret::new("token").into()]);
    let master = home(&["https://acme-admin.mobsted.com"]);
    let mut homes = Vec::new();
    let given = given.received_from(Some(&master));
    given.for_each_secret(&mut |secret| homes.push(secret.homes().to_vec()));
    let both = home(&["t1-admin.mobsted.com", "acme-admin.mobsted.com"]);
    assert_eq!(homes, [vec![both.clone()], vec![master]]);
    // Passing a secret on does not change its home.
    let mut again = Vec::new();
    let other = home(&["other.example"]);
    given
        .received_from(Some(&other))
        .for_each_secret(&mut |secret| again.push(secret.homes().to_vec()));
    assert_eq!(again, homes);
}

#[test]
fn text_that_echoes_a_secret_becomes_a_secret_with_its_origin() {
    let mut known = Scrubber::new();
    let crm = home(&["crm.example.com"]);
    known.add_secret(&Secret::new("horse & battery").with_home(&crm));
    let answer: Json = serde_json::json!({
        "note": "it is horse & battery", "form": ["horse+%26+battery"], "plan": "Basic Plan-2026",
        "count": 5, "horse & battery": 1,
    });
    let Value::Record(fields) = Value::from_json(answer).mark_known_secrets(&known) else {
        panic!("not a map");
    };
    let Value::Secret(note) = &fields["note"] else {
        panic!("the note is shown");
    };
    assert_eq!(note.homes(), [crm]);
    assert!(fields["form"].has_secret());
    assert_eq!(fields["plan"], "Basic Plan-2026".into());
    assert_eq!(fields["count"], Value::Int(5));
    assert!(!fields.contains_key("horse & battery"), "a name is shown as well");
}

#[test]
fn identifying_object_fields_are_not_turned_into_secrets() {
    let mut known = Scrubber::new();
    known.add_secret(&Secret::new("ann@example.com"));
    let app = Object::new(
        "x::X",
        [
            ("email", "ann@example.com".into()),
            ("name", "ann@example.com".into()),
        ],
    );
    let Value::Object(app) = Value::Object(app).mark_known_secrets(&known) else {
        panic!("not an object");
    };
    assert_eq!(app.text("email"), "ann@example.com");
    assert!(app.fields["name"].has_secret());
}

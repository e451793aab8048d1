//! Tests of the module above.

#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;

fn expanded(template: &str) -> String {
    let variables = [
        ("page", Value::Int(2)),
        ("name", "Fish & Chips/1".into()),
        ("ids", Value::List(vec![Value::Int(1), Value::Int(2)])),
        ("none", Value::Null),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    expand(template, &Record::from(variables)).unwrap()
}

#[test]
fn templates_are_expanded_as_rfc_6570_says() {
    let root = "https://acme.jrni.com/api/v1";
    for (template, expected) in [
        ("/37/people{?page,per_page}", "/37/people?page=2"),
        ("/37/people{?none}", "/37/people"),
        ("/37/people?a=1{&page}", "/37/people?a=1&page=2"),
        ("/find_by_ref/{name}", "/find_by_ref/Fish%20%26%20Chips%2F1"),
        ("/37{/page,name}", "/37/2/Fish%20%26%20Chips%2F1"),
        ("/37/{+name}", "/37/Fish%20&%20Chips/1"),
        ("/37{?ids*}", "/37?ids=1&ids=2"),
        ("/37{?ids}", "/37?ids=1,2"),
        ("/37/{name:4}", "/37/Fish"),
        ("/37", "/37"),
    ] {
        assert_eq!(
            expanded(&format!("{root}{template}")),
            format!("{root}{expected}")
        );
    }
    assert!(expand("/37{?page", &Record::new()).is_err());
    let map = Record::from([("page".to_owned(), Value::Record(Record::new()))]);
    assert!(expand("/37{?page}", &map).unwrap_err().message.contains("`page`"));
}

#[test]
fn links_outside_the_accounts_api_are_refused() {
    let base = BaseUrl::parse("https://acme.jrni.com/api/v5").unwrap();
    let url = own(&base, "https://acme.jrni.com/api/v1/37/people?page=2").unwrap();
    assert_eq!(url.path(), "/api/v1/37/people");
    for link in [
        "https://acme.bookingbug.com/api/v1/37/people",
        "//evil.example/api/v5/37",
        "https://acme.jrni.com@evil.example/api/v5/37",
        "https://acme.jrni.com/api/v5/%2e%2e/%2e%2e/x",
        "https://acme.jrni.com/api/v5/..%2f..%2fx",
        "ftp://acme.jrni.com/api/v5/37",
    ] {
        let error = own(&base, link).unwrap_err();
        assert_eq!(error.kind, ApiErrorKind::Address, "{link}: {error}");
    }
}

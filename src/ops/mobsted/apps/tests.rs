//! Tests of the module above.

use super::*;
use crate::value::secret::Secret;

#[test]
fn sites_are_one_without_scheme_case_of_the_host_and_last_slash() {
    let shop = fold_site("https://Shop.Example/");
    assert_eq!(fold_site(" http://shop.example"), shop);
    assert_eq!(fold_site("shop.example"), shop);
    assert_ne!(
        fold_site("https://shop.example/?id=AbC"),
        fold_site("https://shop.example/?id=abc")
    );
    assert_ne!(
        fold_site("https://shop.example/A"),
        fold_site("https://shop.example/a")
    );
}

#[test]
fn changed_fields_are_compared_as_the_platform_may_write_them() {
    assert!(same(&"7".into(), &Value::Int(7)));
    assert!(!same(&"8".into(), &Value::Int(7)));
    assert!(same(&Secret::new("word").into(), &"word".into()));
    assert!(!same(&Secret::new("word").into(), &Secret::new("other").into()));
}

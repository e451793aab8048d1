//! Tests of the module above.

use super::*;

#[test]
fn an_agreement_covers_whom_it_names() {
    assert!(!Agreement::default().covers("acme"));
    let acme = Agreement::to(["acme".to_owned()]);
    assert!(acme.covers("acme") && !acme.covers("globex"));
    assert!(Agreement::to_all().covers("acme"));
    assert!(Agreement::to(Agreement::to_all().names()).covers("acme"));
}

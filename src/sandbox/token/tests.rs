//! Tests of the module above.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
use super::*;

fn claims() -> Claims {
    Claims {
        iss: "ppp-admin.mobsted.sandbox".into(),
        nbf: 1_598_444_403,
        exp: 1_599_049_203,
        uid: "0b5a7d0e-0000-4000-8000-000000000001".into(),
        sub: "api".into(),
        objuuid: String::new(),
        useruuid: "0b5a7d0e-0000-4000-8000-000000000002".into(),
    }
}

#[test]
fn a_jwt_verifies_and_has_its_claims_in_documented_order() {
    let signer = Signer::new("secret");
    let token = signer.sign(Use::Access, &claims());
    assert_eq!(signer.verify(Use::Access, &token), Some(claims()));
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let payload = String::from_utf8(payload).unwrap();
    let places: Vec<_> = ["iss", "nbf", "exp", "uid", "sub", "objuuid", "useruuid"]
        .iter()
        .map(|name| payload.find(&format!("\"{name}\":")).unwrap())
        .collect();
    assert!(places.is_sorted(), "{payload}");
    assert_eq!(
        URL_SAFE_NO_PAD.decode(HEADER).unwrap(),
        br#"{"typ":"JWT","alg":"HS256"}"#
    );
}

#[test]
fn tokens_of_another_key_or_use_and_tampered_tokens_are_refused() {
    let signer = Signer::new("secret");
    let token = signer.sign(Use::Access, &claims());
    assert_eq!(signer.verify(Use::Refresh, &token), None);
    assert_eq!(Signer::new("other").verify(Use::Access, &token), None);
    assert_eq!(signer.verify(Use::Access, &token.replace('.', "")), None);
    let mut changed = token.clone();
    changed.replace_range(50..51, if &token[50..51] == "A" { "B" } else { "A" });
    assert_eq!(signer.verify(Use::Access, &changed), None);
    assert_eq!(signer.verify(Use::Access, ""), None);
}

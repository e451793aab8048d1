//! Tests of the module above.

#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;

#[test]
fn commands_of_worlds_that_knew_mobsted_alone_are_still_read() {
    let old = r#"{"id":1,"due":2,"command":{"create_tenant":{"email":"ann@example.com"}}}"#;
    let deferred: Deferred = serde_json::from_str(old).unwrap();
    assert!(matches!(
        &deferred.command,
        Later::Mobsted(mobsted::Command::CreateTenant { .. })
    ));
    assert_eq!(serde_json::to_string(&deferred).unwrap(), old);
    let new = r#"{"id":1,"due":2,"command":{"jrni":{"log_out":{"token":"t"}}}}"#;
    let deferred: Deferred = serde_json::from_str(new).unwrap();
    assert!(matches!(
        &deferred.command,
        Later::Jrni(jrni::Command::LogOut { .. })
    ));
    assert_eq!(serde_json::to_string(&deferred).unwrap(), new);
}

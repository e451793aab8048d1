//! Tests of the module above.

#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;

#[test]
fn deferred_commands_of_the_mobsted_only_format_still_deserialize() {
    let old = r#"{"id":1,"due":2,"command":{"create_tenant":{"email":"ann@example.com"}}}"#;
    let deferred: Deferred = serde_json::from_str(old).unwrap();
    assert!(matches!(
        &deferred.command,
        DeferredCommand::Mobsted(mobsted::Command::CreateTenant { .. })
    ));
    assert_eq!(serde_json::to_string(&deferred).unwrap(), old);
    let new = r#"{"id":1,"due":2,"command":{"jrni":{"log_out":{"token":"t"}}}}"#;
    let deferred: Deferred = serde_json::from_str(new).unwrap();
    assert!(matches!(
        &deferred.command,
        DeferredCommand::Jrni(jrni::Command::LogOut { .. })
    ));
    assert_eq!(serde_json::to_string(&deferred).unwrap(), new);
}

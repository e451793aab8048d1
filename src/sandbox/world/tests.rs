//! Tests of the module above.

#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;

#[test]
fn deferred_commands_of_older_formats_still_deserialize() {
    let read = |command: &str| {
        let text = format!("{{\"id\":1,\"due\":2,\"command\":{command}}}");
        serde_json::from_str::<Deferred>(&text).unwrap().command
    };
    assert!(matches!(
        read(r#"{"create_tenant":{"email":"ann@example.com"}}"#),
        Event::Mobsted(mobsted::Event::CreateTenant { .. })
    ));
    assert!(matches!(
        read(r#"{"create_app":{"tenant":"a","name":"n","site":"s","kind":"pwaless"}}"#),
        Event::Mobsted(mobsted::Event::App(_))
    ));
    assert!(matches!(
        read(r#"{"jrni":{"log_out":{"token":"t"}}}"#),
        Event::Jrni(jrni::Event::LoggedOut { .. })
    ));
    assert!(matches!(
        read(r#"{"jrni":{"create_company":{"parent":1,"fields":{}}}}"#),
        Event::Jrni(jrni::Event::Company(_))
    ));
    assert!(matches!(
        read(r#"{"web":{"create":{"fields":{}}}}"#),
        Event::Web(web::Event::Created { id: 0, .. })
    ));
}

#[test]
fn deferred_commands_are_read_as_they_were_written() {
    let event = mobsted::Event::CreateTenant {
        email: "ann@example.com".to_owned(),
    };
    let content = LogContent::Deferred(Deferred {
        id: 1,
        due: 2,
        command: Event::Mobsted(event),
    });
    let written = serde_json::to_string(&content).unwrap();
    let read: LogContent = serde_json::from_str(&written).unwrap();
    assert!(matches!(
        read,
        LogContent::Deferred(Deferred {
            command: Event::Mobsted(_),
            ..
        })
    ));
}

#[test]
fn the_error_for_a_damaged_line_states_what_is_wrong() {
    let reason = |what: &str| {
        let line = format!("{{\"at\":1,\"what\":{what}}}");
        serde_json::from_str::<Entry>(&line).unwrap_err().to_string()
    };
    for (what, expected) in [
        (
            r#"{"mobsted":{"duplicate":{}}}"#,
            "missing field `email` at line 1 column",
        ),
        (r#"{"refused":{}}"#, "missing field `reason`"),
        (r#"{"jrnl":{}}"#, "unknown variant `jrnl`"),
        (
            r#"{"deferred":{"id":1,"due":2,"command":{"mobsted":{"create_tenant":{}}}}}"#,
            "missing field `email`",
        ),
        (
            r#"{"deferred":{"id":1,"due":2,"command":{"jrni":{"log_out":{}}}}}"#,
            "missing field `token`",
        ),
    ] {
        let found = reason(what);
        assert!(found.contains(expected), "{what}: {found}");
    }
}

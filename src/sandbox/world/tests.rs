//! Tests of the module above.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
use super::*;

#[test]
fn deferred_commands_of_older_formats_still_deserialize() {
    let read = |command: &str| {
        let text = format!("{{\"id\":1,\"due\":2,\"command\":{command}}}");
        let Event { platform, content } = serde_json::from_str::<Deferred>(&text).unwrap().command;
        (platform, content.to_string())
    };
    for unnamed in [
        r#"{"create_tenant":{"email":"ann@example.com"}}"#,
        r#"{"create_app":{"kind":"pwaless","name":"n","site":"s","tenant":"a"}}"#,
    ] {
        assert_eq!(read(unnamed), ("mobsted", unnamed.to_owned()));
    }
    for (platform, content) in [
        ("jrni", r#"{"log_out":{"token":"t"}}"#),
        ("jrni", r#"{"create_company":{"fields":{},"parent":1}}"#),
        ("web", r#"{"create":{"fields":{}}}"#),
    ] {
        let command = format!(r#"{{"{platform}":{content}}}"#);
        assert_eq!(read(&command), (platform, content.to_owned()));
    }
}

#[test]
fn deferred_commands_are_read_as_they_were_written() {
    let command = Event {
        platform: "mobsted",
        content: serde_json::json!({ "create_tenant": { "email": "ann@example.com" } }),
    };
    let content = LogContent::Note(Note::Deferred(Deferred {
        id: 1,
        due: 2,
        command: command.clone(),
    }));
    let written = serde_json::to_string(&content).unwrap();
    assert_eq!(
        written,
        r#"{"deferred":{"id":1,"due":2,"command":{"mobsted":{"create_tenant":{"email":"ann@example.com"}}}}}"#
    );
    let read: LogContent = serde_json::from_str(&written).unwrap();
    let LogContent::Note(Note::Deferred(deferred)) = read else {
        panic!("{read:?}");
    };
    assert_eq!(deferred.command, command);
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

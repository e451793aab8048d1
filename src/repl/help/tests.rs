//! Tests of the module above.

use super::asked;

#[test]
fn a_trailing_question_mark_asks_for_help_on_a_name() {
    assert_eq!(asked("ensure_tenant?"), Some("ensure_tenant"));
    assert_eq!(asked("mobsted::connect() ?"), Some("mobsted::connect()"));
    for other in ["a + b?", "?", "ensure_tenant", "\"what?\"", "is it?"] {
        assert_eq!(asked(other), None, "{other}");
    }
}

#[test]
fn help_says_a_session_confirms_each_change_in_prod_mode() {
    let catalogue = crate::platforms::catalogue();
    let op = catalogue.operation("mobsted::ensure_tenant");
    let meaning = op.map_or("", |op| super::session_doc(&catalogue, op).permission.meaning);
    assert!(
        meaning.contains("at each change in mode `prod`") && !meaning.contains("once per run"),
        "{meaning}"
    );
}

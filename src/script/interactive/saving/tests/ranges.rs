//! What a range includes, and what cannot be repeated.

use super::*;

#[test]
fn a_saved_range_includes_earlier_inputs_that_changed_its_variables() {
    for (before, after) in [
        ("let list = [1]", "list.push(2)"),
        ("let list = #{}", "list.a = 2"),
        ("let list = #{ k: 1 }", "list[\"k\"] += 1"),
        ("let list = [1]", "list[0] = 2"),
        ("let list = 1", "list += 1"),
        ("let list = 1", "list = 2"),
        ("let list = [[1]]", "list[0].push(2)"),
        ("let list = [1]", "push(list, 2)"),
        ("let list = [1]", "if true { list.push(2) }"),
        ("let list = [1]", "(1..3).for_each(|x| list.push(x))"),
    ] {
        let inputs = [
            (before, QUIET),
            ("let other = 1", QUIET),
            (after, QUIET),
            ("list", GAVE),
        ];
        assert_eq!(numbers(&save_some(&inputs, 4..=4)), [1, 3], "{after}");
    }
    let read = ["list.len()", "list.map(|x| x + 1)", "print(list)", "list == 1"];
    for text in read {
        let inputs = [("let list = [1]", QUIET), (text, GAVE), ("list", GAVE)];
        assert_eq!(numbers(&save_some(&inputs, 3..=3)), [1], "{text}");
    }
}

#[test]
fn a_saved_range_includes_changes_made_by_closures_and_functions() {
    let inputs = [
        ("let list = []", QUIET),
        ("let add = |x| list.push(x)", QUIET),
        ("fn grow() { this.push(9) }", QUIET),
        ("let other = 1", QUIET),
        ("add.call(1)", QUIET),
        ("list.grow()", QUIET),
        ("list", GAVE),
    ];
    assert_eq!(numbers(&save_some(&inputs, 7..=7)), [1, 2, 3, 5, 6]);
}

#[test]
fn a_saved_range_includes_functions_defined_after_their_caller() {
    let inputs = [
        ("fn outer(x) { inner(x) + global::K }", QUIET),
        ("let other = 1", QUIET),
        ("fn inner(x) { x * 2 }", QUIET),
        ("const K = 3", QUIET),
        ("outer(2)", GAVE),
    ];
    let saved = save_some(&inputs, 5..=5);
    assert_eq!(numbers(&saved), [1, 3, 4]);
    assert!(saved.text.contains("const K = 3;\n\nfn outer"), "{}", saved.text);
    assert_eq!(numbers(&save_some(&inputs, 1..=1)), [3, 4]);
}

#[test]
fn closure_and_loop_variables_do_not_hide_dependencies_after_their_scope() {
    for text in [
        "xs.map(|mail| mail + 1); mail",
        "for mail in xs { mail } mail",
        "try { f() } catch (mail) { mail } mail",
        "{ let mail = 1; } mail",
    ] {
        let inputs = [("let mail = \"x\"", QUIET), ("let xs = []", QUIET), (text, GAVE)];
        assert!(numbers(&save_some(&inputs, 3..=3)).contains(&1), "{text}");
    }
}

#[test]
fn changes_of_failed_or_hidden_inputs_are_reported_as_lost() {
    let warning = |number: usize| format!("input {number} is not repeated, and may have changed `list`");
    let inputs = [
        ("let list = [1]", QUIET),
        ("list.push(2); oops()", InputOutcome::Failed),
        ("list.ensure_tennant(1)", InputOutcome::Failed),
        (" list.push(3)", QUIET),
        ("list.len()", GAVE),
    ];
    let saved = save_some(&inputs[..3], 1..=3);
    assert_eq!(saved.warnings, Vec::<String>::new(), "nobody uses it");
    let saved = save_some(&[inputs[0], inputs[1], inputs[4]], 3..=3);
    assert_eq!(saved.warnings, [warning(2)]);
    assert_eq!(lines(&saved), ["let list = [1];", "list.len()", "}"]);
    let saved = save_some(&inputs, 5..=5);
    assert_eq!(saved.warnings.last(), Some(&warning(4)));
    assert!(
        lines(&saved).contains(&"// it uses `list`, which is not among the saved inputs"),
        "{}",
        saved.text
    );
    let again = [
        ("let n = 5", QUIET),
        ("let n = 1; oops()", InputOutcome::Failed),
        ("n", GAVE),
    ];
    let saved = save(&again);
    assert_eq!(
        saved.warnings,
        ["input 2 is not repeated, and may have changed `n`"]
    );
}

#[test]
fn a_return_after_a_closure_is_detected_as_ending_the_script() {
    let saved = save(&[
        ("let l = [1]", QUIET),
        ("if l.map(|x| x).len() > 0 { return 5 }", GAVE),
        ("l", GAVE),
    ]);
    assert!(
        lines(&saved).contains(&"// it ends the script, and more inputs follow"),
        "{}",
        saved.text
    );
}

#[test]
fn a_saved_range_includes_all_overloads_of_a_function() {
    let inputs = [
        ("fn f(a) { a }", QUIET),
        ("fn f(a, b) { f(a) + b }", QUIET),
        ("fn f(a) { a + 1 }", QUIET),
        ("f(1, 2)", GAVE),
    ];
    assert_eq!(numbers(&save_some(&inputs, 4..=4)), [2, 3]);
}

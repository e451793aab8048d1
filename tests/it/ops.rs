//! Every operation's example runs unchanged against a fresh sandbox.

use std::collections::BTreeSet;

use crate::support::Home;

#[test]
fn every_example_runs_on_a_fresh_sandbox() {
    for op in provisor::platforms::catalogue().operations() {
        let home = Home::new();
        home.write("example.rhai", op.example);
        let ran = home.run("run example.rhai --sandbox --json");
        assert_eq!(ran.code, 0, "{}:\n{}\n{}", op.id(), op.example, ran.stderr);
        assert!(op.example.contains(op.name), "{} is in its own example", op.id());
    }
}

#[test]
fn the_operation_table_is_complete_and_consistent() {
    let kinds: BTreeSet<&str> = provisor::platforms::catalogue()
        .kinds()
        .map(|kind| kind.name)
        .collect();
    let mut ids = BTreeSet::new();
    for op in provisor::platforms::catalogue().operations() {
        assert!(ids.insert(op.id()), "{} is there twice", op.id());
        assert!(
            !op.summary.is_empty() && !op.summary.ends_with('.'),
            "{}",
            op.id()
        );
        assert!(
            op.receiver.is_none_or(|receiver| kinds.contains(receiver)),
            "{}",
            op.id()
        );
        let optional = op.params.iter().skip_while(|param| param.required);
        assert!(
            optional.clone().all(|param| !param.required),
            "{}: optional ones come last",
            op.id()
        );
        assert!(op.params.iter().all(|param| !param.doc.is_empty()), "{}", op.id());
    }
}

#[test]
fn the_guide_names_every_operation() {
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md")).unwrap();
    let (_, table) = guide.split_once("| on | operations |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    for op in provisor::platforms::catalogue().operations() {
        let is_named = ["(", "`"]
            .iter()
            .any(|end| table.contains(&format!("`{}{end}", op.name)));
        assert!(is_named, "{} is missing in docs/operations.md", op.id());
    }
}

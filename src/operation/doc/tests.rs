//! Tests of the module above.

use super::find::{Topic, find, search};
use super::text::{DocLayout, wrap};
use super::*;

fn ids(name: &str) -> Vec<String> {
    find(&crate::platforms::catalogue(), name)
        .unwrap()
        .into_iter()
        .map(|topic| match topic {
            Topic::Op(op) => op.id(),
            Topic::Kind(kind) => format!("kind {}", kind.name),
            Topic::Module(name) => format!("module {name}"),
        })
        .collect()
}

#[test]
fn operations_are_found_by_short_qualified_and_call_like_names() {
    let tenant = ["mobsted::ensure_tenant"];
    for name in [
        "ensure_tenant",
        "mobsted::ensure_tenant",
        "session.ensure_tenant(email)",
        "mobsted::Session.ensure_tenant",
        "Ensure_Tenant?",
    ] {
        assert_eq!(ids(name), tenant, "{name}");
    }
    assert_eq!(ids("mobsted::connect"), ["mobsted::connect"]);
    assert_eq!(ids("Tenant.connect"), ["mobsted::Tenant.connect"]);
    assert!(ids("connect").len() > 1, "a short name means all of its name");
    assert_eq!(ids("mobsted::Tenant"), ["kind mobsted::Tenant"]);
    assert_eq!(ids("mobsted"), ["module mobsted"]);
}

#[test]
fn an_unknown_name_suggests_the_nearest_operation() {
    let near = |name: &str| find(&crate::platforms::catalogue(), name).unwrap_err().nearest;
    assert_eq!(near("ensure_tennant"), ["mobsted::ensure_tenant"]);
    assert!(near("mobsted::ensure_tenants").contains(&"mobsted::ensure_tenant".to_owned()));
    assert!(near("banana").is_empty());
}

#[test]
fn names_come_before_summaries_in_a_search() {
    let found: Vec<String> = search(&crate::platforms::catalogue(), "tenant")
        .into_iter()
        .map(|op| op.id())
        .collect();
    let at = |id: &str| found.iter().position(|found| found == id).unwrap();
    assert!(
        at("mobsted::ensure_tenant") < at("mobsted::Tenant.connect"),
        "{found:?}"
    );
    assert!(
        search(&crate::platforms::catalogue(), "tenant ensure")
            .iter()
            .any(|op| op.name == "ensure_tenant")
    );
    assert!(
        search(&crate::platforms::catalogue(), "").is_empty()
            && search(&crate::platforms::catalogue(), "banana").is_empty()
    );
}

#[test]
fn every_operation_doc_renders_at_every_width() {
    let catalogue = crate::platforms::catalogue();
    for op in catalogue.operations() {
        let doc = OpDoc::of(&catalogue, *op);
        for width in [20, 40, 80, 200] {
            let text = text::op(
                &doc,
                &DocLayout {
                    width,
                    heading: &|text| text.to_owned(),
                },
            );
            assert!(text.contains(doc.effect.name), "{}", doc.name);
            assert!(
                doc.params.iter().all(|param| text.contains(param.name)),
                "{}",
                doc.name
            );
            let first = doc.example.lines().next().unwrap_or_default();
            assert!(text.contains(first), "{}", doc.name);
        }
        assert!(
            doc.errors.iter().all(|error| !error.hint.is_empty()),
            "{}",
            doc.name
        );
    }
}

#[test]
fn permission_follows_from_the_effect() {
    for op in crate::platforms::catalogue().operations() {
        let expected = match (op.module, op.effect.changes()) {
            (_, true) => Permission::Change,
            ("", false) => Permission::None,
            _ if matches!(op.effect, Effect::Sign) => Permission::None,
            _ => Permission::Read,
        };
        assert_eq!(op.permission(), expected, "{}", op.id());
    }
}

#[test]
fn text_wraps_only_between_words() {
    assert_eq!(wrap("one two three", 7), ["one two", "three"]);
    assert_eq!(wrap("extraordinary a b", 5), ["extraordinary", "a b"]);
    assert!(wrap("  ", 5).is_empty());
}

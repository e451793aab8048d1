//! Tests of the module above.

use super::definition;

#[test]
fn a_definition_is_found_with_its_comment() {
    let text = "let x = 1;\n/// Adds.\nfn add(a, b) { if a { #{x: `}`} } else { b } } add(1, 2)";
    assert_eq!(
        definition(text, "add").as_deref(),
        Some("/// Adds.\nfn add(a, b) { if a { #{x: `}`} } else { b } }")
    );
    assert_eq!(definition(text, "x"), None);
}

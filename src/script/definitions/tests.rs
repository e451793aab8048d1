//! Tests of the module above.

use super::*;

#[test]
fn script_definitions_contain_no_rust_types_or_unusable_functions() {
    for (name, text) in standard() {
        for word in [
            "Result<", "Box<", "$", "::", "-> ;", "fn eval(", "i128", "f32", "(_",
        ] {
            assert!(
                !text
                    .lines()
                    .any(|line| !line.starts_with("///") && line.contains(word)),
                "{name}: {word}"
            );
        }
    }
}

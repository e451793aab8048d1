//! Tests of the module above.

use super::*;

#[test]
fn what_scripts_cannot_use_is_left_out_and_rust_is_not_seen() {
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

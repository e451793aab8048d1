//! Tests of the module above.

use super::*;

#[test]
fn columns_map_back_to_the_original_source_after_patching() {
    let text = "try { 1 } catch (a) { try { 2 } catch (bc) { 3 } 4 }";
    let source = Source::new("x", text);
    let parsed = parse(&source).unwrap();
    let running = parsed.patches.apply(text);
    assert_eq!(
        running,
        "try { 1 } catch (a) {a=__caught(a); try { 2 } catch (bc) {bc=__caught(bc); 3 } 4 }"
    );
    for digit in ['1', '2', '3', '4'] {
        let column = |text: &str| text.chars().position(|c| c == digit).unwrap() + 1;
        assert_eq!(
            parsed.patches.written_column(1, column(&running)),
            column(text),
            "{digit}"
        );
    }
}

#[test]
fn positions_are_right_after_an_escaped_dollar_in_a_template() {
    let text = "let a = `\\${x} \\${y}`; try { throw 1 } catch (err) { err.value }";
    let parsed = parse(&Source::new("x", text)).unwrap();
    let running = parsed.patches.apply(text);
    assert!(
        running.ends_with("catch (err) {err=__caught(err); err.value }"),
        "{running}"
    );
}

#[test]
fn a_map_without_its_end_gets_no_hint_about_other_languages() {
    let error = parse(&Source::new("x", "let m = #{ a: 1")).err().unwrap();
    assert_eq!(error.hints, Vec::<String>::new());
}

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
fn a_variable_that_a_closure_among_the_options_uses_is_called_as_a_value() {
    let running = |text: &str| {
        let parsed = parse(&Source::new("x", text)).unwrap();
        let running = parsed.patches.apply(text);
        let column = |text: &str| text.find("wanted").unwrap() + 1;
        assert_eq!(
            parsed.patches.written_column(1, column(&running)),
            column(text),
            "{running}"
        );
        running
    };
    assert_eq!(
        running("let x = api.post(p, #{ probe: |key| api.get(key) }); wanted"),
        "let x = (api ?? ()).post(p, #{ probe: |key| api.get(key) }); wanted"
    );
    assert_eq!(
        running("api?.put(p, #{ probe: || { f(api); wanted } })"),
        "(api ?? ())?.put(p, #{ probe: || { f(api); wanted } })"
    );
    for unchanged in [
        "api.post(p, #{ probe: |key| other.get(key) }); wanted",
        "list.map(|x| list.len()); wanted",
        "list.push(#{ f: |x| list.len() }); wanted",
        "http::post(p, #{ probe: |key| http::get(key) }); wanted",
        "a.api.post(p, #{ probe: |key| api.get(key) }); wanted",
        "api.post(p, #{ json: api }); wanted",
        "api.post(p, #{ probe: |key| other.api }); wanted",
    ] {
        assert_eq!(running(unchanged), unchanged);
    }
}

#[test]
fn a_map_without_its_end_gets_no_hint_about_other_languages() {
    let error = parse(&Source::new("x", "let m = #{ a: 1")).err().unwrap();
    assert_eq!(error.hints, Vec::<String>::new());
}

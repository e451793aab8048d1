//! Tests of the module above.

use super::*;

#[test]
fn styles_show_only_where_there_are_colours() {
    let env = Env::of([("A", "1")], "/");
    let plain = Ui::for_streams(&env, Colour::Auto, false, false);
    assert_eq!(plain.styled(Stream::Err, Style::Error, "error"), "error");
    let bright = Ui::for_streams(&env, Colour::Auto, false, true);
    assert_eq!(
        bright.styled(Stream::Err, Style::Error, "error"),
        "\u{1b}[1;31merror\u{1b}[0m"
    );
    assert_eq!(bright.styled(Stream::Out, Style::Error, "error"), "error");
}

#[test]
fn a_dumb_terminal_is_not_animated() {
    let dumb = Ui::for_streams(&Env::of([("TERM", "dumb")], "/"), Colour::Auto, true, true);
    assert!(!dumb.animated);
    assert!(dumb.is_terminal(Stream::Err));
}

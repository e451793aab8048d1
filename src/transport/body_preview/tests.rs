//! Tests of the module above.

use super::*;
use crate::value::secret::Secret;

#[test]
fn an_html_page_is_reduced_to_its_text() {
    let page = "<!DOCTYPE html><html><head><style>p{}</style><script>if (a<b) {}</script></head>
            <body><h1>502&nbsp;Bad Gateway</h1><!-- <p>x</p> --><p>nginx &amp; co</p></body></html>";
    assert_eq!(excerpt(page, &Scrubber::new()), "502 Bad Gateway nginx & co");
}

#[test]
fn secrets_are_redacted_before_long_text_is_truncated() {
    let mut scrubber = Scrubber::new();
    scrubber.add_secret(&Secret::new("hunter2hunter2"));
    let text = format!("{}hunter2hunter2", "é".repeat(295));
    let cut = excerpt(&text, &scrubber);
    assert!(cut.ends_with("é***"), "{cut}");
    assert!(excerpt(&"a b\u{7}".repeat(400), &scrubber).chars().count() <= MAX_PREVIEW_CHARS + 1);
}

#[test]
fn incomplete_html_markup_is_tolerated() {
    assert_eq!(excerpt("<p>hello <b", &Scrubber::new()), "hello");
    assert_eq!(excerpt("a < b", &Scrubber::new()), "a < b");
}

#[test]
fn html_tags_are_stripped_case_insensitively_in_linear_time() {
    assert_eq!(
        excerpt("<P>a<SCRIPT>b</p></sCript>c<STYLE>d</Style>e", &Scrubber::new()),
        "a c e"
    );
    // If the rest of the text were copied for each tag, this would take hours.
    assert_eq!(without_markup(&"<a>".repeat(2_000_000)).trim(), "");
}

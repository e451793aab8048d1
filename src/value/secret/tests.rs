//! Tests of the module above.

use super::*;

#[test]
fn a_secret_prints_as_a_mask() {
    let secret = Secret::new("hunter2");
    assert_eq!(format!("{secret} {secret:?}"), "*** ***");
}

#[test]
fn known_secrets_and_tokens_are_scrubbed() {
    let mut scrubber = Scrubber::new();
    scrubber.know(&Secret::new("p+ss word"));
    scrubber.know(&Secret::new(""));
    scrubber.know(&Secret::new("a"));
    assert_eq!(
        scrubber.scrub("at /auth?password=p%2Bss+word: p+ss word, eyJhbGciOiJIUzI1NiJ9.e30.abc"),
        "at /auth?password=***: ***, ***"
    );
    assert_eq!(scrubber.scrub("eyJ and a"), "eyJ and a");
}

//! Tests of the module above.

use super::*;

#[test]
fn timestamps_use_the_nepal_time_zone() {
    assert_eq!(
        format_nepal_time(1_661_083_555_400),
        "2022-08-21T17:50:55.400000+05:45"
    );
}

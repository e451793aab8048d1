//! Tests of the module above.

use super::*;

#[test]
fn times_have_microseconds_and_no_zone() {
    assert_eq!(timestamp(1_598_444_403_045), "2020-08-26 12:20:03.045000");
}

#[test]
fn pagination_counts_from_one_and_has_at_least_one_page() {
    let page = Page { number: 3, size: 4 };
    assert_eq!(page.of(0..10), (vec![8, 9], 10));
    let meta =
        |total| -> Value { serde_json::from_slice(&on_page(page, &[], total).body).unwrap_or_default() };
    assert_eq!(
        meta(10)["meta"],
        json!({"current_page": 3, "last_page": 3, "total": 10, "per_page": 4})
    );
    assert_eq!(meta(0)["meta"]["last_page"], 1);
    let beyond = Page {
        number: u64::MAX,
        size: 200,
    };
    assert_eq!(beyond.of(0..10), (vec![], 10));
}

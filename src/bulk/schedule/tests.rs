#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

fn threads(limit: usize) -> impl FnMut() -> io::Result<()> {
    let mut left = limit;
    move || match left.checked_sub(1) {
        None => Err(io::ErrorKind::WouldBlock.into()),
        Some(less) => {
            left = less;
            Ok(())
        }
    }
}

#[test]
fn fewer_worker_threads_than_requested_suffice_but_none_is_an_error() {
    assert_eq!(start_workers(4, threads(9)).unwrap(), 4);
    assert_eq!(start_workers(4, threads(3)).unwrap(), 3);
    assert_eq!(start_workers(4, threads(1)).unwrap(), 1);
    assert!(start_workers(4, threads(0)).is_err());
}

//! All that can go wrong, for who wants to see everything survived.

use std::time::Duration;

use super::{Fault, Kind, Route};

/// Routes that overlap with no other.
const ROUTES: [Route; 6] = [
    Route::PARTNERS,
    Route::APPLICATIONS_POST,
    Route::APPLICATIONS_GET,
    Route::OBJECT,
    Route::AUTH,
    Route::REFRESH,
];

impl Fault {
    /// Every kind of fault on every route that creates, looks up or signs in, each hitting every request without end.
    /// `late` and `slow` are the delays of the kinds that need one.
    pub fn every(late: Duration, slow: Duration) -> Vec<Fault> {
        let kinds = kinds(late, slow);
        let on = |route| {
            kinds.into_iter().map(move |kind| Fault {
                route,
                kind,
                rate: 1.0,
                limit: None,
            })
        };
        ROUTES.into_iter().flat_map(on).collect()
    }
}

fn kinds(late: Duration, slow: Duration) -> [Kind; 13] {
    [
        Kind::DropBefore,
        Kind::DropAfter,
        Kind::DropLate(late),
        Kind::Error500,
        Kind::Error500After,
        Kind::Html502,
        Kind::TooMany429,
        Kind::Slow(slow),
        Kind::Hang,
        Kind::HangAfter,
        Kind::Truncate,
        Kind::Garbage,
        Kind::ExpireToken,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_kind_that_can_be_written_is_left_out() {
        let every = Fault::every(Duration::from_millis(1), Duration::from_millis(2));
        for kind in super::super::parse::KINDS {
            let of_kind = every.iter().filter(|fault| fault.kind.name() == *kind);
            assert_eq!(of_kind.count(), ROUTES.len(), "{kind}");
        }
    }
}

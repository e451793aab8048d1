//! All that can go wrong, for who wants to see everything survived.

use std::time::Duration;

use super::{Fault, Kind, Route};

impl Fault {
    /// Every kind of fault on each of these routes, each hitting every request without end. `late` and `slow` are the
    /// delays of the kinds that need one.
    pub fn every(routes: &[Route], late: Duration, slow: Duration) -> Vec<Fault> {
        let kinds = kinds(late, slow);
        let on = |route: &Route| {
            let route = *route;
            kinds.into_iter().map(move |kind| Fault {
                route,
                kind,
                rate: 1.0,
                limit: None,
            })
        };
        routes.iter().flat_map(on).collect()
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
        let routes = [Route::AUTH, Route::OBJECT];
        let every = Fault::every(&routes, Duration::from_millis(1), Duration::from_millis(2));
        for kind in super::super::parse::KINDS {
            let of_kind = every.iter().filter(|fault| fault.kind.name() == *kind);
            assert_eq!(of_kind.count(), routes.len(), "{kind}");
        }
    }
}

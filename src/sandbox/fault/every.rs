//! All that can go wrong, for who wants to see everything survived.

use std::time::Duration;

use super::{Fault, Kind, Route};

impl Fault {
    /// Every kind of fault on each of these routes, each hitting every request without end. `late` is how late an effect
    /// lands whose sender knows that the answer is lost, `slow` how late one does that nothing is known of.
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

fn kinds(late: Duration, slow: Duration) -> [Kind; 16] {
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
        Kind::HangLate(slow),
        Kind::EmptyYes,
        Kind::EmptyYesLate(late),
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
            // Against what HTTP says of it: what cannot be looked up is sent again.
            if *kind == "429-after" {
                continue;
            }
            let of_kind = every.iter().filter(|fault| fault.kind.name() == *kind);
            assert_eq!(of_kind.count(), routes.len(), "{kind}");
        }
    }
}

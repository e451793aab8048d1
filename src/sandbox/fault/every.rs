//! Sets of faults for tests that cover everything that can go wrong.

use std::time::Duration;

use super::super::SIMULATORS;
use super::{
    DROP_LATE, EMPTY_YES_LATE, Fault, HANG_LATE, KINDS, Kind, Route, SLOW, TOO_MANY, TOO_MANY_AFTER,
};

impl Fault {
    /// Returns every kind of fault on each of these routes, each hitting every request without limit, except
    /// `429-after`: it contradicts HTTP, and a client without a lookup would repeat the request. `late` is the delay of
    /// effects whose sender knows that the response is lost, `slow` the delay where the sender knows nothing.
    pub fn every(routes: &[Route], late: Duration, slow: Duration) -> Vec<Fault> {
        let on = |route: &Route| {
            let route = *route;
            KINDS
                .iter()
                .filter(|kind| **kind != TOO_MANY_AFTER)
                .map(move |kind| Fault {
                    delay: if kind.keeps_waiting() { slow } else { late },
                    ..Fault::of(route, *kind)
                })
        };
        routes.iter().flat_map(on).collect()
    }

    /// Returns pairs of faults on these routes: a request leaves late because it or an earlier one was delayed, and
    /// then lands late, too. A sender that counts from the intention concludes too early that it was lost.
    pub fn delays(routes: &[Route], late: Duration) -> Vec<Vec<Fault>> {
        let is_asked = |name: &str| routes.iter().any(|route| route.name() == name);
        let pairs = SIMULATORS
            .iter()
            .flat_map(|one| one.delays)
            .filter(|(before, _, lost)| is_asked(before) && is_asked(lost));
        pairs
            .map(|(before, times, lost)| {
                vec![
                    Fault::times(before, TOO_MANY, *times),
                    Fault {
                        delay: late,
                        ..Fault::times(lost, DROP_LATE, 2)
                    },
                ]
            })
            .collect()
    }

    /// Returns faults on the creating routes among these: the platform takes too long for any client (`slowest`),
    /// reports success that shows only as late, or carries out the request but responds with a rate limit.
    pub fn timeout_faults(routes: &[Route], slowest: Duration) -> Vec<Vec<Fault>> {
        let creating = SIMULATORS.iter().flat_map(|one| one.creating);
        let creating = creating.filter(|(name, _)| routes.contains(&Route::named(name)));
        let (adopted, refused): (Vec<_>, Vec<_>) = creating.partition(|(_, shows)| *shows);
        let on = |(name, shows): &(&'static str, bool)| {
            let (name, shows) = (*name, *shows);
            // A refusal is the only visible result of a late creation, and these two would hide it.
            let slow = [SLOW, HANG_LATE].into_iter().filter(move |_| shows);
            slow.chain([EMPTY_YES_LATE, TOO_MANY_AFTER]).map(move |kind| {
                vec![Fault {
                    delay: slowest,
                    ..Fault::times(name, kind, 2)
                }]
            })
        };
        adopted.into_iter().chain(refused).flat_map(on).collect()
    }

    fn times(route: &'static str, kind: Kind, times: u32) -> Fault {
        Fault {
            limit: Some(times),
            ..Fault::of(Route::named(route), kind)
        }
    }
}

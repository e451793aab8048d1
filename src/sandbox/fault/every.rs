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

    /// Pairs of faults on these routes: a request leaves long after it was meant to, because it or one before it was put off,
    /// and then it lands late, too. A sender who counts from the intention concludes too early that it was lost.
    pub fn delays(routes: &[Route], late: Duration) -> Vec<Vec<Fault>> {
        let is_asked = |name: &str| routes.iter().any(|route| route.name() == name);
        let pairs = DELAYS
            .iter()
            .filter(|(before, _, lost)| is_asked(before) && is_asked(lost));
        pairs
            .map(|(before, times, lost)| {
                vec![
                    Fault::times(before, Kind::TooMany429, *times),
                    Fault::times(lost, Kind::DropLate(late), 2),
                ]
            })
            .collect()
    }

    /// Faults on those of these routes that create: the platform takes so long (`slowest`) that nobody waits, answers yes at
    /// once and shows nothing for as long, or says that it was asked too often although it has carried the request out.
    pub fn outlasting(routes: &[Route], slowest: Duration) -> Vec<Vec<Fault>> {
        let creating = CREATING
            .iter()
            .filter(|name| routes.contains(&Route::named(name)));
        let on = |name: &&'static str| {
            let name = *name;
            // A tenant is sent again, and the platform refuses it: nothing is to be seen of that but its refusal.
            let shows = name != Route::PARTNERS.name();
            let slow = [Kind::Slow(slowest), Kind::HangLate(slowest)]
                .into_iter()
                .filter(move |_| shows);
            slow.chain([Kind::EmptyYesLate(slowest), Kind::TooMany429After])
                .map(move |kind| vec![Fault::times(name, kind, 2)])
        };
        creating.flat_map(on).collect()
    }

    fn times(route: &'static str, kind: Kind, times: u32) -> Fault {
        Fault {
            route: Route::named(route),
            kind,
            rate: 1.0,
            limit: Some(times),
        }
    }
}

/// A route that is put off, how often, and the route whose request then lands late. One caller lists or signs in for all;
/// the others are asked for each row.
const DELAYS: &[(&str, u32, &str)] = &[
    ("object", 3, "partners"),
    ("auth", 3, "partners"),
    ("partners", 12, "partners"),
    ("applications-get", 12, "applications-post"),
    ("auth", 15, "applications-post"),
    ("applications-post", 12, "applications-post"),
    ("jrni-login", 3, "jrni-company-post"),
    ("jrni-company-post", 12, "jrni-company-post"),
    ("jrni-administrators-post", 12, "jrni-administrators-post"),
    ("jrni-people-post", 12, "jrni-people-post"),
    ("web-items-get", 12, "web-items-post"),
];

/// The routes that create.
const CREATING: &[&str] = &[
    "applications-post",
    "jrni-company-post",
    "jrni-administrators-post",
    "jrni-people-post",
    "web-items-post",
    "partners",
];

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

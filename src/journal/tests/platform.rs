//! A simulated platform that loses responses, applies requests late, and counts everything.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::*;
use super::outcome;
use crate::flight::{Flight, RequestTimeouts};

/// How the platform handles the next request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Does {
    /// Carries it out and responds.
    Answers,
    /// Carries it out; the response is lost.
    DropsAfter,
    /// The request is lost.
    DropsBefore,
    /// The response is lost, and the request is carried out this many milliseconds later.
    LandsLate(i64),
    /// Refuses permanently.
    Refuses,
    /// Is unavailable for a moment.
    Fails,
    /// Carries it out and responds this many milliseconds after it was sent.
    Slow(i64),
    /// Carries it out this many milliseconds after it was sent, and never responds; the connection stays open.
    Silent(i64),
    /// Carries it out, and the connection breaks this many milliseconds after it was sent.
    Breaks(i64),
    /// Responds with success but no content, and lists the resource this many milliseconds later.
    SaysYes(i64),
    /// Responds that there are too many requests.
    PutsOff,
    /// Carries it out, but responds that there are too many requests.
    PutsOffAfter,
}

/// The timeouts of a request.
pub(super) const PATIENCE: RequestTimeouts = RequestTimeouts {
    connect: Duration::from_secs(10),
    reply: Duration::from_secs(30),
};

#[derive(Clone)]
pub(super) struct Platform(Arc<Mutex<Books>>, Clock, Option<Watch>);

/// Called at every request; the requesting process is dead if it returns `true`.
pub(super) type Watch = Arc<dyn Fn() -> bool + Send + Sync>;

#[derive(Default)]
struct Books {
    plans: VecDeque<Does>,
    looks: VecDeque<Probe>,
    /// How long each of the next requests is delayed before it leaves, in milliseconds.
    dawdles: VecDeque<u64>,
    of_strangers: bool,
    /// The clock change during the next lookup, in milliseconds.
    clock_set_by: Option<i64>,
    prepared: usize,
    /// By name: when each request was or will be carried out.
    applied: BTreeMap<String, Vec<i64>>,
    /// When each request arrived, and whether it knew of an earlier one.
    sends: Vec<(i64, bool)>,
    probes: Vec<i64>,
}

impl Platform {
    pub(super) fn new(clock: &Clock, does: impl IntoIterator<Item = Does>) -> Platform {
        let books = Books {
            plans: does.into_iter().collect(),
            ..Books::default()
        };
        Platform(Arc::new(Mutex::new(books)), clock.clone(), None)
    }

    /// Makes the next lookups return these instead of the truth.
    pub(super) fn looks(self, looks: impl IntoIterator<Item = Probe>) -> Platform {
        self.0.lock().unwrap().looks.extend(looks);
        self
    }

    /// Delays the next requests by these numbers of milliseconds.
    pub(super) fn dawdling(self, millis: impl IntoIterator<Item = u64>) -> Platform {
        self.0.lock().unwrap().dawdles.extend(millis);
        self
    }

    /// Changes the clock by this many milliseconds during the first lookup.
    pub(super) fn clock_set_by(self, millis: i64) -> Platform {
        self.0.lock().unwrap().clock_set_by = Some(millis);
        self
    }

    /// Makes every resource exist already, created by others.
    pub(super) fn of_strangers(self) -> Platform {
        self.0.lock().unwrap().of_strangers = true;
        self
    }

    fn prepare(&self) -> PrepareOutcome {
        let mut books = self.0.lock().unwrap();
        books.prepared += 1;
        if books.of_strangers {
            PrepareOutcome::Refused("it is somebody else's".into())
        } else {
            PrepareOutcome::Proceed
        }
    }

    /// Returns the number of lookups before the first request.
    pub(super) fn prepared(&self) -> usize {
        self.0.lock().unwrap().prepared
    }

    fn dawdles(&self) -> u64 {
        self.0.lock().unwrap().dawdles.pop_front().unwrap_or_default()
    }

    /// Returns the same platform with another clock.
    pub(super) fn by(&self, clock: &Clock) -> Platform {
        Platform(Arc::clone(&self.0), clock.clone(), None)
    }

    /// Returns the same platform with its callers watched.
    pub(super) fn watched(&self, watch: Watch) -> Platform {
        Platform(Arc::clone(&self.0), self.1.clone(), Some(watch))
    }

    /// Never completes for a dead process.
    async fn heed(&self) {
        if self.2.as_ref().is_some_and(|is_dead| is_dead()) {
            std::future::pending::<()>().await;
        }
    }

    pub(super) fn attempt(&self, plan: &StepPlan) -> Try {
        Try {
            platform: self.clone(),
            name: plan.args.as_text().unwrap().to_owned(),
            flight: Flight::new(),
        }
    }

    /// Removes every resource with this name.
    pub(super) fn loses(&self, name: &str) {
        self.0.lock().unwrap().applied.remove(name);
    }

    /// Returns how often requests for this name were carried out.
    pub(super) fn applied(&self, name: &str) -> usize {
        self.0.lock().unwrap().applied.get(name).map_or(0, Vec::len)
    }

    pub(super) fn sends(&self) -> Vec<(i64, bool)> {
        self.0.lock().unwrap().sends.clone()
    }

    pub(super) fn probes(&self) -> Vec<i64> {
        self.0.lock().unwrap().probes.clone()
    }

    fn send(&self, name: &str, earlier: bool) -> (Does, i64) {
        let now = self.1.true_millis();
        let mut books = self.0.lock().unwrap();
        books.sends.push((now, earlier));
        let does = books.plans.pop_front().unwrap_or(Does::Answers);
        let lands = match does {
            Does::Answers | Does::DropsAfter | Does::PutsOffAfter | Does::Breaks(_) => Some(now),
            Does::LandsLate(after) | Does::Slow(after) | Does::Silent(after) | Does::SaysYes(after) => {
                Some(now + after)
            }
            _ => None,
        };
        let applied = books.applied.entry(name.to_owned()).or_default();
        applied.extend(lands);
        (does, now)
    }

    /// Returns the response as the sender sees it.
    async fn answer(&self, does: Does, sent: i64, flight: &Flight) -> SendOutcome {
        let lost = |loss| SendOutcome::LostResponse {
            reason: "the answer was lost".to_owned(),
            loss,
        };
        match does {
            Does::Answers => SendOutcome::Done(outcome(1)),
            Does::Refuses => SendOutcome::Refused("no".into()),
            Does::Fails => SendOutcome::Failed("later".into()),
            Does::Slow(after) | Does::Silent(after) => {
                if matches!(does, Does::Silent(_))
                    || Duration::from_millis(after.unsigned_abs()) > PATIENCE.reply
                {
                    self.1.sleep(PATIENCE.reply).await;
                    flight.late("it was not answered within 30 s".to_owned());
                }
                while matches!(does, Does::Silent(_)) || self.1.true_millis() < sent + after {
                    tokio::task::yield_now().await;
                }
                SendOutcome::Done(outcome(1))
            }
            Does::Breaks(after) => {
                self.1.sleep(PATIENCE.reply).await;
                flight.late("it was not answered within 30 s".to_owned());
                while self.1.true_millis() < sent + after {
                    tokio::task::yield_now().await;
                }
                lost(Loss::Broken)
            }
            Does::SaysYes(_) => lost(Loss::Yes),
            Does::PutsOff | Does::PutsOffAfter => {
                flight.undone();
                SendOutcome::Throttled("too many requests".into())
            }
            Does::DropsAfter | Does::DropsBefore | Does::LandsLate(_) => lost(Loss::Broken),
        }
    }

    fn look(&self, name: &str) -> Probe {
        let now = self.1.true_millis();
        let mut books = self.0.lock().unwrap();
        books.probes.push(now);
        if let Some(millis) = books.clock_set_by.take() {
            self.1.set(millis);
        }
        if let Some(look) = books.looks.pop_front() {
            return look;
        }
        let landed = books.applied.get(name).into_iter().flatten().any(|at| *at <= now);
        if landed {
            Probe::Found(outcome(1))
        } else {
            Probe::Absent
        }
    }
}

/// The attempt of one step.
pub(super) struct Try {
    platform: Platform,
    name: String,
    flight: Flight,
}

impl Attempt for Try {
    fn flight(&self) -> &Flight {
        &self.flight
    }

    fn send(&self, earlier: bool) -> Boxed<'_, SendOutcome> {
        Box::pin(async move {
            // Gives other tasks a chance to interfere.
            tokio::task::yield_now().await;
            self.platform.heed().await;
            let dawdles = self.platform.dawdles();
            if dawdles > 0 {
                self.platform.1.sleep(Duration::from_millis(dawdles)).await;
            }
            if let Err(error) = self.flight.leave(PATIENCE).await {
                return SendOutcome::Failed(format!("it may not leave: {error}").into());
            }
            let (does, sent) = self.platform.send(&self.name, earlier);
            self.platform.heed().await;
            self.platform.answer(does, sent, &self.flight).await
        })
    }

    fn prepare(&self, _: bool) -> Boxed<'_, PrepareOutcome> {
        Box::pin(async move { self.platform.prepare() })
    }

    fn probe(&self) -> Boxed<'_, Probe> {
        Box::pin(async move {
            self.platform.heed().await;
            self.platform.look(&self.name)
        })
    }

    fn is_gone<'a>(&'a self, _: &'a Value) -> Boxed<'a, bool> {
        Box::pin(async move { self.platform.applied(&self.name) == 0 })
    }

    fn existing(&self, earlier: EarlierResult) -> Result<Value, Value> {
        Ok(earlier.value)
    }
}

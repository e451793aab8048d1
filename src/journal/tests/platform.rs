//! A platform that loses answers, applies requests late, and counts everything.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::*;
use super::outcome;
use crate::flight::{Flight, Patience};

/// What the platform does with the next request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Does {
    /// Carries it out and answers.
    Answers,
    /// Carries it out; the answer is lost.
    DropsAfter,
    /// The request is lost.
    DropsBefore,
    /// The answer is lost, and the request is carried out this many milliseconds later.
    LandsLate(i64),
    /// Refuses for good.
    Refuses,
    /// Is not there for a moment.
    Fails,
    /// Carries it out and answers this many milliseconds after it was sent.
    Slow(i64),
    /// Carries it out this many milliseconds after it was sent, and never answers; the connection stays.
    Silent(i64),
    /// Carries it out, and the connection breaks this many milliseconds after it was sent.
    Breaks(i64),
    /// Says yes and nothing else, and shows the thing this many milliseconds later.
    SaysYes(i64),
    /// Says that there are too many requests.
    PutsOff,
    /// Carries it out, and says that there are too many requests.
    PutsOffAfter,
}

/// How long a request is waited for.
pub(super) const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(10),
    reply: Duration::from_secs(30),
};

#[derive(Clone)]
pub(super) struct Platform(Arc<Mutex<Books>>, Clock, Option<Watch>);

/// Called at every request; the process that asks is dead when it says so.
pub(super) type Watch = Arc<dyn Fn() -> bool + Send + Sync>;

#[derive(Default)]
struct Books {
    plans: VecDeque<Does>,
    looks: VecDeque<Look>,
    /// How long each of the next requests waits before it leaves, in milliseconds.
    dawdles: VecDeque<u64>,
    of_strangers: bool,
    /// By how many milliseconds somebody sets the clock during the next look-up.
    clock_set_by: Option<i64>,
    prepared: usize,
    /// By name: when each request for it was or will be carried out.
    applied: BTreeMap<String, Vec<i64>>,
    /// When each request came, and whether it knew of an earlier one.
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

    /// The next look-ups give these instead of the truth.
    pub(super) fn looks(self, looks: impl IntoIterator<Item = Look>) -> Platform {
        self.0.lock().unwrap().looks.extend(looks);
        self
    }

    /// The next requests leave so many milliseconds after they were meant to.
    pub(super) fn dawdling(self, millis: impl IntoIterator<Item = u64>) -> Platform {
        self.0.lock().unwrap().dawdles.extend(millis);
        self
    }

    /// Somebody sets the clock by so many milliseconds during the first look-up.
    pub(super) fn clock_set_by(self, millis: i64) -> Platform {
        self.0.lock().unwrap().clock_set_by = Some(millis);
        self
    }

    /// Everything exists, and somebody else has made it.
    pub(super) fn of_strangers(self) -> Platform {
        self.0.lock().unwrap().of_strangers = true;
        self
    }

    fn prepare(&self) -> Prepared {
        let mut books = self.0.lock().unwrap();
        books.prepared += 1;
        if books.of_strangers {
            Prepared::Refused("it is somebody else's".into())
        } else {
            Prepared::Go
        }
    }

    /// How often somebody looked before the first request.
    pub(super) fn prepared(&self) -> usize {
        self.0.lock().unwrap().prepared
    }

    fn dawdles(&self) -> u64 {
        self.0.lock().unwrap().dawdles.pop_front().unwrap_or_default()
    }

    /// The same platform, seen by another clock.
    pub(super) fn by(&self, clock: &Clock) -> Platform {
        Platform(Arc::clone(&self.0), clock.clone(), None)
    }

    /// The same platform, whose callers are watched.
    pub(super) fn watched(&self, watch: Watch) -> Platform {
        Platform(Arc::clone(&self.0), self.1.clone(), Some(watch))
    }

    /// Nothing comes of a dead process's request.
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

    /// Somebody removes everything of this name.
    pub(super) fn loses(&self, name: &str) {
        self.0.lock().unwrap().applied.remove(name);
    }

    /// How often requests for this name were carried out.
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

    /// The answer, as the sender comes to know it.
    async fn answer(&self, does: Does, sent: i64, flight: &Flight) -> Sending {
        let lost = |loss| Sending::Lost {
            why: "the answer was lost".to_owned(),
            loss,
        };
        match does {
            Does::Answers => Sending::Done(outcome(1)),
            Does::Refuses => Sending::Refused("no".into()),
            Does::Fails => Sending::Failed("later".into()),
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
                Sending::Done(outcome(1))
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
                Sending::PutOff("too many requests".into())
            }
            Does::DropsAfter | Does::DropsBefore | Does::LandsLate(_) => lost(Loss::Broken),
        }
    }

    fn look(&self, name: &str) -> Look {
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
            Look::Found(outcome(1))
        } else {
            Look::Absent
        }
    }
}

/// One step's way to the platform.
pub(super) struct Try {
    platform: Platform,
    name: String,
    flight: Flight,
}

impl Attempt for Try {
    fn flight(&self) -> &Flight {
        &self.flight
    }

    fn send(&self, earlier: bool) -> Boxed<'_, Sending> {
        Box::pin(async move {
            // Others get a chance to do wrong.
            tokio::task::yield_now().await;
            self.platform.heed().await;
            let dawdles = self.platform.dawdles();
            if dawdles > 0 {
                self.platform.1.sleep(Duration::from_millis(dawdles)).await;
            }
            if let Err(error) = self.flight.leave(PATIENCE).await {
                return Sending::Failed(format!("it may not leave: {error}").into());
            }
            let (does, sent) = self.platform.send(&self.name, earlier);
            self.platform.heed().await;
            self.platform.answer(does, sent, &self.flight).await
        })
    }

    fn prepare(&self, _: bool) -> Boxed<'_, Prepared> {
        Box::pin(async move { self.platform.prepare() })
    }

    fn probe(&self) -> Boxed<'_, Look> {
        Box::pin(async move {
            self.platform.heed().await;
            self.platform.look(&self.name)
        })
    }

    fn is_gone<'a>(&'a self, _: &'a Value) -> Boxed<'a, bool> {
        Box::pin(async move { self.platform.applied(&self.name) == 0 })
    }

    fn existing(&self, earlier: Earlier) -> Result<Value, Value> {
        Ok(earlier.value)
    }
}

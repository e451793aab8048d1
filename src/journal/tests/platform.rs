//! A platform that loses answers, applies requests late, and counts everything.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::*;
use super::outcome;

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
}

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
        }
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

    fn send(&self, name: &str, earlier: bool) -> Sending {
        let now = self.1.now_millis();
        let mut books = self.0.lock().unwrap();
        books.sends.push((now, earlier));
        let does = books.plans.pop_front().unwrap_or(Does::Answers);
        let lands = match does {
            Does::Answers | Does::DropsAfter => Some(now),
            Does::LandsLate(after) => Some(now + after),
            _ => None,
        };
        let applied = books.applied.entry(name.to_owned()).or_default();
        applied.extend(lands);
        match does {
            Does::Answers => Sending::Done(outcome(1)),
            Does::Refuses => Sending::Refused("no".into()),
            Does::Fails => Sending::Failed("later".into()),
            _ => Sending::Lost("the answer was lost".to_owned()),
        }
    }

    fn look(&self, name: &str) -> Look {
        let now = self.1.now_millis();
        let mut books = self.0.lock().unwrap();
        books.probes.push(now);
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
}

impl Attempt for Try {
    fn send(&self, earlier: bool, leaving: Leaving) -> Boxed<'_, Sending> {
        Box::pin(async move {
            // Others get a chance to do wrong.
            tokio::task::yield_now().await;
            self.platform.heed().await;
            let dawdles = self.platform.dawdles();
            if dawdles > 0 {
                self.platform.1.sleep(Duration::from_millis(dawdles)).await;
            }
            if let Err(error) = leaving.now().await {
                return Sending::Failed(format!("it may not leave: {error}").into());
            }
            let sending = self.platform.send(&self.name, earlier);
            self.platform.heed().await;
            sending
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

    fn existing(&self, item: Value) -> Result<Value, Value> {
        Ok(item)
    }
}

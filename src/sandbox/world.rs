//! The world: the state of the platforms, in memory for responding and in the log for durability.
//!
//! Every change is decided, logged and applied under one lock, in this order. So the log's order is the order of
//! effects, and no change is reported that is not in the log.

mod memory;

use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::error::SandboxError;
use super::log::{self, Log};
use super::platform::{Platform, Refusal};
use super::snapshot::{Snapshot, Traffic};
use super::{jrni, mobsted, sparrow, sparrow_bulk, web};
use memory::{Deferred, Entry, FORMAT, LogContent};
pub(super) use memory::{Event, Memory};

/// The event log's file name in the sandbox's folder.
pub(super) const LOG_FILE: &str = "world.jsonl";

/// An open world.
#[derive(Debug)]
pub(super) struct World {
    inner: RwLock<Inner>,
    secret: String,
    found: usize,
}

#[derive(Debug)]
struct Inner {
    log: Log,
    memory: Memory,
}

impl World {
    /// Opens the world in the folder, creating one if missing, and lands the deferred effects that are due.
    pub(super) fn open(dir: &Path) -> Result<World, SandboxError> {
        let path = dir.join(LOG_FILE);
        let mut memory = Memory::default();
        let (log, lines) = Log::open(&path, memory.reader(&path))?;
        let mut inner = Inner { log, memory };
        inner.create()?;
        let secret = inner.memory.secret.clone().unwrap_or_default();
        let world = World {
            inner: RwLock::new(inner),
            secret,
            found: lines,
        };
        for (id, delay) in world.deferred() {
            if delay.is_zero() {
                world.land(id)?;
            }
        }
        Ok(world)
    }

    /// Returns the secret that signs the tokens.
    pub(super) fn secret(&self) -> &str {
        &self.secret
    }

    /// Returns how many entries the log had when it was opened; 0 for a new world.
    pub(super) fn found(&self) -> usize {
        self.found
    }

    /// Reads the state of a platform.
    pub(super) fn read<P: Platform, T>(&self, look: impl FnOnce(&P) -> T) -> T {
        look(P::of(&self.inner().memory))
    }

    /// Changes state of JRNI that need not survive: when a token was last used.
    pub(super) fn touch_jrni<T>(&self, touch: impl FnOnce(&mut jrni::State) -> T) -> T {
        touch(&mut self.write().memory.jrni)
    }

    /// Changes state of Sparrow SMS that need not survive: when requests arrived.
    pub(super) fn touch_sparrow<T>(&self, touch: impl FnOnce(&mut sparrow::State) -> T) -> T {
        touch(&mut self.write().memory.sparrow)
    }

    /// Makes a requested change and returns the resulting event.
    pub(super) fn perform<P: Platform>(&self, wanted: P::Event) -> Result<P::Event, Refusal> {
        let mut inner = self.write();
        match P::of(&inner.memory).decide(wanted) {
            Ok(event) => {
                inner.record::<P>(event.clone())?;
                Ok(event)
            }
            Err(refusal) => {
                if let Some(event) = &refusal.trace {
                    inner.add(None, LogContent::At(Event::clone(event)))?;
                }
                Err(refusal)
            }
        }
    }

    /// Records the services that this world does not know yet, or knows under another description.
    pub(super) fn describe(&self, services: &[web::SimulatedService]) -> Result<(), SandboxError> {
        let unknown = self.read(|state: &web::State| state.unknown(services));
        let mut unknown = unknown.into_iter();
        unknown.try_for_each(|service| self.record::<web::State>(web::Event::Described(service)))
    }

    /// Records an event that needs no decision.
    pub(super) fn record<P: Platform>(&self, event: P::Event) -> Result<(), SandboxError> {
        self.write().record::<P>(event)
    }

    /// Defers a requested change by `delay`; returns the number for [`World::land`].
    pub(super) fn defer<P: Platform>(&self, wanted: P::Event, delay: Duration) -> Result<u64, SandboxError> {
        let mut inner = self.write();
        let id = inner.memory.last_deferred + 1;
        let due = now_millis().saturating_add(millis(delay));
        let command = P::WRAP(wanted);
        inner.add(None, LogContent::Deferred(Deferred { id, due, command }))?;
        Ok(id)
    }

    /// Returns the deferred effects with the time until each is due.
    pub(super) fn deferred(&self) -> Vec<(u64, Duration)> {
        let now = now_millis();
        let wait = |due: i64| Duration::from_millis(u64::try_from(due - now).unwrap_or_default());
        self.inner()
            .memory
            .deferred
            .values()
            .map(|deferred| (deferred.id, wait(deferred.due)))
            .collect()
    }

    /// Makes a deferred change now, unless it has been made. A refusal is only logged: no client is waiting.
    pub(super) fn land(&self, id: u64) -> Result<(), SandboxError> {
        let mut inner = self.write();
        let Some(deferred) = inner.memory.deferred.get(&id).cloned() else {
            return Ok(());
        };
        let what = match inner.memory.decide(deferred.command) {
            Ok(event) => LogContent::At(event),
            Err(refusal) => match refusal.trace {
                Some(event) => LogContent::At(*event),
                None => LogContent::Refused { reason: refusal.text },
            },
        };
        inner.add(Some(id), what)
    }

    /// Returns the platforms' records.
    pub(super) fn snapshot(&self, traffic: Traffic) -> Snapshot {
        self.inner().memory.snapshot(traffic)
    }

    fn inner(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the records of an unserved world without changing it; `None` if there is none.
pub(super) fn read_snapshot(dir: &Path) -> Result<Option<Snapshot>, SandboxError> {
    let path = dir.join(LOG_FILE);
    let mut memory = Memory::default();
    let extent = log::read(&path, memory.reader(&path))?;
    Ok(extent
        .filter(|extent| extent.lines > 0)
        .map(|_| memory.snapshot(Traffic::default())))
}

/// Returns the current time in milliseconds since the Unix epoch.
pub(super) fn now_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    millis(since)
}

/// Returns a duration in milliseconds.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl Inner {
    /// Creates what is missing: all of a new world, the rest of one whose creator died between two lines, and the
    /// platforms that an older world lacks.
    fn create(&mut self) -> Result<(), SandboxError> {
        if self.memory.format < FORMAT {
            let new = || format!("{:032x}{:032x}", fastrand::u128(..), fastrand::u128(..));
            let secret = self.memory.secret.clone().unwrap_or_else(new);
            let format = FORMAT;
            self.add(None, LogContent::World { format, secret })?;
        }
        self.found::<mobsted::State>()?;
        self.found::<jrni::State>()?;
        self.found::<sparrow::State>()?;
        self.found::<sparrow_bulk::State>()
    }

    fn found<P: Platform>(&mut self) -> Result<(), SandboxError> {
        let first = P::of(&self.memory).founding();
        first.map_or(Ok(()), |event| self.record::<P>(event))
    }

    fn record<P: Platform>(&mut self, event: P::Event) -> Result<(), SandboxError> {
        self.add(None, LogContent::At(P::WRAP(event)))
    }

    fn add(&mut self, settles: Option<u64>, what: LogContent) -> Result<(), SandboxError> {
        let entry = Entry {
            at: now_millis(),
            settles,
            what,
        };
        self.log.append(&entry)?;
        self.memory.apply(entry);
        Ok(())
    }
}

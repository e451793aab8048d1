//! The world: the state of the platforms, in memory for responding and in the log for durability.
//!
//! Every change is decided, logged and applied under one lock, in this order. So the log's order is the order of
//! effects, and no change is reported that is not in the log.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value as Json;

use super::error::SandboxError;
use super::log::{self, Log};
use super::platform::{Platform, Refusal};
use super::snapshot::{Snapshot, Traffic};
use super::{jrni, mobsted, sparrow, sparrow_bulk, web};

/// The event log's file name in the sandbox's folder.
pub(super) const LOG_FILE: &str = "world.jsonl";

/// An open world.
#[derive(Debug)]
pub(super) struct World {
    inner: RwLock<Inner>,
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
        let world = World {
            inner: RwLock::new(inner),
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
    pub(super) fn secret(&self) -> String {
        self.inner().memory.secret.clone().unwrap_or_default()
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
                    inner.add(None, LogContent::from(Event::clone(event)))?;
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
            Ok(event) => LogContent::from(event),
            Err(refusal) => match refusal.trace {
                Some(event) => LogContent::from(*event),
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
        self.add(None, LogContent::from(P::WRAP(event)))
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

/// The log format that this program writes, and the newest it reads. Format 1 had Mobsted only, 2 added JRNI, 4 the
/// services of host programs, 5 Sparrow's bulk API. Up to 5, deferred requests had other names than the events they
/// lead to.
const FORMAT: u32 = 6;

/// The state of all platforms.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Memory {
    format: u32,
    secret: Option<String>,
    pub(in crate::sandbox) mobsted: mobsted::State,
    pub(in crate::sandbox) jrni: jrni::State,
    pub(in crate::sandbox) sparrow: sparrow::State,
    pub(in crate::sandbox) sparrow_bulk: sparrow_bulk::State,
    pub(in crate::sandbox) web: web::State,
    deferred: BTreeMap<u64, Deferred>,
    last_deferred: u64,
}

/// A change at a platform: as requested, with everything needed to decide it later and in another process, or as
/// decided.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Event {
    Mobsted(mobsted::Event),
    Jrni(jrni::Event),
    Sparrow(sparrow::Event),
    SparrowBulk(sparrow_bulk::Event),
    Web(web::Event),
}

/// An effect that lands later than its request.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Deferred {
    id: u64,
    /// In milliseconds since the Unix epoch.
    due: i64,
    #[serde(deserialize_with = "command")]
    command: Event,
}

/// Reads a deferred event. Up to format 5, those of Mobsted lacked the name of their platform.
fn command<'de, D: Deserializer<'de>>(reader: D) -> Result<Event, D::Error> {
    let json = Json::deserialize(reader)?;
    Event::deserialize(&json).or_else(|error| {
        let unnamed = mobsted::Event::deserialize(&json);
        unnamed.map(Event::Mobsted).map_err(|_| D::Error::custom(error))
    })
}

/// One line of the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    /// In milliseconds since the Unix epoch.
    at: i64,
    /// The deferred effect that this entry settles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settles: Option<u64>,
    what: LogContent,
}

/// The content of a log line. Each platform's events are a variant here, too, and not one that is untagged: serde's error
/// for a damaged line would not state what is wrong with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LogContent {
    /// The first line; repeated when a newer program continues an older world.
    World {
        format: u32,
        #[serde(default)]
        secret: String,
    },
    /// An effect was deferred.
    Deferred(Deferred),
    /// A deferred effect turned out to be impossible.
    Refused { reason: String },
    /// An event at Mobsted.
    Mobsted(mobsted::Event),
    /// An event at JRNI.
    Jrni(jrni::Event),
    /// An event at Sparrow SMS.
    Sparrow(sparrow::Event),
    /// An event at Sparrow's bulk API.
    SparrowBulk(sparrow_bulk::Event),
    /// An event at a host program's service.
    Web(web::Event),
}

impl From<Event> for LogContent {
    fn from(event: Event) -> LogContent {
        match event {
            Event::Mobsted(event) => LogContent::Mobsted(event),
            Event::Jrni(event) => LogContent::Jrni(event),
            Event::Sparrow(event) => LogContent::Sparrow(event),
            Event::SparrowBulk(event) => LogContent::SparrowBulk(event),
            Event::Web(event) => LogContent::Web(event),
        }
    }
}

impl LogContent {
    /// Whether it records that a change was refused.
    fn is_refusal(&self) -> bool {
        matches!(
            self,
            LogContent::Refused { .. }
                | LogContent::Mobsted(mobsted::Event::Duplicate { .. })
                | LogContent::Jrni(jrni::Event::Duplicate { .. })
        )
    }
}

impl Memory {
    /// Applies the entries of a log, whose first entry must hold its format.
    fn reader<'a>(&'a mut self, path: &'a Path) -> impl FnMut(Entry) -> Result<(), SandboxError> + 'a {
        move |entry| {
            match &entry.what {
                LogContent::World { format, .. } if *format > FORMAT => {
                    return Err(SandboxError::NewerFormat {
                        path: path.to_path_buf(),
                        found: *format,
                        known: FORMAT,
                    });
                }
                LogContent::World { .. } => {}
                _ if self.secret.is_none() => {
                    return Err(SandboxError::Corrupt {
                        path: path.to_path_buf(),
                        line: 1,
                        reason: "it does not state the world's format".to_owned(),
                    });
                }
                _ => {}
            }
            self.apply(entry);
            Ok(())
        }
    }

    /// Returns the event that making the requested change would produce, or the refusal.
    fn decide(&self, wanted: Event) -> Result<Event, Refusal> {
        Ok(match wanted {
            Event::Mobsted(wanted) => Event::Mobsted(self.mobsted.decide(wanted)?),
            Event::Jrni(wanted) => Event::Jrni(self.jrni.decide(wanted)?),
            Event::Sparrow(wanted) => Event::Sparrow(self.sparrow.decide(wanted)?),
            Event::SparrowBulk(wanted) => Event::SparrowBulk(self.sparrow_bulk.decide(wanted)?),
            Event::Web(wanted) => Event::Web(self.web.decide(wanted)?),
        })
    }

    /// Applies an entry.
    fn apply(&mut self, entry: Entry) {
        let settled = entry.settles.and_then(|id| self.deferred.remove(&id));
        if let Some(deferred) = settled.filter(|_| !entry.what.is_refusal()) {
            *match deferred.command {
                Event::Mobsted(_) => &mut self.mobsted.totals.landed_late,
                Event::Jrni(_) => &mut self.jrni.totals.landed_late,
                Event::Sparrow(_) => &mut self.sparrow.totals.landed_late,
                Event::SparrowBulk(_) => &mut self.sparrow_bulk.totals.landed_late,
                Event::Web(_) => &mut self.web.totals.landed_late,
            } += 1;
        }
        match entry.what {
            LogContent::World { format, secret } => {
                self.format = format;
                self.secret = Some(secret);
            }
            LogContent::Deferred(deferred) => {
                self.last_deferred = deferred.id;
                self.deferred.insert(deferred.id, deferred);
            }
            LogContent::Refused { .. } => {}
            LogContent::Mobsted(event) => self.mobsted.apply(event, entry.at),
            LogContent::Jrni(event) => self.jrni.apply(event, entry.at),
            LogContent::Sparrow(event) => self.sparrow.apply(event),
            LogContent::SparrowBulk(event) => self.sparrow_bulk.apply(event),
            LogContent::Web(event) => self.web.apply(event),
        }
    }

    /// Returns the platforms' records.
    fn snapshot(&self, traffic: Traffic) -> Snapshot {
        let (tenants, apps) = self.mobsted.snapshot();
        Snapshot {
            tenants,
            apps,
            totals: self.mobsted.totals.clone(),
            jrni: self.jrni.book(),
            sparrow: self.sparrow.book(),
            sparrow_bulk: self.sparrow_bulk.book(),
            web: self.web.book(),
            pending: self.deferred.len() as u64 + traffic.under_way,
            traffic,
        }
    }
}

#[cfg(test)]
mod tests;

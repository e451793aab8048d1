//! The world: the state of the platforms, in memory for responding and in the log for durability.
//!
//! Every change is decided, logged and applied under one lock, in this order. So the log's order is the order of
//! effects, and no change is reported that is not in the log.

use std::any::Any;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value as Json};

use super::error::SandboxError;
use super::in_process::Timeline;
use super::log::{self, Log};
use super::platform::{AnyState, PlatformState, Refusal, Simulator};
use super::snapshot::{Parts, Snapshot, Traffic};
use super::{SIMULATORS, SimulatedService};

/// The event log's file name in the sandbox's folder.
pub(super) const LOG_FILE: &str = "world.jsonl";

/// An open world.
#[derive(Debug)]
pub(super) struct World {
    inner: RwLock<Inner>,
    found: usize,
    time: Time,
}

#[derive(Debug)]
struct Inner {
    /// `None` for a world that ends with its process.
    log: Option<Log>,
    memory: Memory,
    time: Time,
}

/// The clock of a world: the machine's, or the one of its client.
#[derive(Debug, Clone, Default)]
pub(super) struct Time(Option<Arc<dyn Timeline>>);

impl Time {
    /// Returns the time of day, in milliseconds since the Unix epoch.
    fn now(&self) -> i64 {
        self.0.as_ref().map_or_else(now_millis, |time| time.now_millis())
    }
}

impl World {
    /// Opens the world in the folder, creating one if missing, and lands the deferred effects that are due.
    pub(super) fn open(dir: &Path) -> Result<World, SandboxError> {
        let path = dir.join(LOG_FILE);
        let mut memory = Memory::default();
        let (log, lines) = Log::open(&path, memory.reader(&path))?;
        let world = World::create(Some(log), memory, Time::default(), lines)?;
        world.land_due()?;
        Ok(world)
    }

    /// Creates a world without a log, on this clock.
    pub(super) fn in_memory(time: Arc<dyn Timeline>) -> Result<World, SandboxError> {
        World::create(None, Memory::default(), Time(Some(time)), 0)
    }

    fn create(log: Option<Log>, memory: Memory, time: Time, found: usize) -> Result<World, SandboxError> {
        let mut inner = Inner {
            log,
            memory,
            time: time.clone(),
        };
        inner.create()?;
        Ok(World {
            inner: RwLock::new(inner),
            found,
            time,
        })
    }

    /// Returns the time of day, in milliseconds since the Unix epoch.
    pub(super) fn now(&self) -> i64 {
        self.time.now()
    }

    /// Whether it is on the clock of its client.
    pub(super) fn is_on_clients_clock(&self) -> bool {
        self.time.0.is_some()
    }

    /// Lets the client's clock advance.
    pub(super) fn advance(&self, by: Duration) {
        if let Some(time) = &self.time.0 {
            time.advance(by);
        }
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
    pub(super) fn read<P: PlatformState, T>(&self, look: impl FnOnce(&P) -> T) -> T {
        self.inner().memory.read(look)
    }

    /// Changes state of a platform that need not survive.
    pub(super) fn touch<P: PlatformState, T>(&self, touch: impl FnOnce(&mut P) -> T) -> T {
        match self.write().memory.state_mut::<P>() {
            Some(state) => touch(state),
            None => touch(&mut P::default()),
        }
    }

    /// Makes a requested change and returns the resulting event.
    pub(super) fn perform<P: PlatformState>(&self, wanted: P::Event) -> Result<P::Event, Refusal> {
        let mut inner = self.write();
        match inner.memory.read(|state: &P| state.decide(wanted)) {
            Ok(event) => {
                inner.record(Event::of::<P>(&event))?;
                Ok(event)
            }
            Err(refusal) => {
                if let Some(event) = &refusal.trace {
                    inner.record(event.clone())?;
                }
                Err(refusal)
            }
        }
    }

    /// Records the services that this world does not know yet, or knows under another description.
    pub(super) fn describe(&self, services: &[SimulatedService]) -> Result<(), SandboxError> {
        let mut inner = self.write();
        let unknown =
            |simulator: &Simulator| Some(inner.memory.states.get(simulator.name)?.unknown(services));
        let unknown: Vec<Event> = SIMULATORS.iter().filter_map(unknown).flatten().collect();
        unknown.into_iter().try_for_each(|event| inner.record(event))
    }

    /// Records an event that needs no decision.
    pub(super) fn record<P: PlatformState>(&self, event: &P::Event) -> Result<(), SandboxError> {
        self.write().record(Event::of::<P>(event))
    }

    /// Defers a requested change by `delay`; returns the number for [`World::land`].
    pub(super) fn defer<P: PlatformState>(
        &self,
        wanted: &P::Event,
        delay: Duration,
    ) -> Result<u64, SandboxError> {
        let mut inner = self.write();
        let id = inner.memory.last_deferred + 1;
        let due = self.now().saturating_add(millis(delay));
        let command = Event::of::<P>(wanted);
        let note = Note::Deferred(Deferred { id, due, command });
        inner.add(None, LogContent::Note(note))?;
        Ok(id)
    }

    /// Returns the deferred effects with the time until each is due.
    pub(super) fn deferred(&self) -> Vec<(u64, Duration)> {
        let now = self.now();
        let wait = |due: i64| Duration::from_millis(u64::try_from(due - now).unwrap_or_default());
        self.inner()
            .memory
            .deferred
            .values()
            .map(|deferred| (deferred.id, wait(deferred.due)))
            .collect()
    }

    /// Makes the deferred changes that are due, in the order of their times.
    pub(super) fn land_due(&self) -> Result<(), SandboxError> {
        let now = self.now();
        let mut due: Vec<(i64, u64)> = self
            .inner()
            .memory
            .deferred
            .values()
            .filter(|deferred| deferred.due <= now)
            .map(|deferred| (deferred.due, deferred.id))
            .collect();
        due.sort_unstable();
        due.into_iter().try_for_each(|(_, id)| self.land(id))
    }

    /// Makes a deferred change now, unless it has been made. A refusal is only logged: no client is waiting.
    pub(super) fn land(&self, id: u64) -> Result<(), SandboxError> {
        let mut inner = self.write();
        let Some(deferred) = inner.memory.deferred.get(&id).cloned() else {
            return Ok(());
        };
        let what = match inner.memory.decide(&deferred.command) {
            Ok(event) => LogContent::Event(event),
            Err(refusal) => match refusal.trace {
                Some(event) => LogContent::Event(event),
                None => LogContent::Note(Note::Refused { reason: refusal.text }),
            },
        };
        inner.add(Some(id), what)
    }

    /// Returns the platforms' records.
    pub(super) fn snapshot(&self, traffic: Traffic) -> Snapshot {
        self.inner().memory.snapshot(traffic)
    }

    /// Returns what the platforms show of their state, without passwords.
    pub(super) fn status(&self) -> Map<String, Json> {
        let inner = self.inner();
        inner
            .memory
            .states
            .values()
            .flat_map(|state| state.shown())
            .collect()
    }

    /// Returns the credentials of the platforms' accounts.
    pub(super) fn credentials(&self) -> Parts {
        let mut credentials = Parts::default();
        for state in self.inner().memory.states.values() {
            state.add_credentials(&mut credentials);
        }
        credentials
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
            self.add(None, LogContent::Note(Note::World { format, secret }))?;
        }
        for simulator in SIMULATORS {
            let state = self.memory.states.get(simulator.name);
            if let Some(event) = state.and_then(|state| state.first()) {
                self.record(event)?;
            }
        }
        Ok(())
    }

    fn record(&mut self, event: Event) -> Result<(), SandboxError> {
        self.add(None, LogContent::Event(event))
    }

    fn add(&mut self, settles: Option<u64>, what: LogContent) -> Result<(), SandboxError> {
        let entry = Entry {
            at: self.time.now(),
            settles,
            what,
        };
        if let Some(log) = &mut self.log {
            log.append(&entry)?;
        }
        self.memory.apply(entry);
        Ok(())
    }
}

/// The log format that this program writes, and the newest it reads. Format 1 had the first platform only, and formats
/// up to 5 added the others. Up to 5, deferred requests had other names than the events they lead to.
const FORMAT: u32 = 6;

/// The state of all platforms.
#[derive(Debug)]
struct Memory {
    format: u32,
    secret: Option<String>,
    /// By the platform's name.
    states: BTreeMap<&'static str, Box<dyn AnyState>>,
    deferred: BTreeMap<u64, Deferred>,
    last_deferred: u64,
}

impl Default for Memory {
    fn default() -> Memory {
        let states = SIMULATORS.iter().map(|one| (one.name, (one.state)()));
        Memory {
            format: 0,
            secret: None,
            states: states.collect(),
            deferred: BTreeMap::new(),
            last_deferred: 0,
        }
    }
}

/// A change at a platform: as requested, with everything needed to decide it later and in another process, or as
/// decided. In the log it is an object with the platform's name as its only key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Event {
    platform: &'static str,
    content: Json,
}

impl Event {
    pub(super) fn of<P: PlatformState>(event: &P::Event) -> Event {
        Event {
            platform: P::NAME,
            // An event consists of texts, numbers, lists and maps with texts as keys.
            content: serde_json::to_value(event).unwrap_or_default(),
        }
    }

    /// Reads the content of an event of this platform.
    fn read(simulator: &Simulator, content: Json) -> serde_json::Result<Event> {
        (simulator.check)(&content)?;
        Ok(Event {
            platform: simulator.name,
            content,
        })
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.platform, &self.content)])
    }
}

/// Returns the simulator that an event is for, and the event's content.
fn addressed(object: &mut Map<String, Json>) -> Option<(&'static Simulator, Json)> {
    let named = SIMULATORS.iter().find(|one| object.contains_key(one.name))?;
    Some((named, object.remove(named.name)?))
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

/// Reads a deferred event. Up to format 5, those of the first platform lacked its name.
fn command<'de, D: Deserializer<'de>>(reader: D) -> Result<Event, D::Error> {
    let mut object = Map::deserialize(reader)?;
    let (simulator, content) = match addressed(&mut object) {
        Some(found) => found,
        None => (&SIMULATORS[0], Json::Object(object)),
    };
    Event::read(simulator, content).map_err(D::Error::custom)
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

/// The content of a log line.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum LogContent {
    /// An event at a platform.
    Event(Event),
    /// A note of the sandbox itself.
    Note(Note),
}

/// A note of the sandbox itself in the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Note {
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
}

impl<'de> Deserialize<'de> for LogContent {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<LogContent, D::Error> {
        let mut object = Map::deserialize(reader)?;
        let read = match addressed(&mut object) {
            Some((simulator, content)) => Event::read(simulator, content).map(LogContent::Event),
            None => serde_json::from_value(Json::Object(object)).map(LogContent::Note),
        };
        read.map_err(D::Error::custom)
    }
}

impl Memory {
    /// Applies the entries of a log, whose first entry must hold its format.
    fn reader<'a>(&'a mut self, path: &'a Path) -> impl FnMut(Entry) -> Result<(), SandboxError> + 'a {
        move |entry| {
            match &entry.what {
                LogContent::Note(Note::World { format, .. }) if *format > FORMAT => {
                    return Err(SandboxError::NewerFormat {
                        path: path.to_path_buf(),
                        found: *format,
                        known: FORMAT,
                    });
                }
                LogContent::Note(Note::World { .. }) => {}
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

    fn read<P: PlatformState, T>(&self, look: impl FnOnce(&P) -> T) -> T {
        let state: Option<&dyn Any> = self.states.get(P::NAME).map(|state| &**state as &dyn Any);
        match state.and_then(|state| state.downcast_ref()) {
            Some(state) => look(state),
            None => look(&P::default()),
        }
    }

    fn state_mut<P: PlatformState>(&mut self) -> Option<&mut P> {
        let state: &mut dyn Any = &mut **self.states.get_mut(P::NAME)?;
        state.downcast_mut()
    }

    /// Returns the event that making the requested change would produce, or the refusal.
    fn decide(&self, wanted: &Event) -> Result<Event, Refusal> {
        match self.states.get(wanted.platform) {
            Some(state) => state.decide_any(&wanted.content),
            None => Ok(wanted.clone()),
        }
    }

    /// Applies an entry.
    fn apply(&mut self, entry: Entry) {
        let settled = entry.settles.and_then(|id| self.deferred.remove(&id));
        let is_done = match entry.what {
            LogContent::Event(event) => {
                let state = self.states.get_mut(event.platform);
                state.is_some_and(|state| state.apply_any(&event.content, entry.at))
            }
            LogContent::Note(Note::World { format, secret }) => {
                self.format = format;
                self.secret = Some(secret);
                true
            }
            LogContent::Note(Note::Deferred(deferred)) => {
                self.last_deferred = deferred.id;
                self.deferred.insert(deferred.id, deferred);
                true
            }
            LogContent::Note(Note::Refused { .. }) => false,
        };
        if let Some(deferred) = settled.filter(|_| is_done)
            && let Some(state) = self.states.get_mut(deferred.command.platform)
        {
            state.count_late();
        }
    }

    /// Returns the platforms' records.
    fn snapshot(&self, traffic: Traffic) -> Snapshot {
        let mut snapshot = Snapshot {
            pending: self.deferred.len() as u64 + traffic.under_way,
            traffic,
            ..Snapshot::default()
        };
        for state in self.states.values() {
            state.add_book(&mut snapshot.books);
        }
        snapshot
    }
}

#[cfg(test)]
mod tests;

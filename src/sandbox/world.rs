//! The world: what the platforms know, in memory for answering and in the log for surviving.
//!
//! Every change is decided, logged and applied under one lock, in this order, so the log's order is the order of
//! effects, and nobody is told of a change that is not in the log.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::books::{AppBook, Books, TenantBook, Traffic};
use super::error::SandboxError;
use super::log::{self, Log};
use super::mobsted::{self, Refusal};

/// The format of the log that this program writes, and the newest one it reads.
const FORMAT: u32 = 1;

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

/// The fold of the log.
#[derive(Debug, Default)]
struct Memory {
    secret: Option<String>,
    mobsted: mobsted::State,
    deferred: BTreeMap<u64, Deferred>,
    last_deferred: u64,
}

/// An effect that lands later than its request.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Deferred {
    id: u64,
    /// In milliseconds since the Unix epoch.
    due: i64,
    command: mobsted::Command,
}

/// One line of the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    /// In milliseconds since the Unix epoch.
    at: i64,
    /// The deferred effect that this settles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settles: Option<u64>,
    what: What,
}

/// What a line of the log says; one variant per platform and those about the world itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    /// The first line.
    World {
        format: u32,
        #[serde(default)]
        secret: String,
    },
    /// Something happened at Mobsted.
    Mobsted(mobsted::Event),
    /// An effect is to land later.
    Deferred(Deferred),
    /// A deferred effect turned out to be impossible.
    Refused { reason: String },
}

impl World {
    /// Opens the world in the folder, making a new one when there is none, and lets the deferred effects whose time
    /// has come land.
    pub(super) fn open(dir: &Path) -> Result<World, SandboxError> {
        let path = dir.join(LOG_FILE);
        let mut memory = Memory::default();
        let (log, lines) = Log::open(&path, memory.reader(&path))?;
        let mut inner = Inner { log, memory };
        if lines == 0 {
            inner.create()?;
        } else if inner.memory.mobsted.master().is_none() {
            // Its maker died between the first two lines.
            inner.create_master()?;
        }
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

    /// What the tokens are signed with.
    pub(super) fn secret(&self) -> &str {
        &self.secret
    }

    /// How many entries the log had when it was opened; 0 for a new world.
    pub(super) fn found(&self) -> usize {
        self.found
    }

    /// Looks at Mobsted.
    pub(super) fn mobsted<T>(&self, look: impl FnOnce(&mobsted::State) -> T) -> T {
        look(&self.read().memory.mobsted)
    }

    /// Carries out a command and returns what happened.
    pub(super) fn perform(&self, command: &mobsted::Command) -> Result<mobsted::Event, Refusal> {
        self.write().perform(command, None)
    }

    /// Records something that happened without a decision.
    pub(super) fn record(&self, event: mobsted::Event) -> Result<(), SandboxError> {
        self.write().add(None, What::Mobsted(event))
    }

    /// Has a command carried out after `delay`; returns the number to [`World::land`] it with.
    pub(super) fn defer(&self, command: mobsted::Command, delay: Duration) -> Result<u64, SandboxError> {
        let mut inner = self.write();
        let id = inner.memory.last_deferred + 1;
        let due = now_millis().saturating_add(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX));
        inner.add(None, What::Deferred(Deferred { id, due, command }))?;
        Ok(id)
    }

    /// The deferred effects and how long each has to wait yet.
    pub(super) fn deferred(&self) -> Vec<(u64, Duration)> {
        let now = now_millis();
        let wait = |due: i64| Duration::from_millis(u64::try_from(due - now).unwrap_or_default());
        self.read()
            .memory
            .deferred
            .values()
            .map(|deferred| (deferred.id, wait(deferred.due)))
            .collect()
    }

    /// Carries out a deferred command now, if nobody has. What it refuses is refused silently: nobody is listening.
    pub(super) fn land(&self, id: u64) -> Result<(), SandboxError> {
        let mut inner = self.write();
        let Some(deferred) = inner.memory.deferred.get(&id).cloned() else {
            return Ok(());
        };
        match inner.perform(&deferred.command, Some(id)) {
            Ok(_) | Err(Refusal::Duplicate(_)) => Ok(()),
            Err(refusal) => inner.add(
                Some(id),
                What::Refused {
                    reason: refusal.to_string(),
                },
            ),
        }
    }

    /// The platform's books.
    pub(super) fn books(&self, traffic: Traffic) -> Books {
        self.read().memory.books(traffic)
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The books of a world that nobody serves, without changing it; `None` when there is none.
pub(super) fn peek(dir: &Path) -> Result<Option<Books>, SandboxError> {
    let path = dir.join(LOG_FILE);
    let mut memory = Memory::default();
    let extent = log::read(&path, memory.reader(&path))?;
    Ok(extent
        .filter(|extent| extent.lines > 0)
        .map(|_| memory.books(Traffic::default())))
}

/// Now, in milliseconds since the Unix epoch.
pub(super) fn now_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

impl Inner {
    fn create(&mut self) -> Result<(), SandboxError> {
        let secret = format!("{:032x}{:032x}", fastrand::u128(..), fastrand::u128(..));
        self.add(
            None,
            What::World {
                format: FORMAT,
                secret,
            },
        )?;
        self.create_master()
    }

    fn create_master(&mut self) -> Result<(), SandboxError> {
        self.add(None, What::Mobsted(mobsted::new_master()))
    }

    fn perform(
        &mut self,
        command: &mobsted::Command,
        settles: Option<u64>,
    ) -> Result<mobsted::Event, Refusal> {
        let storage = |error: SandboxError| Refusal::Storage(error.to_string());
        match self.memory.mobsted.decide(command) {
            Ok(event) => {
                self.add(settles, What::Mobsted(event.clone())).map_err(storage)?;
                Ok(event)
            }
            Err(refusal) => {
                if let Refusal::Duplicate(email) = &refusal {
                    let event = mobsted::Event::Duplicate { email: email.clone() };
                    self.add(settles, What::Mobsted(event)).map_err(storage)?;
                }
                Err(refusal)
            }
        }
    }

    fn add(&mut self, settles: Option<u64>, what: What) -> Result<(), SandboxError> {
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

impl Memory {
    /// Takes in the entries of a log, the first of which says its format.
    fn reader<'a>(&'a mut self, path: &'a Path) -> impl FnMut(Entry) -> Result<(), SandboxError> + 'a {
        move |entry| {
            match &entry.what {
                What::World { format, .. } if *format > FORMAT => {
                    return Err(SandboxError::NewerFormat {
                        path: path.to_path_buf(),
                        found: *format,
                        known: FORMAT,
                    });
                }
                What::World { .. } => {}
                _ if self.secret.is_none() => {
                    return Err(SandboxError::Corrupt {
                        path: path.to_path_buf(),
                        line: 1,
                        reason: "it does not say the world's format".to_owned(),
                    });
                }
                _ => {}
            }
            self.apply(entry);
            Ok(())
        }
    }

    fn apply(&mut self, entry: Entry) {
        if entry
            .settles
            .is_some_and(|id| self.deferred.remove(&id).is_some())
        {
            let refused = matches!(
                entry.what,
                What::Refused { .. } | What::Mobsted(mobsted::Event::Duplicate { .. })
            );
            self.mobsted.totals.landed_late += u64::from(!refused);
        }
        match entry.what {
            What::World { secret, .. } => self.secret = Some(secret),
            What::Mobsted(event) => self.mobsted.apply(event, entry.at),
            What::Deferred(deferred) => {
                self.last_deferred = deferred.id;
                self.deferred.insert(deferred.id, deferred);
            }
            What::Refused { .. } => {}
        }
    }

    fn books(&self, traffic: Traffic) -> Books {
        let tenant = |tenant: &mobsted::Tenant| TenantBook {
            email: tenant.email.clone(),
            name: tenant.name.clone(),
            password: tenant.password.clone(),
            created: self.mobsted.created(&tenant.email),
        };
        let app = |(tenant, app): (&mobsted::Tenant, &mobsted::App)| AppBook {
            tenant: tenant.name.clone(),
            id: app.id,
            name: app.name.clone(),
            site: app.site.clone(),
        };
        Books {
            tenants: self.mobsted.sub_accounts().iter().map(tenant).collect(),
            apps: self.mobsted.apps().map(app).collect(),
            totals: self.mobsted.totals.clone(),
            traffic,
            pending: self.deferred.len() as u64,
        }
    }
}

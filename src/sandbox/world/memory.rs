//! The entries of the log and the state folded from them.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::super::error::SandboxError;
use super::super::platform::{Platform as _, Refusal};
use super::super::snapshot::{Snapshot, Traffic};
use super::super::{jrni, mobsted, sparrow, sparrow_bulk, web};

/// The log format that this program writes, and the newest it reads. Format 1 had Mobsted only, 2 added JRNI, 4 the
/// services of host programs, 5 Sparrow's bulk API. Up to 5, deferred requests had other names than the events they
/// lead to.
pub(super) const FORMAT: u32 = 6;

/// The state of all platforms.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Memory {
    pub(super) format: u32,
    pub(super) secret: Option<String>,
    pub(in crate::sandbox) mobsted: mobsted::State,
    pub(in crate::sandbox) jrni: jrni::State,
    pub(in crate::sandbox) sparrow: sparrow::State,
    pub(in crate::sandbox) sparrow_bulk: sparrow_bulk::State,
    pub(in crate::sandbox) web: web::State,
    pub(super) deferred: BTreeMap<u64, Deferred>,
    pub(super) last_deferred: u64,
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
    /// One of Mobsted that was deferred by a program that wrote format 5 or older.
    #[serde(untagged)]
    Unnamed(mobsted::Event),
}

/// An effect that lands later than its request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::sandbox) struct Deferred {
    pub(super) id: u64,
    /// In milliseconds since the Unix epoch.
    pub(super) due: i64,
    pub(super) command: Event,
}

/// One line of the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Entry {
    /// In milliseconds since the Unix epoch.
    pub(super) at: i64,
    /// The deferred effect that this entry settles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) settles: Option<u64>,
    pub(super) what: LogContent,
}

/// The content of a log line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LogContent {
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
    /// An event at a platform.
    #[serde(untagged)]
    At(Event),
}

impl LogContent {
    /// Whether it records that a change was refused.
    fn is_refusal(&self) -> bool {
        matches!(
            self,
            LogContent::Refused { .. }
                | LogContent::At(
                    Event::Mobsted(mobsted::Event::Duplicate { .. })
                        | Event::Jrni(jrni::Event::Duplicate { .. })
                )
        )
    }
}

impl Memory {
    /// Applies the entries of a log, whose first entry must hold its format.
    pub(super) fn reader<'a>(
        &'a mut self,
        path: &'a Path,
    ) -> impl FnMut(Entry) -> Result<(), SandboxError> + 'a {
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
    pub(super) fn decide(&self, wanted: Event) -> Result<Event, Refusal> {
        Ok(match wanted {
            Event::Mobsted(wanted) | Event::Unnamed(wanted) => Event::Mobsted(self.mobsted.decide(wanted)?),
            Event::Jrni(wanted) => Event::Jrni(self.jrni.decide(wanted)?),
            Event::Sparrow(wanted) => Event::Sparrow(self.sparrow.decide(wanted)?),
            Event::SparrowBulk(wanted) => Event::SparrowBulk(self.sparrow_bulk.decide(wanted)?),
            Event::Web(wanted) => Event::Web(self.web.decide(wanted)?),
        })
    }

    /// Applies an entry.
    pub(super) fn apply(&mut self, entry: Entry) {
        let settled = entry.settles.and_then(|id| self.deferred.remove(&id));
        if let Some(deferred) = settled.filter(|_| !entry.what.is_refusal()) {
            *match deferred.command {
                Event::Mobsted(_) | Event::Unnamed(_) => &mut self.mobsted.totals.landed_late,
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
            LogContent::At(event) => match event {
                Event::Mobsted(event) | Event::Unnamed(event) => self.mobsted.apply(event, entry.at),
                Event::Jrni(event) => self.jrni.apply(event, entry.at),
                Event::Sparrow(event) => self.sparrow.apply(event),
                Event::SparrowBulk(event) => self.sparrow_bulk.apply(event),
                Event::Web(event) => self.web.apply(event),
            },
        }
    }

    /// Returns the platforms' records.
    pub(super) fn snapshot(&self, traffic: Traffic) -> Snapshot {
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

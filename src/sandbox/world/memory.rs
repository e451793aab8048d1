//! The entries of the log and the state folded from them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::super::error::SandboxError;
use super::super::snapshot::{Snapshot, Traffic};
use super::super::{jrni, mobsted, sparrow, sparrow_bulk, web};

/// The log format that this program writes, and the newest it reads. Format 1 had Mobsted only, 2 added JRNI, 4 the
/// services of host programs, 5 Sparrow's bulk API.
pub(super) const FORMAT: u32 = 5;

/// A changing request to a platform, with everything needed to carry it out later and in another process.
pub(in crate::sandbox) trait Command: Clone + Into<DeferredCommand> {
    /// The event that it results in.
    type Event: Clone + Into<LogContent>;
    /// The reason why it was not carried out.
    type Refusal: fmt::Display + From<SandboxError>;

    /// Returns the event that carrying it out would produce, or the refusal.
    fn decide(&self, memory: &Memory) -> Result<Self::Event, Self::Refusal>;

    /// Returns the event that a refusal leaves in the log, if any.
    fn trace(refusal: &Self::Refusal) -> Option<Self::Event>;
}

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

/// An effect that lands later than its request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::sandbox) struct Deferred {
    pub(super) id: u64,
    /// In milliseconds since the Unix epoch.
    pub(super) due: i64,
    pub(super) command: DeferredCommand,
}

/// A command of any platform. Mobsted's are serialised without its name because they are older than the others.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum DeferredCommand {
    Jrni(jrni::Command),
    Sparrow(sparrow::Command),
    SparrowBulk(sparrow_bulk::Command),
    Web(web::Command),
    #[serde(untagged)]
    Mobsted(mobsted::Command),
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

/// The content of a log line: one variant per platform, and those about the world itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum LogContent {
    /// The first line; repeated when a newer program continues an older world.
    World {
        format: u32,
        #[serde(default)]
        secret: String,
    },
    /// An event at Mobsted.
    Mobsted(mobsted::Event),
    /// An event at JRNI.
    Jrni(jrni::Event),
    /// An event at Sparrow SMS.
    Sparrow(sparrow::Event),
    /// An event at Sparrow's bulk API.
    SparrowBulk(sparrow_bulk::Event),
    /// An event at the web service.
    Web(web::Event),
    /// An effect was deferred.
    Deferred(Deferred),
    /// A deferred effect turned out to be impossible.
    Refused { reason: String },
}

impl LogContent {
    /// Whether it records that a command was refused.
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

    /// Applies an entry.
    pub(super) fn apply(&mut self, entry: Entry) {
        let settled = entry.settles.and_then(|id| self.deferred.remove(&id));
        if let Some(deferred) = settled.filter(|_| !entry.what.is_refusal()) {
            match deferred.command {
                DeferredCommand::Mobsted(_) => self.mobsted.totals.landed_late += 1,
                DeferredCommand::Jrni(_) => self.jrni.totals.landed_late += 1,
                DeferredCommand::Sparrow(_) => self.sparrow.totals.landed_late += 1,
                DeferredCommand::SparrowBulk(_) => self.sparrow_bulk.totals.landed_late += 1,
                DeferredCommand::Web(_) => self.web.totals.landed_late += 1,
            }
        }
        match entry.what {
            LogContent::World { format, secret } => {
                self.format = format;
                self.secret = Some(secret);
            }
            LogContent::Mobsted(event) => self.mobsted.apply(event, entry.at),
            LogContent::Jrni(event) => self.jrni.apply(event, entry.at),
            LogContent::Sparrow(event) => self.sparrow.apply(event),
            LogContent::SparrowBulk(event) => self.sparrow_bulk.apply(event),
            LogContent::Web(event) => self.web.apply(event),
            LogContent::Deferred(deferred) => {
                self.last_deferred = deferred.id;
                self.deferred.insert(deferred.id, deferred);
            }
            LogContent::Refused { .. } => {}
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

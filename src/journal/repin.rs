//! Pins a run to different sources, when a person wants to continue it with an edited script.

use super::Journal;
use super::apply::{Repin, Write};
use super::error::JournalError;
use super::lock::RunLock;
use super::maintain::audit_data;
use super::record::run_seal_context;
use crate::value::Value;
use crate::value::digest::sha256;

impl Journal {
    /// Pins a run to these sources, each a name and its text, and sets the plan that goes with them. The previous
    /// sources stay recorded, and an audit record names `actor`. On disk when it returns.
    pub fn repin(
        &self,
        run: &RunLock,
        sources: &[(String, String)],
        plan: &Value,
        actor: &str,
    ) -> Result<(), JournalError> {
        let id = run.id();
        let hashes = sources
            .iter()
            .map(|(name, text)| (name.clone(), sha256(text.as_bytes())));
        let write = Write::Repin(Box::new(Repin {
            run: id.clone(),
            sources: hashes.collect(),
            texts: sources.iter().map(|(_, text)| text.clone()).collect(),
            plan: self.sealer().seal(&run_seal_context(id, "plan"), plan),
            at_ms: self.clock().now_millis(),
            audit: audit_data(
                self,
                "with-current",
                actor,
                &format!("run {id} continues with an edited script").into(),
            ),
        }));
        self.store().write(run.submission(write)).map(drop)
    }

    /// Returns the names and texts of sources given by name and digest. Sources whose text was pruned are omitted.
    /// Fails with [`JournalError::Source`] if a text does not match its digest.
    pub fn source_texts(&self, sources: &[(String, String)]) -> Result<Vec<(String, String)>, JournalError> {
        let mut texts = Vec::new();
        for (name, hash) in sources {
            let Some(text) = self.store().read(|look| look.source(hash))? else {
                continue;
            };
            if sha256(text.as_bytes()) != *hash {
                let error = JournalError::Source { name: name.clone() };
                self.0.damage.note(error.to_string());
                return Err(error);
            }
            texts.push((name.clone(), text));
        }
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::{Clock, Ids};
    use crate::journal::{NewRun, RunStatus, Sealer};

    fn new_run(text: &str) -> NewRun {
        NewRun {
            name: "main.rhai".into(),
            sources: vec![("main.rhai".into(), text.into())],
            ..NewRun::default()
        }
    }

    #[test]
    fn a_repinned_run_keeps_its_earlier_source_when_others_are_pruned() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::frozen(1_000);
        for journal in [
            Journal::in_memory(Sealer::new(&[7; 32]), clock.clone(), Ids::seeded(1)).unwrap(),
            Journal::open(
                &folder.path().join("journal.db"),
                Sealer::new(&[7; 32]),
                clock.clone(),
                Ids::seeded(1),
            )
            .unwrap(),
        ] {
            let run = journal.begin_run(new_run("old")).unwrap();
            let other = journal.begin_run(new_run("other")).unwrap();
            journal.set_run_status(&other, RunStatus::Done).unwrap();
            let other = other.id().clone();
            let edited = vec![("main.rhai".to_owned(), "new".to_owned())];
            journal.repin(&run, &edited, &"plan".into(), "ann").unwrap();
            drop(clock.sleep(Duration::from_mins(1)));
            assert_eq!(journal.prune(Duration::from_secs(30)).unwrap(), 1);

            let record = journal.run(run.id()).unwrap().unwrap();
            assert_eq!(record.plan, Value::from("plan"));
            assert_eq!(journal.sources(run.id()).unwrap(), edited);
            let [earlier] = record.earlier.as_slice() else {
                panic!("{:?}", record.earlier);
            };
            let old = journal.source_texts(&earlier.sources).unwrap();
            assert_eq!(old, [("main.rhai".to_owned(), "old".to_owned())]);
            assert!(journal.sources(&other).unwrap().is_empty(), "pruned");
            let audits = journal.audits().unwrap();
            assert_eq!(
                (audits[0].kind.as_str(), audits[0].actor.as_str()),
                ("with-current", "ann")
            );
        }
    }
}

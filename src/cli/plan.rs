//! The plan of a run: what the command line requested, stored with the run so that a resume does the same.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::value::{Record, Value};

/// The options of a run, apart from its script.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct RunPlan {
    /// The script's path as given on the command line.
    pub(super) script: String,
    /// Whether the run is a REPL session, whose rows are inputs.
    pub(super) session: bool,
    /// Identifies the script across runs: its absolute path. Runs of earlier versions lack it.
    pub(super) workflow: Option<String>,
    /// Whether acts may be repeated that earlier runs completed.
    pub(super) again: bool,
    /// The source of the rows: a path, or `-` for stdin; `None` for a single call.
    pub(super) rows: Option<String>,
    /// The row format, if the file extension does not determine it.
    pub(super) rows_format: Option<String>,
    /// Where results are written; `None` for stdout.
    pub(super) out: Option<String>,
    /// The result format, if the file extension does not determine it.
    pub(super) format: Option<String>,
    /// Whether CSV is written safe for spreadsheets.
    pub(super) csv_safe: bool,
    /// Result columns whose secrets are written in clear.
    pub(super) reveal: Vec<String>,
    /// The number of rows that run at once.
    pub(super) jobs: usize,
    /// The number of failed rows after which no more are started.
    pub(super) stop_after: Option<u64>,
    /// The most changes that the run may make; `None` for any number.
    pub(super) max_changes: Option<u64>,
    /// Whether the run uses the embedded sandbox.
    pub(super) sandbox: bool,
    /// The faults the sandbox simulates.
    pub(super) faults: Vec<String>,
    /// The requested profile, or the one that was active when the run started.
    pub(super) profile: Option<String>,
    /// The address of that profile.
    pub(super) address: Option<String>,
    /// The `prod` profiles the user confirmed changes to; `*` matches every profile.
    pub(super) agreed: Vec<String>,
    /// The folder that relative paths start from.
    pub(super) folder: Option<String>,
    /// Whether the result is printed as JSON.
    pub(super) json: bool,
    /// The columns of the rows, and their titles as the file spells them.
    pub(super) columns: Vec<String>,
    pub(super) titles: Vec<String>,
    /// How the imports resolve: importing source, import path, imported source.
    pub(super) imports: Vec<(String, String, String)>,
    /// Parameters given on the command line, the same for every row. They may be secret, so they stay values.
    #[serde(skip)]
    pub(super) constants: Record,
}

/// Parses `--max-changes`: a number, or `none`.
pub(super) fn max_changes(text: &str) -> Result<u64, String> {
    // The largest number that a plan can hold.
    let any = i64::MAX.unsigned_abs();
    if text == "none" {
        return Ok(any);
    }
    let number = text.parse().ok().filter(|number| *number <= any);
    number.ok_or_else(|| "it must be a number of changes, or none".to_owned())
}

impl RunPlan {
    /// The value stored in the journal.
    pub(super) fn to_value(&self) -> Value {
        let options = serde_json::to_value(self).map_or(Value::Null, Value::from_json);
        let mut fields = options.as_record().cloned().unwrap_or_default();
        fields.insert("constants".to_owned(), Value::Record(self.constants.clone()));
        Value::Record(fields)
    }

    /// Reads a value written by [`RunPlan::to_value`]. Fields that are missing or of another type get their defaults.
    pub(super) fn from_value(value: &Value) -> RunPlan {
        let constants = value.as_record().and_then(|fields| fields.get("constants"));
        let read = |json: &Json| RunPlan::deserialize(json);
        let json = value.to_masked_json();
        let plan = read(&json).unwrap_or_else(|_| {
            // One damaged field must not turn a run of the sandbox into one of an account.
            let fields = json.as_object().cloned().unwrap_or_default().into_iter();
            let readable =
                fields.filter(|(key, value)| read(&Json::from_iter([(key.clone(), value.clone())])).is_ok());
            read(&readable.collect()).unwrap_or_default()
        });
        RunPlan {
            constants: constants.and_then(Value::as_record).cloned().unwrap_or_default(),
            jobs: plan.jobs.max(1),
            ..plan
        }
    }

    /// Identifies the script across runs.
    pub(super) fn workflow(&self) -> String {
        let derived = || {
            let path = self.script_path();
            path.canonicalize().unwrap_or(path).display().to_string()
        };
        self.workflow.clone().unwrap_or_else(derived)
    }

    /// The script's path, from the folder where the run began.
    pub(super) fn script_path(&self) -> PathBuf {
        Path::new(self.folder.as_deref().unwrap_or_default()).join(&self.script)
    }

    /// Whether both plans work on the same account: the sandbox, or the same profile at the same address.
    pub(super) fn same_target(&self, other: &RunPlan) -> bool {
        let real = |plan: &RunPlan| (plan.profile.clone(), plan.address.clone());
        match (self.sandbox, other.sandbox) {
            (false, false) => real(self) == real(other),
            (mine, theirs) => mine && theirs,
        }
    }

    /// The same plan for another current folder, with paths to the same files.
    pub(super) fn rebased_on(mut self, folder: &Path) -> RunPlan {
        let Some(home) = self.folder.clone().filter(|home| Path::new(home) != folder) else {
            return self;
        };
        let place = |path: &mut String| {
            if path != "-" {
                *path = Path::new(&home).join(&*path).display().to_string();
            }
        };
        place(&mut self.script);
        [&mut self.rows, &mut self.out]
            .into_iter()
            .flatten()
            .for_each(place);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::secret::Secret;

    #[test]
    fn a_run_plan_round_trips_as_a_journal_value() {
        let plan = RunPlan {
            script: "onboard.rhai".into(),
            rows: Some("clients.csv".into()),
            reveal: vec!["password".into()],
            jobs: 8,
            stop_after: Some(3),
            max_changes: Some(i64::MAX.unsigned_abs()),
            sandbox: true,
            faults: vec!["partners:500".into()],
            profile: Some("acme".into()),
            address: Some("https://acme-admin.mobsted.com".into()),
            folder: Some("/work".into()),
            imports: vec![("a".into(), "b".into(), "c".into())],
            constants: Record::from([("token".to_owned(), Secret::new("t").into())]),
            ..RunPlan::default()
        };
        assert_eq!(RunPlan::from_value(&plan.to_value()), plan);
    }

    #[test]
    fn a_damaged_field_of_a_run_plan_leaves_the_others() {
        let plan = RunPlan {
            script: "onboard.rhai".into(),
            sandbox: true,
            jobs: 8,
            ..RunPlan::default()
        };
        let mut fields = plan.to_value().as_record().cloned().unwrap_or_default();
        fields.insert("jobs".to_owned(), "many".into());
        let read = RunPlan::from_value(&Value::Record(fields));
        assert_eq!(read, RunPlan { jobs: 1, ..plan });
    }

    #[test]
    fn from_another_folder_paths_lead_to_the_same_files() {
        let plan = RunPlan {
            script: "onboard.rhai".into(),
            rows: Some("-".into()),
            out: Some("/tmp/results.csv".into()),
            folder: Some("/work".into()),
            ..RunPlan::default()
        };
        assert_eq!(plan.clone().rebased_on(Path::new("/work")), plan);
        let seen = plan.rebased_on(Path::new("/elsewhere"));
        assert_eq!(seen.script, "/work/onboard.rhai");
        assert_eq!(
            (seen.rows.as_deref(), seen.out.as_deref()),
            (Some("-"), Some("/tmp/results.csv"))
        );
    }
}

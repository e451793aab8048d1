//! The plan of a run: what the command line requested, stored with the run so that a resume does the same.

use std::path::Path;

use crate::script::bundle::Bundle;
use crate::value::{Record, Value};

/// The options of a run, apart from its script.
#[derive(Debug, Clone, PartialEq, Default)]
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
    /// Parameters given on the command line, the same for every row.
    pub(super) constants: Record,
}

impl RunPlan {
    /// The value stored in the journal.
    pub(super) fn to_value(&self) -> Value {
        let text = |text: &Option<String>| text.as_deref().map_or(Value::Null, Value::from);
        let int = |int: u64| Value::Int(i64::try_from(int).unwrap_or(i64::MAX));
        let list = |names: &[String]| Value::List(names.iter().map(|name| name.as_str().into()).collect());
        let fields = [
            ("script", Value::from(self.script.as_str())),
            ("session", self.session.into()),
            ("workflow", text(&self.workflow)),
            ("again", self.again.into()),
            ("rows", text(&self.rows)),
            ("rows_format", text(&self.rows_format)),
            ("out", text(&self.out)),
            ("format", text(&self.format)),
            ("reveal", list(&self.reveal)),
            ("faults", list(&self.faults)),
            ("columns", list(&self.columns)),
            ("titles", list(&self.titles)),
            ("agreed", list(&self.agreed)),
            ("jobs", int(self.jobs as u64)),
            ("stop_after", self.stop_after.map_or(Value::Null, int)),
            ("sandbox", self.sandbox.into()),
            ("profile", text(&self.profile)),
            ("address", text(&self.address)),
            ("folder", text(&self.folder)),
            ("json", self.json.into()),
            ("csv_safe", self.csv_safe.into()),
            ("imports", Bundle::imports_to_value(&self.imports)),
            ("constants", Value::Record(self.constants.clone())),
        ];
        Value::Record(fields.map(|(name, value)| (name.to_owned(), value)).into())
    }

    /// Reads a value written by [`RunPlan::to_value`]. Missing fields get their defaults.
    pub(super) fn from_value(value: &Value) -> RunPlan {
        let field = |name: &str| value.as_record().and_then(|fields| fields.get(name));
        let text = |name: &str| field(name).and_then(Value::as_text).map(str::to_owned);
        let flag = |name: &str| matches!(field(name), Some(Value::Bool(true)));
        let int = |name: &str| match field(name) {
            Some(Value::Int(int)) => u64::try_from(*int).ok(),
            _ => None,
        };
        let list = |name: &str| match field(name) {
            Some(Value::List(names)) => names
                .iter()
                .filter_map(Value::as_text)
                .map(str::to_owned)
                .collect(),
            _ => Vec::new(),
        };
        RunPlan {
            imports: Bundle::imports_of(field("imports")),
            script: text("script").unwrap_or_default(),
            session: flag("session"),
            workflow: text("workflow"),
            again: flag("again"),
            rows: text("rows"),
            rows_format: text("rows_format"),
            out: text("out"),
            format: text("format"),
            reveal: list("reveal"),
            faults: list("faults"),
            columns: list("columns"),
            titles: list("titles"),
            agreed: list("agreed"),
            jobs: int("jobs")
                .and_then(|jobs| usize::try_from(jobs).ok())
                .unwrap_or(1),
            stop_after: int("stop_after"),
            sandbox: flag("sandbox"),
            profile: text("profile"),
            address: text("address"),
            folder: text("folder"),
            json: flag("json"),
            csv_safe: flag("csv_safe"),
            constants: field("constants")
                .and_then(Value::as_record)
                .cloned()
                .unwrap_or_default(),
        }
    }
}

impl RunPlan {
    /// Identifies the script across runs.
    pub(super) fn workflow(&self) -> String {
        let home = Path::new(self.folder.as_deref().unwrap_or_default());
        let derived = || {
            let path = home.join(&self.script);
            path.canonicalize().unwrap_or(path).display().to_string()
        };
        self.workflow.clone().unwrap_or_else(derived)
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
mod tests;

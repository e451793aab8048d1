//! The plan of a run: what the command line asked for, kept with the run so that a resume asks for the same.

use std::path::Path;

use crate::script::bundle::Bundle;
use crate::value::{Record, Value};

/// What a run was asked to do, beside its script.
#[derive(Debug, Clone, PartialEq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct RunPlan {
    /// The script as it was named.
    pub(super) script: String,
    /// Is it a session at the prompt, whose rows are inputs?
    pub(super) session: bool,
    /// Which script it is, whatever run it is in: its whole path. Runs of earlier versions do not have it.
    pub(super) workflow: Option<String>,
    /// May acts be done again that earlier runs did?
    pub(super) again: bool,
    /// Where rows come from: a path, `-`, or nothing for one call.
    pub(super) rows: Option<String>,
    /// The form of the rows, when it does not follow from the ending.
    pub(super) rows_format: Option<String>,
    /// Where results go; standard output when not given.
    pub(super) out: Option<String>,
    /// The form of the results, when it does not follow from the ending.
    pub(super) format: Option<String>,
    /// Is CSV written for a spreadsheet?
    pub(super) csv_safe: bool,
    /// Secret columns that are written in clear.
    pub(super) reveal: Vec<String>,
    /// Rows at once.
    pub(super) jobs: usize,
    /// Failures before no more rows are taken.
    pub(super) stop_after: Option<u64>,
    /// On the embedded sandbox?
    pub(super) sandbox: bool,
    /// The sandbox's faults.
    pub(super) faults: Vec<String>,
    /// The profile that was asked for, or the one that was active when the run started.
    pub(super) profile: Option<String>,
    /// That profile's address.
    pub(super) address: Option<String>,
    /// The `prod` profiles that somebody agreed to change; `*` is every one.
    pub(super) agreed: Vec<String>,
    /// The folder that paths start from.
    pub(super) folder: Option<String>,
    /// Print the result as JSON?
    pub(super) json: bool,
    /// The columns of the rows, and as the file writes them.
    pub(super) columns: Vec<String>,
    pub(super) titles: Vec<String>,
    /// Which import of which source is which source: from, path, name.
    pub(super) imports: Vec<(String, String, String)>,
    /// Parameters given on the command line for every row.
    pub(super) constants: Record,
}

impl RunPlan {
    /// The form in which the journal keeps it.
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

    /// Reads what [`RunPlan::to_value`] wrote. What is missing is as if it had not been asked for.
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
    /// Which script it is, whatever run it is in.
    pub(super) fn workflow(&self) -> String {
        let home = Path::new(self.folder.as_deref().unwrap_or_default());
        let derived = || {
            let path = home.join(&self.script);
            path.canonicalize().unwrap_or(path).display().to_string()
        };
        self.workflow.clone().unwrap_or_else(derived)
    }

    /// Does it work with the same account as another: the sandbox, or the same profile at the same address?
    pub(super) fn works_where(&self, other: &RunPlan) -> bool {
        let real = |plan: &RunPlan| (plan.profile.clone(), plan.address.clone());
        match (self.sandbox, other.sandbox) {
            (false, false) => real(self) == real(other),
            (mine, theirs) => mine && theirs,
        }
    }

    /// The same plan, seen from another folder: its paths lead to the same files.
    pub(super) fn seen_from(mut self, folder: &Path) -> RunPlan {
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

//! Values that leave the session: revealed secrets, and files.

use std::io;
use std::path::Path;

use super::ask;
use super::host::{CliHost, lock};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::line_input;
use crate::cli::private_file;
use crate::repl::host::Export;
use crate::report::reveal::Reveal;
use crate::report::{Format, write_records};
use crate::run::interrupt::Interrupt;
use crate::value::{Record, Value};

/// The column for values without names.
const VALUE: &str = "value";

impl CliHost {
    /// Returns a value with its secrets in clear, after the user has confirmed that and it was recorded.
    pub(super) fn reveal_value(
        &self,
        what: &str,
        value: &Value,
        interrupt: &Interrupt,
    ) -> Result<String, CommandError> {
        let reveal = self.may_reveal(
            &format!("the secrets of `{what}`"),
            &[VALUE.to_owned()],
            interrupt,
        )?;
        Ok(match reveal.json(VALUE, value) {
            serde_json::Value::String(text) => text,
            json => serde_json::to_string_pretty(&json).unwrap_or_default(),
        })
    }

    /// Writes a value to a file readable by its owner only, and returns the number of records.
    pub(super) fn export_value(
        &self,
        export: &Export,
        value: &Value,
        interrupt: &Interrupt,
    ) -> Result<usize, CommandError> {
        let path = self.app.env.folder().join(&export.file);
        let Some(format) = Format::of(Path::new(&export.file)) else {
            let error = CommandError::usage(format!("unsupported file type: `{}`", export.file));
            return Err(error.hint("use .csv, .json or .jsonl"));
        };
        if path.exists() && !export.replace {
            let confirmed = ask::confirmed(&format!("Replace `{}`?", export.file), interrupt);
            if !confirmed {
                return Err(CommandError::usage(format!("`{}` exists", export.file))
                    .hint("choose another name, or add --force to replace it"));
            }
        }
        let records = records(value);
        let mut columns = columns(&records);
        let reveal = if export.reveal {
            let what = format!("the secrets of `{}`, written to {},", export.name, export.file);
            columns.push(VALUE.to_owned());
            let reveal = self.may_reveal(&what, &columns, interrupt)?;
            columns.pop();
            reveal
        } else {
            Reveal::nothing()
        };
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        private_file::write(&path, |sink: &mut dyn io::Write| {
            let written = match format {
                Format::Csv | Format::InertCsv => write_records(sink, format, &names, &records, &reveal),
                Format::Json | Format::JsonLines => write_json(sink, format, value, &reveal),
            };
            Ok(written?)
        })?;
        Ok(records.len())
    }

    fn may_reveal(
        &self,
        what: &str,
        columns: &[String],
        interrupt: &Interrupt,
    ) -> Result<Reveal, CommandError> {
        if !line_input::has_terminal() {
            let error = CommandError::usage(format!("{what} are shown at a terminal only"));
            return Err(error.hint("`provisor tenants export --reveal --yes` writes passwords into a file"));
        }
        if !ask::confirmed(&format!("Show {what} in clear?"), interrupt) {
            return Err(CommandError::new(Exit::Aborted, "nothing was shown"));
        }
        let actor = self.app.actor();
        let engine = lock(&self.engine).clone();
        match engine {
            Some(engine) => engine.journal.audit("reveal", &actor, &what.into())?,
            None => self.app.journal()?.audit("reveal", &actor, &what.into())?,
        }
        self.app.ui.note("this is recorded: see provisor audit");
        Ok(Reveal::columns(columns.iter().cloned()))
    }
}

/// Writes the value as JSON, or as JSON lines with one line per item of a list.
fn write_json(sink: &mut dyn io::Write, format: Format, value: &Value, reveal: &Reveal) -> io::Result<()> {
    match (format, value) {
        (Format::JsonLines, Value::List(items)) => {
            for item in items {
                writeln!(sink, "{}", reveal.json(VALUE, item))?;
            }
        }
        _ => writeln!(sink, "{}", reveal.json(VALUE, value))?,
    }
    sink.flush()
}

/// Converts the items of a list, or the value itself, to records.
fn records(value: &Value) -> Vec<Record> {
    let record = |value: &Value| match value {
        Value::Record(fields) => fields.clone(),
        Value::Object(object) => {
            let shown = object.shown_fields();
            shown.map(|(name, value)| (name.clone(), value.clone())).collect()
        }
        other => Record::from([(VALUE.to_owned(), other.clone())]),
    };
    match value {
        Value::List(items) => items.iter().map(record).collect(),
        other => vec![record(other)],
    }
}

fn columns(records: &[Record]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for name in records.iter().flat_map(|record| record.keys()) {
        if !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::value::secret::Secret;
    use serde_json::json;

    fn written(format: Format, value: &Value, reveal: &Reveal) -> String {
        let mut bytes = Vec::new();
        write_json(&mut bytes, format, value, reveal).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn json_output_is_the_bare_value_with_secrets_masked() {
        for value in [json!({"a": 1}), json!([1, 2]), json!("t"), json!([{"a": [null]}])] {
            let kept = Value::from_json(value.clone());
            let text = written(Format::Json, &kept, &Reveal::nothing());
            assert_eq!(text, format!("{value}\n"));
        }
        let list = Value::from_json(json!([1, {"a": "x"}]));
        assert_eq!(
            written(Format::JsonLines, &list, &Reveal::nothing()),
            "1\n{\"a\":\"x\"}\n"
        );
        let secret = Value::List(vec![Secret::new("hunter2").into()]);
        assert_eq!(written(Format::Json, &secret, &Reveal::nothing()), "[\"***\"]\n");
        assert_eq!(
            written(Format::Json, &secret, &Reveal::columns([VALUE])),
            "[\"hunter2\"]\n"
        );
    }
}

//! Files of the script's project, and the environment. Results are recorded, so that a resumed row sees the same ones.

use std::collections::HashSet;
use std::fmt;
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use csv::ReaderBuilder;

use super::call::Call;
use super::context::OpContext;
use super::error::{Code, OpError};
use super::spec::{Boxed, Effect, OpSpec, Param, Timeout, Type};
use crate::value::secret::{Secret, names_a_credential};
use crate::value::{Record, Value, read_json};

/// The largest file that is read, in bytes. Each row that reads it records its content.
const MAX_BYTES: u64 = 4 << 20;

/// The largest CSV file that is read: in memory, each field is many times as large as in the file.
const MAX_COLUMNS: usize = 1_000;
const MAX_FIELDS: usize = 500_000;

type Variables = dyn Fn(&str) -> Option<String> + Send + Sync;

/// What a script must not read, although it is in its project or environment.
pub(crate) trait Withheld: Send + Sync {
    /// Why this file, a path with links resolved, is withheld.
    fn file(&self, path: &Path) -> Option<Withholding>;

    /// Why this variable is withheld.
    fn variable(&self, name: &str) -> Option<Withholding>;
}

/// Why something is withheld.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Withholding {
    /// The reason; continues a sentence that starts with the name of what is withheld.
    pub(crate) reason: String,
    /// What to do instead.
    pub(crate) hint: String,
}

impl Withholding {
    fn error(self, name: &str) -> OpError {
        OpError::new(Code::Forbidden, format!("`{name}` {}", self.reason)).hint(self.hint)
    }
}

/// What a script may read of its machine: files in a folder, and variables of the environment.
#[derive(Clone)]
pub struct Project {
    folder: PathBuf,
    root: PathBuf,
    variables: Arc<Variables>,
    withheld: Option<Arc<dyn Withheld>>,
}

impl fmt::Debug for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Project").field(&self.root).finish()
    }
}

impl Project {
    /// Lets scripts read files in a folder, and no variables. Relative paths start there.
    pub fn new(folder: impl Into<PathBuf>) -> Project {
        let folder = folder.into();
        Project {
            root: folder.clone(),
            folder,
            variables: Arc::new(|_| None),
            withheld: None,
        }
    }

    /// Lets scripts read files in this folder, which contains the one that relative paths start from.
    #[must_use]
    pub fn within(self, root: impl Into<PathBuf>) -> Project {
        let root = root.into();
        Project { root, ..self }
    }

    /// Sets the environment: a function that returns the text of a variable.
    #[must_use]
    pub fn variables(self, get: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Project {
        let variables = Arc::new(get);
        Project { variables, ..self }
    }

    /// Withholds some files and variables.
    #[cfg(feature = "cli")]
    #[must_use]
    pub(crate) fn withholding(self, withheld: impl Withheld + 'static) -> Project {
        let withheld = Some(Arc::new(withheld) as Arc<dyn Withheld>);
        Project { withheld, ..self }
    }

    /// Checks that a script may read the file at this path. The error is a sentence without a full stop.
    pub(crate) fn check(&self, path: &str) -> Result<(), String> {
        self.open(path).map(drop).map_err(|error| error.message)
    }

    /// Opens a file in the folder, with links resolved.
    fn open(&self, path: &str) -> Result<File, OpError> {
        let wrong = |code, reason: String| OpError::new(code, format!("`{path}` {reason}"));
        let outside = || {
            let root = self.root.display();
            wrong(
                Code::Forbidden,
                format!("is outside the project's folder, {root}"),
            )
            .hint("a script reads files of its project only; put the file there, or a copy of it")
        };
        if path.is_empty() {
            return Err(OpError::new(Code::BadArgument, "the path of a file is empty"));
        }
        let unreadable = |error: &std::io::Error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => {
                let folder = self.folder.display();
                wrong(Code::NotFound, "does not exist".to_owned())
                    .hint(format!("relative paths start from the script's folder, {folder}"))
            }
            _ => wrong(Code::Forbidden, format!("cannot be read: {error}")),
        };
        let root = fs::canonicalize(&self.root).map_err(|error| unreadable(&error))?;
        let place = self.folder.join(path);
        let real = match fs::canonicalize(&place) {
            Ok(real) => real,
            // Whether something exists outside is no business of the script.
            Err(_) if !nearest_folder(&place).is_some_and(|folder| folder.starts_with(&root)) => {
                return Err(outside());
            }
            Err(error) => return Err(unreadable(&error)),
        };
        if !real.starts_with(&root) {
            return Err(outside());
        }
        // Before it is opened: a pipe would wait for its writer.
        let found = fs::metadata(&real).map_err(|error| unreadable(&error))?;
        if !found.is_file() {
            return Err(wrong(Code::BadArgument, "is not a file".to_owned()));
        }
        if let Some(withholding) = self.withheld.as_ref().and_then(|withheld| withheld.file(&real)) {
            return Err(withholding.error(path));
        }
        File::open(&real).map_err(|error| unreadable(&error))
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, OpError> {
        let file = self.open(path)?;
        let mut bytes = Vec::new();
        let read = file.take(MAX_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(|error| OpError::new(Code::Forbidden, format!("`{path}` cannot be read: {error}")))?;
        if bytes.len() as u64 > MAX_BYTES {
            let message = format!("`{path}` is too large: a script reads files of up to 4 MiB");
            let hint = "for many rows use --rows; otherwise split the file, or send it with another tool";
            return Err(OpError::new(Code::BadArgument, message).hint(hint));
        }
        Ok(bytes)
    }

    fn text(&self, path: &str) -> Result<String, OpError> {
        let text = String::from_utf8(self.read(path)?).map_err(|_| {
            malformed(path, "is not UTF-8 text")
                .hint("save it as UTF-8; to send a file as it is, use `read_bytes`")
        })?;
        Ok(match text.strip_prefix('\u{feff}') {
            Some(text) => text.to_owned(),
            None => text,
        })
    }

    fn csv(&self, path: &str) -> Result<Vec<Value>, OpError> {
        let text = self.text(path)?;
        let ending = Path::new(path).extension();
        let has_tabs = ending.is_some_and(|ending| ending.eq_ignore_ascii_case("tsv"));
        let delimiter = if has_tabs { b'\t' } else { b',' };
        rows(&text, delimiter).map_err(|wrong| match wrong {
            Wrong::Form(reason) => malformed(path, &reason),
            Wrong::Size(reason) => malformed(path, &reason)
                .hint("to run the script for each row of a file, use --rows; otherwise split the file"),
        })
    }

    fn variable(&self, name: &str) -> Result<Option<String>, OpError> {
        match self
            .withheld
            .as_ref()
            .and_then(|withheld| withheld.variable(name))
        {
            Some(withholding) => Err(withholding.error(name)),
            None => Ok((self.variables)(name)),
        }
    }
}

/// Returns the nearest folder above a path that exists, with links resolved.
fn nearest_folder(path: &Path) -> Option<PathBuf> {
    path.ancestors()
        .skip(1)
        .find_map(|above| fs::canonicalize(above).ok())
}

const PATH: Param = Param::required(
    "path",
    Type::Text,
    "the file, relative to the script's folder; inside the project",
);

const ERRORS: &[(Code, &str)] = &[
    (Code::NotFound, "there is no such file"),
    (
        Code::Forbidden,
        "the file is outside the project's folder, holds a secret of a profile, belongs to provisor, or may not be read",
    ),
    (
        Code::BadArgument,
        "it is not a file, is too large, or does not have the form that is read",
    ),
];

/// Defines the operation that reads one form of file.
macro_rules! reading {
    ($name:literal, $summary:literal, $doc:literal, $result:literal, $file:literal, $run:ident) => {
        OpSpec {
            module: "",
            name: $name,
            receiver: None,
            summary: $summary,
            doc: $doc,
            params: &[PATH],
            result: $result,
            errors: ERRORS,
            effect: Effect::Observe,
            timeout: Timeout::Reply,
            example: concat!(
                "let found = attempt(|| ",
                $name,
                "(\"",
                $file,
                "\"));\nif found.ok { found.value } else { found.error.kind }"
            ),
            run: &$run,
        }
    };
}

/// Operations that read files and the environment.
pub(super) static OPS: &[OpSpec] = &[
    reading!(
        "read_text",
        "Read a text file of the project",
        "The file is UTF-8 text; a byte order mark is left out. A resumed row sees the recorded text.",
        "string",
        "terms.txt",
        read_text
    ),
    reading!(
        "read_json",
        "Read a JSON file of the project",
        "A resumed row sees the recorded value.",
        "any value",
        "plans.json",
        read_json_file
    ),
    reading!(
        "read_csv",
        "Read a CSV file of the project",
        "Returns a map for each row, with the names of the first line as keys and texts as values. The fields of a .tsv file \
         are separated by tabs. At most 1,000 columns and 500,000 fields. A resumed row sees the recorded rows. To run the script for each row of a file, use --rows.",
        "list of maps",
        "plans.csv",
        read_csv
    ),
    reading!(
        "read_bytes",
        "Read a file of the project to send it",
        "Returns a map of `content` in base64, `encoding` and `filename`, which can be a part of `multipart` as it is. A \
         resumed row sees the recorded content.",
        "map",
        "logo.png",
        read_bytes
    ),
    OpSpec {
        module: "",
        name: "env",
        receiver: None,
        summary: "Read a variable of the environment",
        doc: "The value is a secret if the name says so, as in `CRM_TOKEN` or `DB_PASSWORD`. A resumed row sees the recorded \
              value.",
        params: &[
            Param::required("name", Type::Text, "the name of the variable"),
            Param {
                name: "default",
                ty: Type::SecretText,
                required: false,
                doc: "the value if the variable is not set",
            },
        ],
        result: "string or secret",
        errors: &[
            (Code::NotFound, "the variable is not set, and no default is given"),
            (
                Code::Forbidden,
                "the variable holds a secret of a profile, or the runtime gives scripts no environment",
            ),
        ],
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "env(\"ONBOARDING_REGION\", \"eu\")",
        run: &env,
    },
];

fn read_text<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move { read(context, call, Project::text).await.map(Value::Text) })
}

fn read_json_file<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let json = |project: &Project, path: &str| {
            let json = read_json(project.text(path)?.as_bytes());
            json.map(Value::from_json)
                .map_err(|reason| malformed(path, &format!("is not JSON: {reason}")))
        };
        read(context, call, json).await
    })
}

fn read_csv<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move { read(context, call, Project::csv).await.map(Value::List) })
}

fn read_bytes<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let bytes = read(context, call, Project::read).await?;
        let path = call.text("path");
        let name = Path::new(&path).file_name().unwrap_or_default();
        Ok(Value::Record(Record::from([
            ("content".to_owned(), STANDARD.encode(bytes).into()),
            ("encoding".to_owned(), "base64".into()),
            ("filename".to_owned(), name.to_string_lossy().as_ref().into()),
        ])))
    })
}

fn env<'a>(context: &'a OpContext, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let name = call.text("name");
        let Some(text) = project(context, call)?.variable(&name)? else {
            return match call.arg("default") {
                Value::Null => {
                    let message = format!("the environment has no variable `{name}`");
                    let hint = format!("set it, or give a default: env({name:?}, \"…\")");
                    Err(OpError::new(Code::NotFound, message).hint(hint))
                }
                default => Ok(default.clone()),
            };
        };
        if is_secret(&name) {
            return Ok(Secret::new(text).into());
        }
        Ok(text.into())
    })
}

/// Whether a variable of this name holds a credential: `CRM_TOKEN`, `DB_PASSWORD`.
pub(crate) fn is_secret(variable: &str) -> bool {
    let ends = variable.match_indices('_').map(|(at, _)| &variable[at + 1..]);
    ends.chain([variable]).any(names_a_credential)
}

fn project<'a>(context: &'a OpContext, call: &Call) -> Result<&'a Project, OpError> {
    context.project().ok_or_else(|| {
        let message = format!(
            "`{}` reads the machine, and this runtime gives scripts nothing of it",
            call.op.id()
        );
        OpError::new(Code::Forbidden, message).hint("pass the value as a parameter of `main`")
    })
}

/// Reads the call's file away from the runtime's threads, so that the call can be interrupted.
async fn read<T: Send + 'static>(
    context: &OpContext,
    call: &Call,
    form: impl FnOnce(&Project, &str) -> Result<T, OpError> + Send + 'static,
) -> Result<T, OpError> {
    let (project, path) = (project(context, call)?.clone(), call.text("path"));
    let read = tokio::task::spawn_blocking(move || form(&project, &path)).await;
    read.unwrap_or_else(|error| {
        Err(OpError::new(
            Code::Internal,
            format!("a file was not read: {error}"),
        ))
    })
}

fn malformed(path: &str, reason: &str) -> OpError {
    OpError::new(Code::BadArgument, format!("`{path}` {reason}"))
}

/// Why a delimited text is not read; continues a sentence that starts with the file's name.
#[derive(Debug, PartialEq, Eq)]
enum Wrong {
    Form(String),
    Size(String),
}

/// Returns the rows of a delimited text.
fn rows(text: &str, delimiter: u8) -> Result<Vec<Value>, Wrong> {
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let malformed = |error: csv::Error| match error.kind() {
        csv::ErrorKind::UnequalLengths {
            pos,
            expected_len,
            len,
        } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            Wrong::Form(format!(
                "has a malformed row, line {line}: it has {len} fields, and the header {expected_len}"
            ))
        }
        _ => Wrong::Form(format!("cannot be read: {error}")),
    };
    let header = reader.headers().map_err(malformed)?;
    let names: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    if names.len() > MAX_COLUMNS {
        let count = names.len();
        return Err(Wrong::Size(format!(
            "has {count} columns; a script reads up to {MAX_COLUMNS}"
        )));
    }
    let mut seen = HashSet::new();
    for (at, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(Wrong::Form(format!(
                "has a column without a name: number {}",
                at + 1
            )));
        }
        if !seen.insert(name) {
            return Err(Wrong::Form(format!("has two columns `{name}`")));
        }
    }
    let most_rows = MAX_FIELDS / names.len().max(1);
    let mut rows = Vec::new();
    let mut last = String::new();
    for record in reader.records() {
        let record = record.map_err(malformed)?;
        if rows.len() == most_rows {
            return Err(Wrong::Size(format!(
                "is too large: a script reads up to {MAX_FIELDS} fields, here {most_rows} rows"
            )));
        }
        record
            .iter()
            .next_back()
            .unwrap_or_default()
            .clone_into(&mut last);
        let cells = names.iter().cloned().zip(record.iter().map(Value::from));
        rows.push(Value::Record(cells.collect()));
    }
    // A quote that is never closed takes all lines behind it into its field.
    if text.matches('"').count() % 2 == 1 && last.contains('\n') {
        let reason = "has a quote that is never closed";
        return Err(Wrong::Form(reason.to_owned()));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn json(text: &str, delimiter: u8) -> Result<String, Wrong> {
        let rows = Value::List(rows(text, delimiter)?);
        Ok(rows.to_masked_json().to_string())
    }

    #[test]
    fn delimited_text_becomes_one_map_per_row() {
        for (text, delimiter, expected) in [
            (
                "name, plan\nAnn,\"a, \"\"b\"\"\"\n\nBob,\"x\ny\"\n",
                b',',
                r#"[{"name":"Ann","plan":"a, \"b\""},{"name":"Bob","plan":"x\ny"}]"#,
            ),
            ("a\tb\r\n1\t 2\r\n", b'\t', r#"[{"a":"1","b":" 2"}]"#),
            ("a,b\n", b',', "[]"),
        ] {
            assert_eq!(json(text, delimiter).unwrap(), expected);
        }
        for (text, reason) in [
            (
                "a,b\n1\n",
                "has a malformed row, line 2: it has 1 fields, and the header 2",
            ),
            ("a,a\n1,2\n", "has two columns `a`"),
            ("a,\n1,2\n", "has a column without a name: number 2"),
            ("a,b\n1,\"x\n2,y\n", "has a quote that is never closed"),
        ] {
            assert_eq!(json(text, b',').unwrap_err(), Wrong::Form(reason.to_owned()));
        }
    }

    #[test]
    fn too_many_columns_or_fields_are_refused() {
        let header = |columns: usize| {
            let names: Vec<String> = (0..columns).map(|at| format!("c{at}")).collect();
            names.join(",") + "\n"
        };
        let size = |text: &str| match rows(text, b',') {
            Ok(rows) => Ok(rows.len()),
            Err(Wrong::Size(reason)) => Err(reason),
            Err(Wrong::Form(reason)) => panic!("{reason}"),
        };
        assert_eq!(size(&header(MAX_COLUMNS)), Ok(0));
        // The most that fits in a file: to compare each name with all others would take minutes.
        let most = 500_000;
        assert_eq!(
            size(&header(most)),
            Err(format!("has {most} columns; a script reads up to 1000"))
        );
        let row = format!("{}\n", ",".repeat(99));
        let text = format!("{}{}", header(100), row.repeat(MAX_FIELDS / 100));
        assert_eq!(size(&text), Ok(5_000));
        assert_eq!(
            size(&format!("{text}{row}")).unwrap_err(),
            "is too large: a script reads up to 500000 fields, here 5000 rows"
        );
    }

    #[cfg(unix)]
    #[test]
    fn only_files_below_the_root_are_read() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at("root/scripts/sub")).unwrap();
        fs::write(at("root/scripts/own.txt"), "own").unwrap();
        fs::write(at("root/shared.txt"), "shared").unwrap();
        fs::write(at("secret.txt"), "secret").unwrap();
        symlink(at("secret.txt"), at("root/scripts/link.txt")).unwrap();
        symlink(at(""), at("root/scripts/up")).unwrap();
        symlink(at("root/shared.txt"), at("root/scripts/inside.txt")).unwrap();
        let big = File::create(at("root/big.txt")).unwrap();
        big.set_len(MAX_BYTES + 1).unwrap();
        let project = Project::new(at("root/scripts")).within(at("root"));
        let read = |path: &str| {
            let read = project.read(path);
            read.map(|bytes| String::from_utf8(bytes).unwrap())
                .map_err(|error| error.code.as_str())
        };
        let whole = at("root/shared.txt").display().to_string();
        for (path, found) in [
            ("own.txt", Ok("own")),
            ("./sub/../own.txt", Ok("own")),
            ("../shared.txt", Ok("shared")),
            ("inside.txt", Ok("shared")),
            (&whole, Ok("shared")),
            ("none.txt", Err("not_found")),
            ("own.txt/x", Err("not_found")),
            ("sub", Err("bad_argument")),
            ("", Err("bad_argument")),
            ("../big.txt", Err("bad_argument")),
            ("../../secret.txt", Err("forbidden")),
            ("../../none.txt", Err("forbidden")),
            ("link.txt", Err("forbidden")),
            ("up/secret.txt", Err("forbidden")),
            ("up/none.txt", Err("forbidden")),
            ("/etc/hostname", Err("forbidden")),
        ] {
            assert_eq!(read(path), found.map(str::to_owned), "{path}");
        }
    }
}

//! Fetches commits with the program `git`. Nothing is checked out, so no hook, filter or submodule of the repository ever
//! runs: files are read from git's own objects.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::rc::Rc;

use tempfile::TempDir;

use super::source::{GitSource, is_commit};
use super::{MAX_SOURCE_BYTES, PackageError};
use crate::config::Env;

/// Options of each call. They win over the user's configuration, which still applies to the network and credentials.
const OPTIONS: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.askPass=",
    "credential.interactive=false",
    "fetch.recurseSubmodules=false",
    "submodule.recurse=false",
    "transfer.bundleURI=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.version=2",
    // A server that sends less than this many bytes a second for a minute is given up.
    "http.lowSpeedLimit=100",
    "http.lowSpeedTime=60",
];

/// The variables of git that still apply: where its configuration is, and how it connects.
const KEPT: &[&str] = &[
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_EXEC_PATH",
    "GIT_PROXY_COMMAND",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_SSL_CERT",
    "GIT_SSL_KEY",
];

/// The program `git` and what was fetched with it.
pub(super) struct Git {
    variables: BTreeMap<OsString, OsString>,
    /// The commits by URL and revision.
    fetched: RefCell<BTreeMap<(String, String), Rc<Commit>>>,
}

/// A commit whose files can be read.
pub(super) struct Commit {
    /// Its hash.
    pub(super) hash: String,
    url: String,
    variables: BTreeMap<OsString, OsString>,
    repository: TempDir,
    /// The regular files: the hash and the size in bytes of each.
    files: BTreeMap<String, (String, u64)>,
}

impl Git {
    /// Git with the variables of this environment, but for those that would lead it elsewhere, and for provisor's own.
    pub(super) fn new(env: &Env) -> Git {
        let is_passed = |name: &OsStr| {
            let name = name.to_string_lossy();
            let leads_elsewhere = name.starts_with("GIT_") && !KEPT.contains(&name.as_ref());
            !leads_elsewhere && !name.starts_with("PROVISOR_") && name != "SSH_ASKPASS"
        };
        let variables = env.variables().filter(|(name, _)| is_passed(name));
        let mut variables: BTreeMap<OsString, OsString> = variables
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        for (name, value) in [
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_ALLOW_PROTOCOL", "https:ssh:file"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            // It wins over `init.defaultObjectFormat`; the hash of a commit is a SHA-1.
            ("GIT_DEFAULT_HASH", "sha1"),
            ("GCM_INTERACTIVE", "never"),
            ("SSH_ASKPASS_REQUIRE", "never"),
            // The messages that are told apart below.
            ("LC_ALL", "C"),
        ] {
            variables.insert(name.into(), value.into());
        }
        if !variables.contains_key(OsStr::new("GIT_SSH")) {
            let ssh = variables.entry("GIT_SSH_COMMAND".into());
            ssh.or_insert_with(|| "ssh -o BatchMode=yes -o ConnectTimeout=30".into());
        }
        Git {
            variables,
            fetched: RefCell::default(),
        }
    }

    /// Fetches the commit of a source, or the one that `pin` names.
    pub(super) fn fetch(&self, source: &GitSource, pin: Option<&str>) -> Result<Rc<Commit>, PackageError> {
        let key = (source.url.clone(), pin.unwrap_or(&source.revision).to_owned());
        if let Some(known) = self.fetched.borrow().get(&key) {
            return Ok(Rc::clone(known));
        }
        let commit = Rc::new(self.fetch_anew(source, pin)?);
        self.fetched.borrow_mut().insert(key, Rc::clone(&commit));
        Ok(commit)
    }

    fn fetch_anew(&self, source: &GitSource, pin: Option<&str>) -> Result<Commit, PackageError> {
        let url = source.url.as_str();
        let failed = |reason: String| PackageError::Fetch {
            url: url.to_owned(),
            reason,
        };
        let folder = tempfile::Builder::new().prefix("provisor-git-").tempdir();
        let repository = folder.map_err(|error| failed(format!("no folder for it: {error}")))?;
        let at = repository.path();
        let git = |arguments: &[&str]| run(&self.variables, at, url, arguments);
        let demand = |arguments: &[&str]| -> Result<String, PackageError> {
            let output = git(arguments)?;
            if output.status.success() {
                return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
            }
            Err(failed(reason(&output)))
        };
        demand(&["init", "--quiet", "--bare", "--template=", "."])?;
        let commit = pin.or(source.is_commit().then_some(source.revision.as_str()));
        let fetch = ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules"];
        let whole = || -> Result<String, PackageError> {
            let references = [
                "--",
                url,
                "+refs/heads/*:refs/heads/*",
                "+refs/tags/*:refs/tags/*",
            ];
            demand(&[&fetch[..], &references].concat())
        };
        let resolve = |name: &str| -> Result<Option<String>, PackageError> {
            let output = git(&["rev-parse", "--quiet", "--verify", &format!("{name}^{{commit}}")])?;
            let hash = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            Ok((output.status.success() && is_commit(&hash)).then_some(hash))
        };
        let hash = if let Some(commit) = commit {
            // Not every server gives out a commit by its hash.
            let one = git(&[&fetch[..], &["--depth=1", "--", url, commit]].concat())?;
            if !one.status.success() {
                whole()?;
            }
            resolve(commit)?
        } else {
            let revision = source.revision.as_str();
            let reference = format!("+refs/tags/{revision}:refs/tags/{revision}");
            let one = git(&[&fetch[..], &["--depth=1", "--", url, &reference]].concat())?;
            if one.status.success() {
                resolve(&format!("refs/tags/{revision}"))?
            } else if !reason(&one).contains("couldn't find remote ref") {
                return Err(failed(reason(&one)));
            } else if revision.len() >= 7 && revision.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                whole()?;
                resolve(revision)?.filter(|hash| hash.starts_with(revision))
            } else {
                None
            }
        };
        let Some(hash) = hash else {
            let revision = pin.unwrap_or(&source.revision);
            return Err(PackageError::Source {
                source_text: format!("git+{url}@{}", source.revision),
                problem: if pin.is_some() {
                    format!("the commit {revision} of the lock is no longer there")
                } else {
                    format!("the repository has no tag and no commit `{revision}`")
                },
                hint: Some(if pin.is_some() {
                    "ask its owner; `provisor update NAME` takes what the tag names now".to_owned()
                } else {
                    format!(
                        "a branch is not enough, since it moves; `git ls-remote --tags {url}` lists the tags"
                    )
                }),
            });
        };
        let listed = demand(&["ls-tree", "-r", "-l", "-z", "--full-tree", &hash])?;
        Ok(Commit {
            files: listed.split('\0').filter_map(file).collect(),
            hash,
            url: url.to_owned(),
            variables: self.variables.clone(),
            repository,
        })
    }
}

impl Commit {
    /// Reads a file; `None` if there is no regular file of this path.
    pub(super) fn read(&self, path: &str) -> Result<Option<Vec<u8>>, PackageError> {
        let Some((object, size)) = self.files.get(path) else {
            return Ok(None);
        };
        let failed = |reason: String| PackageError::Fetch {
            url: format!("{path} of {}", self.url),
            reason,
        };
        if *size > MAX_SOURCE_BYTES {
            return Err(failed(format!(
                "it has {size} bytes; at most {MAX_SOURCE_BYTES} are read"
            )));
        }
        let output = run(
            &self.variables,
            self.repository.path(),
            &self.url,
            &["cat-file", "blob", object],
        )?;
        if !output.status.success() {
            return Err(failed(reason(&output)));
        }
        Ok(Some(output.stdout))
    }

    /// The paths of its regular files.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }
}

/// Reads an entry of `git ls-tree -l -z`: `MODE TYPE HASH SIZE<tab>PATH`. `None` for anything but a regular file: a link
/// could lead anywhere.
fn file(entry: &str) -> Option<(String, (String, u64))> {
    let (about, path) = entry.split_once('\t')?;
    let mut about = about.split_ascii_whitespace();
    let is_file = matches!(about.next(), Some("100644" | "100755"));
    let hash = about.nth(1)?.to_owned();
    let size = about.next()?.parse().ok()?;
    is_file.then(|| (path.to_owned(), (hash, size)))
}

fn run(
    variables: &BTreeMap<OsString, OsString>,
    repository: &Path,
    url: &str,
    arguments: &[&str],
) -> Result<Output, PackageError> {
    let mut command = Command::new("git");
    for option in OPTIONS {
        command.args(["-c", option]);
    }
    if arguments.first() != Some(&"init") {
        // Where `safe.bareRepository` is `explicit`, a bare repository is used only if it is named.
        command.arg("--git-dir=.");
    }
    command
        .args(arguments)
        .current_dir(repository)
        .env_clear()
        .envs(variables)
        .stdin(Stdio::null());
    command.output().map_err(|error| PackageError::NoGit {
        url: url.to_owned(),
        reason: error.to_string(),
    })
}

/// What git gives as the reason of a failure: the last of its messages.
fn reason(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let fatal = lines.iter().find(|line| line.starts_with("fatal: "));
    let line = fatal.or(lines.last()).copied().unwrap_or("git gave no reason");
    line.trim_start_matches("fatal: ")
        .trim_end_matches('.')
        .to_owned()
}

//! What scripts must not read: provisor's own files, and what profiles name as the sources of their secrets. A secret of
//! a profile goes to the profile's address only; a script that reads it from its source could send it anywhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::{Config, Env, NamedSource, Paths, SecretSource};
use crate::operation::catalogue::Catalogue;
use crate::operation::files::{Withheld, Withholding};

/// Withholds from scripts what the configuration protects. Loads the configuration when it is first needed.
pub(crate) struct ProtectedSources {
    catalogue: Catalogue,
    paths: Option<Paths>,
    env: Env,
    /// The sources of all profiles, or why they are unknown.
    sources: OnceLock<Result<Vec<NamedSource>, String>>,
}

impl ProtectedSources {
    /// Protects what is in provisor's folders and what their configuration names.
    pub(crate) fn new(catalogue: &Catalogue, paths: Option<&Paths>, env: &Env) -> ProtectedSources {
        ProtectedSources {
            catalogue: catalogue.clone(),
            paths: paths.cloned(),
            env: env.clone(),
            sources: OnceLock::new(),
        }
    }

    /// Withholds what one of the sources names. If they are unknown, everything is withheld.
    fn named(&self, names_it: impl Fn(&SecretSource) -> bool) -> Option<Withholding> {
        let sources = self.sources.get_or_init(|| {
            let Some(paths) = &self.paths else {
                return Ok(Vec::new());
            };
            let config = Config::load(&self.catalogue, paths, &self.env);
            config
                .map(|config| config.secret_sources)
                .map_err(|error| error.to_string())
        });
        match sources {
            Ok(sources) => {
                let named = sources.iter().find(|named| names_it(&named.source))?;
                Some(Withholding {
                    reason: format!(
                        "is the source of the secret `{}` of the profile `{}`, which scripts may use and not read",
                        named.key, named.profile
                    ),
                    hint: format!(
                        "connect with the profile: {}::connect(\"{}\"); for another purpose, keep the secret elsewhere, or \
                         pass it as a parameter of the type secret",
                        named.module, named.profile
                    ),
                })
            }
            Err(problem) => Some(Withholding {
                reason: format!(
                    "is not read, because the configuration, which names the sources of secrets, cannot be: {problem}"
                ),
                hint: "correct the configuration: provisor profile list shows the error".to_owned(),
            }),
        }
    }

    fn own_file(&self, path: &Path) -> bool {
        let Some(paths) = &self.paths else { return false };
        let folders = [paths.config(), paths.state(), paths.cache()];
        let files = [
            paths.config_file(),
            paths.journal(),
            paths.key(),
            paths.tokens(),
            paths.secrets(),
            paths.trusted(),
        ];
        let is_within = |folder: &Path| path.ancestors().any(|above| is_same(above, folder));
        // The files themselves may be links to another place.
        folders.into_iter().any(is_within) || files.iter().any(|file| is_same(path, file))
    }
}

impl Withheld for ProtectedSources {
    fn file(&self, path: &Path) -> Option<Withholding> {
        if self.own_file(path) {
            return Some(Withholding {
                reason: "belongs to provisor, which keeps its configuration, journal and keys there"
                    .to_owned(),
                hint: "a script reads files of its project only; put what it needs into a file beside it"
                    .to_owned(),
            });
        }
        let is_it = |named: PathBuf| is_same(path, &named);
        self.named(|source| match source {
            SecretSource::File(file) => is_it(self.env.expand(file)),
            SecretSource::Command { argv, folder } => argv.iter().any(|word| is_it(folder.join(word))),
            SecretSource::Env(_)
            | SecretSource::Implicit(_)
            | SecretSource::Keyring(_)
            | SecretSource::Sealed => false,
        })
    }

    fn variable(&self, name: &str) -> Option<Withholding> {
        self.named(|source| match source {
            SecretSource::Env(variable) | SecretSource::Implicit(variable) => variable == name,
            _ => false,
        })
    }
}

/// Whether two paths lead to the same file or folder, however they are spelled: by links, in another case where the file
/// system ignores it, by a second name.
#[cfg(unix)]
fn is_same(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let place = |path: &Path| fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    place(one).is_some_and(|one| Some(one) == place(other))
}

/// Other systems resolve the spelling of a path, too.
#[cfg(not(unix))]
fn is_same(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| fs::canonicalize(path).ok();
    place(one).is_some_and(|one| Some(one) == place(other))
}

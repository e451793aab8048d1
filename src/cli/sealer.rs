//! The key for everything at rest.

use std::path::PathBuf;

use super::error::CommandError;
use super::paths::{Env, Paths, make_private_folder};
use crate::journal::{Journal, KeyError, Sealer};
use crate::value::secret::Secret;

/// The cipher for everything at rest: from `PROVISOR_KEY`, else from the key file, which is created at first use.
pub(super) fn sealer(env: &Env, paths: &Paths) -> Result<Sealer, CommandError> {
    // First finish a key change that was killed midway, before either key is used. On a disk that cannot be written,
    // the old key stays valid.
    let _ = crate::journal::finish_replacement(paths.state());
    if let Some(key) = env.get("PROVISOR_KEY") {
        return Sealer::from_text(&Secret::new(key)).map_err(|error| unusable(&error));
    }
    let folder = paths.state();
    make_private_folder(folder).map_err(|error| {
        CommandError::usage(format!(
            "the folder `{}` cannot be created: {error}",
            folder.display()
        ))
    })?;
    if !paths.key().exists()
        && let Some((what, sealed)) = sealed(paths)
    {
        // Creating a new key would hide that the old one is missing.
        return Err(CommandError::usage(format!(
            "{what} sealed with a key that is missing: {}",
            paths.key().display()
        ))
        .hint("restore a copy of the key, or set PROVISOR_KEY to it")
        .hint(format!("or start over: move {} away", sealed.display())));
    }
    Sealer::from_key_file(&paths.key()).map_err(|error| unusable(&error))
}

/// The data encrypted with the key, and its file. If the journal is missing, the files left beside it count.
pub(super) fn sealed(paths: &Paths) -> Option<(&'static str, PathBuf)> {
    let journal = paths.journal();
    let journals = [journal.clone()].into_iter().chain(Journal::beside(&journal));
    let journals = journals.map(|file| ("the journal was", file));
    let secrets = ("the profiles' secrets were", paths.secrets());
    journals.chain([secrets]).find(|(_, file)| file.exists())
}

fn unusable(error: &KeyError) -> CommandError {
    CommandError::usage(error).hint(error.hint())
}

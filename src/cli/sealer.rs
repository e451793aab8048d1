//! The key for everything at rest.

use std::path::PathBuf;

use super::error::CommandError;
use super::paths::{Env, Paths, make_private_folder};
use crate::journal::{Journal, KeyError, Sealer};
use crate::value::secret::Secret;

/// The cipher for everything at rest: from `PROVISOR_KEY`, else from the key file, made at first use.
pub(super) fn sealer(env: &Env, paths: &Paths) -> Result<Sealer, CommandError> {
    // A change of the key that was killed in the middle is finished before either key is used. On a disk that cannot be
    // written the old one still counts.
    let _ = crate::journal::finish_replacement(paths.state());
    if let Some(key) = env.get("PROVISOR_KEY") {
        return Sealer::from_text(&Secret::new(key)).map_err(|error| unusable(&error));
    }
    let folder = paths.state();
    make_private_folder(folder).map_err(|error| {
        CommandError::usage(format!(
            "the folder `{}` cannot be made: {error}",
            folder.display()
        ))
    })?;
    if !paths.key().exists()
        && let Some((what, sealed)) = sealed(paths)
    {
        // A new key would hide that the old one is missing.
        return Err(CommandError::usage(format!(
            "{what} sealed with a key that is missing: {}",
            paths.key().display()
        ))
        .hint("put a copy of the key back, or give it in PROVISOR_KEY")
        .hint(format!("or start over: move {} away", sealed.display())));
    }
    Sealer::from_key_file(&paths.key()).map_err(|error| unusable(&error))
}

/// What there is that the key has sealed, and its file. Of a journal that is missing, what stood beside it tells.
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

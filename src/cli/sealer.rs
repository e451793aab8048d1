//! The key for everything at rest.

use super::error::CommandError;
use super::paths::{Env, Paths, make_private_folder};
use crate::journal::{KeyError, Sealer};
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
    if !paths.key().exists() {
        let sealed = [paths.journal(), paths.secrets()];
        if let Some(sealed) = sealed.iter().find(|file| file.exists()) {
            // A new key would hide that the old one is missing.
            let what = if *sealed == paths.journal() {
                "the journal was"
            } else {
                "the profiles' secrets were"
            };
            return Err(CommandError::usage(format!(
                "{what} sealed with a key that is missing: {}",
                paths.key().display()
            ))
            .hint("put a copy of the key back, or give it in PROVISOR_KEY")
            .hint(format!("or begin anew: move {} away", sealed.display())));
        }
    }
    Sealer::from_key_file(&paths.key()).map_err(|error| unusable(&error))
}

fn unusable(error: &KeyError) -> CommandError {
    CommandError::usage(error).hint(error.hint())
}

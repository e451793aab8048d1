//! The journal's key: from a text that the user keeps, or from a file created on first use.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Generate as _, Key};
use zeroize::Zeroizing;

use super::files;
use super::seal::mac;
use crate::value::digest::hex;

/// A 32-byte key, wiped when dropped.
pub(super) type KeyBytes = Zeroizing<[u8; 32]>;

/// Why no key is available.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KeyError {
    /// The text is neither a key nor long enough for a passphrase.
    #[error(
        "the key must be 64 hexadecimal digits, base64 of 32 bytes, or a passphrase of at least 16 characters"
    )]
    BadText,
    /// Other users can read the key file.
    #[error("other users can read the key file {}", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The file does not hold a key.
    #[error("{} does not contain a key", path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
    },
    /// The file can be neither read nor created.
    #[error("the key file {} cannot be used: {reason}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The message of the system.
        reason: String,
    },
}

impl KeyError {
    /// Returns what to do about it, as a sentence without a full stop.
    pub fn hint(&self) -> String {
        match self {
            KeyError::BadText => "create one with `openssl rand -hex 32`".to_owned(),
            KeyError::Exposed { path } => format!("run `chmod 600 {}`", path.display()),
            KeyError::BadFile { path } => format!(
                "restore {} from a backup; without it, what the journal has sealed cannot be read",
                path.display()
            ),
            KeyError::Unusable { .. } => "check the folder's owner and permissions".to_owned(),
        }
    }
}

const MIN_PASSPHRASE_CHARS: usize = 16;

/// The number of rounds. A passphrase is stretched at every start, so this takes only a millisecond or two. It slows
/// guessing down; it does not make a weak passphrase strong.
const KEY_ROUNDS: usize = 4096;

/// Returns the key that a text represents: 64 hexadecimal digits, base64 of 32 bytes (either alphabet, padded or not),
/// or a passphrase of at least 16 characters. Surrounding white space is ignored.
pub(super) fn from_text(text: &str) -> Result<KeyBytes, KeyError> {
    let text = text.trim();
    if let Some(key) = spelled_out_key(text) {
        return Ok(key);
    }
    if text.chars().count() < MIN_PASSPHRASE_CHARS {
        return Err(KeyError::BadText);
    }
    let mut key = mac(
        &Zeroizing::new([0; 32]),
        &[b"provisor passphrase 1", text.as_bytes()],
    );
    for _ in 0..KEY_ROUNDS {
        key = mac(&key, &[text.as_bytes()]);
    }
    Ok(key)
}

/// Whether the text is a passphrase. With no salt and few rounds, one made of words can be guessed from the files.
pub(super) fn is_passphrase(text: &str) -> bool {
    spelled_out_key(text.trim()).is_none()
}

/// Returns the key if the text spells it out in full.
fn spelled_out_key(text: &str) -> Option<KeyBytes> {
    from_hex(text).or_else(|| {
        let engines = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
        engines.into_iter().find_map(|engine| {
            let bytes = engine.decode(text).map(Zeroizing::new).ok()?;
            <[u8; 32]>::try_from(bytes.as_slice()).ok().map(Zeroizing::new)
        })
    })
}

/// Returns the key in a file. If there is none, creates one with a random key, readable by its owner only. Two
/// processes that create it at the same time end up with the same key.
pub(super) fn from_file(path: &Path) -> Result<KeyBytes, KeyError> {
    let unusable = |error: io::Error| KeyError::Unusable {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(path).map_err(unusable)?,
        Err(error) => return Err(unusable(error)),
        Ok(_) => {}
    }
    if files::is_exposed(path).map_err(unusable)? {
        return Err(KeyError::Exposed {
            path: path.to_owned(),
        });
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(unusable)?);
    from_hex(text.trim()).ok_or_else(|| KeyError::BadFile {
        path: path.to_owned(),
    })
}

fn create(path: &Path) -> io::Result<()> {
    let folder = files::folder_of(path);
    files::make_private_folder(folder)?;
    // Never visible half written: the complete file is renamed, unless another process has taken the name.
    let mut draft = tempfile::Builder::new().prefix(".key").tempfile_in(folder)?;
    let key = Key::<XChaCha20Poly1305>::generate();
    draft.write_all(Zeroizing::new(hex(&key)).as_bytes())?;
    draft.write_all(b"\n")?;
    draft.as_file().sync_all()?;
    match draft.persist_noclobber(path) {
        Ok(_) => files::sync_folder(folder),
        Err(taken) if taken.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(failed) => Err(failed.error),
    }
}

/// Returns the key represented by 64 hexadecimal digits.
pub(super) fn from_hex(text: &str) -> Option<KeyBytes> {
    let mut key = Zeroizing::new([0; 32]);
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (index, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests;

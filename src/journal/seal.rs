//! Encryption at rest of values, each bound to its place.
//!
//! Uses XChaCha20-Poly1305 with a random nonce. The place (a run and a step, a row, a ledger entry) is associated data,
//! so a sealed value copied elsewhere does not open.

#![allow(clippy::disallowed_methods, reason = "secrets are sealed here")]

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use chacha20poly1305::aead::{Aead as _, Generate as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::codec::{self, SecretForm};
use super::key::{self, KeyBytes, KeyError};
use super::table::RowDigest;
use crate::sabotage::Sabotage;
use crate::value::Value;
use crate::value::digest::hex;
use crate::value::secret::Secret;

/// A sealed value: a version byte, a nonce, and the ciphertext with its tag.
pub type Sealed = Vec<u8>;

/// Why a sealed value cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Another key, another place, or damaged bytes.
    #[error("it was sealed with another key or for another place, or is damaged")]
    Refused,
    /// It opened, but its content was written by a newer version.
    #[error("it was written by a newer version")]
    Unreadable,
}

/// How values are encoded for sealing, and for digests that are compared.
const EXPOSED: SecretForm = SecretForm {
    text: Secret::expose,
    homes: true,
};
const COMPARED: SecretForm = SecretForm {
    homes: false,
    ..EXPOSED
};

const VERSION: u8 = 1;
const NONCE: usize = 24;
const DIGEST_BYTES: usize = 8;

/// Seals, opens and digests values with one key. Cheap to clone; the last clone wipes the keys.
#[derive(Clone)]
pub struct Sealer(Arc<Keys>);

struct Keys {
    cipher: KeyBytes,
    digest: KeyBytes,
}

impl Sealer {
    /// Creates a sealer with this key.
    pub fn new(key: &[u8; 32]) -> Sealer {
        let key = Zeroizing::new(*key);
        Sealer(Arc::new(Keys {
            cipher: mac(&key, &[b"provisor seal 1"]),
            digest: mac(&key, &[b"provisor digest 1"]),
        }))
    }

    /// Creates a sealer from a key's text: 64 hexadecimal digits, base64 of 32 bytes, or a passphrase of at least 16
    /// characters. A passphrase is stretched only a little, since every start pays for it: prefer a random key.
    pub fn from_text(text: &Secret) -> Result<Sealer, KeyError> {
        key::from_text(text.expose()).map(|key| Sealer::new(&key))
    }

    /// Whether the key's text is a passphrase, which may be guessed.
    pub fn is_passphrase(text: &Secret) -> bool {
        key::is_passphrase(text.expose())
    }

    /// Creates a sealer with the key in a file, which is created on first use. A file that others can read is rejected.
    pub fn from_key_file(path: &Path) -> Result<Sealer, KeyError> {
        key::from_file(path).map(|key| Sealer::new(&key))
    }

    /// Encrypts a value for one place.
    pub fn seal(&self, place: &str, value: &Value) -> Sealed {
        let plain = codec::encode(value, EXPOSED);
        let nonce = XNonce::generate();
        let payload = Payload {
            msg: &plain,
            aad: associated_data(place),
        };
        // Encryption fails only for messages beyond 256 GiB; the result then cannot be opened.
        let ciphertext = if Sabotage::SealOff.is_on() {
            plain.to_vec()
        } else {
            self.cipher().encrypt(&nonce, payload).unwrap_or_default()
        };
        let mut sealed = Vec::with_capacity(1 + NONCE + ciphertext.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        sealed
    }

    /// Decrypts a value that was sealed for the same place with the same key.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Value, SealError> {
        let (version, rest) = sealed.split_first().ok_or(SealError::Refused)?;
        if *version != VERSION {
            return Err(SealError::Unreadable);
        }
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE>().ok_or(SealError::Refused)?;
        let payload = Payload {
            msg: ciphertext,
            aad: associated_data(place),
        };
        if Sabotage::SealOff.is_on() {
            return codec::decode(ciphertext).map_err(|_| SealError::Unreadable);
        }
        let plain = self.cipher().decrypt(&XNonce::from(*nonce), payload);
        let plain = plain.map(Zeroizing::new).map_err(|_| SealError::Refused)?;
        codec::decode(&plain).map_err(|_| SealError::Unreadable)
    }

    /// Returns a keyed digest of a value: 16 hexadecimal digits, equal for equal values, opaque without the key.
    pub fn digest(&self, value: &Value) -> String {
        hex(&self.row_digest(value))
    }

    /// Returns the keyed digest by which rows with equal contents are found.
    pub(super) fn row_digest(&self, content: &Value) -> RowDigest {
        let digest = mac(&self.0.digest, &[&codec::encode(content, COMPARED)]);
        let mut short = RowDigest::default();
        short.copy_from_slice(&digest[..DIGEST_BYTES]);
        short
    }

    /// Returns the digest key, to be sealed.
    pub(super) fn digest_key(&self) -> Value {
        Value::Secret(Secret::new(hex(&*self.0.digest)))
    }

    /// Returns a sealer with the same cipher and the digests of another sealer, given its [key](Sealer::digest_key).
    pub(super) fn with_digest_key(&self, key: &Value) -> Option<Sealer> {
        let Value::Secret(key) = key else { return None };
        Some(Sealer(Arc::new(Keys {
            cipher: self.0.cipher.clone(),
            digest: key::from_hex(key.expose())?,
        })))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&(*self.0.cipher).into())
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(***)")
    }
}

/// Returns the associated data of a sealed value: its place.
fn associated_data(place: &str) -> &[u8] {
    if Sabotage::PlaceNotBound.is_on() {
        return &[];
    }
    place.as_bytes()
}

/// Returns the HMAC-SHA256 of the concatenated parts.
pub(super) fn mac(key: &KeyBytes, parts: &[&[u8]]) -> KeyBytes {
    // HMAC pads a short key with zeros to its block of 64 bytes; padding it here rules out a wrong length.
    let mut block = Zeroizing::new([0; 64]);
    block[..32].copy_from_slice(key.as_slice());
    let mut mac = Hmac::<Sha256>::new(&(*block).into());
    for part in parts {
        mac.update(part);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests;

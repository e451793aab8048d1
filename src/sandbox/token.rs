//! The JSON Web Tokens that the simulated platforms issue (HS256).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// `{"typ":"JWT","alg":"HS256"}`
const HEADER: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9";

/// The claims of a token, in the order of the vendor's published examples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    /// The host of the account, without a scheme.
    pub(super) iss: String,
    /// Valid from, in seconds since the Unix epoch.
    pub(super) nbf: i64,
    /// Valid until, in seconds since the Unix epoch.
    pub(super) exp: i64,
    /// One per sign-in, shared by its access and refresh tokens.
    pub(super) uid: String,
    /// The purpose of the token.
    pub(super) sub: String,
    /// The signed-in object; empty for a back-office user.
    pub(super) objuuid: String,
    /// The signed-in user.
    pub(super) useruuid: String,
}

/// Which of the two tokens of a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// For the `Authorization` header.
    Access,
    /// For obtaining a new pair.
    Refresh,
}

/// Signs and verifies tokens. Access and refresh tokens carry the same claims, so each use has its own key: a client
/// that confuses them gets an error.
#[derive(Debug, Clone)]
pub(super) struct Signer {
    access: Hmac<Sha256>,
    refresh: Hmac<Sha256>,
}

impl Signer {
    /// Derives the keys from the world's secret.
    pub(super) fn new(secret: &str) -> Signer {
        Signer {
            access: hmac_key(secret, b'a'),
            refresh: hmac_key(secret, b'r'),
        }
    }

    /// Returns a signed token.
    pub(super) fn sign(&self, purpose: Use, claims: &Claims) -> String {
        let payload = serde_json::to_vec(claims).unwrap_or_default();
        let mut token = String::with_capacity(400);
        token.push_str(HEADER);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let mut mac = self.key(purpose).clone();
        mac.update(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(mac.finalize().into_bytes(), &mut token);
        token
    }

    /// Returns the claims of a token that this world signed for this use, whether or not it has expired.
    pub(super) fn verify(&self, purpose: Use, token: &str) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        if header != HEADER {
            return None;
        }
        let mut mac = self.key(purpose).clone();
        mac.update(signed.as_bytes());
        mac.verify_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }

    fn key(&self, purpose: Use) -> &Hmac<Sha256> {
        match purpose {
            Use::Access => &self.access,
            Use::Refresh => &self.refresh,
        }
    }
}

/// Returns 32 random hexadecimal digits.
pub(super) fn random() -> String {
    format!("{:032x}", fastrand::u128(..))
}

/// Returns a digest of a text, consisting of lower-case letters valid in a host name.
pub(super) fn digest(text: &str) -> String {
    let bytes = Sha256::digest(text.as_bytes());
    bytes.iter().map(|byte| char::from(b'a' + byte % 26)).collect()
}

/// Returns a key of the hash's block size, which HMAC uses unchanged.
fn hmac_key(secret: &str, purpose: u8) -> Hmac<Sha256> {
    let mut key = [purpose; 64];
    for (slot, byte) in key[1..].iter_mut().zip(secret.bytes()) {
        *slot = byte;
    }
    <Hmac<Sha256> as KeyInit>::new(&key.into())
}

#[cfg(test)]
mod tests;

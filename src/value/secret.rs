//! Secrets as a type, and the net below it.

mod guess;
mod names;

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

pub use guess::{looks_like_a_token, may_name_a_credential};
pub use names::names_a_credential;

/// What a secret looks like wherever it is shown.
pub const MASK: &str = "***";

/// A text that is never shown: `Display` and `Debug` print a mask.
///
/// Cloning shares the text; the last clone wipes it from memory. [`Secret::expose`] is the only way to the text, and
/// `tests/it/house.rs` holds the list of files that may call it.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Takes a text into custody.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(Arc::new(Zeroizing::new(text.into())))
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A digest by which to tell it from others without showing it. For texts that are long and random alone: a short
    /// one could be guessed from it.
    pub fn fingerprint(&self) -> String {
        let mut digest = super::digest::sha256(self.0.as_bytes());
        digest.truncate(32);
        digest
    }

    /// How long it is, in bytes.
    pub fn len(&self) -> usize {
        self.expose().len()
    }

    /// Is there no text at all?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for Secret {
    /// Equal texts; the time taken does not tell where they differ.
    fn eq(&self, other: &Secret) -> bool {
        let (a, b) = (self.0.as_bytes(), other.0.as_bytes());
        a.len() == b.len() && a.iter().zip(b).fold(0, |diff, (x, y)| diff | (x ^ y)) == 0
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Takes known secrets, anything shaped like a JSON web token, and what is named like a credential out of a text that
/// somebody else wrote, such as a platform's error message. The net below the type, never the first line.
#[derive(Debug, Clone, Default)]
pub struct Scrubber {
    known: Vec<Secret>,
}

/// Shorter secrets are not searched for: masking every "a" would hide the message and tell the secret.
const SHORTEST: usize = 4;

impl Scrubber {
    /// A scrubber that knows no secret yet.
    pub fn new() -> Scrubber {
        Scrubber::default()
    }

    /// Adds a secret to look for: in clear, and as addresses, JSON and web pages write it. Empty and very short ones are
    /// ignored.
    pub fn know(&mut self, secret: &Secret) {
        let clear = secret.expose();
        if clear.len() < SHORTEST {
            return;
        }
        if clear.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            self.known.push(secret.clone());
            return;
        }
        let mut forms = forms(clear);
        // The longest first: one form may be the beginning of another.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.dedup();
        self.known.extend(forms.into_iter().map(Secret::new));
    }

    /// The text without what is known to be secret.
    pub fn scrub(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.known {
            if text.contains(secret.expose()) {
                text = text.replace(secret.expose(), MASK);
            }
        }
        names::mask_named(&mask_tokens(&text))
    }
}

/// The ways in which a text is written where it has been encoded, the text itself among them.
fn forms(clear: &str) -> Vec<String> {
    let form: String = url::form_urlencoded::byte_serialize(clear.as_bytes()).collect();
    let json = serde_json::Value::from(clear).to_string();
    let page = clear
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    vec![
        clear.to_owned(),
        form.replace('+', "%20"),
        form,
        json.trim_matches('"').to_owned(),
        page.replace('"', "&quot;").replace('\'', "&#39;"),
        page,
        // As it is in a text whose space was tidied.
        clear.split_whitespace().collect::<Vec<_>>().join(" "),
    ]
}

/// Masks runs of `eyJ…` made of base64url and dots: tokens as all three platforms issue them.
fn mask_tokens(text: &str) -> String {
    let is_token_byte = |c: char| c.is_ascii_alphanumeric() || "-_.=".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("eyJ") {
        let (before, from) = rest.split_at(at);
        let end = from.find(|c| !is_token_byte(c)).unwrap_or(from.len());
        out.push_str(before);
        out.push_str(if end >= 20 { MASK } else { &from[..end] });
        rest = &from[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;

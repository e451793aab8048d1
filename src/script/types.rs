//! The types that a parameter of `main` can have, and the values that they accept.

use email_address::EmailAddress;
use url::Url;

use crate::value::Value;
use crate::value::secret::Secret;

/// The type of a parameter, as a `@param` line names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamType {
    /// Any text.
    String,
    /// A 64-bit integer.
    Int,
    /// A finite number.
    Float,
    /// `true`, `yes`, `1`, `false`, `no` or `0`.
    Bool,
    /// An http or https URL, kept as written.
    Url,
    /// An email address, trimmed.
    Email,
    /// The path of a file that a script can read: relative to the script's folder, inside the project.
    Path,
    /// A text that is never shown.
    Secret,
    /// Values separated by commas, or a JSON array.
    List,
    /// Any JSON value.
    Json,
}

impl ParamType {
    /// Every type.
    pub const ALL: &[ParamType] = &[
        ParamType::String,
        ParamType::Int,
        ParamType::Float,
        ParamType::Bool,
        ParamType::Url,
        ParamType::Email,
        ParamType::Path,
        ParamType::Secret,
        ParamType::List,
        ParamType::Json,
    ];

    /// Its name in a `@param` line.
    pub fn name(self) -> &'static str {
        match self {
            ParamType::String => "string",
            ParamType::Int => "int",
            ParamType::Float => "float",
            ParamType::Bool => "bool",
            ParamType::Url => "url",
            ParamType::Email => "email",
            ParamType::Path => "path",
            ParamType::Secret => "secret",
            ParamType::List => "list",
            ParamType::Json => "json",
        }
    }

    /// The type with this name.
    pub fn from_name(name: &str) -> Option<ParamType> {
        ParamType::ALL.iter().copied().find(|ty| ty.name() == name)
    }

    /// Parses a value from a flag or a table cell. The error says why it does not fit, and never shows a secret.
    pub fn parse(self, text: &str) -> Result<Value, String> {
        let word = text.trim();
        match self {
            ParamType::Int => int(word),
            ParamType::Float => float(word),
            ParamType::Bool => bool(word),
            ParamType::Url => url(word),
            ParamType::Email => email(word),
            ParamType::Path if text.is_empty() => Err("a path cannot be empty".into()),
            ParamType::String | ParamType::Path => Ok(Value::from(text)),
            ParamType::Secret => Ok(Value::Secret(Secret::new(text))),
            ParamType::List => list(word),
            ParamType::Json => json(word),
        }
    }

    /// Accepts a value that already has a type, from a JSON row or a default.
    pub fn accept(self, value: Value) -> Result<Value, String> {
        match (self, value) {
            (ParamType::Json, value) => Ok(value),
            (ParamType::Secret, Value::Secret(secret)) => Ok(Value::Secret(secret)),
            (_, Value::Secret(_)) => Err(format!("is a secret, not {}", self.article())),
            (_, Value::Text(text)) => self.parse(&text),
            (ParamType::Int, Value::Int(int)) => Ok(Value::Int(int)),
            // A number from a table that a script wants as text keeps every digit.
            (ParamType::String | ParamType::Path, Value::Int(int)) => Ok(Value::Text(int.to_string())),
            (ParamType::Float, Value::Float(float)) if float.is_finite() => Ok(Value::Float(float)),
            (ParamType::Float, Value::Int(int)) => float(&int.to_string()),
            (ParamType::Bool, Value::Bool(flag)) => Ok(Value::Bool(flag)),
            (ParamType::List, Value::List(items)) => Ok(Value::List(items)),
            (_, other) => Err(format!("is {}, not {}", other.type_name(), self.article())),
        }
    }

    /// The type with its article: `an int`.
    fn article(self) -> String {
        let vowel = matches!(self, ParamType::Int | ParamType::Email);
        format!("{} {}", if vowel { "an" } else { "a" }, self.name())
    }
}

fn int(word: &str) -> Result<Value, String> {
    let digits = word.strip_prefix(['-', '+']).unwrap_or(word);
    if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit()) {
        return Err(format!("\"{word}\" is not a whole number"));
    }
    let parsed = word.parse().map(Value::Int);
    parsed.map_err(|_| format!("{word} is too large for an int"))
}

fn float(word: &str) -> Result<Value, String> {
    match word.parse::<f64>() {
        Ok(float) if float.is_finite() => Ok(Value::Float(float)),
        _ => Err(format!("\"{word}\" is not a number")),
    }
}

fn bool(word: &str) -> Result<Value, String> {
    match word.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(Value::Bool(true)),
        "false" | "no" | "0" => Ok(Value::Bool(false)),
        _ => Err(format!("\"{word}\" is not true or false")),
    }
}

fn url(word: &str) -> Result<Value, String> {
    let with_scheme = || {
        Err(format!(
            "\"{word}\" is not an address that begins with https:// or http://"
        ))
    };
    match Url::parse(word) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => with_scheme(),
        Ok(_) if word.contains(char::is_whitespace) => Err(format!("\"{word}\" has a space in it")),
        Ok(_) => Ok(Value::from(word)),
        Err(url::ParseError::RelativeUrlWithoutBase) => with_scheme(),
        Err(reason) => Err(format!("\"{word}\" is not an address: {reason}")),
    }
}

fn email(word: &str) -> Result<Value, String> {
    let options = email_address::Options::default().without_display_text();
    match EmailAddress::parse_with_options(word, options) {
        Ok(_) => Ok(Value::from(word)),
        Err(reason) => {
            let reason = reason.to_string();
            let reason = reason.trim_end_matches('.').to_lowercase();
            Err(format!("\"{word}\" is not an e-mail address: {reason}"))
        }
    }
}

fn list(word: &str) -> Result<Value, String> {
    if word.is_empty() {
        return Ok(Value::List(Vec::new()));
    }
    if word.starts_with('[') {
        return match json(word)? {
            Value::List(items) => Ok(Value::List(items)),
            _ => Err("is not a JSON array".into()),
        };
    }
    let items = word.split(',').map(|item| Value::from(item.trim()));
    Ok(Value::List(items.collect()))
}

fn json(word: &str) -> Result<Value, String> {
    let parsed = serde_json::from_str(word).map(Value::from_json);
    parsed.map_err(|reason| format!("is not JSON: {reason}"))
}

#[cfg(test)]
mod tests;

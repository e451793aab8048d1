//! Reads Postman files, up to a maximum size, and detects their kind by content.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::Value as Json;

use crate::cli::error::CommandError;

/// The maximum file size, in bytes.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// The kind and content of a file.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// An environment, or Postman's globals.
    Environment(Json),
    /// A collection, version 2.0 or 2.1.
    Collection(Json),
}

/// Reads a file, or stdin for `-`, and detects its kind.
pub(super) fn read(path: &Path) -> Result<Found, CommandError> {
    let shown = path.display();
    let unreadable = |reason: String| CommandError::usage(format!("`{shown}` cannot be read: {reason}"));
    let source: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(|error| unreadable(error.to_string()))?)
    };
    let mut bytes = Vec::new();
    let read = source.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(
            unreadable(format!("it is larger than {} MB", MAX_FILE_BYTES >> 20))
                .hint("export the folders that you need as separate collections"),
        );
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let json: Json = serde_json::from_slice(text).map_err(|error| {
        // The message gives the position, never the content there.
        CommandError::usage(format!(
            "`{shown}` is not JSON, or is nested too deeply: line {}, column {}",
            error.line(),
            error.column()
        ))
        .hint(EXPORT_HINT)
    })?;
    classify(json).map_err(|reason| CommandError::usage(format!("`{shown}` {reason}")).hint(EXPORT_HINT))
}

const EXPORT_HINT: &str = "in Postman, export a collection as version 2.1, or an environment";

fn classify(json: Json) -> Result<Found, String> {
    // Postman's own API wraps the document in an object.
    for name in ["collection", "environment"] {
        if let Some(inner) = json.get(name).filter(|inner| inner.is_object()) {
            return classify(inner.clone());
        }
    }
    if json.get("requests").is_some() && json.get("item").is_none() {
        return Err("is a collection of version 1, which is not supported".into());
    }
    let schema = json
        .pointer("/info/schema")
        .and_then(Json::as_str)
        .unwrap_or_default();
    if json.get("item").is_some_and(Json::is_array) {
        if !schema.is_empty() && !["v2.0", "v2.1"].iter().any(|version| schema.contains(version)) {
            return Err(format!(
                "is a collection of an unsupported version, not 2.0 or 2.1: {schema}"
            ));
        }
        return Ok(Found::Collection(json));
    }
    if json.get("values").is_some_and(Json::is_array) {
        return Ok(Found::Environment(json));
    }
    Err("is neither a Postman environment nor a collection".into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn postman_collections_and_environments_are_detected_by_content() {
        assert!(matches!(
            classify(json!({"name": "x", "values": []})),
            Ok(Found::Environment(_))
        ));
        assert!(matches!(
            classify(json!({"info": {}, "item": []})),
            Ok(Found::Collection(_))
        ));
        assert!(matches!(
            classify(json!({"collection": {"info": {}, "item": []}})),
            Ok(Found::Collection(_))
        ));
        assert!(
            classify(json!({"requests": []}))
                .unwrap_err()
                .contains("version 1")
        );
        assert!(classify(json!({"info": {"schema": "https://x/v3.0.0/"}, "item": []})).is_err());
        assert!(classify(json!([1, 2])).is_err());
    }
}

//! Converts files of other tools to a profile and a script: environments and collections of Postman.

mod account;
mod body;
mod code;
mod collection;
mod credentials;
mod http;
mod operations;
mod script;
#[cfg(test)]
mod tests;
mod variables;

use std::collections::BTreeSet;

use serde_json::Value as Json;
use thiserror::Error;

use crate::operation::catalogue::Catalogue;
use crate::operation::platform::Platform;
use crate::script::bundle::{Bundle, Source};
use crate::script::host::Host;
use crate::script::program::Script;
use account::Environment;
pub(crate) use account::ImportedProfile;
use collection::Collection;
pub(crate) use script::ImportedScript;

/// What to convert files to.
#[derive(Debug, Default)]
pub(crate) struct ImportOptions<'a> {
    /// The platform of the environment's account; `None` to recognize it.
    pub(crate) platform: Option<&'static Platform>,
    /// The environment's variables for keys of the account, as pairs of key and variable.
    pub(crate) take: Vec<(&'a str, &'a str)>,
    /// The name of the profile; `None` to derive it from the environment's.
    pub(crate) profile: Option<&'a str>,
    /// Names that parameters of the script cannot have.
    pub(crate) reserved: BTreeSet<String>,
}

/// A profile and a script, as far as the files describe them.
#[derive(Debug)]
pub(crate) struct Imported {
    /// The account of the environment; `None` if there is no environment or it is not a complete account.
    pub(crate) profile: Option<ImportedProfile>,
    /// The script; `None` if there is no collection.
    pub(crate) script: Option<ImportedScript>,
    /// Whether there is an environment that is not a complete account: its values are parameters of the script.
    pub(crate) lacks_account: bool,
}

/// The reason why files cannot be converted. No message contains a credential.
#[derive(Debug, Error)]
pub(crate) enum ImportError {
    /// The file is of no supported kind or version.
    #[error("`{file}` {problem}")]
    Unsupported { file: String, problem: String },
    /// There are two files of a kind.
    #[error("`{file}` is a second {kind}")]
    Duplicate { file: String, kind: &'static str },
    /// The collection cannot become a script.
    #[error("the collection {0}")]
    Collection(String),
    /// A variable of the environment cannot be resolved.
    #[error("{0}")]
    Environment(String),
    /// The environment does not show its platform.
    #[error("provisor does not recognize the environment as an account of a platform")]
    UnknownPlatform,
    /// The environment lacks keys of the account. `variables` lists its variables.
    #[error("the environment has no value for {} of a {platform} account", .keys.join(", "))]
    MissingKeys {
        keys: Vec<&'static str>,
        platform: &'static str,
        variables: String,
    },
    /// No platform has accounts with this key. `known` lists those that they have.
    #[error("a profile has no `{key}`")]
    UnknownKey { key: String, known: String },
    /// The environment does not define this variable. `known` lists those that it does.
    #[error("the environment has no variable `{variable}`")]
    UnknownVariable { variable: String, known: String },
    /// The collection cannot become a script, and the environment is not a complete account either.
    #[error("{0}")]
    WithoutAccount(Box<ImportError>),
    /// The generated script does not compile, or has a wrong call: a bug of the importer.
    #[error("the script generated from the collection has mistakes: {0}")]
    Script(String),
}

/// Converts an environment, a collection, or one of each, in any order. Each file is a name for messages and its
/// content.
pub(crate) fn import(
    files: &[(String, Json)],
    catalogue: &Catalogue,
    options: &ImportOptions,
) -> Result<Imported, ImportError> {
    let (environment, collection) = read(files)?;
    let profile = match &environment {
        Some(environment) => {
            let site = collection.as_ref();
            let site = site.and_then(|read| operations::site_of(catalogue, read, &environment.variables));
            account::profile(catalogue, environment, collection.as_ref(), site, options)?
        }
        None => None,
    };
    let lacks_account = environment.is_some() && profile.is_none();
    if lacks_account && collection.is_none() {
        return Err(ImportError::UnknownPlatform);
    }
    let script = match &collection {
        Some(collection) => {
            let variables = environment.as_ref().map(|known| known.variables.as_slice());
            let context = script::Context {
                catalogue,
                variables: variables.unwrap_or_default(),
                profile: profile.as_ref(),
                reserved: &options.reserved,
            };
            match checked_script(collection, &context) {
                Err(error) if lacks_account => return Err(ImportError::WithoutAccount(Box::new(error))),
                script => Some(script?),
            }
        }
        None => None,
    };
    Ok(Imported {
        profile,
        script,
        lacks_account,
    })
}

/// Reads the files by their content.
fn read(files: &[(String, Json)]) -> Result<(Option<Environment>, Option<Collection>), ImportError> {
    let (mut environment, mut collection) = (None, None);
    for (file, json) in files {
        let duplicate = |kind| ImportError::Duplicate {
            file: file.clone(),
            kind,
        };
        let unsupported = |problem| ImportError::Unsupported {
            file: file.clone(),
            problem,
        };
        match document(json).map_err(unsupported)? {
            Document::Environment(_) if environment.is_some() => return Err(duplicate("environment")),
            Document::Collection(_) if collection.is_some() => return Err(duplicate("collection")),
            Document::Environment(json) => environment = Some(account::read(json)),
            Document::Collection(json) => {
                let read = collection::read(json);
                let read = read.map_err(|problem| format!("in `{file}` {problem}"));
                collection = Some(read.map_err(ImportError::Collection)?);
            }
        }
    }
    Ok((environment, collection))
}

/// The kind and content of a file.
#[derive(Debug, PartialEq)]
enum Document<'a> {
    /// An environment, or Postman's globals.
    Environment(&'a Json),
    /// A collection, version 2.0 or 2.1.
    Collection(&'a Json),
}

/// Detects the kind of a file. The error completes a sentence whose subject is the file.
fn document(json: &Json) -> Result<Document<'_>, String> {
    // Postman's own API wraps the document in an object.
    for name in ["collection", "environment"] {
        if let Some(inner) = json.get(name).filter(|inner| inner.is_object()) {
            return document(inner);
        }
    }
    if json.get("requests").is_some() && json.get("item").is_none() {
        return Err("is a collection of version 1, which is not supported".to_owned());
    }
    if json["item"].is_array() {
        let schema = json["info"]["schema"].as_str().unwrap_or_default();
        if !schema.is_empty() && !["v2.0", "v2.1"].iter().any(|version| schema.contains(version)) {
            return Err(format!(
                "is a collection of an unsupported version, not 2.0 or 2.1: {schema}"
            ));
        }
        return Ok(Document::Collection(json));
    }
    if json["values"].is_array() {
        return Ok(Document::Environment(json));
    }
    Err("is neither a Postman environment nor a collection".to_owned())
}

/// Converts a collection, and checks the calls of the script against the operation table, down to the keys of options.
fn checked_script(collection: &Collection, context: &script::Context) -> Result<ImportedScript, ImportError> {
    if collection.requests.is_empty() {
        return Err(ImportError::Collection("has no requests".to_owned()));
    }
    let script = script::write(collection, context).map_err(ImportError::Collection)?;
    let source = Source::new("import.rhai", script.text.as_str());
    let host = Host::new(context.catalogue);
    let read = Bundle::collect(&source, &()).and_then(|bundle| Script::compile(&host, bundle));
    let mistake = match read {
        Ok(read) => read.check().into_iter().next(),
        Err(diagnostic) => Some(*diagnostic),
    };
    match mistake {
        None => Ok(script),
        Some(mistake) => Err(ImportError::Script(mistake.title)),
    }
}

//! Converts a collection to a documented script.

use crate::operation::catalogue::Catalogue;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::code::{comment, is_reserved, name_of, quoted};
use super::collection::{Collection, Request, Variable};
use super::request::{self, ConvertedRequest, Kind};
use super::secrets::scrubbed;
use super::sessions::{ImportedProfile, Sessions};
use super::values::{MIN_SECRET_LEN, Param, Values, unique};

/// A generated script, with statistics.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) text: String,
    pub(super) requests: usize,
    pub(super) typed: usize,
    pub(super) web: usize,
    /// The requests that were left out.
    pub(super) omitted: usize,
    /// The Postman scripts that became comments.
    pub(super) scripts: usize,
    /// The secret parameters of `main`.
    pub(super) secrets: Vec<String>,
    /// Notes on the whole collection, then on single requests by name.
    pub(super) notes: Vec<String>,
}

impl Script {
    /// A clause that counts the Postman scripts kept as comments.
    pub(super) fn scripts_note(&self) -> String {
        match self.scripts {
            1 => "1 script is a comment".to_owned(),
            many => format!("{many} scripts are comments"),
        }
    }
}

/// A count with its noun, as in `2 requests`.
pub(super) fn format_count(count: usize, one: &str) -> String {
    let more = if count == 1 { "" } else { "s" };
    format!("{count} {one}{more}")
}

/// The inputs of the conversion besides the collection.
#[derive(Debug, Clone)]
pub(super) struct ConversionInput {
    /// The environment's variables, which take precedence over the collection's.
    pub(super) variables: Vec<Variable>,
    /// The profile made from the environment, if any.
    pub(super) profile: Option<ImportedProfile>,
    /// Names that parameters cannot have because provisor's own options use them.
    pub(super) taken: BTreeSet<String>,
    /// The operations that requests can be converted to.
    pub(super) catalogue: Catalogue,
}

/// Writes the script. The error completes a sentence whose subject is the collection.
pub(super) fn write(collection: &Collection, given: &ConversionInput) -> Result<Script, String> {
    // The first pass finds the credentials; the second recognizes them everywhere.
    let first = ConvertedCollection::write(collection, given, FirstPass::default());
    let first_pass = FirstPass {
        credentials: first.values.credentials(),
        mixed: first.values.mixed(),
        left: first.left,
    };
    ConvertedCollection::write(collection, given, first_pass).script(collection)
}

/// The findings of an earlier pass over the collection.
#[derive(Default)]
struct FirstPass {
    credentials: Vec<String>,
    mixed: BTreeSet<(String, String)>,
    left: BTreeMap<usize, String>,
}

/// A converted collection.
struct ConvertedCollection {
    /// Why requests cannot be converted, by their index.
    left: BTreeMap<usize, String>,
    values: Values,
    sessions: Sessions,
    functions: Vec<Function>,
}

struct Function {
    name: String,
    params: Vec<String>,
    written: ConvertedRequest,
}

impl ConvertedCollection {
    fn write(collection: &Collection, given: &ConversionInput, first_pass: FirstPass) -> ConvertedCollection {
        let mut taken = given.taken.clone();
        taken.extend(["done", "session"].map(str::to_owned));
        taken.extend(given.catalogue.modules().map(str::to_owned));
        let mut values = Values::new(
            collection.variables.iter().cloned(),
            taken,
            first_pass.credentials,
        )
        .below(&given.variables)
        .with_mixed(first_pass.mixed);
        let mut sessions =
            Sessions::find_in_collection(&given.catalogue, collection, given.profile.as_ref(), &mut values);
        let mut names: BTreeSet<String> = BTreeSet::new();
        let mut functions = Vec::new();
        let mut left = first_pass.left;
        for (place, request) in collection.requests.iter().enumerate() {
            values.used.clear();
            values.pending_notes.clear();
            sessions.used.clear();
            values.enter(&request.variables);
            // Do not retry a request that failed in an earlier pass, so that nothing of it is left in the script.
            let written = match left.get(&place) {
                Some(reason) => Err(reason.clone()),
                None => request::write(request, &mut values, &mut sessions),
            };
            let written = written.unwrap_or_else(|reason| {
                let omitted = ConvertedRequest::omitted(&format!("it {reason}"));
                left.insert(place, reason);
                omitted
            });
            let mut written = written;
            written.notes.append(&mut values.pending_notes);
            let name = match name_of(&request.name, "request") {
                name if is_reserved(&name) => format!("{name}_request"),
                name => name,
            };
            let params = sessions.used.iter().cloned();
            let params = params.chain(values.used.iter().map(|index| values.params[*index].name.clone()));
            functions.push(Function {
                name: unique(&name, &mut names),
                params: params.collect(),
                written,
            });
        }
        ConvertedCollection {
            left,
            values,
            sessions,
            functions,
        }
    }

    fn script(&self, collection: &Collection) -> Result<Script, String> {
        let known = self.values.credentials();
        let count = |kind: Kind| {
            self.functions
                .iter()
                .filter(|function| function.written.kind == kind)
                .count()
        };
        let own = collection.requests.iter().map(|request| request.scripts.len());
        let mut script = Script {
            requests: collection.requests.len(),
            typed: count(Kind::Typed),
            web: count(Kind::Web),
            omitted: count(Kind::Omitted),
            scripts: collection.scripts.len() + own.sum::<usize>(),
            ..Script::default()
        };
        let secret = self
            .values
            .params
            .iter()
            .filter(|param| param.secret && !param.in_text);
        script.secrets = secret.map(|param| param.name.clone()).collect();
        let notes = self.values.notes.iter();
        script.notes = notes.map(|note| scrubbed(note, &known)).collect();
        script.text = Self::head(collection, &script, &known);
        script.text.push_str(&self.main(collection, &known));
        for (request, function) in collection.requests.iter().zip(&self.functions) {
            script.text.push_str(&function.text(request, &known));
            let place = path_of(request);
            script.notes.extend(
                function
                    .written
                    .notes
                    .iter()
                    .map(|note| format!("{}: {note}", scrubbed(&place, &known))),
            );
        }
        match known
            .iter()
            .find(|secret| secret.len() >= MIN_SECRET_LEN && script.text.contains(secret.as_str()))
        {
            // The message cannot say where without revealing the credential.
            Some(_) => Err(
                "has a credential in a place where the script cannot use a parameter, such as a field's name"
                    .into(),
            ),
            None => Ok(script),
        }
    }

    fn head(collection: &Collection, script: &Script, known: &[String]) -> String {
        let mut about = format!(
            "Imported from the Postman collection {}.\n",
            shown_name(&collection.name, known)
        );
        if !collection.about.trim().is_empty() {
            let lines: Vec<&str> = collection.about.trim().lines().take(MAX_ABOUT_LINES).collect();
            let _ = write!(about, "\n{}\n", scrubbed(&lines.join("\n"), known));
        }
        let _ = write!(
            about,
            "\n{}: {} with platform operations, {} with `http::`, {} left out.",
            format_count(script.requests, "request"),
            script.typed,
            script.web,
            script.omitted
        );
        if script.scripts > 0 {
            let _ = write!(
                about,
                "\nScripts of the collection do not run here; {}.",
                script.scripts_note()
            );
        }
        for note in &script.notes {
            let _ = write!(about, "\n\nNote: {note}.");
        }
        let mut head = comment("//!", &about);
        head.push('\n');
        if !collection.scripts.is_empty() {
            head.push_str(&request::scripts_as_comments(&collection.scripts, "//", known));
            head.push('\n');
        }
        head
    }

    fn main(&self, collection: &Collection, known: &[String]) -> String {
        let mut text = String::from("/// Send the requests in order, and return the outcome of each.\n");
        let params: Vec<&Param> = self.values.params.iter().collect();
        if !params.is_empty() {
            text.push_str("///\n");
        }
        for param in &params {
            text.push_str(&param_line(param, known));
        }
        let names: Vec<&str> = params.iter().map(|param| param.name.as_str()).collect();
        let _ = writeln!(text, "fn main({}) {{", names.join(", "));
        for session in self.sessions.all() {
            let _ = writeln!(text, "    let {} = {};", session.name, session.code);
        }
        text.push_str("    let done = #{};\n");
        let mut folder: &[String] = &[];
        for (request, function) in collection.requests.iter().zip(&self.functions) {
            if request.folders != folder {
                folder = &request.folders;
                let _ = write!(
                    text,
                    "\n{}",
                    comment("    //", &scrubbed(&folder.join(" / "), known))
                );
            }
            text.push_str(&function.call());
        }
        text.push_str("    done\n}\n");
        text
    }
}

/// The maximum number of lines kept of a description.
const MAX_ABOUT_LINES: usize = 200;

impl Function {
    /// Renders its call in `main`.
    fn call(&self) -> String {
        let (name, params) = (&self.name, self.params.join(", "));
        match self.written.kind {
            Kind::Omitted => format!(
                "    // {name}: {}\n",
                self.written.notes.first().map_or("", String::as_str)
            ),
            Kind::Web => format!("    done.{name} = {name}({params}).status;\n"),
            Kind::Typed => format!("    {name}({params});\n    done.{name} = \"done\";\n"),
        }
    }

    fn text(&self, request: &Request, known: &[String]) -> String {
        let Some(code) = &self.written.code else {
            let scripts = request::scripts_as_comments(&request.scripts, "//", known);
            if scripts.is_empty() {
                return scripts;
            }
            let path = comment("//", &scrubbed(&path_of(request), known));
            return format!("\n{}\n{scripts}", path.trim_end());
        };
        let mut about = format!("{} ({})", path_of(request), request.method);
        if !request.about.trim().is_empty() {
            let _ = write!(about, "\n\n{}", request.about.trim());
        }
        for note in &self.written.notes {
            let _ = write!(about, "\n\nNote: {note}.");
        }
        let lines: Vec<&str> = about.lines().take(MAX_ABOUT_LINES).collect();
        let mut text = String::from("\n");
        text.push_str(&request::scripts_as_comments(&request.scripts, "//", known));
        text.push_str(&comment("///", &scrubbed(&lines.join("\n"), known)));
        let _ = write!(
            text,
            "fn {}({}) {{\n    {code}\n}}\n",
            self.name,
            self.params.join(", ")
        );
        text
    }
}

fn path_of(request: &Request) -> String {
    let folders = request.folders.iter().map(String::as_str);
    let name = if request.name.trim().is_empty() {
        "a request without a name"
    } else {
        request.name.trim()
    };
    folders.chain([name]).collect::<Vec<_>>().join(" / ")
}

fn shown_name(name: &str, known: &[String]) -> String {
    let name = scrubbed(name.trim(), known).replace('`', "'");
    if name.is_empty() {
        "without a name".into()
    } else {
        format!("`{}`", name.replace('\n', " "))
    }
}

fn param_line(param: &Param, known: &[String]) -> String {
    let about = scrubbed(&param.about, known).replace('\n', " ");
    let is_url = |text: &str| {
        url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
            && !text.contains(char::is_whitespace)
    };
    let default = param.default.as_deref().filter(|_| !param.secret);
    let ty = match default {
        _ if param.secret && !param.in_text => "secret",
        _ if param.json && !param.in_text => "json",
        Some(text) if is_url(text) => "url",
        _ => "string",
    };
    let default = match (ty, default) {
        (_, None) => String::new(),
        ("json", Some(text)) => format!(" = {text}"),
        (_, Some(text)) => format!(" = {}", quoted(text)),
    };
    let plain = if param.secret && param.in_text {
        "; it is part of a longer text, so it is plain text"
    } else {
        ""
    };
    comment(
        "///",
        &format!("@param {} {ty}{default}  {about}{plain}", param.name),
    )
}

//! Help pages on names that are not in the table of operations.

use crate::operation::doc::text::{DocLayout, wrap};
use crate::repl::show;
use crate::repl::width::{padded, width};
use crate::script::interactive::{Answer, Function, Native, Workspace};
use crate::value::visible::printable;

/// The maximum width of the column of names.
const MAX_NAME_WIDTH: usize = 44;

/// Formats names with their descriptions beside them, or below if there is too little room.
pub(super) fn pairs(rows: &[(String, &str)], columns: usize) -> String {
    let widest = rows.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    let column = widest.min(MAX_NAME_WIDTH) + 2;
    let mut lines: Vec<String> = Vec::new();
    for (name, text) in rows {
        let beside = columns >= column + 26 && width(name) < column;
        if !beside {
            lines.push(format!("  {}", name.trim_end()));
            lines.extend(
                wrap(text, columns.saturating_sub(6))
                    .into_iter()
                    .map(|line| format!("      {line}")),
            );
            continue;
        }
        let wrapped = wrap(text, columns - column - 2);
        let first = wrapped.first().map_or("", String::as_str);
        lines.push(format!("  {}{first}", padded(name, column)).trim_end().to_owned());
        let indent = column + 2;
        lines.extend(wrapped.iter().skip(1).map(|line| format!("{:indent$}{line}", "")));
    }
    lines.join("\n")
}

/// The page of a function of the session.
pub(super) fn function(function: &Function, look: &DocLayout<'_>) -> String {
    let title = (look.heading)(&format!("{}({})", function.name, function.params.join(", ")));
    let doc = if function.doc.is_empty() {
        "a function of this session without a comment".to_owned()
    } else {
        printable(&function.doc).into_owned()
    };
    format!("{title}\n\n{doc}\n\n:source {} shows it", function.name)
}

/// The page of a function of the language.
pub(super) fn native(native: &Native, look: &DocLayout<'_>) -> String {
    let params: Vec<String> = native
        .params
        .iter()
        .map(|(name, ty)| format!("{name}: {}", if ty == "?" { "any value" } else { ty }))
        .collect();
    let result = if native.result.is_empty() {
        String::new()
    } else {
        format!(" -> {}", native.result)
    };
    let signature = if native.property {
        format!(".{}", native.name)
    } else {
        format!("{}({})", native.name, params.join(", "))
    };
    let title = (look.heading)(&format!("{signature}{result}"));
    let doc = wrap(&native.doc, look.width).join("\n");
    format!("{title}\n{doc}").trim_end().to_owned()
}

/// The page of a variable: its type and value.
pub(super) fn variable(space: &Workspace, name: &str) -> Option<String> {
    let answer = space.variable(name)?;
    let known = space.variables().into_iter().find(|one| one.name == name);
    let ty = known.map(|one| one.type_name).unwrap_or_default();
    let preview = preview(&answer);
    Some(match space.catalogue().kind(&ty) {
        Some(kind) => format!(
            "{name}: {ty}, {}\n{preview}\n:help {ty} lists what it can do",
            kind.summary
        ),
        None => format!("{name}: {ty}\n{preview}"),
    })
}

/// A value in one line, with secrets masked.
pub(in crate::repl) fn preview(answer: &Answer) -> String {
    match answer {
        Answer::Nothing => "()".into(),
        Answer::Value(value) | Answer::Mixed(value) => printable(&show::line(value)).replace('\n', " "),
        Answer::Other(what) => format!("<{what}>"),
    }
}

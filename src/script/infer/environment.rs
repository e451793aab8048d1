//! What a text can use without declaring it.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::operation::catalogue::Catalogue;
use crate::script::doc::doc_above;
use crate::script::interactive::{Function, Inspected, Step, Variable, Workspace};
use crate::syntax::{Scopes, SourceText};
use crate::value::Object;

/// What a text can use without declaring it: platforms, functions, imports, and live values, if there are any.
pub(crate) trait Environment {
    /// The platforms whose operations it may call.
    fn catalogue(&self) -> &Catalogue;

    /// The functions that it calls without a module, by name.
    fn functions(&self) -> Cow<'_, [Function]>;

    /// The definition of a function with so many parameters, the newest if there are several.
    fn source_of(&self, name: &str, params: usize) -> Option<String>;

    /// The names of the imports.
    fn modules(&self) -> Vec<String>;

    /// The functions of an import, by name.
    fn module_functions(&self, module: &str) -> Cow<'_, [Function]>;

    /// How deep calls of its functions are followed to infer a type.
    fn depth(&self) -> u8;

    /// The live variables, newest first.
    fn variables(&self) -> Vec<Variable> {
        Vec::new()
    }

    /// Whether there is a live variable of this name.
    fn has_variable(&self, name: &str) -> bool {
        let _ = name;
        false
    }

    /// The object in a live variable.
    fn object(&self, variable: &str) -> Option<Object> {
        let _ = variable;
        None
    }

    /// The live value at a path, whose first step names a variable.
    fn resolve_path(&self, steps: &[Step]) -> Option<Inspected> {
        let _ = steps;
        None
    }
}

impl Environment for Workspace {
    fn catalogue(&self) -> &Catalogue {
        Workspace::catalogue(self)
    }

    fn functions(&self) -> Cow<'_, [Function]> {
        Workspace::functions(self).into()
    }

    fn source_of(&self, name: &str, params: usize) -> Option<String> {
        let has_params = |text: &String| {
            let functions = Scopes::of(text).functions;
            functions
                .last()
                .is_some_and(|function| function.params.len() == params)
        };
        Workspace::source_of(self, name).into_iter().find(has_params)
    }

    fn modules(&self) -> Vec<String> {
        Workspace::modules(self)
    }

    fn module_functions(&self, module: &str) -> Cow<'_, [Function]> {
        Workspace::module_functions(self, module).into()
    }

    fn depth(&self) -> u8 {
        3
    }

    fn variables(&self) -> Vec<Variable> {
        Workspace::variables(self)
    }

    fn has_variable(&self, name: &str) -> bool {
        self.variable(name).is_some()
    }

    fn object(&self, variable: &str) -> Option<Object> {
        self.object_in(variable)
    }

    fn resolve_path(&self, steps: &[Step]) -> Option<Inspected> {
        Workspace::resolve_path(self, steps)
    }
}

/// The environment of a script that does not run: what its text and the texts of its imports define.
pub(crate) struct ScriptEnvironment {
    catalogue: Catalogue,
    functions: Vec<Function>,
    /// By name and number of parameters.
    definitions: HashMap<(String, usize), String>,
    imports: Vec<(String, Vec<Function>)>,
}

impl ScriptEnvironment {
    /// Reads a text and its imports, given as (name in the text, text of the import).
    pub(crate) fn read<'a>(
        catalogue: &Catalogue,
        source: &SourceText<'_>,
        imports: impl IntoIterator<Item = (String, &'a str)>,
    ) -> ScriptEnvironment {
        let text = source.text();
        let definition = |function: &crate::syntax::Function| {
            let text = text.get(function.at.clone()).unwrap_or_default();
            let key = (function.name.clone(), function.params.len());
            (key, text.to_owned())
        };
        let imports = imports.into_iter();
        ScriptEnvironment {
            catalogue: catalogue.clone(),
            functions: functions_in(source),
            definitions: source.scopes().functions.iter().map(definition).collect(),
            imports: imports
                .map(|(name, text)| (name, functions_in(&SourceText::read(text))))
                .collect(),
        }
    }
}

impl Environment for ScriptEnvironment {
    fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    fn functions(&self) -> Cow<'_, [Function]> {
        self.functions.as_slice().into()
    }

    fn source_of(&self, name: &str, params: usize) -> Option<String> {
        self.definitions.get(&(name.to_owned(), params)).cloned()
    }

    fn modules(&self) -> Vec<String> {
        self.imports.iter().map(|(name, _)| name.clone()).collect()
    }

    fn module_functions(&self, module: &str) -> Cow<'_, [Function]> {
        let import = self.imports.iter().find(|(name, _)| name == module);
        let functions = import.map(|(_, functions)| functions.as_slice());
        functions.unwrap_or_default().into()
    }

    /// A long text has many calls, and all its types are inferred at once.
    fn depth(&self) -> u8 {
        1
    }
}

/// The functions that a text defines, by name, also while it is being typed.
pub(crate) fn functions_in(source: &SourceText<'_>) -> Vec<Function> {
    let functions = source.scopes().functions.iter();
    let mut found: Vec<Function> = functions
        .filter(|function| !function.name.is_empty())
        .map(|function| Function {
            name: function.name.clone(),
            params: function.params.clone(),
            doc: doc_above(source, function.at.start),
        })
        .collect();
    found.sort_by(|a, b| (&a.name, a.params.len()).cmp(&(&b.name, b.params.len())));
    found
}

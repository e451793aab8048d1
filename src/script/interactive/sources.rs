//! The texts of a session: its inputs and their imports.

use std::collections::BTreeMap;

use rhai::AST;

use super::results::running;
use crate::script::bundle::{Bundle, Loader, Source};
use crate::script::error::{Diagnostic, Frame};
use crate::script::host::Host;
use crate::script::parse::{self, Import, Names, Patches};
use crate::script::program::{Unit, refuse_shadowing};
use crate::script::sources::Sources;

/// The source name of running inputs. No file can have it.
pub(super) const MAIN: &str = "\u{1}";

/// Rhai counts lines up to 65,535. After this line the document starts over; a failure inside a function that was
/// defined very long ago is then shown at a wrong position.
const LAST_LINE: usize = 60_000;

/// The texts of a session.
#[derive(Clone)]
pub(super) struct SessionSources {
    host: Host,
    inputs: Vec<Input>,
    modules: BTreeMap<String, Module>,
    /// Maps (importing source, path as written) to the name of the imported source.
    imports: BTreeMap<(String, String), String>,
    /// Names that inputs define or use.
    names: Names,
}

#[derive(Clone)]
struct Input {
    source: Source,
    /// How many lines of the named source precede the input.
    shift: usize,
    /// How many lines of the document precede it.
    above: usize,
    lines: usize,
    patches: Patches,
}

#[derive(Clone)]
struct Module {
    source: Source,
    unit: Unit,
}

/// The imported modules.
pub(super) struct Modules {
    modules: BTreeMap<String, Module>,
    imports: BTreeMap<(String, String), String>,
}

impl Modules {
    pub(super) fn count(&self) -> usize {
        self.modules.len()
    }
}

impl SessionSources {
    pub(super) fn new(host: Host) -> SessionSources {
        SessionSources {
            host,
            inputs: Vec::new(),
            modules: BTreeMap::new(),
            imports: BTreeMap::new(),
            names: Names::default(),
        }
    }

    /// Parses an input and everything it imports, and returns the AST to run. `above` is how many lines of the named
    /// source precede it.
    pub(super) fn enter(
        &mut self,
        source: Source,
        above: usize,
        loader: &dyn Loader,
    ) -> Result<AST, Box<Diagnostic>> {
        let written = source.clone();
        self.read(source, above, loader).map_err(|mut error| {
            shift(&mut error, &written, above);
            error
        })
    }

    /// Checks whether an input parses. `above` is how many lines of the named source precede it.
    pub(super) fn check(source: &Source, above: usize) -> Result<(), Box<Diagnostic>> {
        let running = running(&source.text);
        let runs = Source::new(source.name.clone(), running.text.as_str());
        let parsed = parse::parse_with(&runs, running.rename());
        parsed.map(drop).map_err(|mut error| {
            shift(&mut error, source, above);
            error
        })
    }

    fn read(&mut self, source: Source, shift: usize, loader: &dyn Loader) -> Result<AST, Box<Diagnostic>> {
        let running = running(&source.text);
        let runs = Source::new(source.name.clone(), running.text.as_str());
        let parsed = parse::parse_with(&runs, running.rename())?;
        refuse_shadowing(&self.host, &source, &parsed)?;
        for import in &parsed.imports {
            self.follow(&source, import, loader)?;
        }
        let lines = source.text.lines().count().max(1);
        let last = self
            .inputs
            .last()
            .map_or(0, |input: &Input| input.above + input.lines);
        let above = if last + lines > LAST_LINE { 0 } else { last };
        let ast = parse::runnable(&runs, &parsed, above, running.rename())?;
        self.learn(parsed.names);
        self.inputs.push(Input {
            source,
            shift,
            above,
            lines,
            patches: parsed.patches,
        });
        Ok(ast)
    }

    /// Makes imported files be read again. Returns the previous ones.
    pub(super) fn forget_modules(&mut self) -> Modules {
        Modules {
            modules: std::mem::take(&mut self.modules),
            imports: self.imports.clone(),
        }
    }

    /// Restores these modules and drops any read since.
    pub(super) fn restore_modules(&mut self, kept: Modules) {
        self.modules = kept.modules;
        self.imports = kept.imports;
    }

    /// The inputs, oldest first.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().map(|input| input.source.text.as_str())
    }

    fn follow(
        &mut self,
        source: &Source,
        import: &Import,
        loader: &dyn Loader,
    ) -> Result<(), Box<Diagnostic>> {
        let refuse = |title: String| Diagnostic::at(source, import.line, import.column, title);
        let Some(path) = &import.path else {
            let error = refuse("the path of an import must be written out as a string".into());
            return Err(error
                .hint("what an input runs must be known before it runs")
                .into());
        };
        let found = loader
            .load(&source.name, path)
            .map_err(|reason| refuse(format!("cannot import \"{path}\": {reason}")))?;
        let name = found.name.clone();
        if !self.modules.contains_key(&name) {
            let (sources, edges) = Bundle::collect(&found, loader)?.parts();
            let mut modules = BTreeMap::new();
            for (name, text) in sources {
                let source = Source::new(name, text);
                let parsed = parse::parse(&source)?;
                refuse_shadowing(&self.host, &source, &parsed)?;
                let unit = Unit::new(&source, parsed)?;
                modules.insert(source.name.clone(), Module { source, unit });
            }
            // All of them or none: a file is not read again once it is here.
            self.modules.extend(modules);
            for (from, path, name) in edges {
                self.imports.insert((from, path), name);
            }
        }
        self.imports.insert((MAIN.into(), path.clone()), name);
        Ok(())
    }

    fn learn(&mut self, names: Names) {
        self.names.keys.extend(names.keys);
        self.names.variables.extend(names.variables);
        self.names.params.extend(names.params);
        self.names.functions.extend(names.functions);
        self.names.modules.extend(names.modules);
        self.names.calls = names.calls;
    }
}

/// Moves the error to its lines in the named source, with the lines as they were typed.
fn shift(error: &mut Diagnostic, written: &Source, lines: usize) {
    for frame in error
        .frames
        .iter_mut()
        .filter(|frame| frame.source == written.name)
    {
        written.line(frame.line).clone_into(&mut frame.text);
        frame.line += lines;
    }
}

impl Sources for SessionSources {
    fn host(&self) -> &Host {
        &self.host
    }

    fn main(&self) -> &'static str {
        MAIN
    }

    fn has_source(&self, source: &str) -> bool {
        source == MAIN || self.modules.contains_key(source)
    }

    fn ast(&self, source: &str) -> Option<&AST> {
        self.modules.get(source).map(|module| &module.unit.ast)
    }

    fn is_library(&self, source: &str) -> bool {
        let module = self.modules.get(source);
        module.is_some_and(|module| module.source.is_library())
    }

    fn exact_import(&self, from: &str, path: &str) -> Option<&str> {
        let name = self.imports.get(&(from.to_owned(), path.to_owned()));
        name.map(String::as_str)
    }

    fn any_import(&self, path: &str) -> Option<&str> {
        let same = self.imports.iter().find(|((_, known), _)| known == path);
        same.map(|(_, name)| name.as_str())
    }

    fn names(&self, source: &str) -> Option<&Names> {
        if source == MAIN {
            return Some(&self.names);
        }
        self.modules.get(source).map(|module| &module.unit.names)
    }

    fn written(&self, source: &str, line: usize, column: usize) -> (String, usize, usize) {
        if source != MAIN {
            let unit = self.modules.get(source).map(|module| &module.unit);
            let column = unit.map_or(column, |unit| unit.patches.written_column(line, column));
            return (source.to_owned(), line, column);
        }
        let mut newest_first = self.inputs.iter().rev();
        let input = newest_first.find(|input| (input.above + 1..=input.above + input.lines).contains(&line));
        match input {
            Some(input) => {
                let line = line - input.above;
                let column = input.patches.written_column(line, column);
                (input.source.name.clone(), line + input.shift, column)
            }
            None => (source.to_owned(), line, column),
        }
    }

    /// For [`MAIN`], the position is in the newest input.
    fn at(&self, source: &str, line: usize, column: usize) -> Option<Frame> {
        if let Some(module) = self.modules.get(source) {
            return Some(Frame::new(&module.source, line, column));
        }
        let mut newest_first = self.inputs.iter().rev();
        let input = newest_first.find(|input| {
            let within = (input.shift + 1..=input.shift + input.lines).contains(&line);
            source == MAIN || (input.source.name == source && within)
        })?;
        let shift = if source == MAIN { 0 } else { input.shift };
        let mut frame = Frame::new(&input.source, line - shift, column);
        frame.line += input.shift;
        Some(frame)
    }
}

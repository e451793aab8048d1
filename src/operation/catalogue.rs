//! The platforms, operations and kinds that a runtime was built with.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::error::Code;
use super::platform::{AccountKey, Driver, Operation, Platform};
use super::spec::{Fields, Kind};
use crate::client::Guards;
use crate::client::error::OwnCode;
use crate::value::Object;

/// The catalogue of a runtime. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Catalogue(Arc<Entries>);

#[derive(Debug)]
struct Entries {
    platforms: Vec<&'static Platform>,
    operations: Vec<Operation>,
    kinds: Vec<&'static Kind>,
}

impl Catalogue {
    /// Creates a catalogue of these platforms, in display order.
    pub fn new(platforms: impl IntoIterator<Item = &'static Platform>) -> Catalogue {
        let platforms: Vec<&'static Platform> = platforms.into_iter().collect();
        let mut operations = Vec::new();
        let mut kinds = Vec::new();
        for platform in &platforms {
            let own = platform.own_operations().into_iter();
            operations.extend(own.map(|spec| Operation::new(spec, platform)));
            kinds.extend(platform.own_kinds());
        }
        Catalogue(Arc::new(Entries {
            platforms,
            operations,
            kinds,
        }))
    }

    /// Describes a duplicate platform or operation name, in a sentence without a full stop.
    pub fn duplicate_name(&self) -> Option<String> {
        let mut names = BTreeSet::new();
        let mut twice = self
            .0
            .platforms
            .iter()
            .filter(|platform| !names.insert(platform.name));
        if let Some(platform) = twice.next() {
            return Some(format!("there are two platforms called `{}`", platform.name));
        }
        let mut ids = BTreeSet::new();
        let mut twice = self.0.operations.iter().filter(|op| !ids.insert(op.id()));
        twice
            .next()
            .map(|op| format!("there are two operations called `{}`", op.id()))
    }

    /// Returns all platforms.
    pub fn platforms(&self) -> &[&'static Platform] {
        &self.0.platforms
    }

    /// Returns the platforms that have accounts.
    pub fn with_accounts(&self) -> impl Iterator<Item = &'static Platform> {
        let all = self.0.platforms.iter().copied();
        all.filter(|platform| platform.account.is_some())
    }

    /// Returns the platform of a profile that names none: the first one with accounts.
    pub fn usual(&self) -> &'static Platform {
        self.with_accounts().next().unwrap_or(&super::BASIC)
    }

    /// Returns the keys that profiles use to describe accounts, without the address and without duplicates: the
    /// non-secret ones, and those of secrets.
    pub fn account_keys(&self) -> (BTreeSet<&'static str>, BTreeSet<&'static str>) {
        let names = |keys: &'static [AccountKey]| keys.iter().map(|key| key.name);
        let texts = self.with_accounts().flat_map(|platform| names(platform.texts()));
        let secrets = self
            .with_accounts()
            .flat_map(|platform| names(platform.secrets()));
        (texts.filter(|key| *key != "url").collect(), secrets.collect())
    }

    /// Returns the platform with this name, as used in profiles.
    pub fn platform(&self, name: &str) -> Option<&'static Platform> {
        self.0
            .platforms
            .iter()
            .copied()
            .find(|platform| platform.name == name)
    }

    /// Returns the platform whose operations are in this module.
    pub fn module(&self, name: &str) -> Option<&'static Platform> {
        self.0
            .platforms
            .iter()
            .copied()
            .find(|platform| platform.module == name)
    }

    /// Returns the names of the modules that contain operations.
    pub fn modules(&self) -> impl Iterator<Item = &'static str> + Clone {
        let all = self.0.platforms.iter().map(|platform| platform.module);
        all.filter(|module| !module.is_empty())
    }

    /// Returns the operations that are methods of a kind.
    pub fn methods<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = Operation> + Clone + 'a {
        let all = self.0.operations.iter().copied();
        all.filter(move |op| op.is_method_of(kind))
    }

    /// Returns the kind named in a result type: `crm::Contact` in `list of crm::Contact`.
    pub fn kind_in(&self, result: &str) -> Option<&'static Kind> {
        result.split_whitespace().find_map(|word| self.kind(word))
    }

    /// Returns all operations.
    pub fn operations(&self) -> &[Operation] {
        &self.0.operations
    }

    /// Returns the operation with this stable name, as recorded in journals.
    pub fn operation(&self, id: &str) -> Option<Operation> {
        self.0.operations.iter().copied().find(|op| op.id() == id)
    }

    /// Creates the guards of the platforms, with no knowledge of any account yet.
    pub fn guards(&self) -> Guards {
        Guards::new(
            self.0
                .platforms
                .iter()
                .filter_map(|platform| platform.driver.guard()),
        )
    }

    /// Returns the platform-specific failure codes.
    pub fn codes(&self) -> impl Iterator<Item = &'static OwnCode> + Clone {
        self.0
            .platforms
            .iter()
            .flat_map(|platform| platform.codes)
            .copied()
    }

    /// Returns the code of an operation failure with this text, or `None` for a failure of the script itself.
    pub fn code(&self, text: &str) -> Option<Code> {
        let mut platforms = self.0.platforms.iter();
        Code::parse(text).or_else(|| platforms.find_map(|platform| platform.code(text)))
    }

    /// Returns all kinds of objects.
    pub fn kinds(&self) -> impl Iterator<Item = &'static Kind> + Clone {
        self.0.kinds.iter().copied()
    }

    /// Returns the kind with this name.
    pub fn kind(&self, name: &str) -> Option<&'static Kind> {
        self.kinds().find(|kind| kind.name == name)
    }

    /// Returns the fields of the map that the operation returns, or `None` if it returns no map or the platform
    /// decides.
    pub fn fields(&self, op: Operation) -> Option<Fields> {
        let maps = op.platform().maps.iter();
        let mut listed = maps.filter(|(specs, _)| specs.iter().any(|spec| spec.id() == op.id()));
        listed.next().map(|(_, fields)| *fields)
    }

    /// Returns the account that an object acts as, under its ledger name; `None` if it has no address.
    pub fn account_of(&self, object: &Object) -> Option<String> {
        let account = self.driver_of(object)?.account_of(object).ok()?;
        (!account.is_empty()).then_some(account)
    }

    /// Returns the platform of an object: `crm` for a `crm::Contact`.
    pub(super) fn platform_of(&self, object: &Object) -> Option<&'static Platform> {
        self.platform(super::session::platform_of(object))
    }

    fn driver_of(&self, object: &Object) -> Option<&'static dyn Driver> {
        self.platform_of(object).map(|platform| platform.driver)
    }
}

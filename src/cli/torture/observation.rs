//! The state of a world after a trial: the platform's records, the ledger and the results.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use crate::journal::LedgerItem;
use crate::sandbox::{SimulatedResource, Snapshot, TenantBook};
use crate::value::Value;
use crate::value::secret::Secret;

/// One row of the results, by column.
pub(super) type Row = Map<String, Json>;

/// The data that a verdict is based on.
pub(super) struct Observation {
    pub(super) rows: Vec<Row>,
    pub(super) snapshot: Snapshot,
    pub(super) ledger: Vec<LedgerItem>,
    /// The problems found by the journal's own check.
    pub(super) problems: Vec<String>,
}

impl Observation {
    /// The text in a row's column; empty if there is none.
    pub(super) fn text<'a>(row: &'a Row, column: &str) -> &'a str {
        row.get(column).and_then(Json::as_str).unwrap_or_default()
    }

    /// The existing resources of each kind, by the labels that are the same in all worlds, sorted.
    pub(super) fn resources(&self) -> BTreeMap<String, Vec<String>> {
        let mut kinds: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for resource in self.snapshot.resources() {
            kinds.entry(resource.kind).or_default().push(resource.label);
        }
        for labels in kinds.values_mut() {
            labels.sort();
        }
        kinds
    }

    /// The resources that a cell of the results may refer to, if it is a sequential number.
    pub(super) fn numbered(&self, cell: &Json) -> BTreeSet<String> {
        let resources = self.snapshot.resources().into_iter();
        let number = cell.as_u64().map(|number| number.to_string());
        let named = resources.filter(|resource| resource.numbered && Some(&resource.id) == number.as_ref());
        named
            .map(|resource| format!("{} {}", resource.kind, resource.label))
            .collect()
    }

    /// All ledger entries, by the properties that are the same in all worlds.
    pub(super) fn entries(&self) -> BTreeSet<String> {
        let all = self.ledger.iter();
        all.map(|item| {
            let resource = &item.resource;
            format!(
                "{} {} of {}",
                resource.kind,
                resource.name,
                self.owner(&resource.account)
            )
        })
        .collect()
    }

    /// The contradictions: resources created twice, and credentials that are missing or wrong.
    pub(super) fn flaws(&self) -> Vec<String> {
        let mut flaws: Vec<String> = self
            .problems
            .iter()
            .map(|reason| format!("journal: {reason}"))
            .collect();
        if self.snapshot.pending > 0 {
            flaws.push("an effect has still not arrived".to_owned());
        }
        flaws.extend(self.duplicates());
        let tenants = self.snapshot.tenants();
        flaws.extend(tenants.iter().filter_map(|tenant| self.credential(tenant)));
        flaws.extend(self.unmatched());
        flaws
    }

    fn duplicates(&self) -> Vec<String> {
        let tenants = self.snapshot.tenants();
        let again = tenants.iter().filter(|tenant| tenant.created != 1);
        let mut duplicates: Vec<String> = again
            .map(|tenant| format!("tenant {} was created {} times", tenant.email, tenant.created))
            .collect();
        for (kind, labels) in self.resources() {
            let pairs = labels.windows(2).filter(|pair| pair[0] == pair[1]);
            duplicates.extend(pairs.map(|pair| format!("created twice: {kind} {}", pair[0])));
        }
        duplicates
    }

    /// The problem with the ledger's entry of a tenant, if any.
    fn credential(&self, tenant: &TenantBook) -> Option<String> {
        let email = tenant.address();
        let tenants = || self.ledger.iter().filter(|item| item.resource.kind == "tenant");
        let Some(item) = tenants().find(|item| item.resource.name == email) else {
            return Some(format!(
                "tenant {email} is not in the ledger: its credential is lost"
            ));
        };
        let fields = match &item.value {
            Value::Object(object) => &object.fields,
            _ => return Some(format!("the ledger's entry of {email} is not a tenant")),
        };
        match fields.get("password") {
            Some(Value::Secret(known)) if *known == Secret::new(tenant.password.as_str()) => None,
            Some(Value::Secret(_)) => Some(format!("the credential of {email} is wrong in the ledger")),
            _ => Some(format!("the credential of {email} is missing in the ledger")),
        }
    }

    /// Resources missing in either the platform's records or the ledger. Tenants are checked elsewhere.
    fn unmatched(&self) -> Vec<String> {
        let resources = self.snapshot.resources();
        let is_lost = |resource: &&SimulatedResource| {
            let entered = || self.ledger.iter().any(|item| is_entry(item, resource));
            resource.kind != "tenant" && !resource.name.is_empty() && !entered()
        };
        let lost = resources.iter().filter(is_lost);
        let exists = |item: &LedgerItem| resources.iter().any(|resource| is_entry(item, resource));
        let orphans = self.ledger.iter().filter(|item| !exists(item));
        let lost = lost.map(|resource| format!("not in the ledger: {} {}", resource.kind, resource.label));
        let orphans = orphans.map(|item| {
            let (resource, owner) = (&item.resource, self.owner(&item.resource.account));
            format!(
                "the ledger has an object of {owner} that does not exist: {} {}",
                resource.kind, resource.name
            )
        });
        lost.chain(orphans).collect()
    }

    /// The address of the tenant that owns an account.
    fn owner(&self, account: &str) -> String {
        let tenants = self.snapshot.tenants();
        let owner = tenants.iter().find(|tenant| account.contains(&tenant.account()));
        owner.map_or("the master account".to_owned(), TenantBook::address)
    }
}

/// Whether the item is the ledger entry of this resource.
fn is_entry(item: &LedgerItem, resource: &SimulatedResource) -> bool {
    let is_named = match item.platform_id.as_deref() {
        Some(id) if !resource.id.is_empty() => id == resource.id,
        _ => item.resource.name == resource.name,
    };
    item.resource.kind == resource.kind && item.resource.account.contains(&resource.account) && is_named
}

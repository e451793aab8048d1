//! The ledger: the resources that steps have created, by natural key.

use std::collections::BTreeSet;

use super::apply::Write;
use super::attempt::EarlierResult;
use super::change::{item_seal_context, platform_id};
use super::error::JournalError;
use super::row::{outcome_seal_context, step_seal_context};
use super::run::RunId;
use super::table::{ItemData, ResourceKey, StepData};
use super::{Journal, NaturalKey};
use crate::value::Value;

/// A resource that exists, as far as this journal knows.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerItem {
    /// The resource key.
    pub resource: ResourceKey,
    /// The outcome that created it, with its credentials.
    pub value: Value,
    /// The platform's identifier, if the outcome had one.
    pub platform_id: Option<String>,
    /// The run that inserted it; `None` if a person did.
    pub run: Option<RunId>,
    /// The step that inserted it.
    pub step: Option<String>,
    /// When it was inserted, in milliseconds since the Unix epoch.
    pub created_ms: i64,
    /// When it was last changed, in milliseconds since the Unix epoch.
    pub changed_ms: i64,
}

impl Journal {
    /// Returns the ledger entry for a natural key.
    pub fn ledger_get(&self, key: &NaturalKey) -> Result<Option<LedgerItem>, JournalError> {
        let item = self.store().read(|look| look.item(&key.into()))?;
        item.map(|item| {
            let value = self.open_item(&item)?;
            Ok(ledger_item(item, value))
        })
        .transpose()
    }

    /// Returns all resources of a kind, of one account or of all, oldest first. If a value cannot be read it is null,
    /// and [`Journal::damage`] names it.
    pub fn ledger_list(&self, kind: &str, account: Option<&str>) -> Result<Vec<LedgerItem>, JournalError> {
        let items = self.store().read(|look| look.items(kind, account))?;
        Ok(self.ledger_items(items))
    }

    /// Returns all resources of all kinds and accounts, in the order of their names.
    pub fn ledger_all(&self) -> Result<Vec<LedgerItem>, JournalError> {
        let items = self.store().read(|look| look.all_items())?;
        Ok(self.ledger_items(items))
    }

    /// Inserts or updates a resource; on disk when it returns. Keeps the run, step and time of the first insertion.
    pub fn ledger_put(&self, key: &NaturalKey, value: &Value) -> Result<(), JournalError> {
        let resource = ResourceKey::from(key);
        let known = self.store().read(|look| look.item(&resource))?;
        let now_ms = self.clock().now_millis();
        let item = ItemData {
            platform_id: platform_id(value).or_else(|| known.as_ref()?.platform_id.clone()),
            created_ms: known.as_ref().map_or(now_ms, |item| item.created_ms),
            step: known.and_then(|item| item.step),
            value: Some(self.sealer().seal(&item_seal_context(&resource), value)),
            changed_ms: now_ms,
            resource,
        };
        self.store().write(Write::PutItem(Box::new(item))).map(drop)
    }

    /// Returns the platform identifiers that the ledger already has. A lookup must not mistake one of these for the
    /// resource whose response was lost.
    pub fn recorded_platform_ids(&self, account: &str, kind: &str) -> Result<BTreeSet<String>, JournalError> {
        let ids = self
            .store()
            .read(|look| look.recorded_platform_ids(account, kind))?;
        Ok(ids.into_iter().collect())
    }

    /// Returns the ledger's record of the resource that a step requests.
    pub(super) fn in_ledger(&self, step: &StepData, item: &ItemData) -> Result<EarlierResult, JournalError> {
        let owner = match &item.step {
            Some(step) => self.store().read(|look| look.step(step.id))?,
            None => None,
        };
        Ok(EarlierResult {
            value: self.open_item(item)?,
            run: item.step.as_ref().map(|step| step.run.clone()),
            is_same_request: owner.is_none_or(|owner| makes_same_request(step, &owner)),
        })
    }

    /// Returns the result of an earlier step with the same act.
    pub(super) fn earlier_act(
        &self,
        step: &StepData,
        owner: &StepData,
    ) -> Result<EarlierResult, JournalError> {
        let open = |sealed| self.open_sealed(&step_seal_context(owner), sealed);
        let value = owner.outcome.as_ref().map(|sealed| open(sealed)).transpose()?;
        Ok(EarlierResult {
            value: value.unwrap_or_default(),
            run: Some(owner.run.clone()),
            is_same_request: makes_same_request(step, owner),
        })
    }

    /// Returns a ledger entry under another name, sealed for it.
    pub(super) fn renamed(&self, item: ItemData, to: &ResourceKey) -> Result<ItemData, JournalError> {
        let own = match &item.value {
            Some(sealed) => Some(self.open_sealed(&item_seal_context(&item.resource), sealed)?),
            None => None,
        };
        Ok(ItemData {
            value: own.map(|value| self.sealer().seal(&item_seal_context(to), &value)),
            resource: to.clone(),
            ..item
        })
    }

    /// Opens the value of a ledger entry.
    pub(super) fn open_item(&self, item: &ItemData) -> Result<Value, JournalError> {
        let (place, sealed) = item_seal(item);
        self.open_sealed(&place, sealed)
    }

    fn ledger_items(&self, items: Vec<ItemData>) -> Vec<LedgerItem> {
        let opened = items.into_iter().map(|item| {
            let (place, sealed) = item_seal(&item);
            let value = self.open_or_record_damage(&place, sealed);
            ledger_item(item, value.unwrap_or_default())
        });
        opened.collect()
    }
}

fn ledger_item(item: ItemData, value: Value) -> LedgerItem {
    LedgerItem {
        value,
        resource: item.resource,
        platform_id: item.platform_id,
        run: item.step.as_ref().map(|step| step.run.clone()),
        step: item.step.map(|step| step.key),
        created_ms: item.created_ms,
        changed_ms: item.changed_ms,
    }
}

/// Returns the sealed value of a ledger entry, and the place it is sealed for: the entry, or the step that inserted it.
/// An entry that lost its step has no value that opens.
pub(super) fn item_seal(item: &ItemData) -> (String, &[u8]) {
    match (&item.value, &item.step) {
        (None, Some(step)) => (
            outcome_seal_context(&step.run, &step.key),
            step.outcome.as_deref().unwrap_or_default(),
        ),
        (value, _) => (
            item_seal_context(&item.resource),
            value.as_deref().unwrap_or_default(),
        ),
    }
}

/// Whether two steps under one key make the same request. Unknown, hence assumed, for steps recorded by version 1.
fn makes_same_request(one: &StepData, other: &StepData) -> bool {
    match (&one.request, &other.request) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

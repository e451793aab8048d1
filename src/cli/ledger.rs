//! The ledger as users see it: the resources the runs created, with credentials masked.

use super::app::App;
use super::error::CommandError;
use super::times;
use crate::journal::{Journal, JournalError, LedgerItem, RunId};
use crate::report::reveal::Reveal;
use crate::value::nearest::nearest;
use crate::value::{Object, Record, Value};

/// A resource in the ledger, as its operation returned it.
pub(super) struct LedgerResource {
    pub(super) item: LedgerItem,
}

/// The ledger's resources of this kind, in accounts whose address contains `account`; oldest first.
pub(super) fn held(
    journal: &Journal,
    kind: &str,
    account: Option<&str>,
) -> Result<Vec<LedgerResource>, CommandError> {
    let items = journal.ledger_list(kind, None)?.into_iter();
    let of_account = |item: &LedgerItem| account.is_none_or(|part| item.resource.account.contains(part));
    Ok(items
        .filter(of_account)
        .map(|item| LedgerResource { item })
        .collect())
}

/// Finds the one tenant with this e-mail address.
pub(super) fn find_tenant(
    journal: &Journal,
    email: &str,
    account: Option<&str>,
) -> Result<LedgerResource, CommandError> {
    let wanted = email.trim().to_lowercase();
    let tenants = held(journal, "tenant", account)?;
    let (mut found, others): (Vec<LedgerResource>, Vec<LedgerResource>) = tenants
        .into_iter()
        .partition(|tenant| tenant.item.resource.name == wanted);
    match (found.pop(), found.len()) {
        (Some(tenant), 0) => Ok(tenant),
        (Some(last), _) => {
            let accounts = found.iter().chain([&last]).map(LedgerResource::account);
            Err(CommandError::usage(format!(
                "{wanted} is a tenant of several accounts: {}",
                accounts.collect::<Vec<_>>().join(", ")
            ))
            .hint("select one: --account ADDRESS"))
        }
        (None, _) => Err(no_tenant(journal, &wanted, &others)?),
    }
}

/// The error that explains, as far as the journal knows, why there is no such tenant.
fn no_tenant(
    journal: &Journal,
    wanted: &str,
    others: &[LedgerResource],
) -> Result<CommandError, CommandError> {
    let doubts = journal.all_in_doubt("tenant")?;
    if let Some(doubt) = doubts.iter().find(|doubt| doubt.resource.name == wanted) {
        return Ok(
            CommandError::usage(format!("it is in doubt whether {wanted} is a tenant"))
                .hint(format!("to look it up: provisor resume {}", doubt.run)),
        );
    }
    let error = CommandError::usage(format!("the ledger has no tenant {wanted}"));
    let names = others.iter().map(|tenant| tenant.item.resource.name.as_str());
    Ok(error
        .did_you_mean(nearest(wanted, names))
        .hint("provisor tenants list shows the tenants"))
}

impl LedgerResource {
    /// The address of the account that holds the resource.
    pub(super) fn account(&self) -> &str {
        &self.item.resource.account
    }

    /// The run that created the resource; empty if it is unknown.
    pub(super) fn run(&self) -> String {
        let run = self.item.run.as_ref();
        run.map_or(String::new(), ToString::to_string)
    }

    /// A field of the value that the creating operation returned.
    pub(super) fn field(&self, name: &str) -> Value {
        let object = self.object();
        object
            .and_then(|object| object.fields.get(name))
            .cloned()
            .unwrap_or_default()
    }

    /// The text of a field; empty if there is none.
    pub(super) fn text(&self, name: &str) -> String {
        match self.field(name) {
            Value::Text(text) => text,
            Value::Int(int) => int.to_string(),
            _ => String::new(),
        }
    }

    /// Whether the password is on record.
    pub(super) fn has_password(&self) -> bool {
        matches!(self.field("password"), Value::Secret(_) | Value::Text(_))
    }

    /// The command that repairs a tenant whose password is not on record.
    pub(super) fn repair(&self) -> Option<String> {
        let email = &self.item.resource.name;
        let lacks = !self.has_password() && self.item.value != Value::Null;
        lacks.then(|| format!("provisor tenants set-password {email}"))
    }

    /// The record of a tenant for display.
    pub(super) fn tenant_record(&self) -> Record {
        let credential = match self.item.value {
            Value::Null => "unreadable",
            _ if self.has_password() => "recorded",
            _ => "missing",
        };
        let mut record = self.record(&["url", "login", "password", "name"]);
        record.insert("email".into(), self.item.resource.name.as_str().into());
        record.insert("credential".into(), credential.into());
        record.insert("repair".into(), self.repair().map_or(Value::Null, Value::from));
        record
    }

    /// The record of an app for display.
    pub(super) fn app_record(&self) -> Record {
        self.record(&["id", "name", "site"])
    }

    fn record(&self, fields: &[&str]) -> Record {
        let own = fields.iter().map(|name| ((*name).to_owned(), self.field(name)));
        let mut record: Record = own.collect();
        let item = &self.item;
        let text = |text: Option<&str>| text.map_or(Value::Null, Value::from);
        record.insert("account".into(), self.account().into());
        record.insert("run".into(), text(item.run.as_ref().map(RunId::as_str)));
        record.insert("step".into(), text(item.step.as_deref()));
        record.insert("created".into(), Value::from_json(times::json(item.created_ms)));
        record.insert("changed".into(), Value::from_json(times::json(item.changed_ms)));
        record
    }

    fn object(&self) -> Option<&Object> {
        match &self.item.value {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }
}

impl App {
    /// Returns which secrets a command may show: none, or passwords if the user asked for them and confirmed. The audit
    /// log records this before they are shown. `what` completes a sentence that begins with "Show".
    pub(super) fn reveal(
        &self,
        journal: &Journal,
        (requested, yes): (bool, bool),
        what: &str,
    ) -> Result<Reveal, CommandError> {
        if !requested {
            return Ok(Reveal::nothing());
        }
        self.consent(yes, &format!("Show {what} in clear?"))?;
        match journal.audit("reveal", &self.actor(), &what.into()) {
            Ok(()) => self.ui.note("this is recorded: see provisor audit"),
            // The disk may be failing, and this may be the last chance to read the credentials.
            Err(error @ JournalError::ReadOnly { .. }) => {
                self.ui.warn(&format!("this is not recorded: {error}"));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(Reveal::columns(["password"]))
    }

    /// Warns of resources of this kind that may exist without being in the ledger.
    pub(super) fn warn_of_doubts(&self, journal: &Journal, kind: &str) -> Result<(), CommandError> {
        for doubt in journal.all_in_doubt(kind)? {
            self.ui.warn(&format!(
                "{} may exist: a step of run {} is in progress or in doubt",
                doubt.resource.name, doubt.run
            ));
        }
        Ok(())
    }
}

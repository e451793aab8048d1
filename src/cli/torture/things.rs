//! What exists on the platforms, as their own books have it, and what went out to somebody.

use std::collections::BTreeMap;

use crate::journal::LedgerItem;
use crate::sandbox::{AppBook, BatchBook, Books, Channel, JrniBook, TenantBook};

/// Something that exists, or a message that was sent.
pub(super) struct Thing {
    /// What it is, as the ledger has it; messages are in no ledger.
    pub(super) sort: &'static str,
    /// What it is called on the platform, by whom and for whom: the same in every world.
    pub(super) label: String,
    /// Its natural key, as the ledger has it; empty when it has none, and is in no ledger.
    name: String,
    /// The platform's identifier.
    id: String,
    /// Part of the address of the account that the ledger has it under.
    account: String,
}

impl Thing {
    /// Must the ledger know it? Whatever has no natural key was not ensured.
    pub(super) fn is_keyed(&self) -> bool {
        !self.name.is_empty()
    }

    /// Has the platform one sequence of numbers for all of its sort? Which one it gets then depends on who came first.
    pub(super) fn is_numbered_as(&self, cell: &serde_json::Value) -> bool {
        let in_turn = ["company", "administrator", "person"].contains(&self.sort);
        in_turn && cell.as_u64().is_some_and(|number| self.id == number.to_string())
    }

    /// Is this the ledger's entry of it?
    pub(super) fn is_entered_as(&self, item: &LedgerItem) -> bool {
        let is_named = match item.platform_id.as_deref() {
            Some(id) if !self.id.is_empty() => id == self.id,
            _ => item.thing.name == self.name,
        };
        item.thing.sort == self.sort && item.thing.account.contains(&self.account) && is_named
    }
}

/// Everything, platform by platform.
pub(super) fn all(books: &Books) -> Vec<Thing> {
    let tenants = books.tenants.iter().map(|tenant| Thing {
        sort: "tenant",
        label: address(tenant),
        name: address(tenant),
        id: String::new(),
        account: String::new(),
    });
    let apps = books.apps.iter().map(|app| Thing {
        sort: "app",
        label: format!("{} for {} of {}", app.name, app.site, owner(books, app)),
        name: app.name.clone(),
        id: app.id.to_string(),
        account: account_of(&app.tenant),
    });
    let items = books.web.items.iter().map(|item| {
        let mut fields = item.as_object().cloned().unwrap_or_default();
        fields.remove("id");
        let reference = fields.get("reference").and_then(|name| name.as_str());
        Thing {
            sort: "http",
            name: reference.unwrap_or_default().to_owned(),
            label: serde_json::Value::Object(fields).to_string(),
            id: String::new(),
            account: String::new(),
        }
    });
    let messages = books.sparrow.batches.iter().map(|batch| Thing {
        sort: "message",
        label: message(batch),
        name: String::new(),
        id: String::new(),
        account: String::new(),
    });
    let mut all: Vec<Thing> = tenants.chain(apps).chain(items).chain(messages).collect();
    all.extend(of_jrni(&books.jrni));
    all
}

/// A tenant's address, as the ledger names it.
pub(super) fn address(tenant: &TenantBook) -> String {
    tenant.email.trim().to_lowercase()
}

/// Part of the address of a tenant's account.
pub(super) fn account_of(tenant: &str) -> String {
    format!("//{tenant}-admin.")
}

fn owner(books: &Books, app: &AppBook) -> String {
    let owner = books.tenants.iter().find(|tenant| tenant.name == app.tenant);
    owner.map_or("the master account".to_owned(), address)
}

fn of_jrni(book: &JrniBook) -> Vec<Thing> {
    let names: BTreeMap<u64, &str> = book
        .companies
        .iter()
        .map(|company| (company.id, company.name.as_str()))
        .collect();
    let of = |company: u64| names.get(&company).copied().unwrap_or("no company");
    let keyed = |sort, name: &str, id: u64, label: String| Thing {
        sort,
        label,
        name: name.to_owned(),
        id: id.to_string(),
        account: String::new(),
    };
    let companies = book.companies.iter().map(|company| {
        let parent = company.parent.map_or("nobody", of);
        let label = format!("{} ({}) of {parent}", company.name, company.reference);
        keyed("company", &company.reference, company.id, label)
    });
    let administrators = book.administrators.iter().map(|one| {
        let email = one.email.trim().to_lowercase();
        let label = format!("{email} of {}", of(one.company));
        keyed("administrator", &email, one.id, label)
    });
    let people = book.people.iter().filter(|person| !person.deleted).map(|person| {
        let label = format!("{} ({}) of {}", person.name, person.reference, of(person.company));
        keyed("person", &person.reference, person.id, label)
    });
    companies.chain(administrators).chain(people).collect()
}

fn message(batch: &BatchBook) -> String {
    let channel = match batch.channel {
        Channel::Viber | Channel::ViberTemplate => "by Viber",
        Channel::Sms => "by SMS",
        Channel::Whatsapp => "by WhatsApp",
    };
    let kept = if batch.draft { "kept as a draft, " } else { "" };
    format!(
        "{kept}{channel} to {}: {}",
        batch.recipients.join(", "),
        batch.text
    )
}

//! The resources and sent messages of the simulated platforms, in one common form.

use std::collections::BTreeMap;

use super::snapshot::{AppBook, BatchBook, Channel, JrniBook, Snapshot, TenantBook};

/// A resource that exists, or a message that was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SimulatedResource {
    /// The kind, as in a ledger; messages are in no ledger.
    pub kind: String,
    /// A description with its owner or recipients: the same in every world.
    pub label: String,
    /// The natural key, as in a ledger; empty if it has none and so is in no ledger.
    pub name: String,
    /// The platform's identifier; empty if it has none.
    pub id: String,
    /// Part of the URL of the account that it has in a ledger.
    pub account: String,
    /// Whether identifiers of this kind come from one platform-wide sequence, and so depend on the creation order.
    pub numbered: bool,
}

impl Snapshot {
    /// Returns the resources and messages of all platforms.
    pub fn resources(&self) -> Vec<SimulatedResource> {
        let tenants = self.tenants.iter().map(|tenant| SimulatedResource {
            kind: "tenant".to_owned(),
            label: tenant.address(),
            name: tenant.address(),
            ..SimulatedResource::default()
        });
        let apps = self.apps.iter().map(|app| SimulatedResource {
            kind: "app".to_owned(),
            label: format!("{} for {} of {}", app.name, app.site, owner(self, app)),
            name: app.name.clone(),
            id: app.id.to_string(),
            account: account_of(&app.tenant),
            ..SimulatedResource::default()
        });
        let items = self.web.items.iter().map(|item| {
            let mut fields = item.as_object().cloned().unwrap_or_default();
            fields.remove("id");
            let reference = fields.get("reference").and_then(|name| name.as_str());
            SimulatedResource {
                kind: "http".to_owned(),
                name: reference.unwrap_or_default().to_owned(),
                label: serde_json::Value::Object(fields).to_string(),
                ..SimulatedResource::default()
            }
        });
        let described = self.web.described.iter().map(|item| SimulatedResource {
            kind: item.kind.clone(),
            label: serde_json::Value::Object(item.fields.clone()).to_string(),
            name: item.key.clone(),
            id: item.id.to_string(),
            account: format!("//{}.web.sandbox", item.service),
            numbered: true,
        });
        let sent = self.sparrow.batches.iter().map(message);
        let bulk = self.sparrow_bulk.messages.iter();
        let in_bulk = bulk.map(|sms| format!("in bulk to {}: {}", sms.recipients.join(", "), sms.text));
        let messages = sent.chain(in_bulk).map(|label| SimulatedResource {
            kind: "message".to_owned(),
            label,
            ..SimulatedResource::default()
        });
        let others = items.chain(described).chain(messages);
        let others = others.chain(jrni_resources(&self.jrni));
        tenants.chain(apps).chain(others).collect()
    }
}

impl TenantBook {
    /// Returns its address, as a ledger names it.
    pub fn address(&self) -> String {
        self.email.trim().to_lowercase()
    }

    /// Returns part of the URL of its account.
    pub fn account(&self) -> String {
        account_of(&self.name)
    }
}

fn account_of(tenant: &str) -> String {
    format!("//{tenant}-admin.")
}

fn owner(snapshot: &Snapshot, app: &AppBook) -> String {
    let owner = snapshot.tenants.iter().find(|tenant| tenant.name == app.tenant);
    owner.map_or("the master account".to_owned(), TenantBook::address)
}

fn jrni_resources(book: &JrniBook) -> Vec<SimulatedResource> {
    let names: BTreeMap<u64, &str> = book
        .companies
        .iter()
        .map(|company| (company.id, company.name.as_str()))
        .collect();
    let of = |company: u64| names.get(&company).copied().unwrap_or("no company");
    let keyed = |kind: &str, name: &str, id: u64, label: String| SimulatedResource {
        kind: kind.to_owned(),
        label,
        name: name.to_owned(),
        id: id.to_string(),
        numbered: true,
        ..SimulatedResource::default()
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

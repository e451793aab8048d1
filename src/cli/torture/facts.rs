//! How a world stands after an ordeal: the platform's books, the ledger and the results.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use crate::journal::LedgerItem;
use crate::sandbox::{AppBook, Books, TenantBook};
use crate::value::Value;
use crate::value::secret::Secret;

/// One row of the results, by column.
pub(super) type Row = Map<String, Json>;

/// Everything that a verdict is made of.
pub(super) struct Facts {
    pub(super) rows: Vec<Row>,
    pub(super) books: Books,
    pub(super) tenants: Vec<LedgerItem>,
    pub(super) apps: Vec<LedgerItem>,
    /// What the journal's own check finds wrong.
    pub(super) problems: Vec<String>,
}

impl Facts {
    /// The text of a row's column; empty when it has none.
    pub(super) fn text<'a>(row: &'a Row, column: &str) -> &'a str {
        row.get(column).and_then(Json::as_str).unwrap_or_default()
    }

    /// The address of every tenant, sorted.
    pub(super) fn addresses(&self) -> Vec<String> {
        let mut all: Vec<String> = self.books.tenants.iter().map(address).collect();
        all.sort();
        all
    }

    /// Every app by its owner's address, its name and its site, sorted.
    pub(super) fn wrapped(&self) -> Vec<String> {
        let mut all: Vec<String> = self.books.apps.iter().map(|app| self.describe(app)).collect();
        all.sort();
        all
    }

    /// Every entry of the ledger, by what does not differ from world to world.
    pub(super) fn entries(&self) -> BTreeSet<String> {
        let all = self.tenants.iter().chain(&self.apps);
        all.map(|item| {
            let thing = &item.thing;
            format!("{} {} of {}", thing.sort, thing.name, self.owner(&thing.account))
        })
        .collect()
    }

    /// What contradicts itself: things made twice, and credentials that are missing or wrong.
    pub(super) fn flaws(&self) -> Vec<String> {
        let mut flaws: Vec<String> = self
            .problems
            .iter()
            .map(|why| format!("journal: {why}"))
            .collect();
        if self.books.pending > 0 {
            flaws.push("an effect has still not landed".to_owned());
        }
        flaws.extend(self.twice());
        flaws.extend(
            self.books
                .tenants
                .iter()
                .filter_map(|tenant| self.credential(tenant)),
        );
        let strays = self.tenants.iter().filter(|item| {
            let known = self.books.tenants.iter().map(address);
            !known.into_iter().any(|address| address == item.thing.name)
        });
        flaws.extend(
            strays.map(|item| format!("the ledger has a tenant that does not exist: {}", item.thing.name)),
        );
        flaws.extend(self.unknown_apps());
        flaws
    }

    fn twice(&self) -> Vec<String> {
        let again = self.books.tenants.iter().filter(|tenant| tenant.created != 1);
        let mut twice: Vec<String> = again
            .map(|tenant| format!("tenant {} was made {} times", tenant.email, tenant.created))
            .collect();
        let apps = self.wrapped();
        let pairs = apps.windows(2).filter(|pair| pair[0] == pair[1]);
        twice.extend(pairs.map(|pair| format!("made twice: {}", pair[0])));
        twice
    }

    /// What is wrong with what the ledger knows of a tenant.
    fn credential(&self, tenant: &TenantBook) -> Option<String> {
        let email = address(tenant);
        let Some(item) = self.tenants.iter().find(|item| item.thing.name == email) else {
            return Some(format!(
                "tenant {email} is not in the ledger: its credential is lost"
            ));
        };
        let fields = match &item.value {
            Value::Object(object) => &object.fields,
            _ => return Some(format!("the ledger's entry of {email} is no tenant")),
        };
        match fields.get("password") {
            Some(Value::Secret(known)) if *known == Secret::new(tenant.password.as_str()) => None,
            Some(Value::Secret(_)) => Some(format!("the credential of {email} is wrong in the ledger")),
            _ => Some(format!("the credential of {email} is missing in the ledger")),
        }
    }

    /// Apps that only one of books and ledger has.
    fn unknown_apps(&self) -> Vec<String> {
        let is_entry = |item: &&LedgerItem, app: &AppBook| {
            item.platform_id.as_deref() == Some(app.id.to_string().as_str())
                && is_account_of(&item.thing.account, &app.tenant)
        };
        let books = &self.books.apps;
        let lost = books
            .iter()
            .filter(|app| !self.apps.iter().any(|item| is_entry(&item, app)));
        let strays = self
            .apps
            .iter()
            .filter(|item| !books.iter().any(|app| is_entry(item, app)));
        let lost = lost.map(|app| format!("not in the ledger: {}", self.describe(app)));
        let strays = strays.map(|item| {
            let owner = self.owner(&item.thing.account);
            format!(
                "the ledger has an app of {owner} that does not exist: {}",
                item.thing.name
            )
        });
        lost.chain(strays).collect()
    }

    fn describe(&self, app: &AppBook) -> String {
        let owner = self.books.tenants.iter().find(|tenant| tenant.name == app.tenant);
        let owner = owner.map_or("the master account".to_owned(), address);
        format!("app {} for {} of {owner}", app.name, app.site)
    }

    /// The address of the tenant that an account belongs to.
    fn owner(&self, account: &str) -> String {
        let owner = self
            .books
            .tenants
            .iter()
            .find(|tenant| is_account_of(account, &tenant.name));
        owner.map_or("the master account".to_owned(), address)
    }
}

/// A tenant's address, as the ledger names it.
pub(super) fn address(tenant: &TenantBook) -> String {
    tenant.email.trim().to_lowercase()
}

fn is_account_of(account: &str, tenant: &str) -> bool {
    account.contains(&format!("//{tenant}-admin."))
}

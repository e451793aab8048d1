//! Resource names in the ledger: names from earlier versions, and entries that have the same name under the current
//! rules.

use std::collections::BTreeMap;

use super::catalogue::Catalogue;
use crate::journal::{Journal, JournalError, LedgerItem};

/// Finds ledger entries that an earlier version kept apart and that have one name under the current rules: one sentence
/// without a full stop for each such resource. All entries stay on record, and calls use one of them.
pub fn doubles(catalogue: &Catalogue, journal: &Journal) -> Result<Vec<String>, JournalError> {
    let items = journal.ledger_all()?;
    let mut same: BTreeMap<(String, &str, String), Vec<&LedgerItem>> = BTreeMap::new();
    for item in &items {
        let mut platforms = catalogue.platforms().iter();
        if let Some((account, name)) = platforms.find_map(|platform| platform.driver.current_name(item)) {
            same.entry((account, &item.resource.kind, name))
                .or_default()
                .push(item);
        }
    }
    let doubles = same.iter().filter(|(_, items)| items.len() > 1);
    Ok(doubles
        .map(|((_, kind, _), items)| describe_duplicates(kind, items))
        .collect())
}

fn describe_duplicates(kind: &str, items: &[&LedgerItem]) -> String {
    let names: Vec<String> = items
        .iter()
        .map(|item| format!("`{}` of {}", item.resource.name, item.resource.account))
        .collect();
    let compare = match kind {
        "tenant" => ": compare them with `provisor tenants show NAME --reveal`",
        _ => "",
    };
    format!(
        "{} entries of the ledger are the same {kind} under the current naming rules: {}; calls use the entry under the \
         current name, or else the first one requested, and the others stay on record under their own names{compare}",
        items.len(),
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::clock::{Clock, Ids};
    use crate::journal::{NaturalKey, Sealer};
    use crate::value::{Record, Value};

    #[test]
    fn ledger_entries_for_the_same_resource_are_reported_as_duplicates() {
        let journal = Journal::in_memory(Sealer::new(&[7; 32]), Clock::system(), Ids::seeded(1)).unwrap();
        let enter = |account: &str, kind: &'static str, name: &str, id: i64| {
            let key = NaturalKey {
                account: account.to_owned(),
                kind,
                name: name.to_owned(),
            };
            let value = Value::Record(Record::from([("id".to_owned(), Value::Int(id))]));
            journal.ledger_put(&key, &value).unwrap();
        };
        let master = "https://a.example";
        enter(master, "tenant", "ann@b\u{fc}cher.example", 1);
        enter(master, "tenant", "ann@xn--bcher-kva.example", 2);
        enter(master, "tenant", "eve@example.com", 3);
        enter("https://b.example", "tenant", "ann@xn--bcher-kva.example", 2);
        enter(master, "app", "caf\u{e9} @ cafe.example", 1);
        enter(master, "app", "cafe\u{301} @ cafe.example", 2);
        let jrni = "https://j.example/api/v1";
        enter(&format!("{jrni}/ann@example.com"), "company", "s-1", 38);
        enter(&format!("{jrni}/admin/37"), "company", "s-1", 38);
        // Another company with the same reference.
        enter(&format!("{jrni}/admin/36"), "company", "s-1", 40);
        let doubles = doubles(&crate::platforms::catalogue(), &journal).unwrap();
        assert_eq!(doubles.len(), 3, "{doubles:#?}");
        for (double, names) in doubles.iter().zip([
            ["`cafe\u{301} @ cafe.example`", "`caf\u{e9} @ cafe.example`"],
            ["`ann@b\u{fc}cher.example`", "`ann@xn--bcher-kva.example`"],
            [
                "`s-1` of https://j.example/api/v1/admin/37",
                "`s-1` of https://j.example/api/v1/ann@example.com",
            ],
        ]) {
            assert!(names.iter().all(|name| double.contains(name)), "{double}");
        }
    }
}

//! Credentials in the results: found by their values, so that no column has to be named for them.

use super::facts::Facts;

/// Which cells of the results are the password of which tenant.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Credentials(Vec<Cell>);

#[derive(Debug, PartialEq)]
struct Cell {
    row: usize,
    column: String,
    tenant: String,
}

impl Credentials {
    /// The cells that hold a password in this world.
    pub(super) fn of(facts: &Facts) -> Credentials {
        let mut cells = Vec::new();
        for (row, columns) in facts.rows.iter().enumerate() {
            for (column, cell) in columns {
                let text = cell.as_str().filter(|text| !text.is_empty());
                let owner = text.and_then(|text| {
                    let mut tenants = facts.books.tenants.iter();
                    tenants.find(|tenant| tenant.password == text)
                });
                cells.extend(owner.map(|tenant| Cell {
                    row,
                    column: column.clone(),
                    tenant: tenant.address(),
                }));
            }
        }
        Credentials(cells)
    }

    /// How many cells there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The cells of another world that ought to hold the same tenants' passwords there, and do not.
    pub(super) fn wrong_in(&self, facts: &Facts) -> Vec<String> {
        let wrong = self.0.iter().filter(|cell| {
            let mut tenants = facts.books.tenants.iter();
            let password = tenants
                .find(|tenant| tenant.address() == cell.tenant)
                .map(|tenant| tenant.password.as_str());
            let shown = facts.rows.get(cell.row).map(|row| Facts::text(row, &cell.column));
            password.is_none() || password != shown
        });
        wrong
            .map(|cell| {
                format!(
                    "results, row {}: `{}` is not the credential of {}",
                    cell.row + 1,
                    cell.column,
                    cell.tenant
                )
            })
            .collect()
    }
}

//! Finds credentials in the results by their values, so that the user need not name their columns.

use super::observation::Observation;

/// The cells of the results that contain a tenant's password.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Credentials(Vec<Cell>);

#[derive(Debug, PartialEq)]
struct Cell {
    row: usize,
    column: String,
    tenant: String,
}

impl Credentials {
    /// Finds the cells that contain a password in this world.
    pub(super) fn of(observation: &Observation) -> Credentials {
        let mut cells = Vec::new();
        for (row, columns) in observation.rows.iter().enumerate() {
            for (column, cell) in columns {
                let text = cell.as_str().filter(|text| !text.is_empty());
                let owner = text.and_then(|text| {
                    let mut tenants = observation.snapshot.tenants.iter();
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

    /// The number of cells.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The cells that should contain the same tenants' passwords in another world, but do not.
    pub(super) fn wrong_cells(&self, observation: &Observation) -> Vec<String> {
        let wrong = self.0.iter().filter(|cell| {
            let mut tenants = observation.snapshot.tenants.iter();
            let password = tenants
                .find(|tenant| tenant.address() == cell.tenant)
                .map(|tenant| tenant.password.as_str());
            let shown = observation
                .rows
                .get(cell.row)
                .map(|row| Observation::text(row, &cell.column));
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

//! The tenants that accounts had before anything was created, each list read once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::account_of;
use crate::ops::error::{Code, OpError};
use crate::ops::world::World;
use crate::platform::error::ApiErrorKind;
use crate::platform::mobsted::tenants::TenantRow;
use crate::value::{Object, Value};

/// What accounts had, by account.
#[derive(Default)]
pub(in crate::ops) struct Directories(Mutex<HashMap<String, Arc<OnceCell<Tenants>>>>);

/// Tenants by their address in lower case; nothing where several have one.
type Tenants = HashMap<String, Option<TenantRow>>;

impl World {
    /// The tenant of this address, if the account had it when it was first looked at. Without this a lost answer about
    /// a tenant that somebody else had made would be taken for ours. An account that may not list has none.
    pub(super) async fn tenant_before(
        &self,
        session: &Object,
        email: &str,
    ) -> Result<Option<TenantRow>, OpError> {
        let account = format!("{}\n{}", account_of(session)?, session.text("login"));
        let directory = {
            let directories = &self.mobsted.directories.0;
            let mut directories = directories.lock().unwrap_or_else(PoisonError::into_inner);
            directories.entry(account).or_default().clone()
        };
        let known = directory.get_or_try_init(|| self.list_tenants(session)).await?;
        match known.get(&email.trim().to_lowercase()) {
            None => Ok(None),
            Some(Some(row)) => Ok(Some(row.clone())),
            Some(None) => Err(OpError::new(
                Code::AlreadyExists,
                format!("the platform lists several tenants for {}", email.trim()),
            )),
        }
    }

    async fn list_tenants(&self, session: &Object) -> Result<Tenants, OpError> {
        let rows = match self.mobsted(session)?.tenants().await {
            Ok(rows) => rows,
            // An account that may not list is told so when it creates; look-ups will not settle anything for it.
            Err(error) if matches!(error.kind, ApiErrorKind::Forbidden | ApiErrorKind::NotFound) => {
                Vec::new()
            }
            Err(error) => return Err(error.into()),
        };
        let mut tenants = Tenants::new();
        for mut row in rows {
            // Nobody asks for the other columns, and there may be many rows.
            row.attributes = Value::Null;
            let entry = tenants.entry(row.email.trim().to_lowercase());
            entry.and_modify(|row| *row = None).or_insert(Some(row));
        }
        Ok(tenants)
    }
}

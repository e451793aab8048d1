//! `provisor sandbox status`: what the sandbox holds, without credentials.

use serde_json::{Value as Json, json};

use crate::cli::app::App;
use crate::cli::error::CommandError;
use crate::sandbox::{PlatformCounts, Snapshot, Status};

/// Prints the counts, as text or as JSON.
pub(super) fn show(app: &App, status: &Status, json: bool) -> Result<(), CommandError> {
    let served = status.served.map(|(address, pid)| (address.to_string(), pid));
    let Some(snapshot) = &status.snapshot else {
        return app.print(if json {
            r#"{"world":null}"#
        } else {
            "the sandbox is empty; the first run with --sandbox creates its data"
        });
    };
    let parts = snapshot.counts();
    if json {
        let served = served.map(|(address, pid)| json!({"address": address, "pid": pid}));
        return app.print(&document(served.as_ref(), snapshot, &parts).to_string());
    }
    match served {
        Some((address, pid)) => app.print(&format!("served at http://{address} by process {pid}"))?,
        None => app.print("not served now")?,
    }
    for part in &parts {
        let resources = part
            .resources
            .iter()
            .map(|(name, count)| format!("{count} {name}"));
        let resources = resources.collect::<Vec<_>>().join(", ");
        app.print(&format!("{}: {resources}", part.title))?;
        for (name, count) in part.totals.as_object().into_iter().flatten() {
            app.print(&format!("  {}: {count}", name.replace('_', " ")))?;
        }
    }
    Ok(())
}

/// The counts of the first platform stay at the top level, where they were when it was the only one.
fn document(served: Option<&Json>, snapshot: &Snapshot, parts: &[PlatformCounts]) -> Json {
    let mut document = json!({"served": served, "pending": snapshot.pending});
    for (at, part) in parts.iter().enumerate() {
        let mut counts: serde_json::Map<String, Json> = part
            .resources
            .iter()
            .map(|(name, count)| ((*name).to_owned(), json!(count)))
            .collect();
        counts.insert("totals".to_owned(), part.totals.clone());
        if at == 0 {
            document
                .as_object_mut()
                .into_iter()
                .for_each(|all| all.extend(counts.clone()));
        } else {
            let name = part.title.to_lowercase().replace(' ', "_");
            document[name] = Json::Object(counts);
        }
    }
    document
}

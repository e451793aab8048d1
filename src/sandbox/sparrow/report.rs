//! Delivery reports of messages, and tariffs.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::reply::Reply;
use super::super::serve::Site;
use super::envelope;
use super::event::Channel;
use super::state::Batch;

/// Responds to a request to `…/report/{id}` or below.
pub(super) fn plan(site: &Site, call: &Call, channels: &[Channel], rest: &[&str]) -> Result<Reply, Reply> {
    if call.method != Method::GET {
        return Err(super::not_allowed(call));
    }
    let (id, part) = match rest {
        [id] => (*id, ""),
        [id, part @ ("delivery" | "failed")] => (*id, *part),
        _ => return Err(super::unknown()),
    };
    let batch = site.world.sparrow(|state| state.batch(id, channels).cloned());
    let batch = batch.ok_or_else(|| envelope::detail(StatusCode::NOT_FOUND, "Not found."))?;
    Ok(match part {
        "delivery" => records(&batch, &json!({ "delivered": delivered(&batch), "seen": [] })),
        "failed" => records(&batch, &json!({ "rejected": rejected(&batch), "expired": [] })),
        _ => summary(&batch),
    })
}

/// Returns the countries that messages can go to, with their rates; the form is assumed.
pub(super) fn tariffs() -> Reply {
    let rate =
        |country: &str, code: &str, rate: f64| json!({ "country": country, "code": code, "rate": rate });
    envelope::ok(&json!([
        rate("India", "91", 4.5),
        rate("Qatar", "974", 6.0),
        rate("Germany", "49", 11.25),
    ]))
}

fn summary(batch: &Batch) -> Reply {
    let (accepted, rejected) = (delivered(batch).len(), rejected(batch).len());
    envelope::ok(&json!({
        "uuid": batch.id,
        "sender_name": batch.message.sender,
        "campaign_name": batch.message.campaign,
        "status": if batch.draft { "DRAFT" } else { "COMPLETED" },
        "total": accepted + rejected,
        "accepted": accepted,
        "rejected": rejected,
        "performed_by": { "name": "Sandbox" },
    }))
}

fn records(batch: &Batch, records: &Value) -> Reply {
    envelope::ok(&json!({ "uuid": batch.id, "records": records }))
}

/// Returns the reached recipients. A number that ends in 99 rejects messages, so that failures can be tested.
fn delivered(batch: &Batch) -> Vec<&str> {
    split(batch, false)
}

fn rejected(batch: &Batch) -> Vec<&str> {
    split(batch, true)
}

fn split(batch: &Batch, rejected: bool) -> Vec<&str> {
    let all = batch.message.valid.iter().map(String::as_str);
    all.filter(|to| !batch.draft && to.ends_with("99") == rejected)
        .collect()
}

//! Delivery reports of messages, and tariffs.

use axum::http::Method;
use serde_json::json;

use super::super::call::Call;
use super::super::reply::Reply;
use super::super::serve::Site;
use super::envelope;
use super::state::{Channel, State};

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
    let batch = site.read(|state: &State| state.batch(id, channels).cloned());
    let batch = batch.ok_or_else(super::unknown)?;
    // A number that ends in 99 rejects messages, so that failures can be tested.
    let all = batch.message.valid.iter().filter(|_| !batch.draft);
    let (rejected, accepted): (Vec<&String>, Vec<&String>) = all.partition(|to| to.ends_with("99"));
    let data = match part {
        "delivery" => json!({ "uuid": id, "records": { "delivered": accepted, "seen": [] } }),
        "failed" => json!({ "uuid": id, "records": { "rejected": rejected, "expired": [] } }),
        _ => json!({
            "uuid": id,
            "sender_name": batch.message.sender,
            "campaign_name": batch.message.campaign,
            "status": if batch.draft { "DRAFT" } else { "COMPLETED" },
            "total": accepted.len() + rejected.len(),
            "accepted": accepted.len(),
            "rejected": rejected.len(),
            "performed_by": { "name": "Sandbox" },
        }),
    };
    Ok(envelope::ok(&data))
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

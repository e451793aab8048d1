//! Parses requests: the parameters, which come in the query or in the body, and the account that their token names.

use axum::http::Method;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::form::Fields;
use super::super::reply::Reply;
use super::super::serve::Site;
use super::state::{Event, Message, SparrowBulkMessageBook, State};
use super::{Action, refused};

/// Tokens with a specific refusal each, so that every one of the vendor's can be triggered.
const ODD: &[(&str, u16)] = &[
    ("elsewhere", 1001),
    ("inactive-account", 1003),
    ("inactive-user", 1004),
    ("expired-account", 1005),
    ("expired-user", 1006),
];

/// The sender that the account may not use.
const STRANGER: &str = "Stranger";

/// The number of characters that one credit pays for.
const PART: usize = 160;

/// The parameters of a request.
struct SendParams(Fields);

impl SendParams {
    fn read(call: &Call) -> SendParams {
        if call.method == Method::GET {
            let pairs = call.pairs().into_iter();
            return SendParams(pairs.map(|(name, text)| (name, Value::from(text))).collect());
        }
        SendParams(call.fields().unwrap_or_default())
    }

    /// Returns a parameter, which must be there but may be empty.
    fn text(&self, name: &str) -> Result<String, Reply> {
        match self.0.get(name) {
            Some(Value::String(text)) => Ok(text.trim().to_owned()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            _ => Err(refused(1000)),
        }
    }
}

/// Plans a request to `/v2/sms/`.
pub(super) fn plan(site: &Site, call: &Call) -> Result<Action, Reply> {
    let given = SendParams::read(call);
    let (token, sender) = (given.text("token")?, given.text("from")?);
    let (to, text) = (given.text("to")?, given.text("text")?);
    authorise(site, &token)?;
    let recipients = recipients(&to)?;
    if sender.is_empty() || sender == STRANGER {
        return Err(refused(1008));
    }
    if text.is_empty() {
        return Err(refused(1010));
    }
    let parts = text.chars().count().div_ceil(PART);
    let message = Message {
        credits: (parts * recipients.len()) as u64,
        book: SparrowBulkMessageBook {
            sender,
            text,
            recipients,
        },
    };
    Ok(Action::Do(Event::Sent { message }))
}

/// Responds to a request to `/v2/credit/`.
pub(super) fn credit(site: &Site, call: &Call) -> Result<Reply, Reply> {
    let token = SendParams::read(call).text("token").map_err(|_| refused(1002))?;
    authorise(site, &token)?;
    let (available, consumed) = site.read(|state: &State| (state.credits, state.consumed));
    if available == 0 {
        return Err(refused(1012));
    }
    Ok(Reply::ok(&json!({
        "credits_available": available,
        "credits_consumed": consumed,
        "response_code": 200,
    })))
}

fn authorise(site: &Site, token: &str) -> Result<(), Reply> {
    if let Some((_, code)) = ODD.iter().find(|(known, _)| *known == token) {
        return Err(refused(*code));
    }
    if token == site.read(|state: &State| state.access.clone()).api_token {
        Ok(())
    } else {
        Err(refused(1002))
    }
}

/// Returns the valid numbers among those listed. Whatever is no list of numbers is an invalid receiver.
fn recipients(listed: &str) -> Result<Vec<String>, Reply> {
    let numbers = || listed.split(',').map(str::trim);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !numbers().all(is_number) {
        return Err(refused(1007));
    }
    let is_mobile = |number: &&str| number.len() == 10 && number.starts_with('9');
    let valid: Vec<String> = numbers().filter(is_mobile).map(str::to_owned).collect();
    if valid.is_empty() {
        return Err(refused(1011));
    }
    Ok(valid)
}

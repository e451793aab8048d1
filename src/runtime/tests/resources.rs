//! Tests of operations derived from the description of a resource, which the host did not write.

use std::sync::Mutex;

use super::*;
use crate::operation::call::Call;
use crate::operation::context::OpContext;
use crate::operation::error::Sent;
use crate::operation::platform::{AccountKey, AccountSchema, Driver, Platform, SignIn};
use crate::operation::resource::{KeyField, KeyForm, Preset, Property, Resource, ResourceRequest};
use crate::operation::spec::Boxed;

/// A platform whose contacts are in memory.
struct Shop {
    contacts: Mutex<Vec<Record>>,
    loses_answers: AtomicBool,
    /// Whether a creation succeeds without content and has no effect yet.
    bare_yes: AtomicBool,
    /// How many lookups by identifier still fail.
    unreachable: AtomicU64,
    creates: AtomicU64,
}

const CONTACT: Resource = Resource {
    by_id: Some("/contacts/{id}"),
    properties: &[Property {
        name: "email",
        doc: "the address",
    }],
    defaults: &[("notify", Preset::Bool(false)), ("plan", Preset::Text("free"))],
    ..Resource::new(
        "shop::Contact",
        ("contact", "contacts"),
        "/contacts",
        KeyField {
            field: "email",
            form: KeyForm::Email,
            doc: "the address",
        },
    )
};

impl Driver for Shop {
    fn ask<'a>(
        &'a self,
        _: &'a OpContext,
        _: &'a Call,
        _: &'static Resource,
        ask: ResourceRequest<'a>,
    ) -> Boxed<'a, Result<Vec<Record>, OpError>> {
        Box::pin(async move {
            let mut contacts = self.contacts.lock().unwrap();
            let at = |contacts: &[Record], id: &str| {
                contacts
                    .iter()
                    .position(|contact| contact["id"] == Value::from(id))
            };
            match ask {
                ResourceRequest::List => Ok(contacts.clone()),
                ResourceRequest::ByKey(_) => {
                    Err(OpError::new(Code::Internal, "the description has no path for it"))
                }
                ResourceRequest::ById(id) => {
                    let left = self.unreachable.load(Ordering::SeqCst);
                    self.unreachable.store(left.saturating_sub(1), Ordering::SeqCst);
                    if left > 0 {
                        return Err(OpError::new(Code::Unreachable, "no connection"));
                    }
                    let found = at(&contacts, id).map(|at| contacts[at].clone());
                    Ok(found.into_iter().collect())
                }
                ResourceRequest::Create(fields) => {
                    self.creates.fetch_add(1, Ordering::SeqCst);
                    if self.bare_yes.load(Ordering::SeqCst) {
                        return Ok(Vec::new());
                    }
                    let mut contact = fields.clone();
                    contact.insert("id".to_owned(), format!("c-{}", contacts.len() + 1).into());
                    contacts.push(contact.clone());
                    if self.loses_answers.load(Ordering::SeqCst) {
                        return Err(OpError {
                            sent: Sent::Maybe,
                            ..OpError::new(Code::Unavailable, "no answer")
                        });
                    }
                    Ok(vec![contact])
                }
                ResourceRequest::Update(id, fields) => {
                    let at =
                        at(&contacts, id).ok_or_else(|| OpError::new(Code::NotFound, "none").status(404))?;
                    contacts[at].extend(fields.clone());
                    Ok(Vec::new())
                }
                ResourceRequest::Delete(id) => {
                    let at =
                        at(&contacts, id).ok_or_else(|| OpError::new(Code::NotFound, "none").status(404))?;
                    contacts.remove(at);
                    Ok(Vec::new())
                }
            }
        })
    }
}

/// Returns a runtime with a platform of its own, and the platform.
fn shop(contacts: &[&str]) -> (Runtime, &'static Shop) {
    let contact = |(at, email): (usize, &&str)| {
        Record::from([
            ("id".to_owned(), format!("c-{}", at + 1).into()),
            ("email".to_owned(), (*email).into()),
        ])
    };
    let shop: &'static Shop = Box::leak(Box::new(Shop {
        contacts: Mutex::new(contacts.iter().enumerate().map(contact).collect()),
        loses_answers: AtomicBool::new(false),
        bare_yes: AtomicBool::new(false),
        unreachable: AtomicU64::new(0),
        creates: AtomicU64::new(0),
    }));
    let platform: &'static Platform = Box::leak(Box::new(Platform {
        account: Some(AccountSchema {
            kind: "shop::Session",
            texts: const { &[AccountKey::required("url", "Address")] },
            secrets: &[],
            hidden: &[],
            example: &[],
            sign_in: SignIn::None,
            test_operations: &[],
        }),
        resources: &[CONTACT],
        driver: shop,
        ..Platform::new("shop", "Shop")
    }));
    let builder = Runtime::builder().platform(platform).clock(Clock::frozen(0));
    (builder.in_memory().unwrap(), shop)
}

/// Returns what a script returns, or why it failed.
fn done(runtime: &Runtime, body: &str) -> Result<Value, String> {
    let text =
        format!("fn main() {{ let shop = shop::connect(#{{url: \"https://shop.example\"}}); {body} }}");
    let script = runtime.script("shop.rhai", &text).unwrap();
    let outcome = runtime
        .start::<String, Value>(&script, [])
        .unwrap()
        .wait()
        .unwrap();
    let output = outcome.output().map_err(|error| error.to_string())?;
    Ok(output.get("result").cloned().unwrap_or_default())
}

#[test]
fn a_resource_description_generates_crud_operations() {
    let (runtime, shop) = shop(&["eve@example.com"]);
    let made = done(
        &runtime,
        "let one = shop.ensure_contact(\" Ann@Example.com \", #{name: \"Ann\"}); [one.id, one.email, one.outcome, one.attributes.plan, one.attributes.notify]",
    );
    assert_eq!(
        made.unwrap(),
        Value::List(vec![
            "c-2".into(),
            "ann@example.com".into(),
            "created".into(),
            "free".into(),
            Value::Bool(false)
        ])
    );
    let again = "shop.ensure_contact(\"ann@example.com\", #{name: \"Ann\"}).outcome";
    assert_eq!(done(&runtime, again).unwrap(), "unchanged".into());
    assert_eq!(shop.creates.load(Ordering::SeqCst), 1);
    assert_eq!(done(&runtime, "shop.contacts().len()").unwrap(), Value::Int(2));
    assert_eq!(
        done(&runtime, "shop.find_contact(\"EVE@example.com\").id").unwrap(),
        "c-1".into()
    );
    assert_eq!(
        done(&runtime, "shop.find_contact(\"nobody@example.com\") == ()").unwrap(),
        Value::Bool(true)
    );
    let updated = done(
        &runtime,
        "shop.update_contact(\"c-2\", #{plan: \"full\"}).outcome",
    );
    assert_eq!(updated.unwrap(), "changed".into());
    let reason = done(&runtime, "shop.update_contact(\"c-9\", #{plan: \"full\"})").unwrap_err();
    assert!(reason.contains("none"), "{reason}");
    done(&runtime, "shop.delete_contact(\"c-2\")").unwrap();
    assert_eq!(shop.contacts.lock().unwrap().len(), 1);
    let reason = done(&runtime, "shop.delete_contact(\"c-9\")").unwrap_err();
    assert!(reason.contains("the platform has no contact `c-9`"), "{reason}");
    // A deleted contact is no longer in the ledger, so it can be created again.
    assert_eq!(done(&runtime, again).unwrap(), "created".into());
}

#[test]
fn a_lost_answer_is_looked_up_by_the_key_and_nothing_is_made_twice() {
    let (runtime, shop) = shop(&[]);
    shop.loses_answers.store(true, Ordering::SeqCst);
    let made = done(&runtime, "shop.ensure_contact(\"ann@example.com\").outcome");
    assert_eq!(made.unwrap(), "created".into());
    assert_eq!(shop.creates.load(Ordering::SeqCst), 1);
}

#[test]
fn a_create_answered_without_content_is_in_doubt_and_not_resent() {
    let (runtime, shop) = shop(&[]);
    shop.bare_yes.store(true, Ordering::SeqCst);
    let reason = done(&runtime, "shop.ensure_contact(\"ann@example.com\")").unwrap_err();
    assert!(
        reason.contains("in doubt") || reason.contains("parked"),
        "{reason}"
    );
    assert_eq!(shop.creates.load(Ordering::SeqCst), 1);
}

#[test]
fn an_applied_update_succeeds_when_its_result_cannot_be_read() {
    let (runtime, shop) = shop(&["ann@example.com"]);
    shop.unreachable.store(1, Ordering::SeqCst);
    let changed = done(
        &runtime,
        "shop.update_contact(\"c-1\", #{plan: \"full\"}).attributes.plan",
    );
    assert_eq!(changed.unwrap(), "full".into());
    assert_eq!(shop.contacts.lock().unwrap()[0]["plan"], "full".into());
}

#[test]
fn an_existing_resource_is_adopted_only_with_adopt_true() {
    let (runtime, shop) = shop(&["ann@example.com", "bob@example.com", "BOB@example.com "]);
    let reason = done(&runtime, "shop.ensure_contact(\"ann@example.com\")").unwrap_err();
    assert!(
        reason.contains(
            "a contact with the email `ann@example.com` exists on the platform, but is not in the ledger"
        ),
        "{reason}"
    );
    let adopted = done(
        &runtime,
        "shop.ensure_contact(\"ann@example.com\", #{}, #{adopt: true}).outcome",
    );
    assert_eq!(adopted.unwrap(), "adopted".into());
    let reason = done(
        &runtime,
        "shop.ensure_contact(\"bob@example.com\", #{}, #{adopt: true})",
    )
    .unwrap_err();
    assert!(
        reason.contains("2 contacts with the email `bob@example.com`"),
        "{reason}"
    );
    assert_eq!(shop.creates.load(Ordering::SeqCst), 0);
}

#[test]
fn invalid_keys_and_contradicting_fields_are_refused_before_sending() {
    let (runtime, shop) = shop(&[]);
    for (call, reason) in [
        (
            "shop.ensure_contact(\"nobody\")",
            "`nobody` is not an e-mail address",
        ),
        (
            "shop.ensure_contact(\"ann@example.com\", #{email: \"bob@example.com\"})",
            "`email` is given twice",
        ),
        (
            "shop.ensure_contact(\"ann@example.com\", #{}, #{adapt: true})",
            "adapt",
        ),
    ] {
        let told = done(&runtime, call).unwrap_err();
        assert!(told.contains(reason), "{call}: {told}");
    }
    assert_eq!(shop.creates.load(Ordering::SeqCst), 0);
}

//! Distinguishes existing resources from those created by a request: lists that grow meanwhile, and refusals caused by
//! an earlier request.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::operation::spec::Effect;

/// A page of the platform's list of items 1 to `count`, a hundred per page.
fn page(seen: &ReceivedRequest, count: u64, item: impl Fn(u64) -> serde_json::Value) -> Act {
    let number = seen
        .target
        .split(['?', '&'])
        .find_map(|pair| pair.strip_prefix("page="));
    let number: u64 = number.unwrap().parse().unwrap();
    let first = (number - 1) * 100 + 1;
    let items: Vec<_> = (first..=count.min(first + 99)).map(item).collect();
    let meta = serde_json::json!({"current_page": number, "last_page": count.div_ceil(100).max(1)});
    Act::json(200, &serde_json::json!({"data": items, "meta": meta}).to_string())
}

fn is_list(seen: &ReceivedRequest, what: &str) -> bool {
    seen.method == "GET" && seen.path().ends_with(what)
}

impl Rig {
    /// Runs the check of a step before its intent is recorded.
    async fn check(
        &self,
        on: &Object,
        name: &str,
        args: Vec<Value>,
        resent: bool,
    ) -> Result<Option<Value>, OpError> {
        let op = crate::platforms::catalogue()
            .operation(&format!("mobsted::{name}"))
            .unwrap();
        let mut call = Call::check(op, Some(on.clone()), args)?;
        call.resent = resent;
        let (Effect::Ensure { key, check, .. } | Effect::Create { key, check, .. }) = call.effect() else {
            panic!("{name} makes nothing");
        };
        key(&call)?;
        check(&self.context, &call).await
    }

    fn lists(&self, what: &str) -> usize {
        self.server
            .seen()
            .iter()
            .filter(|seen| is_list(seen, what))
            .count()
    }
}

#[tokio::test]
async fn a_tenant_created_by_others_after_listing_is_not_adopted() {
    let count = Arc::new(AtomicU64::new(1));
    let listed = Arc::clone(&count);
    let rig = Rig::with(move |seen| {
        let row = |id| serde_json::json!({"id": id, "attributes": {"Email": format!("t{id}@example.com"), "url": "https://t-admin.mobsted.com"}});
        is_list(seen, "/object").then(|| page(seen, listed.load(Ordering::SeqCst), row))
    })
    .await;
    let master = rig.session().await;
    let check = |email: &str| rig.check(&master, "ensure_tenant", vec![email.into()], false);
    assert!(check("ann@example.com").await.unwrap().is_none());
    assert!(check("t2@example.com").await.unwrap().is_none());
    count.store(2, Ordering::SeqCst);
    let error = check("T2@example.com").await.unwrap_err();
    assert_eq!(
        error.code,
        Code::AlreadyExists,
        "a colleague has made it meanwhile"
    );
}

#[tokio::test]
async fn a_long_list_is_read_once_then_only_its_last_pages() {
    let count = Arc::new(AtomicU64::new(250));
    let listed = Arc::clone(&count);
    let rig = Rig::with(move |seen| {
        let app = |id| serde_json::json!({"id": id, "attributes": {"Name": format!("App {id}"), "appWebSiteUrl": "https://a.example"}});
        is_list(seen, "/applications").then(|| page(seen, listed.load(Ordering::SeqCst), app))
    })
    .await;
    let master = rig.session().await;
    let check = |name: &str| {
        rig.check(
            &master,
            "ensure_app",
            vec![name.into(), "a.example".into()],
            false,
        )
    };
    for number in 1..=20 {
        assert!(check(&format!("New {number}")).await.unwrap().is_none());
    }
    assert_eq!(
        rig.lists("/applications"),
        3 + 19,
        "three pages at first, then the last one"
    );
    count.store(320, Ordering::SeqCst);
    assert_eq!(check("App 320").await.unwrap_err().code, Code::AlreadyExists);
    assert_eq!(rig.lists("/applications"), 22 + 2);
    // The list has become shorter, and is read from the start.
    count.store(120, Ordering::SeqCst);
    assert!(check("App 121").await.unwrap().is_none());
    assert_eq!(check("App 120").await.unwrap_err().code, Code::AlreadyExists);
}

#[tokio::test]
async fn a_cached_app_is_verified_on_its_page_before_it_counts() {
    let renamed = Arc::new(AtomicU64::new(0));
    let other = Arc::clone(&renamed);
    let rig = Rig::with(move |seen| {
        // Item 9 has its name only in every other reading of page 1.
        let is_first = is_list(seen, "/applications") && seen.target.contains("page=1&");
        let times = other.fetch_add(u64::from(is_first), Ordering::SeqCst) + 1;
        let name = |id: u64| match id {
            9 if times.is_multiple_of(2) => "Other".to_owned(),
            id => format!("App {id}"),
        };
        let app = |id| serde_json::json!({"id": id, "attributes": {"Name": name(id), "appWebSiteUrl": "https://a.example"}});
        is_list(seen, "/applications").then(|| page(seen, 250, app))
    })
    .await;
    let master = rig.session().await;
    let check = |name: &str| {
        let args = vec![name.into(), "a.example".into()];
        rig.check(&master, "ensure_app", args, false)
    };
    assert!(check("New").await.unwrap().is_none());
    assert_eq!(rig.lists("/applications"), 3);
    assert_eq!(check("App 105").await.unwrap_err().code, Code::AlreadyExists);
    assert_eq!(
        rig.lists("/applications"),
        3 + 2,
        "the last page, and the one that has it"
    );
    // It is unclear whether it exists: it does whenever the whole list is read, and never when its page is.
    let error = check("App 9").await.unwrap_err();
    assert!(
        error.message.contains("changes each time it is read"),
        "{}",
        error.message
    );
    assert!(check("App 251").await.unwrap().is_none());
}

#[tokio::test]
async fn a_conflict_on_a_resent_app_creation_counts_as_created() {
    let rig = Rig::with(|seen| match seen.method.as_str() {
        "POST" => Some(Act::json(409, r#"{"message": "exists"}"#)),
        _ => is_list(seen, "/applications").then(|| {
            page(seen, 1, |id| serde_json::json!({"id": id + 6, "attributes": {"Name": "Late", "appWebSiteUrl": "https://late.example/"}}))
        }),
    })
    .await;
    let master = rig.session().await;
    let op = crate::platforms::catalogue()
        .operation("mobsted::ensure_app")
        .unwrap();
    let args = vec!["Late".into(), "https://late.example".into()];
    let mut call = Call::check(op, Some(master), args).unwrap();
    let error = (op.run)(&rig.context, &call).await.unwrap_err();
    assert_eq!(error.code, Code::AlreadyExists);
    call.resent = true;
    let Value::Object(app) = (op.run)(&rig.context, &call).await.unwrap() else {
        panic!("no app")
    };
    assert_eq!(
        (app.text("outcome"), &app.fields["id"]),
        ("created", &Value::Int(7))
    );
}

#[tokio::test]
async fn an_app_without_a_known_site_is_not_adopted() {
    let rig = Rig::start().await;
    let master = rig.session().await;
    let adopt = |name: &str| {
        let args = vec![
            name.into(),
            "https://own.example".into(),
            map(r#"{"adopt": true}"#),
        ];
        rig.check(&master, "ensure_app", args, false)
    };
    let error = adopt("Own").await.unwrap_err();
    assert_eq!(error.code, Code::AlreadyExists);
    assert!(
        error.message.contains("does not return its site"),
        "{}",
        error.message
    );
    assert!(adopt("Another").await.unwrap().is_none());
}

#[tokio::test]
async fn an_email_with_a_display_name_is_refused_with_a_hint() {
    let rig = Rig::start().await;
    let master = rig.session().await;
    let given = vec![Value::from("Ann Smith <ann@example.com>")];
    let error = rig
        .check(&master, "ensure_tenant", given, false)
        .await
        .unwrap_err();
    assert_eq!(error.code, Code::BadArgument);
    assert!(error.hint.unwrap_or_default().contains("ann@example.com"));
    let given = vec!["a".into(), "b @ c".into()];
    let error = rig.check(&master, "ensure_app", given, false).await.unwrap_err();
    assert_eq!(
        error.code,
        Code::BadArgument,
        "its key would be that of `a @ b` and c"
    );
}

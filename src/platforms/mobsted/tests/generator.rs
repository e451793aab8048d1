//! Random calls with random methods, paths, spellings, bodies and headers, through every entry point.

use super::*;
use crate::client::error::ApiError;
use crate::platforms::mobsted::client::{Client, events::NewEvent};
use crate::platforms::mobsted::fault::PROTECTED_APP;

/// The minimum number of calls that must arrive: fewer would mean that the allowlist permits nothing, so the test would
/// prove nothing.
const LEAST_ARRIVED: usize = 20;

#[tokio::test]
async fn random_calls_never_reach_app_one() {
    drive(3_000, 20_261_129).await;
}

#[tokio::test]
#[ignore = "takes minutes"]
async fn a_hundred_thousand_random_calls_never_reach_app_one() {
    drive(100_000, 42).await;
}

async fn drive(calls: usize, seed: u64) {
    let rig = Rig::start().await;
    let master = rig.session().await;
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut arrived = 0;
    let mut refused = 0;
    for _ in 0..calls {
        let done = match dice.u8(..10) {
            0 => typed(&rig, &master, &mut dice).await,
            1..5 => raw(&rig, &master, &mut dice).await,
            5 => overridden(&rig, &mut dice).await,
            _ => http(&rig, &mut dice).await,
        };
        match done {
            Ok(_) => arrived += 1,
            Err(error) if error.code == Code::Own(&PROTECTED_APP) => refused += 1,
            Err(_) => {}
        }
    }
    assert_eq!(rig.hits(), Vec::<String>::new());
    assert!(
        arrived * 1000 > calls * LEAST_ARRIVED,
        "{arrived} of {calls} calls went through"
    );
    assert!(
        refused * 5 > calls,
        "{refused} of {calls} calls were refused for App 1's sake"
    );
}

fn pick<'a>(dice: &mut fastrand::Rng, from: &[&'a str]) -> &'a str {
    from[dice.usize(..from.len())]
}

async fn raw(rig: &Rig, master: &Object, dice: &mut fastrand::Rng) -> Result<Value, OpError> {
    let name = pick(dice, &["get", "post", "put", "delete"]);
    let mut args = vec![Value::from(path(dice))];
    match name {
        "get" | "delete" => args.push(Value::Record(fields(dice, 2))),
        _ => {
            args.push(Value::Record(fields(dice, 4)));
            let encoding = pick(dice, &["json", "form", "query"]);
            args.push(Value::Record(Record::from([(
                "encoding".to_owned(),
                encoding.into(),
            )])));
        }
    }
    rig.call(Some(master), "mobsted", name, args).await
}

async fn typed(rig: &Rig, master: &Object, dice: &mut fastrand::Rng) -> Result<Value, OpError> {
    let app = value(dice, 0);
    let (name, args) = match dice.u8(..6) {
        0 => ("delete_app", vec![app]),
        1 => ("update_app", vec![app, Value::Record(fields(dice, 3))]),
        2 => ("post_event", vec![app, value(dice, 0), "opened".into()]),
        3 => (
            "set_domain",
            vec![
                "go.shop.com".into(),
                Value::Record(Record::from([("app".to_owned(), app)])),
            ],
        ),
        4 => {
            let more = Record::from([("fields".to_owned(), Value::Record(fields(dice, 3)))]);
            (
                "create_app",
                vec!["Shop".into(), "https://shop.example".into(), Value::Record(more)],
            )
        }
        _ => (
            "object_tags",
            vec![app, map("[1]"), map(r##"["#Object:Email#"]"##)],
        ),
    };
    rig.call(Some(master), "mobsted", name, args).await
}

/// Calls with a profile's endpoint overrides, through a separate client.
async fn overridden(rig: &Rig, dice: &mut fastrand::Rng) -> Result<Value, OpError> {
    use crate::platforms::mobsted::client::{Timeouts, account, endpoints::Endpoints};
    let key = pick(
        dice,
        &[
            "partners",
            "applications",
            "events",
            "domains",
            "objects",
            "lists",
            "hashtags",
        ],
    );
    let path = match key {
        "applications" => pick(dice, &["/applications/1", "/app-delete", "/applications/x/../1"]).to_owned(),
        _ => path(dice).split('?').next().unwrap().to_owned(),
    };
    let correction = [(key.to_owned(), path.clone())];
    let Ok(endpoints) = Endpoints::with_overrides(&correction.into()) else {
        return Err(OpError::new(Code::Own(&PROTECTED_APP), "no such endpoint"));
    };
    let account = account::Account {
        base: BaseUrl::parse(&rig.address(""))?,
        login: "partner@example.com".to_owned(),
        password: Password::known(Secret::new("word-of-acme")),
        role: account::Role::Master,
    };
    let client = Client::new(
        rig.network.clone(),
        account,
        Arc::new(endpoints),
        Timeouts::default(),
    );
    *rig.correction.lock().unwrap() = Some(oracle::Correction {
        endpoint: key.to_owned(),
        path,
    });
    let done = act(&client, dice).await;
    *rig.correction.lock().unwrap() = None;
    done.map(|()| Value::Null).map_err(OpError::from)
}

async fn act(client: &Client, dice: &mut fastrand::Rng) -> Result<(), ApiError> {
    let app = pick(dice, &["1", "2", "01"]);
    let event = NewEvent {
        object: value(dice, 0),
        action: "opened".to_owned(),
        status: None,
        value: None,
    };
    match dice.u8(..5) {
        0 => drop(client.create_partner("ann@example.com").await?),
        1 => drop(
            client
                .create_application("Shop", "https://shop.example", &fields(dice, 2))
                .await?,
        ),
        2 => drop(client.post_event(app, &event).await?),
        3 => drop(client.set_domain("go.shop.com", Some(app)).await?),
        _ => drop(client.delete_application(app).await?),
    }
    Ok(())
}

async fn http(rig: &Rig, dice: &mut fastrand::Rng) -> Result<Value, OpError> {
    let name = pick(
        dice,
        &["get", "head", "post", "put", "patch", "delete", "request"],
    );
    let api = pick(
        dice,
        &[
            "/api/v8",
            "/api/v8",
            "/api/v8",
            "/API/v8",
            "//api/v8",
            "/x/../api/v8",
            "/api%2fv8",
            "",
        ],
    );
    let path = format!("{api}{}", path(dice));
    let profile = dice.u8(..4) == 0;
    let host = pick(dice, &["127.0.0.1", "127.0.0.1", "localhost", "127.1"]);
    let url = if profile {
        path
    } else {
        rig.address("").trim_end_matches('/').replace("127.0.0.1", host) + path.as_str()
    };
    let mut options = Record::new();
    let mut option = |key: &str, value: Value| drop(options.insert(key.to_owned(), value));
    if profile {
        option("profile", "web".into());
    }
    if dice.bool() {
        option("query", Value::Record(fields(dice, 2)));
    }
    if dice.u8(..4) == 0 {
        let header = pick(
            dice,
            &[
                "X-HTTP-Method-Override",
                "x-http-method",
                "X-Method-Override",
                "X-Original-URL",
                "Accept",
            ],
        );
        let value = pick(dice, &["DELETE", "PUT", "/api/v8/applications/1", "GET"]);
        option(
            "headers",
            Value::Record(Record::from([(header.to_owned(), value.into())])),
        );
    }
    if !["get", "head"].contains(&name) {
        match dice.u8(..6) {
            0 => option("form", Value::Record(fields(dice, 4))),
            1 => option("multipart", Value::Record(fields(dice, 3))),
            2 => option("body", r#"{"ApplicationId": 1}"#.into()),
            3 => {}
            _ => option("json", Value::Record(fields(dice, 4))),
        }
        if dice.u8(..8) == 0 {
            option(
                "content_type",
                pick(dice, &["application/json", "application/x-www-form-urlencoded"]).into(),
            );
        }
    }
    let mut args = vec![Value::from(url), Value::Record(options)];
    if name == "request" {
        let method = pick(
            dice,
            &[
                "GET", "DELETE", "PURGE", "PATCH", "delete", "OPTIONS", "MERGE", "Get",
            ],
        );
        args.insert(0, method.into());
    }
    rig.call(None, "http", name, args).await
}

fn path(dice: &mut fastrand::Rng) -> String {
    const PARTS: &[&str] = &[
        "applications",
        "applications",
        "application",
        "apps",
        "app",
        "object",
        "object",
        "objects",
        "screen",
        "lists",
        "events",
        "partners",
        "hashtags",
        "filters",
        "info",
        "columns",
        "tenant",
        "nginx",
        "config",
        "delete",
        "deleteApplication",
        "application-delete",
        "update",
        "1",
        "1",
        "2",
        "2",
        "01",
        "+1",
        "1abc",
        "0x1",
        "1.0",
        "11",
        "12",
        "21",
        "102",
        "201",
        "..",
        ".",
        "x",
        "api",
        "v8",
        "tenant",
        "My Sub Accounts",
        "%31",
        "\u{ff11}",
    ];
    let honest = [
        "/partners",
        "/applications",
        "/applications/2",
        "/object",
        "/object/12",
        "/object/11",
        "/screen/102",
        "/screen/101",
        "/lists/202",
        "/lists",
        "/events",
        "/nginx/config",
        "/hashtags/objects",
        "/hashtags/filters/events",
        "/filters/objects",
        "/applications/1",
        "/object/delete",
    ];
    let mut path = if dice.bool() {
        pick(dice, &honest).to_owned()
    } else {
        let count = dice.usize(1..5);
        let parts: Vec<&str> = (0..count).map(|_| pick(dice, PARTS)).collect();
        format!("/{}", parts.join("/"))
    };
    if dice.u8(..4) == 0 {
        path = respelled(&path, dice);
    }
    match dice.u8(..8) {
        0 => path + "?applicationId=1",
        1 => path + "?applicationId=2",
        2 => {
            path + pick(
                dice,
                &[
                    "?r=applications/1",
                    "?_method=DELETE",
                    "?id=1",
                    "?",
                    "/",
                    "#x",
                    "?ids%5B%5D=1",
                ],
            )
        }
        _ => path,
    }
}

fn respelled(path: &str, dice: &mut fastrand::Rng) -> String {
    let mut out = String::new();
    for c in path.chars() {
        match dice.u8(..12) {
            0 if c.is_ascii() => out.extend(format!("%{:02x}", u32::from(c)).chars()),
            1 if c.is_ascii() => out.extend(format!("%25{:02X}", u32::from(c)).chars()),
            2 => out.extend(c.to_uppercase()),
            3 if c == '/' => out += pick(dice, &["//", "\\", "/./", "/x/../", ";/", ".json/"]),
            _ => out.push(c),
        }
    }
    out
}

fn fields(dice: &mut fastrand::Rng, most: usize) -> Record {
    const NAMES: &[&str] = &[
        "ApplicationId",
        "ApplicationId",
        "ApplicationId",
        "applicationId",
        "appId",
        "AppId",
        "APPID",
        "application_id",
        "app_id",
        "Application",
        "app",
        "newApp",
        "targetApplication",
        "data[applicationId]",
        "appIds[]",
        "id",
        "id",
        "ids",
        "pk",
        "ID",
        "ids[]",
        "data[id]",
        "ObjectId",
        "screenId",
        "listId",
        "email",
        "Name",
        "Name",
        "Email",
        "where",
        "_method",
        "X-HTTP-Method",
        "r",
        "type",
        "data",
        "filter",
        "Value",
        "isActive",
    ];
    let count = dice.usize(..=most);
    (0..count)
        .map(|_| (pick(dice, NAMES).to_owned(), value(dice, 2)))
        .collect()
}

fn value(dice: &mut fastrand::Rng, depth: usize) -> Value {
    let most = if depth == 0 { 20 } else { 26 };
    match dice.u8(..most) {
        0 | 1 => Value::Int(1),
        2..7 => Value::Int(2),
        7 => Value::Int(dice.i64(-2..30)),
        8 | 9 => "2".into(),
        10 => Value::Int(12),
        11 => Value::Null,
        12 => Value::Bool(true),
        13 => Value::Float(1.0),
        14 => Value::Secret(Secret::new("1")),
        15..20 => pick(
            dice,
            &[
                "1",
                "01",
                " 1",
                "1abc",
                "0x1",
                "1.0",
                "+1",
                "x",
                "DELETE",
                "My Sub Accounts",
                "\u{ff11}",
                "%31",
                "",
                "2,1",
            ],
        )
        .into(),
        20 => Value::List(Vec::new()),
        21 => Value::List((0..dice.usize(1..3)).map(|_| value(dice, 0)).collect()),
        22 => r#"{"ApplicationId": 1}"#.into(),
        23 => "[1]".into(),
        _ => Value::Record(fields(dice, depth)),
    }
}

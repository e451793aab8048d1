//! Administrators: who may sign in to a company.

use super::client::administrators::Administrator;
use super::{ADMINISTRATOR, SESSION, ensure, told};
use crate::journal::NaturalKey;
use crate::operation::call::Call;
use crate::operation::error::{Code, OpError};
use crate::operation::spec::{Boxed, Effect, OpSpec, Param, Probe, Timeout, Type};
use crate::operation::world::World;
use crate::value::{Object, Value};

pub(super) static OPS: &[OpSpec] = &[
    OpSpec {
        module: "jrni",
        name: "administrators",
        receiver: Some(SESSION),
        summary: "List the administrators of the company that the session acts on",
        doc: "",
        params: &[],
        result: "list of jrni::Administrator",
        errors: &[(Code::Forbidden, "the login is not for this company")],
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "jrni::connect().administrators()[0].role",
        run: &list,
    },
    OpSpec {
        module: "jrni",
        name: "ensure_administrator",
        receiver: Some(SESSION),
        summary: "Make sure that a user may sign in to the company that the session acts on",
        doc: "One that the ledger holds is returned as `unchanged`, without a request. One that exists on the platform \
              but is not in the ledger is an error, unless `adopt: true` declares that it is yours. The fields are what a \
              new administrator is given (`name`, `role`, `password`); one that exists is not changed. The fields of \
              the request are assumed.",
        params: &[
            Param {
                name: "email",
                ty: Type::Text,
                required: true,
                doc: "who signs in; upper case and blanks around it do not count",
            },
            Param {
                name: "fields",
                ty: Type::Map,
                required: true,
                doc: "what a new administrator is given, as the platform names it",
            },
            ensure::OPTIONS,
        ],
        result: ADMINISTRATOR,
        errors: &[
            (
                Code::AlreadyExists,
                "the company has an administrator of this address",
            ),
            (Code::Refused, "the platform refuses the fields"),
            (Code::Forbidden, "the login is not for this company"),
        ],
        effect: Effect::Ensure {
            key: &key,
            check: &check,
            probe: &probe,
            unique: false,
        },
        timeout: Timeout::Reply,
        example: "let group = jrni::connect();\n\
                  let shop = group.ensure_company(\"shop-1\", #{name: \"Corner Shop\"});\n\
                  let ann = #{name: \"Ann\", role: \"admin\"};\n\
                  group.within(shop).ensure_administrator(\"ann@example.com\", ann).outcome",
        run: &create,
    },
];

fn list<'a>(world: &'a World, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let all = world.jrni(call)?.administrators().await.map_err(told)?;
        let all = all.iter().map(|one| to_administrator(one, "unchanged"));
        Ok(Value::List(all.collect()))
    })
}

fn key(call: &Call) -> Result<NaturalKey, OpError> {
    let name = fold(&call.text("email"));
    if !email_address::EmailAddress::is_valid(&name) {
        let message = format!("`{}` is not an e-mail address", call.text("email"));
        return Err(OpError::new(Code::BadArgument, message));
    }
    ensure::key(call, "administrator", "email", name)
}

/// Two of one address are never a guess.
async fn look_up(world: &World, call: &Call) -> Result<Option<Administrator>, OpError> {
    let email = key(call)?.name;
    let all = world.jrni(call)?.administrators().await.map_err(told)?;
    let mut found: Vec<Administrator> = all.into_iter().filter(|one| fold(&one.email) == email).collect();
    if found.len() > 1 {
        let message = format!(
            "the company has {} administrators of the address {email}",
            found.len()
        );
        return Err(OpError::new(Code::AlreadyExists, message));
    }
    Ok(found.pop())
}

fn probe<'a>(world: &'a World, call: &'a Call) -> Boxed<'a, Probe> {
    Box::pin(async move {
        let found = look_up(world, call).await;
        Probe::from(found.map(|found| found.map(|one| to_administrator(&one, "created"))))
    })
}

fn check<'a>(world: &'a World, call: &'a Call) -> Boxed<'a, Result<Option<Value>, OpError>> {
    Box::pin(async move {
        let what = format!("an administrator of the address {}", key(call)?.name);
        ensure::checked(call, look_up(world, call).await?, &what, to_administrator)
    })
}

fn create<'a>(world: &'a World, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let fields = ensure::fields(call, "email", &key(call)?.name)?;
        let made = world.jrni(call)?.create_administrator(&fields).await;
        match made {
            Ok(made) => Ok(to_administrator(&made, "created")),
            // The answer to an earlier, lost request of ours: it is created.
            Err(error) if call.resent && error.status == Some(409) => look_up(world, call)
                .await?
                .map(|one| to_administrator(&one, "created"))
                .ok_or_else(|| told(error)),
            Err(error) => Err(told(error)),
        }
    })
}

fn fold(email: &str) -> String {
    email.trim().to_lowercase()
}

fn to_administrator(one: &Administrator, outcome: &str) -> Value {
    Value::Object(Object::new(
        ADMINISTRATOR,
        [
            ("id", Value::Int(i64::try_from(one.id).unwrap_or(i64::MAX))),
            ("name", one.name.as_str().into()),
            ("email", one.email.as_str().into()),
            ("role", one.role.as_str().into()),
            ("outcome", outcome.into()),
            ("attributes", one.attributes.clone()),
        ],
    ))
}

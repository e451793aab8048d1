//! People: the staff of a company.

use super::client::people::Person;
use super::{PERSON, SESSION, ensure, told};
use crate::journal::NaturalKey;
use crate::operation::call::Call;
use crate::operation::error::{Code, OpError};
use crate::operation::spec::{Boxed, Effect, OpSpec, Param, Probe, Timeout, Type};
use crate::operation::world::World;
use crate::value::{Object, Value};

pub(super) static OPS: &[OpSpec] = &[
    OpSpec {
        module: "jrni",
        name: "people",
        receiver: Some(SESSION),
        summary: "List the people who work for the company that the session acts on",
        doc: "",
        params: &[],
        result: "list of jrni::Person",
        errors: &[(Code::Forbidden, "the login is not for this company")],
        effect: Effect::Observe,
        timeout: Timeout::Reply,
        example: "jrni::connect().people().len()",
        run: &list,
    },
    OpSpec {
        module: "jrni",
        name: "ensure_person",
        receiver: Some(SESSION),
        summary: "Make sure that a person works for the company that the session acts on",
        doc: "One that the ledger holds is returned as `unchanged`, without a request. One that exists on the platform \
              but is not in the ledger is an error, unless `adopt: true` declares that it is yours. The fields are what a \
              new person is given (`name`, `email`, `phone`, …); one that exists is not changed. The platform mails new \
              staff unless told not to, so `notify` is false unless the fields set it.",
        params: &[
            Param {
                name: "reference",
                ty: Type::Text,
                required: true,
                doc: "the reference that your systems know the person by; upper and lower case differ",
            },
            Param {
                name: "fields",
                ty: Type::Map,
                required: true,
                doc: "what a new person is given, as the platform names it",
            },
            ensure::OPTIONS,
        ],
        result: PERSON,
        errors: &[
            (Code::AlreadyExists, "the company has a person of this reference"),
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
                  group.ensure_person(\"staff-7\", #{name: \"Ann Lee\", email: \"ann@example.com\"}).outcome",
        run: &create,
    },
];

fn list<'a>(world: &'a World, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let people = world.jrni(call)?.people().await.map_err(told)?;
        let people = people.iter().map(|person| to_person(person, "unchanged"));
        Ok(Value::List(people.collect()))
    })
}

fn key(call: &Call) -> Result<NaturalKey, OpError> {
    ensure::key(
        call,
        "person",
        "reference",
        call.text("reference").trim().to_owned(),
    )
}

async fn look_up(world: &World, call: &Call) -> Result<Option<Person>, OpError> {
    let reference = key(call)?.name;
    world.jrni(call)?.find_person(&reference).await.map_err(told)
}

fn probe<'a>(world: &'a World, call: &'a Call) -> Boxed<'a, Probe> {
    Box::pin(async move {
        let found = look_up(world, call).await;
        Probe::from(found.map(|found| found.map(|person| to_person(&person, "created"))))
    })
}

fn check<'a>(world: &'a World, call: &'a Call) -> Boxed<'a, Result<Option<Value>, OpError>> {
    Box::pin(async move {
        let what = format!("a person of the reference `{}`", key(call)?.name);
        ensure::checked(call, look_up(world, call).await?, &what, to_person)
    })
}

fn create<'a>(world: &'a World, call: &'a Call) -> Boxed<'a, Result<Value, OpError>> {
    Box::pin(async move {
        let mut fields = ensure::fields(call, "reference", &key(call)?.name)?;
        fields.entry("notify".to_owned()).or_insert(Value::Bool(false));
        let made = world.jrni(call)?.create_person(&fields).await.map_err(told)?;
        Ok(to_person(&made, "created"))
    })
}

fn to_person(person: &Person, outcome: &str) -> Value {
    Value::Object(Object::new(
        PERSON,
        [
            ("id", Value::Int(i64::try_from(person.id).unwrap_or(i64::MAX))),
            ("name", person.name.as_str().into()),
            ("reference", person.reference.as_str().into()),
            ("email", person.email.as_str().into()),
            ("outcome", outcome.into()),
            ("attributes", person.attributes.clone()),
        ],
    ))
}

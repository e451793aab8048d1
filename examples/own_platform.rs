//! provisor with a platform of your own: an account, a contact that is created once, and a list.
//!
//! Build it, and it is the whole program: `own_platform run`, `repl`, `resume`, `ops`, `profile add --platform crm`.

use std::any::Any;
use std::process::ExitCode;

use provisor::Runtime;
use provisor::client::{Method, Network};
use provisor::journal::NaturalKey;
use provisor::operation::call::Call;
use provisor::operation::error::{Code, OpError};
use provisor::operation::platform::{AccountKey, AccountSchema, Driver, Platform};
use provisor::operation::service::Service;
use provisor::operation::session::{connecting, receiver};
use provisor::operation::spec::{Effect, Kind, OpSpec, Param, Timeout, Type};
use provisor::operation::world::World;
use provisor::value::{Object, Record, Value};

fn main() -> ExitCode {
    provisor::cli::main(
        Runtime::builder()
            .platforms(provisor::platforms::all())
            .platform(&CRM),
    )
}

static CRM: Platform = Platform {
    account: Some(AccountSchema {
        kind: "crm::Session",
        texts: &[AccountKey::required("url", "Address of the API (https://…)")],
        secrets: &[AccountKey::required("bearer", "API token")],
        hidden: &[],
        example: &["--url https://crm.example --secret bearer=env:CRM_TOKEN"],
        signs_in: false,
        looks: &["contacts"],
    }),
    operations: &[&[CONNECT, CONTACTS, ENSURE_CONTACT]],
    kinds: &[Kind {
        name: "crm::Session",
        summary: "An account of the CRM",
        properties: &[("url", "string", "the address of the API")],
    }],
    driver: &Crm,
    ..Platform::new("crm", "CRM")
};

const CONNECT: OpSpec = connecting(
    "crm",
    "crm::Session",
    "Name the account to work with",
    "",
    "crm::connect().url",
    &|world, call| Box::pin(async move { CRM.connect(world, call.arg("account")) }),
);

const CONTACTS: OpSpec = OpSpec {
    name: "contacts",
    receiver: Some("crm::Session"),
    summary: "List the contacts",
    params: &[],
    result: "list",
    errors: &[],
    effect: Effect::Observe,
    example: "crm::connect().contacts()",
    run: &|world, call| Box::pin(async move { list(world, receiver(call)?).await.map(Value::List) }),
    ..CONNECT
};

const ENSURE_CONTACT: OpSpec = OpSpec {
    name: "ensure_contact",
    receiver: Some("crm::Session"),
    summary: "Make sure that a contact exists, and return it",
    params: &[Param {
        name: "email",
        ty: Type::Text,
        required: true,
        doc: "the contact's e-mail address",
    }],
    result: "map",
    errors: &[(Code::Refused, "the CRM refuses the address")],
    effect: Effect::Ensure {
        key: &key,
        check: &|world, call| Box::pin(find(world, call)),
        probe: &|world, call| Box::pin(async move { find(world, call).await.into() }),
        unique: false,
    },
    timeout: Timeout::Reply,
    example: "crm::connect().ensure_contact(\"ann@example.com\").id",
    run: &|world, call| {
        Box::pin(async move {
            let contact = Record::from([("email".to_owned(), call.text("email").into())]);
            let service: &Service = world.state()?;
            let body = Value::Record(contact);
            service.send(world, call, (Method::Post, "/contacts"), body).await
        })
    },
    ..CONNECT
};

/// What the ledger calls a contact: its address, in one spelling.
fn key(call: &Call) -> Result<NaturalKey, OpError> {
    Ok(NaturalKey {
        account: Crm.account_of(receiver(call)?)?,
        sort: "contact",
        name: call.text("email").trim().to_lowercase(),
    })
}

async fn list(world: &World, session: &Object) -> Result<Vec<Value>, OpError> {
    let service: &Service = world.state()?;
    match service.get(world, session, "/contacts").await? {
        Value::List(contacts) => Ok(contacts),
        _ => Err(OpError::new(
            Code::UnreadableAnswer,
            "the contacts are not a list",
        )),
    }
}

async fn find(world: &World, call: &Call) -> Result<Option<Value>, OpError> {
    let wanted = key(call)?.name;
    let is_wanted = |contact: &Value| {
        let email = contact
            .as_record()
            .and_then(|fields| fields.get("email")?.as_text());
        email.is_some_and(|email| email.to_lowercase() == wanted)
    };
    Ok(list(world, receiver(call)?).await?.into_iter().find(is_wanted))
}

struct Crm;

impl Driver for Crm {
    fn open(&self, network: &Network) -> Option<Box<dyn Any + Send + Sync>> {
        Some(Box::new(Service::new(network)))
    }
}

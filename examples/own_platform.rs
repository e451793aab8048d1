//! provisor with a platform of your own: an account, contacts that are created only once, and an operation.
//!
//! This builds the complete program: `own_platform run`, `repl`, `resume`, `ops`, `profile add --platform crm`.

use std::process::ExitCode;

use provisor::operation::platform::{AccountKey, AccountSchema, Platform, SignIn, SignInRequest};
use provisor::operation::resource::{KeyField, KeyForm, Property, Resource};
use provisor::operation::service::Service;
use provisor::operation::session::receiver;
use provisor::operation::spec::{Effect, OpSpec, Timeout};
use provisor::{Runtime, Value};

fn main() -> ExitCode {
    provisor::cli::main(
        Runtime::builder()
            .platforms(provisor::platforms::all())
            .platform(&CRM),
    )
}

/// The account provides profiles, `crm::connect`, and the prompts of `profile add`.
static CRM: Platform = Platform {
    account: Some(AccountSchema {
        kind: "crm::Session",
        texts: &[
            AccountKey::required("url", "Address of the API (https://…)"),
            AccountKey::required("login", "Login, an e-mail address"),
        ],
        secrets: &[AccountKey::required("password", "Password")],
        hidden: &[],
        example: &[
            "--url https://crm.example --login ann@example.com",
            "--secret password=env:CRM_PASSWORD",
        ],
        sign_in: SignIn::Request(SignInRequest {
            path: "/login",
            login: &[("email", "login")],
            password: ("password", "password"),
            token: "token",
            lifetime: Some("expires_in"),
        }),
        test_operations: &["contacts"],
    }),
    resources: &[CONTACT],
    operations: &[&[USAGE]],
    ..Platform::new("crm", "CRM")
};

/// Provides `contacts`, `find_contact`, `ensure_contact`, `update_contact` and `delete_contact`.
const CONTACT: Resource = Resource {
    summary: "Somebody whom the company knows",
    by_id: Some("/contacts/{id}"),
    properties: &[Property {
        name: "email",
        doc: "the contact's e-mail address",
    }],
    example: ("\"ann@example.com\"", "#{name: \"Ann\"}"),
    ..Resource::new(
        "crm::Contact",
        ("contact", "contacts"),
        "/contacts",
        KeyField {
            field: "email",
            form: KeyForm::Email,
            doc: "the contact's e-mail address",
        },
    )
};

/// An operation that does not belong to a resource.
const USAGE: OpSpec = OpSpec {
    module: "crm",
    name: "usage",
    receiver: Some("crm::Session"),
    summary: "Read how much of its plan the account uses",
    doc: "",
    params: &[],
    result: "map",
    errors: &[],
    effect: Effect::Observe,
    timeout: Timeout::Reply,
    example: "crm::connect().usage()",
    run: &|context, call| {
        Box::pin(async move {
            let service: &Service = context.state()?;
            let usage: Value = service.get(context, receiver(call)?, "/usage").await?;
            Ok(usage)
        })
    },
};

//! Sessions: the accounts that operations use, on any platform.

use super::call::Call;
use super::context::{OpContext, Profile};
use super::error::{Code, OpError};
use super::platform::{AccountKey, AccountSchema, Platform, SignIn};
use super::spec::{Effect, OpSpec, Param, RunFn, Timeout, Type};
use crate::client::Password;
use crate::value::secret::Secret;
use crate::value::{Object, Record, Value};

/// Creates the operation `connect` of a platform, which names an account. `doc` describes the keys of its map.
pub const fn connecting(
    module: &'static str,
    kind: &'static str,
    summary: &'static str,
    doc: &'static str,
    example: &'static str,
    run: RunFn,
) -> OpSpec {
    OpSpec {
        module,
        name: "connect",
        receiver: None,
        summary,
        doc,
        params: &[Param {
            name: "account",
            ty: Type::Any,
            required: false,
            doc: "a profile's name, or a map that describes the account",
        }],
        result: kind,
        errors: &[
            (
                Code::BadProfile,
                "the profile is not configured, or belongs to another platform",
            ),
            (
                Code::BadArgument,
                "the map lacks a required key or has an unknown one",
            ),
        ],
        effect: Effect::Sign,
        timeout: Timeout::Reply,
        example,
        run,
    }
}

impl Platform {
    /// Returns the session for `account`, as `connect` of the platform's module does: the active profile of the
    /// platform, the profile with that name, or the account described by a map. Sends nothing.
    pub fn connect(&self, context: &OpContext, account: &Value) -> Result<Value, OpError> {
        match account {
            Value::Null => session_from_profile(self, &*context.profile(self.name, None)?),
            Value::Text(name) => session_from_profile(self, &*context.profile(self.name, Some(name))?),
            Value::Record(written) => session_from_map(self, written),
            other => Err(OpError::new(
                Code::BadArgument,
                format!(
                    "`{}::connect` takes a profile's name or a map, not {}",
                    self.module,
                    other.type_name()
                ),
            )),
        }
    }
}

fn session_from_profile(platform: &Platform, profile: &Profile) -> Result<Value, OpError> {
    let schema = schema(platform)?;
    if profile.platform != platform.name {
        return Err(OpError::new(
            Code::BadProfile,
            format!(
                "profile `{}` is a {} account, not a {} one",
                profile.name, profile.platform, platform.title
            ),
        )
        .hint(format!(
            "name a {} profile: {}::connect(\"NAME\")",
            platform.title, platform.name
        )));
    }
    let mut session = begin(schema);
    for key in schema.texts {
        match profile.texts.get(key.name) {
            Some(text) => session.insert(key.name.into(), text.as_str().into()),
            None if key.required => return Err(profile.missing_key_error(key.name)),
            None => None,
        };
    }
    // Credentials are read at sign-in.
    session.insert("$profile".into(), profile.name.as_str().into());
    insert_login(schema, &mut session);
    Ok(object(schema, session))
}

fn session_from_map(platform: &Platform, written: &Record) -> Result<Value, OpError> {
    let schema = schema(platform)?;
    let keys = || schema.texts.iter().chain(schema.secrets);
    let names: Vec<&str> = keys().map(|key| key.name).collect();
    if let Some(unknown_key) = written.keys().find(|key| !names.contains(&key.as_str())) {
        let message = format!(
            "`{}::connect` has no key `{unknown_key}`; it takes {}",
            platform.name,
            names.join(", ")
        );
        return Err(OpError::new(Code::BadArgument, message));
    }
    let missing = |key: &AccountKey| {
        OpError::new(
            Code::BadArgument,
            format!("`{}::connect` needs the key `{}`", platform.name, key.name),
        )
        .hint(format!("give {}, or name a profile", names.join(", ")))
    };
    let mut session = begin(schema);
    for key in schema.texts {
        match written.get(key.name) {
            Some(Value::Text(text)) => session.insert(key.name.into(), text.trim().into()),
            Some(Value::Int(number)) => session.insert(key.name.into(), number.to_string().into()),
            None | Some(Value::Null) if !key.required => None,
            _ => return Err(missing(key)),
        };
    }
    for key in schema.secrets {
        match written.get(key.name).and_then(Call::secret) {
            Some(secret) => session.insert(format!("${}", key.name), secret.into()),
            None if key.required => return Err(missing(key)),
            None => None,
        };
    }
    insert_login(schema, &mut session);
    Ok(object(schema, session))
}

/// Adds the login of a described sign-in, which tells the accounts at one address apart in the ledger.
fn insert_login(schema: &AccountSchema, session: &mut Record) {
    let SignIn::Request(request) = schema.sign_in else {
        return;
    };
    let keys = request.login.iter();
    let texts = keys.filter_map(|(_, key)| session.get(*key)?.as_text());
    let login: Vec<String> = texts.map(|text| text.trim().to_lowercase()).collect();
    session.insert(LOGIN.into(), login.join(" ").into());
}

/// The hidden field of a session for the login of a described sign-in.
pub(super) const LOGIN: &str = "$login";

fn schema(platform: &Platform) -> Result<&AccountSchema, OpError> {
    platform.account.as_ref().ok_or_else(|| {
        let message = format!("{} has no accounts", platform.title);
        OpError::new(Code::BadProfile, message)
    })
}

fn begin(schema: &AccountSchema) -> Record {
    let hidden = schema.hidden.iter();
    hidden
        .map(|(name, text)| ((*name).to_owned(), (*text).into()))
        .collect()
}

fn object(schema: &AccountSchema, fields: Record) -> Value {
    Value::Object(Object {
        kind: schema.kind.to_owned(),
        fields,
    })
}

/// Returns the source of the credential `key` of a session: its map or its profile. `None` if the account has none.
pub(crate) fn credential(
    context: &OpContext,
    session: &Object,
    key: &str,
) -> Result<Option<Password>, OpError> {
    if let Some(own) = inline_secret(session, key) {
        return Ok(Some(Password::known(own)));
    }
    match session.text("$profile") {
        "" => Ok(None),
        name => {
            let profile = context.profile(platform_of(session), Some(name))?;
            Ok(profile.secrets.get(key).cloned())
        }
    }
}

/// Like [`credential`], for a credential that sign-in requires: reading a missing one fails at sign-in.
pub(crate) fn required_credential(
    context: &OpContext,
    session: &Object,
    key: &str,
) -> Result<Password, OpError> {
    if let Some(password) = credential(context, session, key)? {
        return Ok(password);
    }
    let profile = session.text("$profile");
    let missing = format!("profile `{profile}` has none; add it: provisor profile edit {profile}");
    Ok(Password::ask(&format!("none of {profile}"), move || {
        Err(missing.clone())
    }))
}

fn inline_secret(session: &Object, key: &str) -> Option<Secret> {
    session.fields.get(&format!("${key}")).and_then(Call::secret)
}

/// Returns the platform of an object: `crm` for a `crm::Contact`.
pub(crate) fn platform_of(object: &Object) -> &str {
    object.kind.split_once("::").map_or("", |(platform, _)| platform)
}

/// Returns the object of a method call.
pub fn receiver(call: &Call) -> Result<&Object, OpError> {
    call.receiver.as_ref().ok_or_else(|| {
        OpError::new(
            Code::Internal,
            format!("`{}` was called on nothing", call.op.id()),
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::operation::platform::{Driver as _, NoDriver, SignInRequest};

    const CRM: Platform = Platform {
        account: Some(AccountSchema {
            kind: "crm::Session",
            texts: &[
                AccountKey::required("url", "Address"),
                AccountKey::required("user", "User"),
            ],
            secrets: &[AccountKey::required("password", "Password")],
            hidden: &[],
            example: &[],
            sign_in: SignIn::Request(SignInRequest {
                path: "/login",
                login: &[("email", "user")],
                password: ("password", "password"),
                token: "token",
                lifetime: None,
            }),
            test_operations: &[],
        }),
        ..Platform::new("crm", "CRM")
    };

    #[test]
    fn accounts_at_one_address_with_a_described_sign_in_differ_by_login() {
        let account = |user: &str| {
            let written = [
                ("url", "https://crm.example/"),
                ("user", user),
                ("password", "pw"),
            ];
            let written = written.map(|(key, text)| (key.to_owned(), text.into()));
            match session_from_map(&CRM, &Record::from(written)).unwrap() {
                Value::Object(session) => (
                    NoDriver.account_of(&session).unwrap(),
                    NoDriver.login_of(&session),
                ),
                other => panic!("{other:?}"),
            }
        };
        let ann = account(" Ann@example.com");
        assert_eq!(
            ann,
            (
                "https://crm.example ann@example.com".to_owned(),
                "ann@example.com".into()
            )
        );
        assert_eq!(account("ann@example.com"), ann);
        assert_ne!(account("bob@example.com"), ann);
    }
}

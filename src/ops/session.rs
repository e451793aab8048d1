//! Sessions: the accounts that operations act as, whatever their platform.

use super::call::Call;
use super::error::{Code, OpError};
use super::spec::{Effect, OpSpec, Param, RunFn, Timeout, Type};
use super::world::{Profile, World};
use crate::platform::Password;
use crate::value::secret::Secret;
use crate::value::{Object, Record, Value};

/// How a platform's accounts are described: what a profile holds of them, and what a script may write in a map instead.
pub(super) struct Shape {
    /// The platform, as configuration files and modules name it: `mobsted`.
    pub(super) platform: &'static str,
    /// The platform, as people write it: `Mobsted`.
    pub(super) title: &'static str,
    /// The kind of object that a session of it is.
    pub(super) kind: &'static str,
    /// What may be shown. `url` is among it.
    pub(super) texts: &'static [Key],
    /// What must not be shown.
    pub(super) secrets: &'static [Key],
    /// What every session has besides, unseen by scripts.
    pub(super) hidden: &'static [(&'static str, &'static str)],
    /// Operations that show what an account may do when it is tried: few and cheap, without arguments, and they only look.
    pub(super) looks: &'static [&'static str],
}

/// One part of the description of an account.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) required: bool,
}

impl Key {
    pub(super) const fn required(name: &'static str) -> Key {
        Key { name, required: true }
    }

    pub(super) const fn optional(name: &'static str) -> Key {
        Key {
            name,
            required: false,
        }
    }
}

/// The operation that names an account of a platform: what `connect` is everywhere. `doc` says what its map holds.
pub(super) const fn naming(
    shape: &'static Shape,
    summary: &'static str,
    doc: &'static str,
    example: &'static str,
    run: RunFn,
) -> OpSpec {
    OpSpec {
        module: shape.platform,
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
        result: shape.kind,
        errors: &[
            (
                Code::BadProfile,
                "the profile is not configured, or is another platform's",
            ),
            (Code::BadArgument, "the map lacks a key or has another one"),
        ],
        effect: Effect::Sign,
        timeout: Timeout::Reply,
        example,
        run,
    }
}

/// The session that `account` names: the profile that is active for the platform, the one of that name, or the account
/// that a map describes. Sends nothing.
pub(super) fn connect(world: &World, shape: &Shape, account: &Value) -> Result<Value, OpError> {
    match account {
        Value::Null => of_profile(shape, &*world.profile(shape.platform, None)?),
        Value::Text(name) => of_profile(shape, &*world.profile(shape.platform, Some(name))?),
        Value::Record(written) => of_map(shape, written),
        other => Err(OpError::new(
            Code::BadArgument,
            format!(
                "`{}::connect` takes a profile's name or a map, not {}",
                shape.platform,
                other.type_name()
            ),
        )),
    }
}

fn of_profile(shape: &Shape, profile: &Profile) -> Result<Value, OpError> {
    if profile.platform != shape.platform {
        return Err(OpError::new(
            Code::BadProfile,
            format!(
                "profile `{}` is a {} account, not a {} one",
                profile.name, profile.platform, shape.title
            ),
        )
        .hint(format!(
            "name a {} profile: {}::connect(\"NAME\")",
            shape.title, shape.platform
        )));
    }
    let mut session = begin(shape);
    for key in shape.texts {
        match profile.texts.get(key.name) {
            Some(text) => session.insert(key.name.into(), text.as_str().into()),
            None if key.required => return Err(profile.lacks(key.name)),
            None => None,
        };
    }
    // Credentials are asked for when somebody signs in.
    session.insert("$profile".into(), profile.name.as_str().into());
    Ok(object(shape, session))
}

fn of_map(shape: &Shape, written: &Record) -> Result<Value, OpError> {
    let keys = || shape.texts.iter().chain(shape.secrets);
    let names: Vec<&str> = keys().map(|key| key.name).collect();
    if let Some(stranger) = written.keys().find(|key| !names.contains(&key.as_str())) {
        let message = format!(
            "`{}::connect` knows no key `{stranger}`; it takes {}",
            shape.platform,
            names.join(", ")
        );
        return Err(OpError::new(Code::BadArgument, message));
    }
    let missing = |key: &Key| {
        OpError::new(
            Code::BadArgument,
            format!("`{}::connect` needs the key `{}`", shape.platform, key.name),
        )
        .hint(format!("give {}, or name a profile", names.join(", ")))
    };
    let mut session = begin(shape);
    for key in shape.texts {
        match written.get(key.name) {
            Some(Value::Text(text)) => session.insert(key.name.into(), text.trim().into()),
            Some(Value::Int(number)) => session.insert(key.name.into(), number.to_string().into()),
            None | Some(Value::Null) if !key.required => None,
            _ => return Err(missing(key)),
        };
    }
    for key in shape.secrets {
        match written.get(key.name).and_then(Call::secret) {
            Some(secret) => session.insert(format!("${}", key.name), secret.into()),
            None if key.required => return Err(missing(key)),
            None => None,
        };
    }
    Ok(object(shape, session))
}

fn begin(shape: &Shape) -> Record {
    let hidden = shape.hidden.iter();
    hidden
        .map(|(name, text)| ((*name).to_owned(), (*text).into()))
        .collect()
}

fn object(shape: &Shape, fields: Record) -> Value {
    Value::Object(Object {
        kind: shape.kind.to_owned(),
        fields,
    })
}

/// Where the credential `key` of a session comes from: the map it was made of, or its profile. Nothing when the account
/// has none.
pub(super) fn credential(world: &World, session: &Object, key: &str) -> Result<Option<Password>, OpError> {
    if let Some(own) = own_secret(session, key) {
        return Ok(Some(Password::known(own)));
    }
    match session.text("$profile") {
        "" => Ok(None),
        name => {
            let profile = world.profile(platform_of(session), Some(name))?;
            Ok(profile.secrets.get(key).cloned())
        }
    }
}

/// The same, for a credential without which nobody signs in: that it is missing is told when somebody does.
pub(super) fn required_credential(world: &World, session: &Object, key: &str) -> Result<Password, OpError> {
    if let Some(password) = credential(world, session, key)? {
        return Ok(password);
    }
    let profile = session.text("$profile");
    let missing = format!("profile `{profile}` has none; add it: provisor profile edit {profile}");
    Ok(Password::ask(&format!("none of {profile}"), move || {
        Err(missing.clone())
    }))
}

fn own_secret(session: &Object, key: &str) -> Option<Secret> {
    session.fields.get(&format!("${key}")).and_then(Call::secret)
}

/// The platform of an object: `mobsted` of a `mobsted::Tenant`.
pub(super) fn platform_of(object: &Object) -> &str {
    object.kind.split_once("::").map_or("", |(platform, _)| platform)
}

/// The object a method was called on.
pub(super) fn receiver(call: &Call) -> Result<&Object, OpError> {
    call.receiver.as_ref().ok_or_else(|| {
        OpError::new(
            Code::Internal,
            format!("`{}` was called on nothing", call.op.id()),
        )
    })
}

/// Who an object of a script acts as at its address, whatever its profile is called.
pub(super) fn identity_of(object: &Object) -> Value {
    match object.fields.get("$partner_token") {
        Some(token) => token.clone(),
        None => object.text("login").trim().to_lowercase().into(),
    }
}

/// Who an object of a script acts as at its address: its login in one spelling. A platform whose accounts have none
/// tells them apart by a credential: the one that the script gave, or else the profile's.
pub(super) fn login_of(object: &Object) -> Value {
    let given = object.fields.get("$partner_token");
    match (object.text("login"), platform_of(object)) {
        ("", "sparrow") => given.cloned().unwrap_or_else(|| object.text("$profile").into()),
        (login, _) => login.trim().to_lowercase().into(),
    }
}

/// The account that an object of a script acts as, as the ledger names it: its address in one spelling, and what the
/// platform says of it.
pub(super) fn account_of(object: &Object) -> Result<String, OpError> {
    match platform_of(object) {
        "mobsted" => super::mobsted::account_of(object),
        "jrni" => super::jrni::account_of(object),
        "sparrow" => super::sparrow::account_of(object),
        _ => Ok(object.text("url").trim().trim_end_matches('/').to_owned()),
    }
}

/// The same account as the object alone names it, which a step's key is made of: a recorded step is found without asking
/// the platform.
pub(super) fn named_account_of(object: &Object) -> Result<String, OpError> {
    match platform_of(object) {
        "jrni" => super::jrni::named_account_of(object),
        _ => account_of(object),
    }
}

/// Every name that the ledger may have for the account that an object acts as.
pub(super) fn accounts_of(object: &Object) -> Result<Vec<String>, OpError> {
    match platform_of(object) {
        "jrni" => super::jrni::accounts_of(object),
        _ => Ok(vec![account_of(object)?]),
    }
}

//! Resources: the collections a platform holds, each described once. From a description the engine generates the
//! operations that list, find, ensure, update and delete items, with natural key, lookups, errors and documentation.

use super::call::Call;
use super::context::OpContext;
use super::error::{Code, OpError};
use super::platform::Platform;
use super::session::receiver;
use super::spec::{Boxed, Effect, Kind, OpSpec, Param, Probe, Type, leak};
use crate::client::site::segment;
use crate::journal::NaturalKey;
use crate::value::{Object, Record, Value};

/// The description of a resource. Plain data.
#[derive(Debug)]
pub struct Resource {
    /// The kind of its objects: `crm::Contact`.
    pub kind: &'static str,
    /// What an item is, in one line without a full stop: `Somebody the company knows`.
    pub summary: &'static str,
    /// The singular name, from which operation names are formed: `contact`, as in `ensure_contact`. Also used in the
    /// ledger.
    pub name: &'static str,
    /// The plural name, which is also the operation that lists the items: `contacts`.
    pub plural: &'static str,
    /// The path of the list, relative to the account's address: `/contacts`. New items are posted there.
    pub path: &'static str,
    /// The path of the item with a natural key: `/contacts/by_email/{key}`. `None`: the list is searched.
    pub by_key: Option<&'static str>,
    /// The path of the item with an identifier: `/contacts/{id}`. `None`: items can be neither updated nor deleted.
    pub by_id: Option<&'static str>,
    /// The field that is the natural key, which prevents duplicates.
    pub key: KeyField,
    /// The properties of its objects besides `id`, `outcome` and `attributes`: fields of the platform under their own
    /// names.
    pub properties: &'static [Property],
    /// Whether a new item needs more fields than its key.
    pub needs_fields: bool,
    /// Default fields of a new item, which the script can override, as in `notify: false`.
    pub defaults: &'static [(&'static str, Preset)],
    /// The field of the list response that holds the items: `data`. `None`: the response itself is the list.
    pub items: Option<&'static str>,
    /// The pagination of the list.
    pub paging: Paging,
    /// Further documentation of `ensure_…`, in full sentences. May be empty.
    pub doc: &'static str,
    /// The failures common to all its operations, and when they happen.
    pub errors: &'static [(Code, &'static str)],
    /// The key and the fields of an example, in script syntax: `"ann@example.com"` and `#{name: "Ann"}`.
    pub example: (&'static str, &'static str),
}

/// The natural key of a resource.
#[derive(Debug, Clone, Copy)]
pub struct KeyField {
    /// The platform's field, and the parameter of the operations: `email`.
    pub field: &'static str,
    /// How keys are compared.
    pub form: KeyForm,
    /// A description in one line without a full stop.
    pub doc: &'static str,
}

/// How natural keys are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyForm {
    /// Case-sensitive; surrounding blanks are ignored.
    Exact,
    /// An e-mail address: case and surrounding blanks are ignored.
    Email,
}

/// A property of an object.
#[derive(Debug, Clone, Copy)]
pub struct Property {
    /// The name of the field.
    pub name: &'static str,
    /// A description in one line without a full stop.
    pub doc: &'static str,
}

/// A constant value in a description.
#[derive(Debug, Clone, Copy)]
pub enum Preset {
    /// A Boolean.
    Bool(bool),
    /// A text.
    Text(&'static str),
}

/// The pagination of a list.
#[derive(Debug, Clone, Copy)]
pub enum Paging {
    /// All items at once, or read by the platform's driver. A truncated list would hide existing items, which would
    /// then be created twice.
    Whole,
    /// Pages counted from 1, until one has fewer items than requested.
    Pages {
        /// The query parameter for the page number.
        page: &'static str,
        /// The query parameter for the page size.
        size: &'static str,
        /// The page size to request.
        items: i64,
    },
}

/// A request for a resource, relative to the account of a call. The response is the fields of each item.
#[derive(Debug, Clone, Copy)]
pub enum ResourceRequest<'a> {
    /// All items.
    List,
    /// The item with this natural key, or none; only with [`Resource::by_key`].
    ByKey(&'a str),
    /// The item with this identifier, or none.
    ById(&'a str),
    /// Creates an item with these fields.
    Create(&'a Record),
    /// Sets these fields of the item with this identifier.
    Update(&'a str, &'a Record),
    /// Deletes the item with this identifier.
    Delete(&'a str),
}

impl Resource {
    /// Creates a resource with only a list and a natural key, as the base of a description.
    pub const fn new(
        kind: &'static str,
        (name, plural): (&'static str, &'static str),
        path: &'static str,
        key: KeyField,
    ) -> Resource {
        Resource {
            kind,
            summary: "",
            name,
            plural,
            path,
            by_key: None,
            by_id: None,
            key,
            properties: &[],
            needs_fields: false,
            defaults: &[],
            items: None,
            paging: Paging::Whole,
            doc: "",
            errors: &[],
            example: ("\"…\"", "#{}"),
        }
    }

    /// Returns the kind of its objects.
    pub(super) fn to_kind(&self) -> Kind {
        let own = self
            .properties
            .iter()
            .map(|property| (property.name, "string", property.doc));
        let mut all = vec![("id", "int or string", "its identifier on the platform")];
        all.extend(own);
        all.push((
            "outcome",
            "string",
            if self.by_id.is_some() {
                "created, adopted, changed or unchanged"
            } else {
                "created, adopted or unchanged"
            },
        ));
        all.push(("attributes", "map", "all fields that the platform returns"));
        Kind {
            name: self.kind,
            summary: self.summary,
            properties: all.leak(),
        }
    }

    /// Returns its operations. They are never freed.
    pub(super) fn operations(&'static self, platform: &'static Platform) -> Vec<OpSpec> {
        let mut all = vec![self.list(platform), self.find(platform), self.ensure(platform)];
        if self.by_id.is_some() {
            all.extend([self.update(platform), self.delete(platform)]);
        }
        all
    }

    /// Returns the common part of all its operations.
    fn operation(&'static self, platform: &'static Platform) -> OpSpec {
        OpSpec {
            module: platform.module,
            receiver: platform.account.as_ref().map(|schema| schema.kind),
            errors: self.errors,
            ..OpSpec::observe("", |_| async { Ok(Value::Null) })
        }
    }

    fn list(&'static self, platform: &'static Platform) -> OpSpec {
        OpSpec {
            name: self.plural,
            summary: format!("List the {}", self.plural).leak(),
            result: format!("list of {}", self.kind).leak(),
            example: format!("{}::connect().{}().len()", platform.module, self.plural).leak(),
            run: leak(move |context: &'_ OpContext, call: &'_ Call| -> Boxed<'_, _> {
                Box::pin(async move {
                    let items = self.ask(context, call, ResourceRequest::List).await?;
                    items
                        .iter()
                        .map(|item| self.object(item, "unchanged"))
                        .collect::<Result<_, _>>()
                        .map(Value::List)
                })
            }),
            ..self.operation(platform)
        }
    }

    fn find(&'static self, platform: &'static Platform) -> OpSpec {
        let key = self.example.0;
        OpSpec {
            name: format!("find_{}", self.name).leak(),
            summary: format!("Look {} up by its {}", self.one(), self.key.field).leak(),
            doc: "Returns () if there is none.",
            params: vec![self.key_param()].leak(),
            result: format!("{} or ()", self.kind).leak(),
            example: format!("{}::connect().find_{}({key})", platform.module, self.name).leak(),
            run: leak(move |context: &'_ OpContext, call: &'_ Call| -> Boxed<'_, _> {
                Box::pin(async move {
                    Ok(self
                        .look_up(context, call, "unchanged")
                        .await?
                        .unwrap_or(Value::Null))
                })
            }),
            ..self.operation(platform)
        }
    }

    fn ensure(&'static self, platform: &'static Platform) -> OpSpec {
        let fields = Param {
            name: "fields",
            ty: Type::Map,
            required: self.needs_fields,
            doc: format!("the fields of a new {}, named as on the platform", self.name).leak(),
        };
        let doc = format!(
            "One that the ledger holds is returned as `unchanged`, without a request. One that exists on the platform but \
             is not in the ledger is an error, unless `adopt: true` declares that it is yours. The fields apply to a new \
             {} only; an existing one is not changed. {}",
            self.name, self.doc
        );
        let mut errors = vec![
            (
                Code::AlreadyExists,
                &*format!(
                    "{} with this {} exists on the platform but not in the ledger",
                    self.one(),
                    self.key.field
                )
                .leak(),
            ),
            (Code::Refused, "the platform refuses the fields"),
        ];
        errors.extend(self.errors);
        let (key, given) = self.example;
        OpSpec {
            name: format!("ensure_{}", self.name).leak(),
            summary: format!("Make sure that {} exists, and return it", self.one()).leak(),
            doc: doc.trim_end().to_owned().leak(),
            params: vec![self.key_param(), fields, OPTIONS].leak(),
            result: self.kind,
            errors: errors.leak(),
            effect: Effect::Ensure {
                key: leak(move |call: &'_ Call| self.natural_key(call)),
                check: leak(move |context: &'_ OpContext, call: &'_ Call| -> Boxed<'_, _> {
                    Box::pin(self.check(context, call))
                }),
                probe: leak(move |context: &'_ OpContext, call: &'_ Call| -> Boxed<'_, _> {
                    Box::pin(async move { self.look_up(context, call, "created").await.into() })
                }),
                unique: false,
            },
            example: format!(
                "{}::connect().ensure_{}({key}, {given}).outcome",
                platform.module, self.name
            )
            .leak(),
            run: leak(move |context: &'_ OpContext, call: &'_ Call| -> Boxed<'_, _> {
                Box::pin(self.create(context, call))
            }),
            ..self.operation(platform)
        }
    }

    fn update(&'static self, platform: &'static Platform) -> OpSpec {
        let fields = Param::required(
            "fields",
            Type::Map,
            "the fields to change, named as on the platform",
        );
        let (key, given) = self.example;
        OpSpec {
            name: format!("update_{}", self.name).leak(),
            summary: format!("Change fields of {}, and return it", self.one()).leak(),
            params: vec![ID, fields].leak(),
            result: self.kind,
            errors: self.changing_errors(),
            effect: Effect::Change {
                probe: leak(move |context: &'_ OpContext, call: &'_ Call| -> Boxed<'_, _> {
                    Box::pin(async move { self.updated(context, call).await.into() })
                }),
                ledger_removals: None,
            },
            example: self.example_on_one(platform, &format!("update_{}(one.id, {given})", self.name), key),
            run: leak(move |context: &'_ OpContext, call: &'_ Call| -> Boxed<'_, _> {
                Box::pin(self.change(context, call))
            }),
            ..self.operation(platform)
        }
    }

    fn delete(&'static self, platform: &'static Platform) -> OpSpec {
        let key = self.example.0;
        OpSpec {
            name: format!("delete_{}", self.name).leak(),
            summary: format!("Delete {}", self.one()).leak(),
            params: vec![ID].leak(),
            result: "()",
            errors: self.changing_errors(),
            effect: Effect::Change {
                probe: leak(move |context: &'_ OpContext, call: &'_ Call| -> Boxed<'_, _> {
                    Box::pin(async move {
                        match self
                            .ask(context, call, ResourceRequest::ById(&call.text("id")))
                            .await
                        {
                            Ok(items) if items.is_empty() => Probe::Found(Value::Null),
                            Ok(_) => Probe::Absent,
                            Err(error) => Probe::Unreachable(error.message),
                        }
                    })
                }),
                ledger_removals: Some(self.name),
            },
            example: self.example_on_one(platform, &format!("delete_{}(one.id)", self.name), key),
            run: leak(move |context: &'_ OpContext, call: &'_ Call| -> Boxed<'_, _> {
                Box::pin(async move {
                    let id = call.text("id");
                    match self.ask(context, call, ResourceRequest::Delete(&id)).await {
                        Ok(_) => Ok(Value::Null),
                        // The response to our own earlier, lost request: it is deleted.
                        Err(error) if error.status == Some(404) && call.resent => Ok(Value::Null),
                        Err(error) if error.status == Some(404) => Err(self.gone(&id)),
                        Err(error) => Err(error),
                    }
                })
            }),
            ..self.operation(platform)
        }
    }

    fn example_on_one(&self, platform: &Platform, call: &str, key: &str) -> &'static str {
        let (module, name) = (platform.module, self.name);
        format!("let session = {module}::connect();\nlet one = session.ensure_{name}({key});\nsession.{call}")
            .leak()
    }

    fn changing_errors(&self) -> &'static [(Code, &'static str)] {
        let mut errors = vec![
            (Code::NotFound, "nothing has this identifier"),
            (Code::Refused, "the platform refuses the change"),
        ];
        errors.extend(self.errors);
        errors.leak()
    }

    fn gone(&self, id: &str) -> OpError {
        OpError::new(
            Code::NotFound,
            format!("the platform has no {} `{id}`", self.name),
        )
    }

    /// Returns the name with its article: `a contact`, `an administrator`.
    fn one(&self) -> String {
        let article = if self.name.starts_with(['a', 'e', 'i', 'o', 'u']) {
            "an"
        } else {
            "a"
        };
        format!("{article} {}", self.name)
    }

    fn key_param(&self) -> Param {
        Param::required(self.key.field, Type::Text, self.key.doc)
    }

    /// Returns the natural key of the item that a call is about.
    fn natural_key(&self, call: &Call) -> Result<NaturalKey, OpError> {
        let (field, text) = (self.key.field, call.text(self.key.field));
        let name = self.key.form.fold(&text);
        if self.key.form == KeyForm::Email && !email_address::EmailAddress::is_valid(&name) {
            let message = format!("`{text}` is not an e-mail address");
            return Err(OpError::new(Code::BadArgument, message));
        }
        check_part(field, &name)?;
        Ok(NaturalKey {
            account: call.op.driver().account_of(receiver(call)?)?,
            kind: self.name,
            name,
        })
    }

    /// Looks up the item that a call is about. Two items with one key are an error, not a guess.
    async fn look_up(
        &'static self,
        context: &OpContext,
        call: &Call,
        outcome: &str,
    ) -> Result<Option<Value>, OpError> {
        let key = self.natural_key(call)?.name;
        let items = match self.by_key {
            Some(_) => self.ask(context, call, ResourceRequest::ByKey(&key)).await?,
            None => self.ask(context, call, ResourceRequest::List).await?,
        };
        let is_match = |item: &&Record| self.key.form.fold(&text(item, self.key.field)) == key;
        let found: Vec<&Record> = items.iter().filter(is_match).collect();
        match found.as_slice() {
            [] if self.by_key.is_some() && !items.is_empty() => Err(OpError::new(
                Code::UnreadableAnswer,
                format!(
                    "the platform was asked for the {} `{key}`, but its response has a different {}",
                    self.name, self.key.field
                ),
            )),
            [] => Ok(None),
            [one] => self.object(one, outcome).map(Some),
            many => Err(OpError::new(
                Code::AlreadyExists,
                format!(
                    "the platform has {} {} with the {} `{key}`",
                    many.len(),
                    self.plural,
                    self.key.field
                ),
            )),
        }
    }

    /// Evaluates a lookup before the request.
    async fn check(&'static self, context: &OpContext, call: &Call) -> Result<Option<Value>, OpError> {
        let outcome = if call.resent { "created" } else { "adopted" };
        match self.look_up(context, call, outcome).await? {
            None => Ok(None),
            // Our own earlier request created it.
            Some(found) if call.resent || call.flag("adopt") => Ok(Some(found)),
            Some(_) => Err(exists(
                call,
                &format!(
                    "{} with the {} `{}`",
                    self.one(),
                    self.key.field,
                    self.natural_key(call)?.name
                ),
            )),
        }
    }

    async fn create(&'static self, context: &OpContext, call: &Call) -> Result<Value, OpError> {
        let mut fields = fields_of_new(call, self.key.field, &self.natural_key(call)?.name)?;
        for (name, preset) in self.defaults {
            fields
                .entry((*name).to_owned())
                .or_insert_with(|| preset.to_value());
        }
        match self.ask(context, call, ResourceRequest::Create(&fields)).await {
            Ok(made) => {
                let made = made.into_iter().next().unwrap_or_default();
                self.object(&made, "created").map_err(OpError::carried_out)
            }
            // The response to our own earlier, lost request, whose item may not be in the list yet.
            Err(error) if call.resent && error.status == Some(409) => {
                let found = self.look_up(context, call, "created").await;
                found
                    .and_then(|found| found.ok_or(error))
                    .map_err(OpError::maybe_sent)
            }
            Err(error) => Err(error),
        }
    }

    async fn change(&'static self, context: &OpContext, call: &Call) -> Result<Value, OpError> {
        let (id, fields) = (call.text("id"), call.map("fields"));
        let answered = self
            .ask(context, call, ResourceRequest::Update(&id, &fields))
            .await?;
        let items = if answered.is_empty() {
            self.ask(context, call, ResourceRequest::ById(&id)).await
        } else {
            Ok(answered)
        };
        let item = items.and_then(|items| items.into_iter().next().ok_or_else(|| self.gone(&id)));
        item.and_then(|item| self.object(&item, "changed"))
            .map_err(OpError::carried_out)
    }

    /// Returns the item that a call changes, if it already has the fields of the call.
    async fn updated(&'static self, context: &OpContext, call: &Call) -> Result<Option<Value>, OpError> {
        let items = self
            .ask(context, call, ResourceRequest::ById(&call.text("id")))
            .await?;
        let wanted = Value::Record(call.map("fields"));
        let has_all = |item: &&Record| holds(&Value::Record((*item).clone()), &wanted);
        let changed = items.iter().find(has_all);
        changed.map(|item| self.object(item, "changed")).transpose()
    }

    async fn ask(
        &'static self,
        context: &OpContext,
        call: &Call,
        ask: ResourceRequest<'_>,
    ) -> Result<Vec<Record>, OpError> {
        call.op.driver().ask(context, call, self, ask).await
    }

    /// Converts an item to an object for scripts.
    fn object(&self, item: &Record, outcome: &str) -> Result<Value, OpError> {
        let id = match field(item, "id") {
            Some(Value::Int(id)) => Value::Int(*id),
            Some(Value::Text(id)) if !id.trim().is_empty() => id.trim().into(),
            _ => {
                let message = format!("{} in the platform's response has no `id`", self.one());
                return Err(OpError::new(Code::UnreadableAnswer, message));
            }
        };
        let mut object = Object::new(self.kind, [("id", id), ("outcome", outcome.into())]);
        for property in self.properties {
            object
                .fields
                .insert(property.name.to_owned(), text(item, property.name).into());
        }
        object
            .fields
            .insert("attributes".to_owned(), Value::Record(item.clone()));
        Ok(Value::Object(object))
    }
}

impl KeyForm {
    fn fold(self, text: &str) -> String {
        match self {
            KeyForm::Exact => text.trim().to_owned(),
            KeyForm::Email => text.trim().to_lowercase(),
        }
    }
}

impl Preset {
    fn to_value(self) -> Value {
        match self {
            Preset::Bool(value) => Value::Bool(value),
            Preset::Text(text) => text.into(),
        }
    }
}

/// Replaces the name in braces in a path by a text, escaped so that it is always a single segment.
pub(crate) fn path(pattern: &str, text: &str) -> Result<String, OpError> {
    let (before, rest) = pattern.split_once('{').unwrap_or((pattern, ""));
    let (name, after) = rest.split_once('}').unwrap_or((rest, ""));
    check_part(name, text)?;
    Ok(format!("{before}{}{after}", segment(text)))
}

/// Refuses a text that cannot be a path segment: dots alone would be a relative segment and lead to another resource.
pub(crate) fn check_part(name: &str, text: &str) -> Result<(), OpError> {
    if text.trim_matches('.').is_empty() {
        let message = format!("`{name}` must not be empty or consist only of dots");
        return Err(OpError::new(Code::BadArgument, message));
    }
    Ok(())
}

/// Returns a field of an item, ignoring the case of its name.
fn field<'a>(item: &'a Record, name: &str) -> Option<&'a Value> {
    let folded = || item.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    item.get(name).or_else(|| folded().map(|(_, value)| value))
}

/// Returns a field as text: a number as its digits, other types as an empty text.
fn text(item: &Record, name: &str) -> String {
    match field(item, name) {
        Some(Value::Text(text)) => text.trim().to_owned(),
        Some(Value::Int(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// Whether the current value contains everything wanted. The platform may add fields, and may return `"true"` for true.
pub(crate) fn holds(now: &Value, wanted: &Value) -> bool {
    let within = |now: &Record, wanted: &Record| {
        let held = |(name, value): (&String, &Value)| now.get(name).is_some_and(|now| holds(now, value));
        wanted.iter().all(held)
    };
    match (now, wanted) {
        (Value::Record(now), Value::Record(wanted)) => within(now, wanted),
        _ if now.has_secret() || wanted.has_secret() => false,
        _ => plain(now) == plain(wanted),
    }
}

fn plain(value: &Value) -> String {
    value.to_masked_json().to_string().trim_matches('"').to_owned()
}

/// The identifier of an existing item.
const ID: Param = Param::required("id", Type::Id, "its identifier, or an object that has one");

/// The last parameter of operations that create something.
pub(crate) const OPTIONS: Param = Param {
    name: "options",
    ty: Type::Options(&[Param {
        name: "adopt",
        ty: Type::Bool,
        required: false,
        doc: "true: adopt an object that exists on the platform but is not in the ledger",
    }]),
    required: false,
    doc: "adopt",
};

/// Returns the fields of a new item: those given, and the natural key under its own name. A field that contradicts the
/// key is an error.
pub(crate) fn fields_of_new(call: &Call, name: &str, key: &str) -> Result<Record, OpError> {
    let mut fields = call.map("fields");
    match fields.get(name) {
        None => {}
        Some(Value::Text(own)) if own.trim() == key => {}
        Some(_) => {
            let message = format!(
                "`{name}` is given twice: as an argument, and with a different value among the fields"
            );
            return Err(OpError::new(Code::BadArgument, message));
        }
    }
    fields.insert(name.to_owned(), key.into());
    Ok(fields)
}

/// Returns the error for a resource that exists but is not in the ledger. `what` names it in the message.
pub(crate) fn exists(call: &Call, what: &str) -> OpError {
    OpError::new(
        Code::AlreadyExists,
        format!("{what} exists on the platform, but is not in the ledger"),
    )
    .hint(format!(
        "if it is yours, adopt it: {}(…, #{{adopt: true}})",
        call.op.name
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_arguments_are_percent_encoded_as_one_segment() {
        assert_eq!(path("/contacts/{id}", "7").as_deref(), Ok("/contacts/7"));
        assert_eq!(
            path("/by/{key}/whole", "a/../b c?").as_deref(),
            Ok("/by/a%2F..%2Fb%20c%3F/whole")
        );
        for step in ["", ".", ".."] {
            let refused = path("/contacts/{id}", step).map_err(|error| (error.code, error.message));
            let reason = "`id` must not be empty or consist only of dots";
            assert_eq!(refused, Err((Code::BadArgument, reason.to_owned())), "{step}");
        }
    }
}

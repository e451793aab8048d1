//! Encodes values as bytes and decodes them: exact (64-bit integers, every float), canonical (equal values have equal
//! bytes), and strict (anything else is an error).

use zeroize::Zeroizing;

use crate::value::origin::Origin;
use crate::value::secret::{Home, Secret};
use crate::value::{Object, Record, Value};

/// An error: the bytes are not in the format this version writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INT: u8 = 3;
const FLOAT: u8 = 4;
const TEXT: u8 = 5;
const SECRET: u8 = 6;
const LIST: u8 = 7;
const RECORD: u8 = 8;
const OBJECT: u8 = 9;
const SECRET_AT_HOME: u8 = 10;

/// How secrets are encoded.
#[derive(Clone, Copy)]
pub(super) struct SecretForm {
    /// The only access to a secret's text; the caller holds it.
    pub(super) text: fn(&Secret) -> &str,
    /// Whether a secret's origins are written. Not where values are compared: the same text is the same secret.
    pub(super) homes: bool,
}

impl SecretForm {
    fn homes(self, secret: &Secret) -> &[Home] {
        if self.homes { secret.homes() } else { &[] }
    }
}

/// Encodes a value.
pub(super) fn encode(value: &Value, secrets: SecretForm) -> Zeroizing<Vec<u8>> {
    // Growing the buffer would leave copies of secrets in freed memory, so the size is computed first.
    let mut out = Zeroizing::new(Vec::with_capacity(size(value, secrets)));
    write(&mut out, value, secrets);
    out
}

/// Decodes the output of [`encode`].
pub(super) fn decode(bytes: &[u8]) -> Result<Value, Malformed> {
    let mut rest = bytes;
    let value = read(&mut rest)?;
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(Malformed)
    }
}

fn size(value: &Value, secrets: SecretForm) -> usize {
    let fields = |record: &Record| -> usize {
        let of_field = |(name, value): (&String, &Value)| 4 + name.len() + size(value, secrets);
        4 + record.iter().map(of_field).sum::<usize>()
    };
    1 + match value {
        Value::Null | Value::Bool(_) => 0,
        Value::Int(_) | Value::Float(_) => 8,
        Value::Text(text) => 4 + text.len(),
        Value::Secret(secret) => {
            let of_home =
                |home: &Home| 4 + home.origins().iter().map(|o| 4 + o.as_str().len()).sum::<usize>();
            let homes = secrets.homes(secret).iter().map(of_home).sum::<usize>();
            4 + (secrets.text)(secret).len() + 4 + homes
        }
        Value::List(items) => 4 + items.iter().map(|item| size(item, secrets)).sum::<usize>(),
        Value::Record(record) => fields(record),
        Value::Object(object) => 4 + object.kind.len() + fields(&object.fields),
    }
}

fn write(out: &mut Vec<u8>, value: &Value, secrets: SecretForm) {
    match value {
        Value::Null => out.push(NULL),
        Value::Bool(false) => out.push(FALSE),
        Value::Bool(true) => out.push(TRUE),
        Value::Int(int) => {
            out.push(INT);
            out.extend_from_slice(&int.to_le_bytes());
        }
        Value::Float(float) => {
            out.push(FLOAT);
            out.extend_from_slice(&float.to_bits().to_le_bytes());
        }
        Value::Text(text) => {
            out.push(TEXT);
            write_text(out, text);
        }
        Value::Secret(secret) => {
            let homes = secrets.homes(secret);
            out.push(if homes.is_empty() { SECRET } else { SECRET_AT_HOME });
            write_text(out, (secrets.text)(secret));
            if !homes.is_empty() {
                write_homes(out, homes);
            }
        }
        Value::List(items) => {
            out.push(LIST);
            write_length(out, items.len());
            for item in items {
                write(out, item, secrets);
            }
        }
        Value::Record(record) => {
            out.push(RECORD);
            write_fields(out, record, secrets);
        }
        Value::Object(object) => {
            out.push(OBJECT);
            write_text(out, &object.kind);
            write_fields(out, &object.fields, secrets);
        }
    }
}

fn write_homes(out: &mut Vec<u8>, homes: &[Home]) {
    write_length(out, homes.len());
    for home in homes {
        write_length(out, home.origins().len());
        home.origins()
            .iter()
            .for_each(|origin| write_text(out, origin.as_str()));
    }
}

fn write_fields(out: &mut Vec<u8>, record: &Record, secrets: SecretForm) {
    write_length(out, record.len());
    for (name, value) in record {
        write_text(out, name);
        write(out, value, secrets);
    }
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    write_length(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

/// Writes a length. Values come from 16 MiB bodies and script limits, far below 4 GiB; a larger one would be rejected
/// when read back, not misread.
fn write_length(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

fn read(rest: &mut &[u8]) -> Result<Value, Malformed> {
    Ok(match take::<1>(rest)?[0] {
        NULL => Value::Null,
        FALSE => Value::Bool(false),
        TRUE => Value::Bool(true),
        INT => Value::Int(i64::from_le_bytes(take(rest)?)),
        FLOAT => Value::Float(f64::from_bits(u64::from_le_bytes(take(rest)?))),
        TEXT => Value::Text(read_text(rest)?),
        SECRET => Value::Secret(Secret::new(read_text(rest)?)),
        SECRET_AT_HOME => {
            let text = Zeroizing::new(read_text(rest)?);
            Value::Secret(Secret::with_homes(text.as_str(), read_homes(rest)?))
        }
        LIST => {
            let length = read_length(rest)?;
            let items: Result<Vec<Value>, Malformed> = (0..length).map(|_| read(rest)).collect();
            Value::List(items?)
        }
        RECORD => Value::Record(read_fields(rest)?),
        OBJECT => Value::Object(Object {
            kind: read_text(rest)?,
            fields: read_fields(rest)?,
        }),
        _ => return Err(Malformed),
    })
}

fn read_homes(rest: &mut &[u8]) -> Result<Vec<Home>, Malformed> {
    let home = |rest: &mut &[u8]| {
        let length = read_length(rest)?;
        let origins: Result<Vec<Origin>, Malformed> = (0..length)
            .map(|_| Origin::parse(&read_text(rest)?).ok_or(Malformed))
            .collect();
        Home::of(origins?).ok_or(Malformed)
    };
    let length = read_length(rest)?;
    (0..length).map(|_| home(rest)).collect()
}

fn read_fields(rest: &mut &[u8]) -> Result<Record, Malformed> {
    let length = read_length(rest)?;
    let mut record = Record::new();
    for _ in 0..length {
        let name = read_text(rest)?;
        record.insert(name, read(rest)?);
    }
    Ok(record)
}

fn read_text(rest: &mut &[u8]) -> Result<String, Malformed> {
    let length = read_length(rest)?;
    let (text, after) = rest.split_at_checked(length).ok_or(Malformed)?;
    *rest = after;
    std::str::from_utf8(text)
        .map(str::to_owned)
        .map_err(|_| Malformed)
}

fn read_length(rest: &mut &[u8]) -> Result<usize, Malformed> {
    let length = u32::from_le_bytes(take(rest)?);
    usize::try_from(length).map_err(|_| Malformed)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Malformed> {
    let (taken, after) = rest.split_first_chunk::<N>().ok_or(Malformed)?;
    *rest = after;
    Ok(*taken)
}

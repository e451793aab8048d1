//! The accounts that a collection speaks to, each as a session of the script.

use std::collections::BTreeSet;

use super::address;
use super::code::{Code, quoted};
use super::collection::Collection;
use super::known;
use super::values::Values;

/// The sessions of a script.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    /// The name of the profile, when an environment became one.
    profile: Option<String>,
    /// Where a request signs in: the base, the login and the password as they are written.
    sign_ins: Vec<(String, String, String)>,
    found: Vec<Session>,
    /// The sessions of the function that is being written.
    pub(super) used: BTreeSet<String>,
}

/// A session of `main`.
#[derive(Debug)]
pub(super) struct Session {
    base: String,
    pub(super) name: String,
    /// The expression that makes it.
    pub(super) code: String,
    pub(super) used: bool,
}

impl Sessions {
    /// Looks through the collection for requests that sign in.
    pub(super) fn of_collection(collection: &Collection, profile: Option<&str>) -> Sessions {
        let mut sign_ins: Vec<(String, String, String)> = Vec::new();
        for request in &collection.requests {
            let address = address::read(&request.url);
            let Some((_, base, path)) = known::platform(&address.base) else {
                continue;
            };
            let query = |name: &str| {
                let found = address.query.iter().find(|field| field.key == name);
                found.map(|field| field.value.clone()).unwrap_or_default()
            };
            if path == "/auth" && !sign_ins.iter().any(|(known, ..)| *known == base) {
                sign_ins.push((base, query("login"), query("password")));
            }
        }
        Sessions {
            profile: profile.map(str::to_owned),
            sign_ins,
            ..Sessions::default()
        }
    }

    /// The sessions that some function uses, in the order in which they were met.
    pub(super) fn all(&self) -> impl Iterator<Item = &Session> {
        self.found.iter().filter(|session| session.used)
    }

    /// The name of the session for a base. The first account is the profile's, when an environment became one or no
    /// request signs in.
    pub(super) fn of(&mut self, base: &str, values: &mut Values) -> Result<String, String> {
        if let Some(session) = self.found.iter().find(|session| session.base == base) {
            return Ok(session.name.clone());
        }
        // What makes a session stands in `main`, not in the function of the request.
        let outer = std::mem::take(&mut values.used);
        let code = self.connect(base, values);
        values.used = outer;
        let name = match self.found.len() {
            0 => "session".to_owned(),
            many => format!("session_{}", many + 1),
        };
        self.found.push(Session {
            base: base.to_owned(),
            name: name.clone(),
            code: code?,
            used: false,
        });
        Ok(name)
    }

    /// Notes that the function that is being written uses a session.
    pub(super) fn uses(&mut self, name: &str) {
        self.used.insert(name.to_owned());
        if let Some(session) = self.found.iter_mut().find(|session| session.name == name) {
            session.used = true;
        }
    }

    fn connect(&self, base: &str, values: &mut Values) -> Result<String, String> {
        let first = self.found.is_empty();
        let sign_in = self.sign_ins.iter().find(|(known, ..)| known == base);
        match (&self.profile, sign_in) {
            (Some(profile), _) if first => return Ok(format!("mobsted::connect({})", quoted(profile))),
            (None, None) if first => return Ok("mobsted::connect()".into()),
            _ => {}
        }
        let url = Code::Expr(values.address(base)?);
        let (login, password) = if let Some((_, login, password)) = sign_in {
            (values.value(login, "login")?, values.value(password, "password")?)
        } else {
            let login = values.add("login".into(), format!("who signs in at {base}"), None, false);
            let password = values.add("password".into(), format!("the password for {base}"), None, true);
            (values.param(login), values.param(password))
        };
        let account = [("url", url), ("login", login), ("password", password)];
        let account = account.map(|(key, code)| (key.to_owned(), code));
        Ok(format!(
            "mobsted::connect({})",
            Code::Map(account.into()).render(8)
        ))
    }
}

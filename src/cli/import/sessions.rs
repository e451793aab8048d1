//! The accounts that a collection uses, each as a session of the script.

use crate::operation::catalogue::Catalogue;
use std::collections::BTreeSet;

use super::address;
use super::code::{Code, quoted};
use super::collection::{Collection, Request, Variable};
use super::known::{self, RequestProperties};
use super::site::{self, Evidence, Site};
use super::values::Values;
use crate::operation::platform::Platform;

/// The profile made from an environment.
#[derive(Debug, Clone)]
pub(super) struct ImportedProfile {
    pub(super) name: String,
    pub(super) platform: &'static Platform,
    pub(super) url: String,
    /// The part of its account that it acts on; empty if unspecified.
    pub(super) part: String,
    /// The variable that each field was taken from, by key.
    pub(super) taken: Vec<(&'static str, String)>,
    /// Whether it has a credential.
    pub(super) signs: bool,
}

impl ImportedProfile {
    /// Whether the text is exactly the variable that this field of the profile was taken from.
    pub(super) fn is_taken_from(&self, key: &str, text: &str) -> bool {
        let name = text.trim().strip_prefix("{{");
        let name = name.and_then(|rest| rest.strip_suffix("}}"));
        let mut taken = self.taken.iter();
        taken.any(|(known, variable)| *known == key && Some(variable.as_str()) == name)
    }
}

/// The sessions of a script.
#[derive(Debug)]
pub(super) struct Sessions {
    catalogue: Catalogue,
    profile: Option<ImportedProfile>,
    evidence: Evidence,
    sign_ins: Vec<SignIn>,
    found: Vec<Session>,
    /// The sessions used by the function being written.
    pub(super) used: BTreeSet<String>,
}

/// The account fields in the requests to one account, by key and unresolved.
#[derive(Debug)]
struct SignIn {
    base: String,
    account: Vec<(&'static str, String)>,
    /// The folder variables of the first such request.
    variables: Vec<Variable>,
}

/// A session of `main`.
#[derive(Debug, Clone)]
pub(super) struct Session {
    platform: &'static Platform,
    base: String,
    pub(super) name: String,
    /// The expression that creates it.
    pub(super) code: String,
    /// The part of its account that it acts on, with variables resolved; `None` if unspecified.
    pub(super) part: Option<String>,
    pub(super) used: bool,
}

impl Sessions {
    /// Searches the collection for requests that sign in.
    pub(super) fn find_in_collection(
        catalogue: &Catalogue,
        collection: &Collection,
        profile: Option<&ImportedProfile>,
        values: &mut Values,
    ) -> Sessions {
        let known = profile.map(|profile| (profile.platform, profile.url.as_str()));
        let mut sessions = Sessions {
            profile: profile.cloned(),
            catalogue: catalogue.clone(),
            evidence: Evidence::of(catalogue, collection, known, values),
            sign_ins: Vec::new(),
            found: Vec::new(),
            used: BTreeSet::new(),
        };
        for request in &collection.requests {
            values.enter(&request.variables);
            let address = address::read(&request.url);
            if let Some(site) = sessions.site(&address.base, values) {
                sessions.collect_account_fields(request, &address, site, values);
            }
        }
        sessions
    }

    /// The operations that requests can be converted to.
    pub(super) fn catalogue(&self) -> Catalogue {
        self.catalogue.clone()
    }

    /// Returns the site of an address without its query; `None` if it belongs to no known platform.
    pub(super) fn site(&self, address: &str, values: &Values) -> Option<Site> {
        site::of(&self.catalogue, address, &self.evidence, values)
    }

    /// The profile made from the environment, if it is for a plain web service.
    pub(super) fn service(&self) -> Option<&ImportedProfile> {
        self.profile
            .as_ref()
            .filter(|profile| profile.platform.module == "http")
    }

    /// The sessions that any function uses, in the order in which they were found.
    pub(super) fn all(&self) -> impl Iterator<Item = &Session> {
        self.found.iter().filter(|session| session.used)
    }

    /// Returns the session for a site. A platform's first account uses the profile made from the environment, if any,
    /// or the active profile if no request signs in.
    pub(super) fn of(&mut self, site: &Site, values: &mut Values) -> Result<Session, String> {
        let is_same_site =
            |session: &&Session| session.platform == site.platform && session.base == site.base;
        if let Some(session) = self.found.iter().find(is_same_site) {
            return Ok(session.clone());
        }
        // The parameters of a session belong to `main`, not to the function of the request.
        let outer = std::mem::take(&mut values.used);
        let made = self.connect(site, values);
        values.used = outer;
        let (code, part) = made?;
        let session = Session {
            platform: site.platform,
            base: site.base.clone(),
            name: match self.found.len() {
                0 => "session".to_owned(),
                many => format!("session_{}", many + 1),
            },
            code,
            part: Some(part).filter(|part| !part.is_empty()),
            used: false,
        };
        self.found.push(session.clone());
        Ok(session)
    }

    /// Records that the function being written uses a session.
    pub(super) fn uses(&mut self, name: &str) {
        self.used.insert(name.to_owned());
        if let Some(session) = self.found.iter_mut().find(|session| session.name == name) {
            session.used = true;
        }
    }

    /// Collects the account fields in a request; the first value of a field wins.
    fn collect_account_fields(
        &mut self,
        request: &Request,
        address: &address::Address,
        site: Site,
        values: &Values,
    ) {
        let base = site.base.clone();
        let ask = ask(self.catalogue(), request, address, site, "", None, values);
        let mut sign_in = known::sign_in(&ask).unwrap_or_default();
        for (name, key) in ask.platform.import.headers {
            let mut headers = request.headers.iter();
            let header = headers.find(|header| header.key.eq_ignore_ascii_case(name));
            sign_in.extend(key.zip(header).map(|(key, header)| (key, header.value.clone())));
        }
        sign_in.retain(|(_, text)| !text.trim().is_empty());
        if sign_in.is_empty() {
            return;
        }
        let place = self.sign_ins.iter().position(|known| known.base == base);
        let place = place.unwrap_or_else(|| {
            self.sign_ins.push(SignIn {
                base,
                account: Vec::new(),
                variables: request.variables.clone(),
            });
            self.sign_ins.len() - 1
        });
        let account = &mut self.sign_ins[place].account;
        for (key, text) in sign_in {
            if !account.iter().any(|(known, _)| *known == key) {
                account.push((key, text));
            }
        }
    }

    /// Returns the expression that creates the session, and the part of the account that it acts on.
    fn connect(&self, site: &Site, values: &mut Values) -> Result<(String, String), String> {
        let platform = site.platform;
        let module = platform.name;
        let first = !self.found.iter().any(|session| session.platform == platform);
        let profile = self
            .profile
            .as_ref()
            .filter(|profile| profile.platform == platform);
        let sign_in = self.sign_ins.iter().find(|known| known.base == site.base);
        let account = sign_in
            .map(|sign_in| sign_in.account.as_slice())
            .unwrap_or_default();
        let has = |key: &str| account.iter().any(|(known, _)| *known == key);
        let has_secret = platform.secrets().iter().any(|field| has(field.name));
        match profile {
            Some(profile) if first => {
                let code = format!("{module}::connect({})", quoted(&profile.name));
                return Ok((code, profile.part.clone()));
            }
            None if first && !has_secret => return Ok((format!("{module}::connect()"), String::new())),
            _ => {}
        }
        let mut map = vec![("url".to_owned(), Code::Expr(values.address(&site.written)?))];
        // Account fields come from the request that signs in, so resolve them with its folder variables.
        let outer = values.scoped();
        values.enter(sign_in.map_or(&outer, |sign_in| &sign_in.variables));
        let keys = platform.texts().iter().map(|field| (field, false));
        let keys = keys.chain(platform.secrets().iter().map(|field| (field, true)));
        for (field, secret) in keys.filter(|(field, _)| field.name != "url") {
            let given = account.iter().find(|(key, _)| *key == field.name);
            let code = match given {
                Some((_, text)) => values.value(text, field.name)?,
                None if field.required => {
                    let about = format!("the {} at {}", field.name.replace('_', " "), site.base);
                    let param = values.add(field.name.to_owned(), about, None, secret);
                    values.param(param)
                }
                None => continue,
            };
            map.push((field.name.to_owned(), code));
        }
        let scope = platform.import.scope.map(|scope| scope.key);
        let part = account.iter().find(|(key, _)| Some(*key) == scope);
        let part = part.map(|(_, text)| values.expanded(text)).unwrap_or_default();
        values.enter(&outer);
        let code = format!("{module}::connect({})", Code::Map(map).render(8));
        Ok((code, part))
    }
}

/// Describes a request for matching it to an operation.
pub(super) fn ask<'a>(
    catalogue: Catalogue,
    request: &'a Request,
    address: &address::Address,
    site: Site,
    session: &'a str,
    part: Option<&'a str>,
    values: &Values,
) -> RequestProperties<'a> {
    let query = address.query.iter();
    RequestProperties {
        catalogue,
        platform: site.platform,
        method: &request.method,
        path: site.path,
        query: query
            .map(|field| (field.key.clone(), field.value.clone()))
            .collect(),
        payload: known::carried(request, values),
        headers: &request.headers,
        session,
        part,
    }
}

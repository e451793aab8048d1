//! The accounts added to a builder.

use std::sync::Arc;

use crate::client::http::account::is_below;
use crate::operation::context::{Profile, Profiles};
use crate::operation::error::{Code, OpError};
use crate::value::origin::Origin;

#[derive(Clone, Default)]
pub(super) struct Accounts(Vec<Arc<Profile>>);

impl Accounts {
    pub(super) fn add(&mut self, profile: Profile) {
        self.0.push(Arc::new(profile));
    }

    fn matching_profiles(&self, is_wanted: impl Fn(&Profile) -> bool) -> Vec<Arc<Profile>> {
        let wanted = self.0.iter().filter(|profile| is_wanted(profile));
        wanted.cloned().collect()
    }
}

impl Profiles for Accounts {
    fn find(&self, platform: &str, name: Option<&str>) -> Result<Arc<Profile>, OpError> {
        let mut all = self.0.iter();
        let found = match name {
            Some(name) => all.find(|profile| profile.name == name),
            None => all.find(|profile| profile.platform == platform),
        };
        found.cloned().ok_or_else(|| {
            let message = match name {
                Some(name) => format!("there is no account `{name}`"),
                None => format!("there is no account of the platform {platform}"),
            };
            OpError::new(Code::BadProfile, message)
        })
    }

    fn at(&self, place: &Origin) -> Result<Vec<Arc<Profile>>, OpError> {
        Ok(self.matching_profiles(|profile| {
            let url = profile.texts.get("url");
            url.and_then(|url| Origin::parse(url)).as_ref() == Some(place)
        }))
    }

    fn covering(&self, url: &str) -> Result<Vec<Arc<Profile>>, OpError> {
        let base = |profile: &Profile| profile.texts.get("url").cloned().unwrap_or_default();
        let mut covering = self.matching_profiles(|profile| is_below(&base(profile), url));
        covering.sort_by_key(|profile| std::cmp::Reverse(base(profile).len()));
        Ok(covering)
    }
}

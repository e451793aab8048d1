//! A 2xx response and its parsed body.

use serde_json::Value as Json;

use super::error::ApiError;
use super::fields;
use crate::transport::request::Request;
use crate::transport::response::{BodyError, Response};
use crate::value::Value;

/// A 2xx response with its request.
pub(crate) struct Answer {
    pub(crate) request: Request,
    pub(crate) response: Response,
}

impl Answer {
    /// Parses the body as JSON.
    pub(crate) fn json(&self) -> Result<Json, ApiError> {
        self.response
            .json()
            .map_err(|reason| self.unreadable(&reason.to_string()))
    }

    /// The body as a value: JSON with its credentials as secrets, plain text, or null.
    pub(crate) fn value(&self) -> Result<Value, ApiError> {
        if self.response.is_empty() {
            return Ok(Value::Null);
        }
        match self.response.json() {
            Ok(json) => Ok(fields::mark_credentials(json).mark_known_secrets(&self.request.scrubber())),
            Err(BodyError::NotJson) if !self.response.is_json() => {
                let text = self.response.text();
                text.map(|text| Value::from(text).mark_known_secrets(&self.request.scrubber()))
                    .map_err(|reason| self.unreadable(&reason.to_string()))
            }
            Err(reason) => Err(self.unreadable(&reason.to_string())),
        }
    }

    /// An error for a response that is not in the expected form.
    pub(crate) fn unreadable(&self, reason: &str) -> ApiError {
        ApiError::unreadable(&self.request, &self.response, reason)
    }
}

//! Every other call: any path below the account's API, with App 1 of a master account out of reach.

use super::Client;
use super::guard::{self, Target};
use crate::platform::error::ApiError;
use crate::transport::request::{Body, Method, Request};
use crate::value::{Record, Value};

/// An answer to a raw call.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The status, a 2xx.
    pub status: u16,
    /// JSON as a value in which what is named like a credential is a secret; a text as it is; nothing when empty.
    pub body: Value,
}

impl Client {
    /// Calls `path` below the account's `/api/v8`, which may carry its own query.
    ///
    /// A changing call that could touch App 1 of a master account, under whatever spelling, is refused before anything
    /// is sent. Before an object of a master account is changed, the objects of App 1 are read, to be sure that it is
    /// none of them. Reads are repeated after failures in passing, changes only when they cannot have been carried out.
    pub async fn raw(
        &self,
        method: Method,
        path: &str,
        query: &Record,
        body: Body,
    ) -> Result<Reply, ApiError> {
        let target = Target::parse(&self.account().base, path, query)?;
        guard::check_raw(self.role(), self.endpoints(), method, &target, &body)?;
        let rows = guard::rows_to_look_up(self.role(), self.endpoints(), method, &target, &body)?;
        self.refuse_rows_of_app_one(&rows).await?;
        let request = Request {
            query: target.query.clone(),
            ..self.request(method, "/")?.body(body)
        };
        let request = Request {
            url: target.url(&self.account().base)?,
            ..request
        };
        let answer = self.call(request).await?;
        Ok(Reply {
            status: answer.response.status,
            body: answer.value()?,
        })
    }
}

//! A response before it becomes HTTP, so that faults can change it.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// The status, content type, body and headers of a response.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    kind: &'static str,
    pub(super) body: Vec<u8>,
    more: Vec<(&'static str, String)>,
}

impl Reply {
    fn new(status: StatusCode, kind: &'static str, body: impl Into<Vec<u8>>) -> Reply {
        Reply {
            status,
            kind,
            body: body.into(),
            more: Vec::new(),
        }
    }

    /// Returns a response with a JSON body of any shape.
    pub(super) fn json<T: Serialize + ?Sized>(status: StatusCode, body: &T) -> Reply {
        match serde_json::to_vec(body) {
            Ok(body) => Reply::new(status, JSON, body),
            Err(error) => Reply::html(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        }
    }

    /// Returns a 200 with a JSON body.
    pub(super) fn ok<T: Serialize + ?Sized>(body: &T) -> Reply {
        Reply::json(StatusCode::OK, body)
    }

    /// Returns an HTML page like that of a web server in front of an application.
    pub(super) fn html(status: StatusCode, text: &str) -> Reply {
        let body = format!(
            "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n\
             <hr><center>{text}</center>\r\n</body>\r\n</html>\r\n"
        );
        Reply::new(status, HTML, body)
    }

    /// Returns a response with a plain text body.
    pub(super) fn text(status: StatusCode, text: &str) -> Reply {
        Reply::new(status, TEXT, text)
    }

    /// Returns a response without a body.
    pub(super) fn empty(status: StatusCode) -> Reply {
        Reply::text(status, "")
    }

    /// Sets the `Retry-After` header, in seconds.
    pub(super) fn retry_after(self, seconds: u16) -> Reply {
        self.header("retry-after", &seconds.to_string())
    }

    /// Adds a header; its name must be lower case.
    pub(super) fn header(mut self, name: &'static str, value: &str) -> Reply {
        self.more.push((name, value.to_owned()));
        self
    }

    /// Returns its headers.
    pub(super) fn headers(&self) -> Vec<(String, String)> {
        let kind = (CONTENT_TYPE.to_string(), self.kind.to_owned());
        let more = self.more.iter();
        let more = more.map(|(name, value)| ((*name).to_owned(), value.clone()));
        std::iter::once(kind).chain(more).collect()
    }

    /// Returns a 200 that claims to be JSON but is neither JSON nor text.
    pub(super) fn garbage() -> Reply {
        Reply::new(StatusCode::OK, JSON, b"{\"data\":[{\"id\":1,\"attr\xff\xfe\x00")
    }
}

impl From<Reply> for Response {
    fn from(reply: Reply) -> Response {
        let mut response = Response::new(Body::from(reply.body));
        *response.status_mut() = reply.status;
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(reply.kind));
        for (name, value) in reply.more {
            // Values come from the sandbox; one that is not a valid header value is left out.
            if let Ok(value) = HeaderValue::from_str(&value) {
                response
                    .headers_mut()
                    .insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

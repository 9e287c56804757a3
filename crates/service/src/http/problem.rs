//! Errors as `application/problem+json`, and the extractors that turn every rejection into one.

use api::{Code, Problem};
use axum::Json;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

/// An answer that says what is wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    status: StatusCode,
    code: Code,
    detail: String,
}

/// What handlers return.
pub(crate) type Answer<T> = Result<T, Failure>;

impl Failure {
    pub(crate) fn new(status: StatusCode, code: Code, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into() }
    }

    /// What is wrong and what to do.
    pub(crate) fn into_detail(self) -> String {
        self.detail
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, Code::NotFound, format!("There is no {what}; read the list for what exists"))
    }

    /// What to tell a person.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, Code::Invalid, detail)
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, Code::Conflict, detail)
    }

    pub(crate) fn storage() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            Code::StorageFailing,
            "Records cannot be written; free space on the disk or check it, then try again",
        )
    }

    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, "Something failed here; see the log and report it")
    }

    pub(crate) fn draining() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::Internal, "The program is ending; try again when it runs")
    }
}

/// An identity in a path or a body that cannot exist names the rule it breaks.
impl From<domain::IdError> for Failure {
    fn from(error: domain::IdError) -> Self {
        Self::invalid(format!("{error}"))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error").to_owned();
        let problem = Problem {
            kind: "about:blank".to_owned(),
            title,
            status: self.status.as_u16(),
            detail: self.detail,
            code: self.code,
        };
        let mut response = (self.status, Json(problem)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
        }
        response
    }
}

/// A JSON body; whatever is wrong with it becomes a [`Failure`].
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        Json::from_request(request, state).await.map(|Json(value)| Self(value)).map_err(|rejection| match rejection {
            JsonRejection::BytesRejection(BytesRejection::FailedToBufferBody(error))
                if error.status() == StatusCode::PAYLOAD_TOO_LARGE =>
            {
                too_large()
            }
            JsonRejection::MissingJsonContentType(_) => Failure::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                Code::Invalid,
                "The body must be JSON; send Content-Type: application/json",
            ),
            JsonRejection::JsonDataError(error) => Failure::invalid(error.body_text()),
            other => Failure::new(StatusCode::BAD_REQUEST, Code::Invalid, other.body_text()),
        })
    }
}

pub(crate) fn too_large() -> Failure {
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, Code::Invalid, "The body is larger than 1 MiB; send less at once")
}

/// Query parameters; repeated names become lists.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        axum_extra::extract::Query::from_request_parts(parts, state)
            .await
            .map(|axum_extra::extract::Query(value)| Self(value))
            .map_err(|rejection| Failure::invalid(rejection.body_text()))
    }
}

/// Path parameters.
pub(crate) struct Path<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|rejection: PathRejection| Failure::invalid(rejection.body_text()))
    }
}

//! The console's files from memory, and a plain page where the console was not built.

use super::Shared;
use super::problem::Failure;
use crate::config::Asset;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse as _, Response};

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Meshwatt</title></head>\
<body><h1>Meshwatt is running</h1><p>This program was built without its console. Build it with \
<code>cargo xtask demo</code>, or use the API under <code>/api/v1</code>.</p></body></html>";

/// Everything that is not the API.
pub(crate) async fn serve(State(shared): State<Shared>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path == "api" || path.starts_with("api/") {
        return Failure::not_found("such resource under /api; the description is at /api/v1/openapi.json")
            .into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        return Failure::new(StatusCode::METHOD_NOT_ALLOWED, api::Code::Invalid, "Files can only be read; use GET")
            .into_response();
    }
    let Some(console) = shared.console.as_ref().filter(|console| console.files.contains_key("index.html")) else {
        return if path.is_empty() || path == "index.html" {
            Html(NOT_BUILT).into_response()
        } else {
            Failure::not_found("such file").into_response()
        };
    };
    let name = if path.is_empty() { "index.html" } else { path };
    console
        .files
        .get(name)
        .map_or_else(|| Failure::not_found("such file").into_response(), |asset| file(asset, &headers))
}

fn file(asset: &Asset, headers: &HeaderMap) -> Response {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let accepts = |name: &str| accepted.split(',').any(|part| part.split(';').next().map(str::trim) == Some(name));
    let (bytes, encoding) = match (asset.brotli, asset.gzip) {
        (Some(bytes), _) if accepts("br") => (bytes, Some("br")),
        (_, Some(bytes)) if accepts("gzip") => (bytes, Some("gzip")),
        _ => (asset.bytes, None),
    };
    let tag = format!("\"{}\"", asset.tag);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut response =
        if known == Some(tag.as_str()) { StatusCode::NOT_MODIFIED.into_response() } else { bytes.into_response() };
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    answer.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    // Asked about every time, so that an update of the program is seen at once.
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answer.insert(header::ETAG, tag);
    }
    if let Some(encoding) = encoding {
        answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

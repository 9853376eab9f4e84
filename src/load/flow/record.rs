//! Keeps answers as files, without secrets, so that a test server can give them again.
//!
//! Each answer is a file of its own below the folder of its connection: a list with one entry, as the test server reads them. The same request
//! has the same file, so that what is recorded twice is there once.

use crate::document::{read_json, JsonMap, JsonValue};
use crate::http::{ApiClient, Method, PageBody, Request};
use crate::{Error, Result};
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::Path;

/// What stands for the address of the API, which is another where the answers are given again.
const BASE_URL: &str = "${base_url}";
/// Headers that say how an answer was sent, or that only its moment has.
const TRANSPORT: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "date",
    "keep-alive",
    "server",
    "set-cookie",
    "strict-transport-security",
    "transfer-encoding",
    "vary",
    "via",
];

/// Headers of requests that tell none from another.
const COMMON: &[&str] =
    &["accept", "accept-encoding", "authorization", "content-type", "cookie", "if-modified-since", "if-none-match", "user-agent"];

/// An answer as a file holds it.
pub struct Recording {
    connection: String,
    file: String,
    text: String,
}

impl Recording {
    /// Makes a recording of an answer. Fails when its body is not text.
    pub fn of(client: &ApiClient, request: &Request, page: &PageBody) -> Result<Recording> {
        let redactor = client.redactor();
        let below = request.base.path().trim_end_matches('/');
        let path = redactor.text(request.url.path().strip_prefix(below).unwrap_or(request.url.path()));
        let base = request.base.as_str().trim_end_matches('/').to_string();
        let neutral = |text: &str| text.replace(&base, BASE_URL).replace(&base.replace('/', "\\/"), BASE_URL);
        let query = request.url.query_pairs().map(|(name, value)| {
            let value = if redactor.is_secret_key(&name) { "***".to_string() } else { redactor.text(&value) };
            (name.into_owned(), JsonValue::String(neutral(&value)))
        });
        let headers =
            redactor.headers(&page.headers).into_iter().filter(|(name, _)| !TRANSPORT.contains(&name.to_ascii_lowercase().as_str()));
        let body = String::from_utf8(page.body.clone()).map_err(|_| Error::data(format!("the answer of {path} is not text")))?;
        let body = neutral(&redactor.body(body));
        let (key, body) = match read_json(&body) {
            Ok(value) => ("body", value),
            Err(_) => ("text", JsonValue::String(body)),
        };
        let mut entry = JsonMap::new();
        entry.insert("path".to_string(), path.as_str().into());
        entry.insert("query".to_string(), JsonValue::Object(query.collect()));
        entry.insert("status".to_string(), page.status.into());
        entry.insert("headers".to_string(), JsonValue::Object(headers.map(|(name, value)| (name, neutral(&value).into())).collect()));
        if request.method != Method::Get {
            entry.insert("method".to_string(), request.method.name().into());
            entry.insert("request".to_string(), redactor.text(request.body.as_deref().unwrap_or_default()).into());
        }
        let own: JsonMap<String, JsonValue> = request.headers.iter().filter_map(|(name, value)| told_header(client, name, value)).collect();
        if !own.is_empty() {
            entry.insert("request_headers".to_string(), JsonValue::Object(own));
        }
        let file = file_name(&path, &entry);
        entry.insert(key.to_string(), body);
        let text = format!("{:#}\n", JsonValue::Array(vec![JsonValue::Object(entry)]));
        Ok(Recording { connection: client.connection().name.clone(), file, text })
    }

    /// Writes the recording below a folder, which is made. A reader sees all of it or nothing.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let name = |name: &str| {
            name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' }).collect::<String>()
        };
        let folder = folder.join(name(&self.connection));
        let failed = |err: std::io::Error| Error::config(format!("answers cannot be recorded in '{}': {err}", folder.display()));
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let unfinished = folder.join(format!("{}.{}.part", self.file, std::process::id()));
        std::fs::write(&unfinished, &self.text).map_err(failed)?;
        std::fs::rename(&unfinished, folder.join(&self.file)).map_err(failed)
    }
}

/// Returns a header of a request that may tell it from others, without secrets.
fn told_header(client: &ApiClient, name: &str, value: &str) -> Option<(String, JsonValue)> {
    let (name, redactor) = (name.to_ascii_lowercase(), client.redactor());
    let is_common = COMMON.contains(&name.as_str());
    let value = if redactor.is_secret_key(&name) { "***".to_string() } else { redactor.text(value) };
    (!is_common).then(|| (name, value.into()))
}

/// Returns a name that tells requests apart: the end of the path, and a hash of all of the request.
fn file_name(path: &str, entry: &JsonMap<String, JsonValue>) -> String {
    let mut hasher = DefaultHasher::new();
    for key in ["path", "query", "method", "request", "request_headers"] {
        entry.get(key).map(JsonValue::to_string).hash(&mut hasher);
    }
    let words: Vec<&str> = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let last = words.last().map_or("root", |word| &word[..word.len().min(40)]);
    format!("{last}-{:016x}.json", hasher.finish())
}

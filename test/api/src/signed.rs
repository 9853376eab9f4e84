//! An API that takes requests signed by OAuth 1.0 (RFC 5849) only, in the form that NetSuite wants: a realm, HMAC-SHA256, a nonce that is new.
//!
//! `GET /signed/rows` gives pages by offset with the link to the next, as NetSuite's records do; `POST /signed/query` takes JSON, and
//! `POST /signed/form` a form, whose pairs are signed, too. `/signed/sha1/...` wants HMAC-SHA1 and no realm.

use crate::{answer, control::Control, decoded, Asked};
use axum::response::Response;
use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use ring::hmac;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

const REALM: &str = "1234567_SB1";
const CONSUMER: (&str, &str) = ("consumer-key", "secret-token/of the consumer+&=");
const TOKEN: (&str, &str) = ("token-id", "secret-token%of\"the token");
/// How many seconds the clock of a request may differ.
const MOST_APART: u64 = 300;

/// Answers a request below `/signed`.
pub fn answer(asked: &Asked, parts: &[&str], control: &Control) -> Response {
    let (is_sha1, parts) = match parts.split_first() {
        Some((&"sha1", rest)) => (true, rest),
        _ => (false, parts),
    };
    if let Err(why) = verified(asked, is_sha1, control) {
        let error = json!({ "error": { "code": "INVALID_LOGIN_ATTEMPT", "message": format!("Invalid login attempt: {why}.") } });
        let answer = answer::body(401, "application/json", error.to_string());
        return answer::with_header(answer, "www-authenticate", "OAuth realm=\"1234567_SB1\"");
    }
    match (asked.method.as_str(), parts) {
        ("GET", ["rows"]) => {
            let offset = asked.value("offset").and_then(|text| text.parse::<usize>().ok()).unwrap_or_default();
            let items: Vec<Value> = (offset..7.min(offset + 3)).map(|id| json!({ "id": id, "q": asked.value("q") })).collect();
            let next = format!("{}{}?limit=3&offset={}&q={}", asked.origin, asked.path, offset + 3, "a%20b%2Bc");
            let links = if offset + 3 < 7 { json!([{ "rel": "next", "href": next }]) } else { json!([]) };
            answer::json(&json!({ "items": items, "links": links }))
        }
        ("POST", ["query"]) => {
            let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
            answer::json(&json!({ "items": [{ "q": body["q"] }] }))
        }
        ("POST", ["form"]) => answer::json(&json!({ "items": [{ "body": asked.body }] })),
        _ => answer::error(404, "nothing is signed here"),
    }
}

/// Checks a request as RFC 5849, section 3.2, says.
fn verified(asked: &Asked, is_sha1: bool, control: &Control) -> Result<(), String> {
    let header = asked.authorization.as_deref().and_then(|value| value.strip_prefix("OAuth ")).ok_or("no signature")?;
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    for field in header.split(", ") {
        let (name, value) = field.split_once('=').ok_or("a field without a value")?;
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).ok_or("a value without quotes")?;
        if fields.insert(decoded(name), if name == "realm" { value.to_string() } else { decoded(value) }).is_some() {
            return Err(format!("{name} twice"));
        }
    }
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    let expected = [
        ("realm", if is_sha1 { "" } else { REALM }),
        ("oauth_signature_method", if is_sha1 { "HMAC-SHA1" } else { "HMAC-SHA256" }),
        ("oauth_consumer_key", CONSUMER.0),
        ("oauth_token", TOKEN.0),
    ];
    if let Some((name, _)) = expected.iter().find(|(name, value)| field(name) != *value) {
        return Err(format!("{name} is wrong"));
    }
    if !matches!(field("oauth_version"), "" | "1.0") {
        return Err("oauth_version is wrong".to_string());
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    if field("oauth_timestamp").parse::<u64>().map_or(true, |told| told.abs_diff(now) > MOST_APART) {
        return Err("the timestamp is wrong".to_string());
    }
    if field("oauth_nonce").len() < 8 || control.noted(&format!("nonce {}", field("oauth_nonce"))) > 1 {
        return Err("the nonce is not new".to_string());
    }
    let mut pairs: Vec<(String, String)> =
        fields.iter().filter(|(name, _)| !matches!(name.as_str(), "realm" | "oauth_signature")).map(of_pair).collect();
    pairs.extend(asked.query.iter().map(|(name, value)| (written(name), written(value))));
    if asked.content_type.as_deref() == Some("application/x-www-form-urlencoded") {
        let form = asked.body.split('&').filter_map(|pair| pair.split_once('='));
        pairs.extend(form.map(|(name, value)| (written(&decoded(&name.replace('+', " "))), written(&decoded(&value.replace('+', " "))))));
    }
    pairs.sort();
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let place = format!("{}{}", asked.origin.to_lowercase(), asked.path);
    let base = format!("{}&{}&{}", asked.method, written(&place), written(&pairs.join("&")));
    let key = format!("{}&{}", written(CONSUMER.1), written(TOKEN.1));
    let algorithm = if is_sha1 { hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY } else { hmac::HMAC_SHA256 };
    let signature = STANDARD.decode(field("oauth_signature")).map_err(|_| "the signature is not base64")?;
    let key = hmac::Key::new(algorithm, key.as_bytes());
    hmac::verify(&key, base.as_bytes(), &signature).map_err(|_| "the signature is wrong".to_string())
}

fn of_pair((name, value): (&String, &String)) -> (String, String) {
    (written(name), written(value))
}

/// Writes a text as section 3.6 says.
fn written(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

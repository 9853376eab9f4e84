//! What a token endpoint's answer holds: values by name, or why there is no token.

use super::carried::{Carried, Lack};
use crate::document::{tree_of, JsonValue as Value};
use crate::http::transport::RawAnswer;
use crate::http::Redactor;
use crate::spec::{Secret, TokenAnswer};
use crate::{Error, Result};
use std::collections::BTreeMap;
use time::format_description::well_known::Rfc3339;
use time::OffsetDateTime;

/// Most characters of a body in a message.
const MOST_TOLD: usize = 200;
/// Most values that are taken from one answer, and most objects one in the other.
const MOST_VALUES: usize = 500;
const MOST_DEPTH: usize = 5;
/// A number from here on is a moment, in seconds since 1970, where it may be one: no token lasts for 30 years.
const LEAST_MOMENT: f64 = 1e9;
/// A moment from here on is in milliseconds.
const LEAST_MILLIS: f64 = 1e12;
/// Numbers of seconds from here on say nothing.
const MOST_SECONDS: f64 = 1e10;

/// What a token endpoint answered.
#[derive(Debug)]
pub enum TokenReply {
    Token(TokenAnswer),
    Refused(Refusal),
}

/// Why a token endpoint gave no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The code of RFC 6749, section 5.2, such as `invalid_grant`; empty when there is none.
    pub code: String,
    /// What the server said, redacted: `returned 400: ...`.
    pub told: String,
}

/// Reads an answer to a request that was sent at `now`. Fails when it is neither tokens that requests can carry nor a refusal.
pub fn token_reply(answer: &RawAnswer, carried: Carried<'_>, now: i64, redactor: &Redactor) -> Result<TokenReply> {
    let status = answer.status;
    let told = |redactor: &Redactor| match redactor.told(&answer.body, MOST_TOLD).as_str() {
        "" => format!("returned {status}"),
        words => format!("returned {status}: {words}"),
    };
    if let (300..=399, Some(location)) = (status, answer.headers.get("location")) {
        let location = redactor.text(location);
        return Err(Error::api(format!("redirects to '{location}'; credentials are sent to 'token_url' alone: correct it in the spec")));
    }
    let values = values_of(answer).unwrap_or_default();
    // Before anything of it is told.
    redactor.learn(secrets_of(&values).into_iter().chain(carried.secrets(&values)).collect());
    let lack = carried.lack(&values);
    if (200..300).contains(&status) && lack.is_none() {
        let expires = expiry_of(&values, now);
        return Ok(TokenReply::Token(TokenAnswer { values, obtained: now, expires }));
    }
    let code = values.get("error").map(|code| code.expose().to_string()).unwrap_or_default();
    if (400..500).contains(&status) || !code.is_empty() {
        return Ok(TokenReply::Refused(Refusal { code, told: told(redactor) }));
    }
    if let (200..=299, Some(Lack::Worthless(what))) = (status, lack) {
        return Err(Error::api(format!("returned {status} with {what}; the server has to give another one")));
    }
    if (200..300).contains(&status) {
        let needed = carried.names().collect::<Vec<_>>();
        let names = values.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let found = if names.is_empty() { told(redactor) } else { format!("returned {status} with {}", redactor.text(&names)) };
        return Err(Error::api(format!("{found}; expected a JSON object with '{}': is 'token_url' right?", needed.join("', '"))));
    }
    Err(Error::api(told(redactor)))
}

/// Returns the values of an answer that is good. Fails with what the server said.
pub fn values_in(answer: &RawAnswer, redactor: &Redactor) -> Result<BTreeMap<String, Secret>> {
    let words = redactor.told(&answer.body, MOST_TOLD);
    match values_of(answer) {
        Some(values) if (200..300).contains(&answer.status) => Ok(values),
        _ => Err(Error::api(format!("returned {}: {words}", answer.status))),
    }
}

/// Returns the values that are never shown: tokens, and what else is named as a secret is.
pub fn secrets_of(values: &BTreeMap<String, Secret>) -> Vec<String> {
    let is_secret = |path: &str| {
        let name = path.rsplit('.').next().unwrap_or(path).to_ascii_lowercase();
        let is_named =
            ["token", "secret", "assertion", "password", "cookie", "session", "jwt", "key"].iter().any(|word| name.contains(word));
        is_named && !["token_type", "expires", "_at", "_in"].iter().any(|word| name.contains(word))
    };
    values.iter().filter(|(name, _)| is_secret(name)).map(|(_, value)| value.expose().to_string()).collect()
}

/// Returns when the access token ends: in so many seconds, or at a moment.
fn expiry_of(values: &BTreeMap<String, Secret>, now: i64) -> Option<i64> {
    let lasts = |name| values.get(name).and_then(number_in).filter(|seconds| (0.0..MOST_SECONDS).contains(seconds));
    let ends_in = |seconds: f64| now.saturating_add(seconds as i64);
    let ends = |name| values.get(name).and_then(moment_in);
    // `expires` is one or the other.
    let either = || lasts("expires").filter(|seconds| *seconds < LEAST_MOMENT).map(ends_in).or_else(|| ends("expires"));
    lasts("expires_in").map(ends_in).or_else(either).or_else(|| ends("expires_at"))
}

/// Returns the moment that a date says, or a number of seconds or milliseconds since 1970.
fn moment_in(value: &Secret) -> Option<i64> {
    let date = OffsetDateTime::parse(value.expose().trim(), &Rfc3339).ok().map(OffsetDateTime::unix_timestamp);
    let seconds = || number_in(value).map(|number| if number < LEAST_MILLIS { number } else { number / 1000.0 });
    date.or_else(|| seconds().filter(|seconds| (0.0..MOST_SECONDS).contains(seconds)).map(|seconds| seconds as i64))
}

fn number_in(value: &Secret) -> Option<f64> {
    value.expose().trim().parse().ok()
}

/// Returns the values of a JSON object, or of a form (as GitHub answers who does not ask for JSON).
fn values_of(answer: &RawAnswer) -> Option<BTreeMap<String, Secret>> {
    let text = std::str::from_utf8(&answer.body).ok()?;
    let mut values = BTreeMap::new();
    match tree_of(&answer.body) {
        Some(document) => add_values(&document, "", MOST_DEPTH, &mut values),
        None if is_form(answer) => {
            let pairs = url::form_urlencoded::parse(text.trim().as_bytes());
            values.extend(pairs.take(MOST_VALUES).map(|(name, value)| (name.into_owned(), Secret::new(value))));
        }
        None => return None,
    }
    Some(values)
}

fn is_form(answer: &RawAnswer) -> bool {
    answer.headers.get("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
}

fn add_values(value: &Value, name: &str, depth: usize, values: &mut BTreeMap<String, Secret>) {
    let text = match value {
        Value::Object(entries) if depth > 0 => {
            for (key, value) in entries {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                add_values(value, &name, depth - 1, values);
            }
            return;
        }
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return,
    };
    if !name.is_empty() && values.len() < MOST_VALUES {
        values.insert(name.to_string(), Secret::new(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::sample::{adapter, basic, connection};
    use crate::source::Headers;
    use crate::spec::Template;
    use proptest::prelude::*;

    fn reply(status: u16, kind: &str, body: &str) -> Result<TokenReply> {
        let headers = Headers::new(vec![("content-type".to_string(), kind.to_string())]);
        let connection = connection(adapter(basic()), &[("password", "s3cr3t")]);
        let redactor = Redactor::new(&connection);
        let carried = [("Authorization".to_string(), Template::parse_value("Bearer ${token.access_token}").unwrap())];
        let carried = Carried { headers: &carried, connection: &connection };
        token_reply(&RawAnswer { status, headers, body: body.as_bytes().to_vec(), n_taken: 0 }, carried, 1000, &redactor)
    }

    fn token(kind: &str, body: &str) -> TokenAnswer {
        match reply(200, kind, body).unwrap() {
            TokenReply::Token(answer) => answer,
            TokenReply::Refused(refusal) => panic!("{refusal:?}"),
        }
    }

    #[test]
    fn values_are_taken_from_json_and_from_forms() {
        let answer = token("application/json", r#"{"access_token": "a", "expires_in": 3600, "team": {"id": 7, "ok": true}, "list": [1]}"#);
        let values: Vec<(&str, &str)> = answer.values.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        assert_eq!(values, [("access_token", "a"), ("expires_in", "3600"), ("team.id", "7"), ("team.ok", "true")]);
        assert_eq!((answer.obtained, answer.expires), (1000, Some(4600)));
        assert_eq!(token("text/html", r#"{"access_token": "a", "expires_in": "60"}"#).expires, Some(1060));
        assert_eq!(token("application/json", r#"{"access_token": "a", "expires_in": "soon"}"#).expires, None);
        let form = token("application/x-www-form-urlencoded; charset=utf-8", "access_token=a%20b&scope=x+y");
        assert_eq!(form.value("access_token").unwrap().expose(), "a b");
    }

    #[test]
    fn a_moment_tells_the_end_too() {
        assert_eq!(token("application/json", r#"{"access_token": "a", "expires_at": "1970-01-01T01:00:00Z"}"#).expires, Some(3600));
        assert_eq!(token("application/json", r#"{"access_token": "a", "expires_at": 7200}"#).expires, Some(7200));
        let ends = |pair: &str| token("application/json", &format!(r#"{{"access_token": "a", {pair}}}"#)).expires;
        assert_eq!(ends(r#""expires": 1800000000"#), Some(1_800_000_000));
        assert_eq!(ends(r#""expires": "1800000000000""#), Some(1_800_000_000));
        assert_eq!(ends(r#""expires_at": 1800000000000"#), Some(1_800_000_000));
        assert_eq!(ends(r#""expires": "2027-01-15T08:00:00Z""#), Some(1_800_000_000));
        assert_eq!(ends(r#""expires": 31536000"#), Some(31_537_000));
        assert_eq!(ends(r#""expires_in": 1576800000"#), Some(1_576_801_000));
        assert_eq!(ends(r#""expires": 1e18"#), None);
    }

    #[test]
    fn refusals_are_told_with_their_code() {
        let check = |status: u16, body: &str, code: &str, told: &str| match reply(status, "application/json", body).unwrap() {
            TokenReply::Refused(refusal) => assert_eq!((refusal.code.as_str(), refusal.told.as_str()), (code, told), "{body}"),
            TokenReply::Token(_) => panic!("{body} has no token"),
        };
        let body = r#"{"error": "invalid_grant", "error_description": "the token s3cr3t is old"}"#;
        check(400, body, "invalid_grant", "returned 400: the token *** is old: invalid_grant");
        check(200, r#"{"ok": false, "error": "invalid_refresh_token"}"#, "invalid_refresh_token", "returned 200: invalid_refresh_token");
        check(200, r#"{"access_token": "", "error": "slow_down"}"#, "slow_down", "returned 200: slow_down");
        check(401, "", "", "returned 401");
        check(403, "<html><title>Forbidden</title></html>", "", "returned 403: Forbidden");
    }

    #[test]
    fn what_is_no_answer_of_a_token_endpoint_is_an_error() {
        let check = |status: u16, body: &str, expected: &str| {
            assert_eq!(reply(status, "text/html", body).unwrap_err().to_string(), expected, "{body}");
        };
        let expected = "expected a JSON object with 'access_token': is 'token_url' right?";
        check(200, "<html><title>Log in</title></html>", &format!("returned 200: Log in; {expected}"));
        check(200, r#"{"token": "abc", "id": 7}"#, &format!("returned 200 with id, token; {expected}"));
        check(200, "", &format!("returned 200; {expected}"));
        check(200, r#"{"access_token": ""}"#, "returned 200 with an empty 'access_token'; the server has to give another one");
        let unfit = "a token that header 'Authorization' cannot hold: it has a line break, or a blank at its end";
        check(200, r#"{"access_token": "a\nb"}"#, &format!("returned 200 with {unfit}; the server has to give another one"));
        check(503, "", "returned 503");
    }

    #[test]
    fn tokens_are_secrets_and_addresses_are_not() {
        let text = r#"{"access_token": "aaaa", "refresh_token": "bbbb", "token_type": "Bearer", "expires_in": 60, "instance_url": "https://a",
            "scope": "all", "ticket": "ffff", "authed_user": {"access_token": "cccc"}, "api_key": "dddd", "token_expires_at": "eeee"}"#;
        let mut secrets = secrets_of(&token("application/json", text).values);
        secrets.sort();
        assert_eq!(secrets, ["aaaa", "bbbb", "cccc", "dddd"]);
    }

    #[test]
    fn what_headers_carry_is_a_secret_whatever_its_name() {
        let connection = connection(adapter(basic()), &[("password", "s3cr3t")]);
        let redactor = Redactor::new(&connection);
        let headers = [("X-Ticket".to_string(), Template::parse_value("${token.ticket.text}").unwrap())];
        let carried = Carried { headers: &headers, connection: &connection };
        let body = br#"{"ticket": {"text": "T1CKET-1"}, "error": "T1CKET-1 of api.test"}"#.to_vec();
        let answer = |status| RawAnswer { status, headers: Headers::default(), body: body.clone(), n_taken: 0 };
        token_reply(&answer(200), carried, 1000, &redactor).unwrap();
        assert_eq!(redactor.text("T1CKET-1 of api.test"), "*** of api.test");
        match token_reply(&answer(400), carried, 1000, &redactor).unwrap() {
            TokenReply::Refused(refusal) => assert_eq!(refusal.told, "returned 400: *** of api.test"),
            TokenReply::Token(_) => panic!("400 is a refusal"),
        }
    }

    proptest! {
        #[test]
        fn any_answer_is_read_without_panic(status in 100u16..600, body in ".*", kind in "application/(json|x-www-form-urlencoded)") {
            let _ = reply(status, &kind, &body);
        }
    }
}

//! An authorization server and the API that takes its tokens: `POST /oauth/REALM/token`, `GET /oauth/REALM/items`.
//!
//! The realm's name says how it behaves: `plain` does as it must; `rotating` gives a new refresh token each time, and takes the old one until
//! the new access token is used; `tumbling` does so with tokens that end at once; `strict` takes each refresh token once; `short` gives tokens that end at once; `forgetful` and `told` take the first
//! access token no more; `never` takes none; `json`, `body` and `public` want the client to show itself so; `instance` says where its API is;
//! `nested` and `worded` want logins in other forms; `gated` answers when the gate is open; `html`, `empty`, `broken`, `busy`, `redirect` and `away` answer requests for tokens badly. `/__oauth`
//! has what each realm was asked for.

use crate::control::Control;
use crate::{answer, decoded, Asked, TOKEN};
use axum::response::Response;
use serde_json::{json, Map, Value};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What every token that is given begins with: no host may ever print it.
const ISSUED: &str = "issued-token";

/// The state of all realms.
#[derive(Default)]
pub struct Realms {
    realms: Mutex<BTreeMap<String, Realm>>,
}

#[derive(Default)]
struct Realm {
    n_issued: usize,
    /// The access tokens that the API takes.
    access: Vec<String>,
    /// The refresh tokens that are taken; before the first one is given, that of the tests.
    refresh: Vec<String>,
    /// The grants asked for, in order.
    grants: Vec<String>,
    /// How often a refresh token came that was spent or never given.
    n_spent: usize,
    /// How many sessions a logout ended.
    n_ended: usize,
    /// What the last request for a token had besides credentials.
    params: BTreeMap<String, String>,
}

impl Realms {
    /// Forgets everything.
    pub fn reset(&self) {
        self.realms().clear();
    }

    /// Answers `/__oauth?realm=R`.
    pub fn report(&self, asked: &Asked) -> Response {
        let mut realms = self.realms();
        let realm = realms.entry(asked.value("realm").unwrap_or_default().to_string()).or_default();
        answer::json(
            &json!({ "grants": realm.grants, "spent": realm.n_spent, "issued": realm.n_issued, "ended": realm.n_ended, "params": realm.params }),
        )
    }

    fn realms(&self) -> MutexGuard<'_, BTreeMap<String, Realm>> {
        self.realms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn items(&self, name: &str, asked: &Asked) -> Response {
        let token = asked.authorization.as_deref().and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let mut realms = self.realms();
        let realm = realms.entry(name.to_string()).or_default();
        let is_revoked = ["never", "closed"].contains(&name) || (["forgetful", "told"].contains(&name) && token.ends_with("-1"));
        if is_revoked || !realm.access.iter().any(|known| known == token) {
            return answer::error(401, &format!("the token {token} is not known here"));
        }
        // Whoever uses the new token has it: the old one is spent.
        if name == "rotating" || name == "tumbling" {
            realm.refresh.drain(..realm.refresh.len().saturating_sub(1));
        }
        let rows: Vec<Value> = (1..=3).map(|id| json!({ "id": id, "team": asked.value("team"), "from": asked.value("from") })).collect();
        answer::json(&Value::Array(rows))
    }

    /// Answers as APIs do that say in a good answer that a session is over.
    fn told_items(&self, name: &str, asked: &Asked) -> Response {
        match self.items(name, asked) {
            refused if refused.status() == 401 => answer::json(&json!({ "success": false, "error": { "code": 119 } })),
            rows => rows,
        }
    }

    /// Answers as APIs do whose rejection has the id of a session that they begin.
    fn begun_items(&self, asked: &Asked) -> Response {
        let mut realms = self.realms();
        let realm = realms.entry("begun".to_string()).or_default();
        let is_known = asked.api_key.as_ref().is_some_and(|id| realm.access.iter().any(|known| known == id));
        if !is_known {
            realm.n_issued += 1;
            let session = format!("{ISSUED}-begun-{}", realm.n_issued);
            realm.access = vec![session.clone()];
            return answer::with_header(answer::error(409, "the session is over"), "x-api-key", &session);
        }
        // The first session does not last.
        if realm.n_issued == 1 {
            realm.access.clear();
        }
        answer::json(&json!([{ "id": 1 }, { "id": 2 }, { "id": 3 }]))
    }

    /// Ends a session.
    fn logout(&self, name: &str, asked: &Asked) -> Response {
        let token = asked.authorization.as_deref().and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let mut realms = self.realms();
        let realm = realms.entry(name.to_string()).or_default();
        realm.n_ended += usize::from(realm.access.iter().any(|known| known == token));
        realm.access.retain(|known| known != token);
        answer::body(204, "application/json", "")
    }

    /// Begins a session, whose id is a cookie and stands in the body.
    fn login(&self, name: &str, asked: &Asked) -> Response {
        let params = match name {
            "nested" => nested_params(asked),
            "worded" => params_of(asked, false),
            _ => params_of(asked, true),
        };
        if params.get("user").map(String::as_str) != Some(crate::USERNAME) || params.get("pass").map(String::as_str) != Some(TOKEN) {
            return answer::error(403, "wrong name or password");
        }
        let mut realms = self.realms();
        let realm = realms.entry(name.to_string()).or_default();
        realm.n_issued += 1;
        let session = format!("{ISSUED}-session-{}", realm.n_issued);
        realm.access.push(session.clone());
        answer::with_header(
            answer::json(&json!({ "data": { "session": session } })),
            "set-cookie",
            &format!("SID={session}; Path=/; HttpOnly"),
        )
    }

    fn token(&self, name: &str, asked: &Asked) -> Response {
        let params = params_of(asked, name == "json");
        let param = |name: &str| params.get(name).map(String::as_str).unwrap_or_default();
        if !is_client(name, asked, &params) {
            return refusal(401, "invalid_client", "the client is not known");
        }
        let mut realms = self.realms();
        let realm = realms.entry(name.to_string()).or_default();
        realm.grants.push(param("grant_type").to_string());
        let is_secret = |name: &str| ["client_secret", "refresh_token", "password", "username"].contains(&name);
        realm.params = params.iter().filter(|(name, _)| !is_secret(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
        let first_refresh = format!("{ISSUED}-{name}-0");
        if realm.refresh.is_empty() {
            realm.refresh.push(first_refresh);
        }
        let outcome = match param("grant_type") {
            "client_credentials" => Ok(false),
            "password" if param("username") == crate::USERNAME && param("password") == TOKEN => Ok(true),
            "password" => Err("name or password are wrong"),
            "refresh_token" if realm.refresh.iter().any(|known| known == param("refresh_token")) => Ok(true),
            "refresh_token" => {
                realm.n_spent += 1;
                Err("the refresh token is not taken")
            }
            _ => return refusal(400, "unsupported_grant_type", "no such grant"),
        };
        let gives_refresh = match outcome {
            Ok(gives_refresh) => gives_refresh,
            Err(message) => return refusal(400, "invalid_grant", &format!("{message}: {}", param("refresh_token"))),
        };
        realm.n_issued += 1;
        let (access, refresh) = (format!("{ISSUED}-{name}-access-{}", realm.n_issued), format!("{ISSUED}-{name}-{}", realm.n_issued));
        realm.access.push(access.clone());
        let mut body = Map::new();
        body.insert("access_token".to_string(), access.into());
        body.insert("token_type".to_string(), "bearer".into());
        body.insert("expires_in".to_string(), if name == "short" || name == "tumbling" { 0 } else { 3600 }.into());
        body.insert("instance_url".to_string(), format!("{}/oauth/{name}", asked.origin).into());
        body.insert("team".to_string(), json!({ "id": 7 }));
        if gives_refresh && ["rotating", "tumbling", "strict", "gated"].contains(&name) {
            if name == "strict" {
                realm.refresh.clear();
            }
            realm.refresh.push(refresh.clone());
            body.insert("refresh_token".to_string(), refresh.into());
        }
        answer::json(&Value::Object(body))
    }
}

/// Answers a request below `/oauth`.
pub async fn answer(asked: &Asked, parts: &[&str], control: &Control) -> Response {
    match parts {
        [realm, "token"] if asked.method == "POST" => {
            match *realm {
                "gated" => control.pass_gate().await,
                "html" => return answer::body(200, "text/html", "<html><title>Log in here</title></html>"),
                "empty" => return answer::body(200, "application/json", "{\"token_type\": \"bearer\", \"scope\": \"all\"}"),
                "broken" => return answer::error(500, "out of order"),
                "busy" if control.n_requests(&asked.path) == 1 => {
                    return answer::with_header(answer::error(503, "busy"), "retry-after", "0");
                }
                "redirect" => return moved(&format!("{}/oauth/plain/token", asked.origin)),
                "away" => return moved(&format!("{}/stolen", control.elsewhere)),
                _ => {}
            }
            control.realms.token(realm, asked)
        }
        [realm, "login"] if asked.method == "POST" => control.realms.login(realm, asked),
        [realm, "logout"] if asked.method == "POST" => control.realms.logout(realm, asked),
        [realm @ ("told" | "closed"), "items"] => control.realms.told_items(realm, asked),
        ["begun", "items"] => control.realms.begun_items(asked),
        [realm, "sites"] => match control.realms.items(realm, asked) {
            refused if refused.status() == 401 => refused,
            _ => answer::json(&json!([{ "id": "site-7", "realm": realm }])),
        },
        [realm, "items"] => control.realms.items(realm, asked),
        _ => answer::error(404, "Not Found"),
    }
}

fn moved(to: &str) -> Response {
    answer::with_header(answer::body(307, "text/plain", "moved"), "location", to)
}

fn refusal(status: u16, code: &str, message: &str) -> Response {
    answer::body(status, "application/json", json!({ "error": code, "error_description": message }).to_string())
}

/// Returns whether the request comes from the client of the tests, as the realm wants to see it.
fn is_client(realm: &str, asked: &Asked, params: &BTreeMap<String, String>) -> bool {
    let in_body = params.get("client_id").map(String::as_str) == Some("client");
    let secret_in_body = params.get("client_secret").map(String::as_str) == Some(TOKEN);
    match realm {
        "public" => in_body && asked.authorization.is_none(),
        "json" | "body" => in_body && secret_in_body,
        // "Y2xpZW50OnNlY3JldC10b2tlbg==" is "client:secret-token".
        _ => asked.authorization.as_deref() == Some("Basic Y2xpZW50OnNlY3JldC10b2tlbg==") || (in_body && secret_in_body),
    }
}

/// Returns name and password where they stand below others, as Matrix has them: `{"identifier": {"user": ...}, "proofs": [{"password": ...}]}`.
fn nested_params(asked: &Asked) -> BTreeMap<String, String> {
    let document: Value = serde_json::from_str(&asked.body).unwrap_or_default();
    let is_whole = document["type"] == "password" && document["device"]["trusted"] == true && document["device"]["days"] == 30;
    let text = |place: &str| document.pointer(place).and_then(Value::as_str).map(str::to_string);
    let found = [("user", text("/identifier/user")), ("pass", text("/proofs/0/password"))];
    found.into_iter().filter(|_| is_whole).filter_map(|(name, value)| Some((name.to_string(), value?))).collect()
}

fn params_of(asked: &Asked, is_json: bool) -> BTreeMap<String, String> {
    if is_json {
        let document: Value = serde_json::from_str(&asked.body).unwrap_or_default();
        let entries = document.as_object().cloned().unwrap_or_default();
        return entries.into_iter().map(|(name, value)| (name, value.as_str().unwrap_or_default().to_string())).collect();
    }
    let pairs = asked.body.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(&name.replace('+', " ")), decoded(&value.replace('+', " ")))).collect()
}

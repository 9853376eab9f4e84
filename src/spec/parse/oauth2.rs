//! Reads an `auth` of type OAUTH2 or JWT.

use super::auth_options::Options;
use super::headers::check_header_name;
use super::text::{url_template, value_template};
use crate::spec::{
    duration_of, AuthSpec, ClientProof, ClientSpec, ConsentSpec, Grant, JwtAlgorithm, JwtSpec, OAuth2Spec, OptionSpec, SignedSpec,
    Template, TokenFormat, DURATION_FORMS, TOKEN_HOLE,
};
use crate::yaml::Fields;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

pub(super) const KEYS: &[&str] = &[
    "type",
    "help",
    "grant",
    "token_url",
    "client_auth",
    "scopes",
    "token_params",
    "token_format",
    "prefix",
    "headers",
    "params",
    "authorize_url",
    "authorize_params",
    "redirect_uri",
    "device_url",
];
pub(super) const JWT_KEYS: &[&str] = &[
    "type",
    "help",
    "use",
    "algorithm",
    "claims",
    "key_id",
    "life",
    "token_url",
    "scopes",
    "token_params",
    "token_format",
    "prefix",
    "headers",
    "params",
];
const USES: &[&str] = &["grant", "client_assertion", "exchange", "bearer"];
/// How long a signed token lasts when the spec does not say, and at most.
const LIFE: Duration = Duration::from_secs(300);
const MOST_LIFE: Duration = Duration::from_secs(24 * 3600);
const CLIENT_AUTHS: &[&str] = &["basic", "body", "none"];
const CLIENT_ID: &str = "the id of the client, from the API's page for developers";
/// Where a browser is led when the spec does not say: to a free port of this machine.
const REDIRECT_URI: &str = "http://127.0.0.1/";
/// What is put before an access token when the spec does not say.
pub(super) const PREFIX: &str = "Bearer";

/// Reads the keys. Adds a mistake for each that is wrong, and returns `None` then.
pub(super) fn oauth2(fields: &Fields<'_>) -> Option<OAuth2Spec> {
    let mut options = Options::of(fields);
    let grant = grant(fields, &mut options);
    let client = client(fields, &mut options, grant.as_ref().is_some_and(Grant::needs_consent));
    check_unused(fields, grant.as_ref());
    let spec = OAuth2Spec {
        grant: grant?,
        token_url: token_url(fields)?,
        client: Some(client?),
        scopes: scopes(fields),
        token_params: templates(fields, "token_params"),
        token_format: token_format(fields)?,
        headers: headers(fields)?,
        more: options.rest(),
    };
    check_holes(&spec, fields).then_some(spec)
}

/// Reads the keys of type JWT. Adds a mistake for each that is wrong, and returns `None` then.
pub(super) fn jwt(fields: &Fields<'_>) -> Option<AuthSpec> {
    let mut options = Options::of(fields);
    let jwt = signed(fields, &mut options);
    let usage = fields.required_text("use")?;
    if !USES.contains(&usage.as_str()) {
        let hint = fields.mistakes().suggestions().suggestion(&usage, USES);
        fields.mistakes().at(fields.get("use")?, format!("use '{usage}' is unknown; {hint}"));
        return None;
    }
    if usage == "bearer" {
        let unused = ["token_url", "scopes", "token_params", "token_format"].into_iter().find(|key| fields.get(key).is_some());
        if let Some(key) = unused {
            fields.mistakes().at(fields.get(key)?, format!("'auth' has '{key}', and 'use: bearer' asks nobody for a token; leave it out"));
        }
        let spec = SignedSpec { jwt: jwt?, headers: headers(fields)?, more: options.rest() };
        return Some(AuthSpec::Jwt(Arc::new(spec)));
    }
    let jwt = jwt?;
    let (grant, client) = match usage.as_str() {
        "grant" => (Grant::Jwt(jwt), None),
        "exchange" => (Grant::JwtExchange(jwt), None),
        _ => {
            let id = options.take_open("client_id", CLIENT_ID);
            (Grant::ClientCredentials, Some(ClientSpec { id, proof: ClientProof::Assertion(jwt) }))
        }
    };
    let spec = OAuth2Spec {
        grant,
        token_url: token_url(fields)?,
        client,
        scopes: scopes(fields),
        token_params: templates(fields, "token_params"),
        token_format: token_format(fields)?,
        headers: headers(fields)?,
        more: options.rest(),
    };
    check_holes(&spec, fields).then(|| AuthSpec::OAuth2(Arc::new(spec)))
}

fn signed(fields: &Fields<'_>, options: &mut Options<'_>) -> Option<JwtSpec> {
    let name = fields.text("algorithm").unwrap_or_else(|| JwtAlgorithm::Rs256.name().to_string());
    let Some(algorithm) = JwtAlgorithm::of_name(&name) else {
        let hint = fields.mistakes().suggestions().suggestion(&name, JwtAlgorithm::NAMES);
        fields.mistakes().at(fields.get("algorithm")?, format!("algorithm '{name}' is unknown; {hint}"));
        return None;
    };
    let description = match algorithm {
        JwtAlgorithm::Hs256 => "the secret that signs",
        _ => "the private key: PEM, a service account's JSON, or the path of such a file",
    };
    let life = match fields.text("life") {
        None => LIFE,
        Some(text) => match duration_of(&text).filter(|life| !life.is_zero() && *life <= MOST_LIFE) {
            Some(life) => life,
            None => {
                fields.wrong("life", fields.get("life")?, &format!("at most a day: {DURATION_FORMS}"));
                return None;
            }
        },
    };
    Some(JwtSpec {
        algorithm,
        key: options.take("private_key", description),
        claims: templates(fields, "claims"),
        key_id: fields.text("key_id").map(|text| template_of(fields, "key_id", &text)),
        life,
    })
}

fn grant(fields: &Fields<'_>, options: &mut Options<'_>) -> Option<Grant> {
    let name = fields.required_text("grant")?;
    match name.as_str() {
        "client_credentials" => Some(Grant::ClientCredentials),
        "refresh_token" => Some(Grant::RefreshToken { refresh_token: options.take("refresh_token", "the refresh token of your account") }),
        "authorization_code" => Some(Grant::AuthorizationCode(ConsentSpec {
            authorize_url: server_url(fields, "authorize_url")?,
            params: templates(fields, "authorize_params"),
            redirect_uri: redirect_uri(fields)?,
        })),
        "device_code" => Some(Grant::DeviceCode { device_url: server_url(fields, "device_url")? }),
        "password" => Some(Grant::Password {
            username: options.take("username", "the name you log in with"),
            password: options.take("password", "its password"),
        }),
        _ => {
            let node = fields.get("grant")?;
            let hint = fields.mistakes().suggestions().suggestion(&name, Grant::NAMES);
            fields.mistakes().at(node, format!("grant '{name}' is unknown; {hint}"));
            None
        }
    }
}

/// Adds a mistake for each key that the grant does not use.
fn check_unused(fields: &Fields<'_>, grant: Option<&Grant>) {
    let Some(grant) = grant else { return };
    let keys: &[&str] = match grant {
        Grant::AuthorizationCode(_) => &["device_url"],
        Grant::DeviceCode { .. } => &["authorize_url", "authorize_params", "redirect_uri"],
        _ => &["device_url", "authorize_url", "authorize_params", "redirect_uri"],
    };
    for (key, node) in keys.iter().filter_map(|key| Some((key, fields.get(key)?))) {
        fields.mistakes().at(node, format!("'auth' has '{key}', which its grant does not use; leave it out"));
    }
}

/// Reads `redirect_uri`: a place on this machine, with a port or on a free one, or one that the user copies the answer from.
fn redirect_uri(fields: &Fields<'_>) -> Option<Url> {
    let text = fields.text("redirect_uri").unwrap_or_else(|| REDIRECT_URI.to_string());
    let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none());
    if url.is_none() {
        fields.wrong("redirect_uri", fields.get("redirect_uri")?, &format!("an address such as {REDIRECT_URI}"));
    }
    url
}

/// Reads the client; with `is_public` its secret may be left out.
fn client(fields: &Fields<'_>, options: &mut Options<'_>, is_public: bool) -> Option<ClientSpec> {
    let id = options.take_open("client_id", CLIENT_ID);
    let is_told = fields.get("params").and_then(|node| node.get("client_secret")).and_then(|node| node.get("required")).is_some();
    let mut secret = || {
        let secret = options.take("client_secret", "the secret of the client, from the API's page for developers");
        OptionSpec { required: secret.required && (is_told || !is_public), ..secret }
    };
    let proof = match fields.text("client_auth").as_deref() {
        None | Some("basic") => ClientProof::Basic { secret: secret() },
        Some("body") => ClientProof::Body { secret: secret() },
        Some("none") => ClientProof::None,
        Some(other) => {
            let hint = fields.mistakes().suggestions().suggestion(other, CLIENT_AUTHS);
            fields.mistakes().at(fields.get("client_auth")?, format!("client_auth '{other}' is unknown; {hint}"));
            return None;
        }
    };
    Some(ClientSpec { id, proof })
}

fn token_url(fields: &Fields<'_>) -> Option<Template> {
    server_url(fields, "token_url")
}

/// Reads an address of the authorization server: https, or on this machine; where it begins with an option, the connection tells.
fn server_url(fields: &Fields<'_>, key: &str) -> Option<Template> {
    let text = fields.required_text(key)?;
    let is_local = ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().any(|local| text.starts_with(local));
    if !text.starts_with("https://") && !text.starts_with(['{', '$']) && !is_local {
        let message = format!("'{key}' of {} is '{text}'; expected an address that begins with https://", fields.place());
        fields.mistakes().at(fields.get(key)?, message);
        return None;
    }
    Some(url_template(&text, fields.get(key)?, &format!("'{key}' of {}", fields.place()), fields.mistakes()))
}

/// Reads `scopes`: a list, or one text, with blanks between them.
fn scopes(fields: &Fields<'_>) -> Option<Template> {
    let scopes = fields.texts("scopes");
    (!scopes.is_empty()).then(|| template_of(fields, "scopes", &scopes.join(" ")))
}

fn token_format(fields: &Fields<'_>) -> Option<TokenFormat> {
    match fields.text("token_format").as_deref() {
        None | Some("form") => Some(TokenFormat::Form),
        Some("json") => Some(TokenFormat::Json),
        Some(_) => {
            fields.wrong("token_format", fields.get("token_format")?, "form or json");
            None
        }
    }
}

/// Reads what carries the access token: `headers`, or the Authorization header with `prefix`.
fn headers(fields: &Fields<'_>) -> Option<Vec<(String, Template)>> {
    let headers = templates(fields, "headers");
    for (name, _) in &headers {
        check_header_name(name, &format!("auth header '{name}'"), fields.mistakes(), fields.get("headers")?);
    }
    match (headers.is_empty(), fields.text("prefix")) {
        (false, None) => Some(headers),
        (false, Some(_)) => {
            let message = "'auth' has 'headers' and 'prefix'; put the prefix into the header's text";
            fields.mistakes().at(fields.get("prefix")?, message);
            None
        }
        (true, prefix) => {
            let value = format!("{} ${{{TOKEN_HOLE}access_token}}", prefix.as_deref().unwrap_or(PREFIX));
            Some(vec![("Authorization".to_string(), template_of(fields, "prefix", value.trim_start()))])
        }
    }
}

/// Returns the template of the text of a key.
pub(super) fn template_of(fields: &Fields<'_>, key: &str, text: &str) -> Template {
    let node = fields.get(key).unwrap_or(fields.mapping_node());
    value_template(text, node, &format!("'{key}' of {}", fields.place()), fields.mistakes())
}

/// Reads a mapping of names to texts with holes.
pub(super) fn templates(fields: &Fields<'_>, key: &str) -> Vec<(String, Template)> {
    let Some(node) = fields.get(key) else { return Vec::new() };
    let Some(entries) = node.mapping() else {
        fields.wrong(key, node, "a mapping of names to texts");
        return Vec::new();
    };
    let mut templates = Vec::new();
    for (name, node) in entries {
        match node.text() {
            Some(text) => {
                let place = format!("'{}' of '{key}'", name.name);
                templates.push((name.name.clone(), value_template(text, node, &place, fields.mistakes())));
            }
            None => fields.wrong(&name.name, node, "a text"),
        }
    }
    templates
}

/// Checks that a token hole stands only where there is a token already.
fn check_holes(spec: &OAuth2Spec, fields: &Fields<'_>) -> bool {
    let asked = spec.token_params.iter().map(|(_, value)| value).chain(&spec.scopes).chain([&spec.token_url]);
    let early = asked.flat_map(Template::names).find(|name| name.starts_with(TOKEN_HOLE));
    if let Some(hole) = early {
        let message = format!("'auth' asks for tokens with '{hole}', which only a token answer has");
        fields.mistakes().at(fields.mapping_node(), message);
        return false;
    }
    if spec.needed_values().is_empty() {
        let message = format!("'headers' of 'auth' hold no token; expected one such as 'Bearer ${{{TOKEN_HOLE}access_token}}'");
        fields.mistakes().at(fields.get("headers").unwrap_or(fields.mapping_node()), message);
        return false;
    }
    true
}

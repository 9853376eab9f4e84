//! What is sent to a token endpoint for each grant.

use super::jwt::sign;
use super::seconds_now;
use crate::document::{JsonMap as Map, JsonValue as Value};
use crate::http::message::Method;
use crate::http::request::{ParamSet, Values};
use crate::source::PageValues;
use crate::spec::{
    ClientProof, Connection, ConsentSpec, Grant, JwtSpec, OAuth2Spec, OptionSpec, PendingConsent, Secret, Template, TokenFormat,
};
use crate::{Error, Result};
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::Engine;
use ring::digest;
use url::{form_urlencoded, Url};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A request to a token endpoint, credentials included.
pub struct TokenAsk {
    pub method: Method,
    pub url: Url,
    pub headers: Vec<(String, String)>,
    pub body: Option<String>,
    /// The tokens in it that were signed for it: they give access as a password does.
    pub signed: Vec<Secret>,
}

/// Asks for tokens in a connection's name.
#[derive(Clone, Copy)]
pub struct Asker<'a> {
    pub connection: &'a Connection,
    pub oauth2: &'a OAuth2Spec,
}

impl Asker<'_> {
    /// Returns the token endpoint. Fails when the options make it anything but https, or a place on this machine.
    pub fn url(&self) -> Result<Url> {
        self.server_place(&self.oauth2.token_url, "token_url")
    }

    /// Returns the request of the spec's own grant.
    pub fn first(&self) -> Result<TokenAsk> {
        let mut pairs = vec![("grant_type".to_string(), self.oauth2.grant.name().to_string())];
        match &self.oauth2.grant {
            Grant::ClientCredentials => {}
            Grant::AuthorizationCode(_) | Grant::DeviceCode { .. } => return Err(self.not_authorized("is not authorized yet")),
            Grant::RefreshToken { refresh_token } => pairs.push(("refresh_token".to_string(), self.filled(refresh_token)?)),
            Grant::Password { username, password } => {
                pairs.push(("username".to_string(), self.filled(username)?));
                pairs.push(("password".to_string(), self.filled(password)?));
            }
            Grant::Jwt(jwt) => {
                let assertion = self.signed(jwt, &[])?;
                pairs.push(("assertion".to_string(), assertion.expose().to_string()));
                let mut ask = self.ask(pairs)?;
                ask.signed.push(assertion);
                return Ok(ask);
            }
            Grant::JwtExchange(jwt) => {
                let mut ask = self.ask(Vec::new())?;
                let token = self.signed(jwt, &[])?;
                ask.headers.push(("Authorization".to_string(), format!("Bearer {}", token.expose())));
                ask.signed.push(token);
                return Ok(ask);
            }
        }
        self.ask(pairs)
    }

    /// Returns the request that exchanges what a consent gave.
    pub fn exchange(&self, given: &[(&str, &str)]) -> Result<TokenAsk> {
        let grant = ("grant_type", self.oauth2.grant.name());
        let pairs = [grant].iter().chain(given).map(|(name, value)| ((*name).to_string(), (*value).to_string())).collect();
        // What may be done was said when the consent was asked for.
        Asker { oauth2: &OAuth2Spec { scopes: None, ..self.oauth2.clone() }, ..*self }.ask(pairs)
    }

    /// Returns the request for a device's code.
    pub fn device(&self, device_url: &Template) -> Result<TokenAsk> {
        let url = self.server_place(device_url, "device_url")?;
        let ask = self.ask(Vec::new())?;
        Ok(TokenAsk { url, ..ask })
    }

    /// Returns the address that somebody opens in a browser to consent.
    pub fn consent_address(&self, consent: &ConsentSpec, pending: &PendingConsent) -> Result<Url> {
        let mut url = self.server_place(&consent.authorize_url, "authorize_url")?;
        let client = self.oauth2.client.as_ref().ok_or_else(|| Error::internal("a consent without a client"))?;
        let challenge = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, pending.verifier.expose().as_bytes()));
        let mut pairs = vec![
            ("response_type".to_string(), "code".to_string()),
            ("client_id".to_string(), self.filled(&client.id)?),
            ("redirect_uri".to_string(), pending.redirect_uri.clone()),
            ("state".to_string(), pending.state.expose().to_string()),
            ("code_challenge".to_string(), challenge),
            ("code_challenge_method".to_string(), "S256".to_string()),
        ];
        if let Some(scopes) = &self.oauth2.scopes {
            pairs.push(("scope".to_string(), self.connection.fill(scopes).map_err(|err| err.within("'scopes'"))?));
        }
        for (name, value) in &consent.params {
            let value = self.connection.fill(value).map_err(|err| err.within(format!("'{name}' of 'authorize_params'")))?;
            pairs.retain(|(other, _)| other != name);
            pairs.push((name.clone(), value));
        }
        url.query_pairs_mut().extend_pairs(pairs);
        Ok(url)
    }

    /// Returns the error of a connection that somebody has to authorize.
    pub fn not_authorized(&self, why: &str) -> Error {
        Error::config(format!("connection '{0}' {why}: run AUTHORIZE CONNECTION {0}", self.connection.name))
    }

    fn server_place(&self, template: &Template, key: &str) -> Result<Url> {
        let (none, page) = (ParamSet::default(), PageValues::default());
        let values = Values { connection: self.connection, param_set: &none, page: &page };
        token_place(&values.base_text(template).map_err(|err| err.within(format!("'{key}'")))?, key)
    }

    /// Signs a token for the token endpoint.
    fn signed(&self, jwt: &JwtSpec, defaults: &[(&str, String)]) -> Result<Secret> {
        let audience = ("aud", self.url()?.to_string());
        let defaults: Vec<(&str, String)> = defaults.iter().cloned().chain([audience]).collect();
        sign(jwt, self.connection, &defaults, seconds_now()).map(|signed| signed.text)
    }

    /// Returns the request that spends a refresh token.
    pub fn refresh(&self, refresh_token: &Secret) -> Result<TokenAsk> {
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())];
        self.ask(pairs.map(|(name, value)| (name.to_string(), value.to_string())).to_vec())
    }

    /// Returns everything that tells this credential from others. Fails when an option is missing, or a key cannot sign.
    pub fn identity(&self) -> Result<Vec<String>> {
        // What is missing is told now, not by the first request.
        match self.oauth2.grant.needs_consent() {
            true => self.exchange(&[]).map(|_| ())?,
            false => self.first().map(|_| ())?,
        }
        // Two connections of one client may be two accounts.
        let own_name = self.oauth2.grant.needs_consent().then(|| self.connection.name.to_lowercase());
        let mut parts: Vec<String> = own_name.into_iter().collect();
        parts.extend([self.url()?.to_string(), self.oauth2.grant.name().to_string()]);
        let jwt = self.oauth2.jwt();
        let claims = jwt.into_iter().flat_map(|jwt| &jwt.claims);
        for (name, value) in self.oauth2.token_params.iter().chain(claims) {
            parts.push(name.clone());
            parts.extend(self.connection.fill(value).ok());
        }
        parts.extend(self.oauth2.scopes.iter().filter_map(|scopes| self.connection.fill(scopes).ok()));
        for option in self.oauth2.options() {
            parts.push(option.name.clone());
            parts.extend(self.connection.option(&option.name).map(|value| value.expose().to_string()));
        }
        Ok(parts)
    }

    /// Adds to `pairs` what every request has.
    fn ask(&self, mut pairs: Vec<(String, String)>) -> Result<TokenAsk> {
        let mut headers = vec![("Accept".to_string(), "application/json".to_string())];
        let mut signed = Vec::new();
        if let Some(scopes) = &self.oauth2.scopes {
            pairs.push(("scope".to_string(), self.connection.fill(scopes).map_err(|err| err.within("'scopes'"))?));
        }
        if let Some(client) = &self.oauth2.client {
            let id = self.filled(&client.id)?;
            match &client.proof {
                ClientProof::Basic { secret } => headers.push(("Authorization".to_string(), self.basic(&id, secret)?)),
                ClientProof::None => pairs.push(("client_id".to_string(), id)),
                ClientProof::Body { secret } => {
                    pairs.push(("client_id".to_string(), id));
                    pairs.extend(self.given(secret)?.map(|secret| ("client_secret".to_string(), secret)));
                }
                ClientProof::Assertion(jwt) => {
                    let assertion = self.signed(jwt, &[("iss", id.clone()), ("sub", id)])?;
                    pairs.push(("client_assertion_type".to_string(), ASSERTION_TYPE.to_string()));
                    pairs.push(("client_assertion".to_string(), assertion.expose().to_string()));
                    signed.push(assertion);
                }
            }
        }
        for (name, value) in &self.oauth2.token_params {
            let value = self.connection.fill(value).map_err(|err| err.within(format!("'{name}' of 'token_params'")))?;
            pairs.retain(|(other, _)| other != name);
            pairs.push((name.clone(), value));
        }
        let (kind, body) = match self.oauth2.token_format {
            TokenFormat::Form => {
                ("application/x-www-form-urlencoded", form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
            }
            TokenFormat::Json => {
                let entries: Map<String, Value> = pairs.into_iter().map(|(name, value)| (name, Value::from(value))).collect();
                ("application/json", Value::from(entries).to_string())
            }
        };
        headers.push(("Content-Type".to_string(), kind.to_string()));
        Ok(TokenAsk { method: Method::Post, url: self.url()?, headers, body: Some(body), signed })
    }

    /// Returns the header of RFC 6749, section 2.3.1: both parts are encoded as in a form.
    fn basic(&self, id: &str, secret: &OptionSpec) -> Result<String> {
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let secret = self.given(secret)?.unwrap_or_default();
        Ok(format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(id), encoded(&secret)))))
    }

    /// Returns the value of an option that may be left out, if there is one.
    fn given(&self, option: &OptionSpec) -> Result<Option<String>> {
        match option.required {
            true => self.filled(option).map(Some),
            false => Ok(self.connection.option(&option.name).map(|value| value.expose().to_string()).filter(|value| !value.is_empty())),
        }
    }

    /// Returns the value of an option. Fails, naming it, when it is missing or empty.
    fn filled(&self, option: &OptionSpec) -> Result<String> {
        match self.connection.option(&option.name).map(Secret::expose) {
            Some("") => Err(Error::config(format!("option '{}' is empty", option.name))),
            Some(value) => Ok(value.to_string()),
            None => Err(Error::config(format!("option '{}' is missing", option.name))),
        }
    }
}

/// Returns the URL of an authorization server's endpoint. Fails on anything but https, or a place on this machine.
pub fn token_place(text: &str, key: &str) -> Result<Url> {
    let url = Url::parse(text).map_err(|err| Error::config(format!("'{key}' does not make a URL: {err}")))?;
    if url.scheme() != "https" && !(url.scheme() == "http" && super::is_loopback(&url)) {
        let origin = url.origin().ascii_serialization();
        return Err(Error::config(format!("'{key}' leads to '{origin}'; credentials are sent there by https only")));
    }
    Ok(url)
}

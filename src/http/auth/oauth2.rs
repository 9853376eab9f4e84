//! Tokens of an authorization server (RFC 6749).

use super::answer::{token_reply, Refusal, TokenReply};
use super::ask::{Asker, TokenAsk};
use super::carried::Carried;
use super::post::TokenPost;
use super::renewed::{Renewal, TokenSource, REFRESH_TOKEN};
use super::seconds_now;
use super::store::TokenFile;
use crate::spec::{ClientSpec, Connection, Grant, OAuth2Spec, OptionSpec, Template, TokenAnswer};
use crate::{Error, Result};
use std::sync::{Arc, Mutex};

/// The authorization server of a connection.
pub struct OAuth2Source {
    pub connection: Arc<Connection>,
    pub oauth2: Arc<OAuth2Spec>,
    pub post: TokenPost,
}

/// Returns what gets the tokens of an authorization server. Fails when an option is missing or empty, or makes a `token_url` that must not be used.
pub fn renewal_of(source: &Arc<OAuth2Source>) -> Result<Renewal> {
    let file = TokenFile::of(&source.connection, &source.asker().identity()?);
    Ok(Renewal {
        connection: Arc::clone(&source.connection),
        source: Arc::clone(source) as Arc<dyn TokenSource>,
        redactor: Arc::clone(&source.post.redactor),
        timeout: source.post.timeout,
        file,
        unsaved: Mutex::default(),
    })
}

impl TokenSource for OAuth2Source {
    fn headers(&self) -> &[(String, Template)] {
        &self.oauth2.headers
    }

    fn may_spend(&self) -> bool {
        matches!(self.oauth2.grant, Grant::RefreshToken { .. }) || self.oauth2.grant.needs_consent()
    }

    /// Asks with the refresh token that the server gave last, else as the grant says.
    fn fetch(&self, kept: Option<&TokenAnswer>) -> Result<TokenAnswer> {
        let asker = self.asker();
        let refresh_token = kept.and_then(|kept| kept.value(REFRESH_TOKEN)).filter(|_| self.oauth2.uses_refresh_tokens());
        if let Some(refresh_token) = refresh_token {
            match self.reply_to(&asker.refresh(refresh_token)?)? {
                TokenReply::Token(mut answer) => {
                    answer.values.entry(REFRESH_TOKEN.to_string()).or_insert_with(|| refresh_token.clone());
                    return Ok(answer);
                }
                // There is a password, which gives a new one.
                TokenReply::Refused(_) if matches!(self.oauth2.grant, Grant::Password { .. }) => {}
                TokenReply::Refused(refusal) => return Err(self.refused(&refusal)),
            }
        }
        if kept.is_some() && self.oauth2.grant.needs_consent() {
            return Err(asker.not_authorized("has no access any more, and the server gave no refresh token"));
        }
        match self.reply_to(&asker.first()?)? {
            TokenReply::Token(answer) => Ok(answer),
            TokenReply::Refused(refusal) => Err(self.refused(&refusal)),
        }
    }
}

impl OAuth2Source {
    /// Returns what asks in the connection's name.
    pub fn asker(&self) -> Asker<'_> {
        Asker { connection: &self.connection, oauth2: &self.oauth2 }
    }

    /// Sends a request for a token. Blocks.
    pub fn reply_to(&self, ask: &TokenAsk) -> Result<TokenReply> {
        let now = seconds_now();
        let carried = Carried { headers: &self.oauth2.headers, connection: &self.connection };
        let reply = self.post.send(ask).and_then(|answer| token_reply(&answer, carried, now, &self.post.redactor));
        reply.map_err(|err| err.within(self.place()))
    }

    /// Returns where tokens are asked for, for messages.
    fn place(&self) -> String {
        let url = self.asker().url().map(|url| self.post.redactor.url(&url)).unwrap_or_default();
        format!("the request for a token, POST {url}")
    }

    /// Returns the error of a refusal: what the server said, and what to do.
    pub fn refused(&self, refusal: &Refusal) -> Error {
        let names = |options: Vec<&OptionSpec>| {
            let names: Vec<String> = options.iter().map(|option| format!("'{}'", option.name)).collect();
            format!("option{} {}", if names.len() == 1 { "" } else { "s" }, names.join(" and "))
        };
        let grant = self.oauth2.grant.name();
        let remedy = match (refusal.code.as_str(), &self.oauth2.grant) {
            ("invalid_client", _) => {
                format!("check the {}", names(self.oauth2.client.as_ref().map_or_else(|| self.oauth2.grant.options(), ClientSpec::options)))
            }
            ("invalid_grant", Grant::RefreshToken { refresh_token }) => format!(
                "the refresh token was used, was revoked or has run out: get a new one and set option '{}' to it",
                refresh_token.name
            ),
            ("invalid_grant", Grant::Jwt(jwt)) => {
                format!("check the option '{}', the 'claims' and 'life' in the adapter spec, and that the clock is right", jwt.key.name)
            }
            ("invalid_grant", Grant::AuthorizationCode(_) | Grant::DeviceCode { .. }) => {
                format!("access was revoked or has run out: run AUTHORIZE CONNECTION {}", self.connection.name)
            }
            ("invalid_scope", _) => "check 'scopes' in the adapter spec, and what the client may ask for".to_string(),
            ("unauthorized_client" | "unsupported_grant_type", _) => {
                format!("this client may not use the grant '{grant}'; allow it on the API's page for developers, or use another 'grant'")
            }
            (_, grant) => {
                format!("check the {}", names(self.oauth2.client.iter().flat_map(ClientSpec::options).chain(grant.options()).collect()))
            }
        };
        Error::api(format!("{} {}; {remedy}", self.place(), refusal.told))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Redactor;
    use crate::spec::{AdapterSpec, AuthSpec, Secret};
    use std::time::Duration;

    /// Returns the source of a spec whose token server is this machine, where nobody listens.
    fn source(auth: &str) -> OAuth2Source {
        let spec = format!(
            "name: a\nbase_url: https://api.test\nauth: {{{auth}, token_url: 'http://127.0.0.1:1/token'}}\ntables: [{{name: t, resource_path: /t}}]\n"
        );
        let spec = Arc::new(AdapterSpec::parse("a.yaml", &spec).unwrap().unwrap());
        let all = [("private_key", "s3cr3t-key"), ("client_id", "me")];
        let given = all.iter().filter(|(name, _)| spec.option(name).is_some());
        let given = given.map(|(name, value)| (name.to_string(), Secret::new(*value))).collect();
        let connection = Arc::new(spec.connect("mine", given).unwrap());
        let AuthSpec::OAuth2(oauth2) = connection.auth() else { panic!("{auth}") };
        let post = TokenPost {
            redactor: Arc::new(Redactor::new(&connection)),
            may_send: Arc::default(),
            timeout: Duration::from_secs(1),
            network: Arc::default(),
            attempts: 1,
            notes: Arc::default(),
        };
        OAuth2Source { oauth2: Arc::clone(oauth2), connection: Arc::clone(&connection), post }
    }

    #[test]
    fn what_is_signed_for_a_token_server_is_a_secret_when_it_is_sent() {
        for auth in ["use: grant", "use: exchange", "use: client_assertion"] {
            let source = source(&format!("type: JWT, {auth}, algorithm: HS256"));
            let ask = source.asker().first().unwrap();
            let sent = format!("{}&{:?}", ask.body.as_deref().unwrap_or_default(), ask.headers);
            let begin = sent.find("eyJ").unwrap();
            let signed = sent[begin..].split(['&', '"']).next().unwrap();
            source.reply_to(&ask).err().unwrap();
            assert_eq!(source.post.redactor.text(&format!("got <{signed}>")), "got <***>", "{auth}: {sent}");
        }
    }
}

//! The consent of a person: an address to open, and the tokens that come of it.

use super::answer::TokenReply;
use super::jwt::unique;
use super::oauth2::{renewal_of, OAuth2Source};
use super::post::TokenPost;
use super::redirected::{redirected, Listening};
use super::renewed::Renewal;
use super::seconds_now;
use crate::spec::{AuthSpec, ClientSpec, Connection, ConsentSpec, Grant, PendingConsent, Secret, TokenAnswer};
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long somebody may take to consent.
const MOST_WAIT: Duration = Duration::from_secs(15 * 60);
/// How often a wait looks whether it is over.
const POLL: Duration = Duration::from_millis(50);
/// How often a device's consent is asked for when the server does not say, and at most.
const INTERVAL: Duration = Duration::from_secs(5);
const LEAST_INTERVAL: Duration = Duration::from_millis(100);
/// What is added when the server says that this is too often (RFC 8628, section 3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// Asks a person for consent.
pub struct Consent {
    source: Arc<OAuth2Source>,
    renewal: Renewal,
}

/// What a person has to do.
pub struct Invitation {
    /// The address to open.
    pub address: String,
    /// What to type there.
    pub code: Option<String>,
    answer: AnswerComes,
}

enum AnswerComes {
    /// To this machine.
    Here(Listening, PendingConsent),
    /// Elsewhere: the person copies the address.
    ByHand,
    /// To the server, which is asked.
    ToServer { device_code: Secret, interval: Duration, ends: Instant },
}

impl Invitation {
    /// Returns whether somebody has to copy the address that the browser is led to.
    pub fn is_by_hand(&self) -> bool {
        matches!(self.answer, AnswerComes::ByHand)
    }
}

impl Consent {
    /// Prepares. Fails when the connection authenticates in another way, and when an option is missing.
    pub(in crate::http) fn new(connection: Arc<Connection>, post: TokenPost) -> Result<Consent> {
        let AuthSpec::OAuth2(oauth2) = connection.auth() else { return Err(not_needed(&connection)) };
        if !oauth2.grant.needs_consent() {
            return Err(not_needed(&connection));
        }
        let oauth2 = Arc::clone(oauth2);
        let source = Arc::new(OAuth2Source { connection, oauth2, post });
        Ok(Consent { renewal: renewal_of(&source)?, source })
    }

    /// Asks for consent. Blocks while the server is asked for a device's code.
    pub fn invite(&self) -> Result<Invitation> {
        match &self.source.oauth2.grant {
            Grant::DeviceCode { device_url } => {
                let ask = self.source.asker().device(device_url)?;
                let place = format!("the request for a device code, POST {}", self.source.post.redactor.url(&ask.url));
                let answer = self.source.post.send(&ask).map_err(|err| err.within(&place))?;
                let values = super::answer::values_in(&answer, &self.source.post.redactor);
                let values =
                    values.map_err(|err| err.in_words(|words| format!("{words}; check {}", self.client_options())).within(place))?;
                self.device_invitation(&values)
            }
            Grant::AuthorizationCode(consent) => self.browser_invitation(consent),
            _ => Err(not_needed(&self.source.connection)),
        }
    }

    /// Returns what says who asks, and where.
    fn client_options(&self) -> String {
        let client = &self.source.oauth2.client;
        let options = client.iter().flat_map(ClientSpec::options).map(|option| format!("'{}'", option.name)).collect::<Vec<_>>();
        match options.as_slice() {
            [] => "'device_url' in the adapter spec".to_string(),
            [one] => format!("the option {one}, and 'device_url' in the adapter spec"),
            several => format!("the options {}, and 'device_url' in the adapter spec", several.join(" and ")),
        }
    }

    fn browser_invitation(&self, consent: &ConsentSpec) -> Result<Invitation> {
        let (listening, redirect_uri) = match super::is_loopback(&consent.redirect_uri) {
            true => Listening::at(&consent.redirect_uri).map(|(listening, uri)| (Some(listening), uri))?,
            false => (None, consent.redirect_uri.to_string()),
        };
        let verifier = Secret::new(format!("{}{}", unique()?, unique()?));
        let pending = PendingConsent { state: Secret::new(unique()?), verifier, redirect_uri };
        self.source.post.redactor.learn(vec![pending.verifier.expose().to_string()]);
        let address = self.source.asker().consent_address(consent, &pending)?.to_string();
        self.source.connection.set_pending_consent(Some(pending.clone()));
        let answer = listening.map_or(AnswerComes::ByHand, |listening| AnswerComes::Here(listening, pending));
        Ok(Invitation { address, code: None, answer })
    }

    fn device_invitation(&self, values: &BTreeMap<String, Secret>) -> Result<Invitation> {
        let text = |name: &str| values.get(name).map(|value| value.expose().to_string());
        let needed = |name: &str| text(name).ok_or_else(|| Error::api(format!("the answer has no '{name}'; is 'device_url' right?")));
        let seconds = |name: &str| text(name).and_then(|text| text.parse::<u64>().ok()).map(Duration::from_secs);
        let address = match (text("verification_uri_complete"), text("verification_uri").or_else(|| text("verification_url"))) {
            (Some(complete), _) => complete,
            (None, Some(plain)) => plain,
            (None, None) => return Err(Error::api("the answer has no 'verification_uri'; is 'device_url' right?")),
        };
        let device_code = Secret::new(needed("device_code")?);
        self.source.post.redactor.learn(vec![device_code.expose().to_string()]);
        let interval = seconds("interval").unwrap_or(INTERVAL).max(LEAST_INTERVAL);
        let ends = Instant::now() + seconds("expires_in").unwrap_or(MOST_WAIT).min(MOST_WAIT);
        Ok(Invitation { address, code: Some(needed("user_code")?), answer: AnswerComes::ToServer { device_code, interval, ends } })
    }

    /// Waits until somebody consented, and stores the tokens. Blocks, until `stops` says so.
    pub fn wait(&self, invitation: &Invitation, stops: &dyn Fn() -> bool) -> Result<Arc<TokenAnswer>> {
        match &invitation.answer {
            AnswerComes::ByHand => Err(Error::internal("nothing to wait for")),
            AnswerComes::Here(listening, pending) => {
                let wait = Wait { ends: Instant::now() + MOST_WAIT, stops };
                loop {
                    wait.check()?;
                    match listening.code(pending)? {
                        Some(code) => return self.exchange(&code, pending),
                        None => std::thread::park_timeout(POLL),
                    }
                }
            }
            AnswerComes::ToServer { device_code, interval, ends } => self.poll(device_code, *interval, &Wait { ends: *ends, stops }),
        }
    }

    /// Takes the address that a browser was led to, as somebody copied it, and stores the tokens. Blocks.
    pub fn take(&self, address: &str) -> Result<Arc<TokenAnswer>> {
        let connection = &self.source.connection;
        let pending = connection.pending_consent();
        let pending = pending.ok_or_else(|| self.source.asker().not_authorized("did not ask for consent in this database"))?;
        let code = redirected(address, &pending)?;
        let code = code.ok_or_else(|| {
            Error::config(
                "the address is not the one that the browser was led to after the consent: it has to have 'code' and the same 'state'",
            )
        })?;
        self.exchange(&code, &pending)
    }

    fn exchange(&self, code: &Secret, pending: &PendingConsent) -> Result<Arc<TokenAnswer>> {
        self.source.post.redactor.learn(vec![code.expose().to_string()]);
        let given = [("code", code.expose()), ("redirect_uri", &pending.redirect_uri), ("code_verifier", pending.verifier.expose())];
        let ask = self.source.asker().exchange(&given)?;
        match self.source.reply_to(&ask)? {
            TokenReply::Token(answer) => {
                self.source.connection.set_pending_consent(None);
                self.renewal.keep(answer)
            }
            TokenReply::Refused(refusal) => Err(self.source.refused(&refusal)),
        }
    }

    fn poll(&self, device_code: &Secret, mut interval: Duration, wait: &Wait<'_>) -> Result<Arc<TokenAnswer>> {
        loop {
            let next = Instant::now() + interval;
            while Instant::now() < next {
                wait.check()?;
                std::thread::park_timeout(POLL.min(interval));
            }
            let ask = self.source.asker().exchange(&[("device_code", device_code.expose())])?;
            match self.source.reply_to(&ask)? {
                TokenReply::Token(answer) => return self.renewal.keep(answer),
                TokenReply::Refused(refusal) => match refusal.code.as_str() {
                    "authorization_pending" => {}
                    "slow_down" => interval += SLOWER,
                    "access_denied" => return Err(Error::api(format!("the consent was refused: the server {}", refusal.told))),
                    "expired_token" => return Err(too_late()),
                    _ => return Err(self.source.refused(&refusal)),
                },
            }
        }
    }
}

/// Returns until when the tokens of a connection last, in words, and whether they are renewed by themselves; `None` without tokens.
pub fn access_text(answer: &TokenAnswer, moment: impl Fn(i64) -> String) -> String {
    let renews = answer.value("refresh_token").is_some();
    let access = match answer.expires {
        Some(expires) => format!("access until {}", moment(expires)),
        None => "access until the server ends it".to_string(),
    };
    let refresh_ends = ["refresh_token_expires_in", "refresh_expires_in", "x_refresh_token_expires_in"].iter().find_map(|name| {
        let seconds: i64 = answer.value(name)?.expose().parse().ok()?;
        (seconds > 0).then(|| answer.obtained.saturating_add(seconds))
    });
    match (renews, refresh_ends) {
        (true, Some(ends)) if ends - seconds_now() < 7 * 86_400 => {
            format!("{access}, renewed until {}: authorize the connection again before that", moment(ends))
        }
        (true, Some(ends)) => format!("{access}, renewed until {}", moment(ends)),
        (true, None) => format!("{access}, renewed without you"),
        (false, _) => access,
    }
}

/// A wait for a person.
struct Wait<'a> {
    ends: Instant,
    /// Says whether somebody stops it.
    stops: &'a dyn Fn() -> bool,
}

impl Wait<'_> {
    /// Fails when the wait is over.
    fn check(&self) -> Result<()> {
        match (self.stops)() {
            true => Err(Error::new(ErrorKind::Interrupted, "interrupted")),
            false if Instant::now() >= self.ends => Err(too_late()),
            false => Ok(()),
        }
    }
}

fn too_late() -> Error {
    Error::api("nobody consented in time; authorize the connection again")
}

fn not_needed(connection: &Connection) -> Error {
    let kind = connection.auth().type_name();
    Error::config(format!("connection '{}' authenticates by {kind} with its options alone: nobody has to authorize it", connection.name))
}

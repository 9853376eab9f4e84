//! One try of a request, redirects included.

use super::core::{Kernel, Repeat, Sending};
use crate::http::auth::{is_readable_by_others, may_have_credentials, without_params};
use crate::http::authorizer::SentWith;
use crate::http::message::{Method, Request};
use crate::http::transport::{Exchange, Outgoing};
use crate::{Error, ErrorKind, Result};
use url::Url;

const MAX_REDIRECTS: usize = 5;

/// The end of a try.
pub struct LastHop {
    pub exchange: Exchange,
    /// The credentials it had; `None` for a place that must not have them.
    pub sent_with: Option<SentWith>,
    /// Where it came from.
    pub url: Url,
    /// Where a redirect led that was not followed, redacted.
    pub led_to: Option<String>,
}

impl LastHop {
    /// Returns the credentials that the API does not take.
    pub fn rejected(&self) -> Option<SentWith> {
        let is_rejected = matches!(&self.exchange, Exchange::Answer(answer) if answer.status == 401);
        self.sent_with.filter(|_| is_rejected)
    }
}

/// Why a try was not sent, or not to its end.
pub struct Unsent {
    pub error: Error,
    /// Whether the reason is that the server that gives credentials refuses.
    pub lacks_credentials: bool,
}

impl From<Error> for Unsent {
    fn from(error: Error) -> Unsent {
        Unsent { error, lacks_credentials: false }
    }
}

/// Where an answer leads.
struct Led<'a> {
    from: &'a Url,
    location: &'a str,
    status: u16,
}

/// What a redirect means for a request.
enum Redirect {
    Follow {
        url: Url,
        is_trusted: bool,
    },
    /// It is the answer.
    Stay {
        led_to: Option<String>,
    },
}

impl Kernel {
    /// Sends once and follows redirects. Fails when nothing may be sent, and where a redirect leads to a place that it must not.
    pub async fn exchange(&self, request: &Request, how: &Sending<'_>, credential: usize) -> std::result::Result<LastHop, Unsent> {
        let secret_params: Vec<&str> = self.secret_params.iter().map(String::as_str).collect();
        let mut url = without_params(&request.url, &secret_params);
        let mut is_trusted = !request.is_anonymous;
        let mut is_file = request.is_anonymous;
        let mut request = Request { credential, ..request.clone() };
        for _ in 0..=MAX_REDIRECTS {
            self.check_allowed().await?;
            how.observer.started(request.method, &self.shown_url(&url, is_file));
            let (exchange, sent_with) = self.exchange_once(&url, &request, how, is_trusted).await?;
            let Exchange::Answer(answer) = &exchange else { return Ok(LastHop { exchange, sent_with, url, led_to: None }) };
            let location = answer.headers.get("location").filter(|_| matches!(answer.status, 301 | 302 | 303 | 307 | 308));
            let Some(location) = location else { return Ok(LastHop { exchange, sent_with, url, led_to: None }) };
            let led = Led { from: &url, location, status: answer.status };
            let redirect = match how.repeat {
                Repeat::Freely { .. } | Repeat::Once { .. } | Repeat::AtHome => self.redirect_of_read(&request, how.repeat, &led)?,
                Repeat::Idempotent | Repeat::IfRefused => self.redirect_of_write(&request, how, &led),
            };
            match redirect {
                Redirect::Stay { led_to } => return Ok(LastHop { exchange, sent_with, url, led_to }),
                // Trust, once lost, does not come back: the host in between chose where to go.
                Redirect::Follow { url: next, is_trusted: trusts_next } => {
                    is_trusted = is_trusted && trusts_next;
                    is_file = is_file || self.is_file(&request, &next);
                    url = without_params(&next, &secret_params);
                    // The answer is there, and is fetched (RFC 9110, section 15.4.4).
                    if answer.status == 303 && how.repeat.reads() {
                        request = Request { method: Method::Get, body: None, ..request };
                    }
                }
            }
        }
        Err(Error::api(format!("redirects more than {MAX_REDIRECTS} times")).into())
    }

    /// Decides for a request that reads. Rows come only from where the spec allows.
    fn redirect_of_read(&self, request: &Request, repeat: Repeat, led: &Led<'_>) -> Result<Redirect> {
        let next = led.from.join(led.location).map_err(|_| Error::api("redirects to a place that is not a URL"))?;
        if repeat == Repeat::AtHome && next.origin() != request.base.origin() {
            return Ok(Redirect::Stay { led_to: None });
        }
        if !matches!(next.scheme(), "http" | "https") || (led.from.scheme() == "https" && next.scheme() == "http") {
            let next = self.redactor.url(&next);
            return Err(Error::api(format!("redirects to '{next}'; expected an https URL")));
        }
        if self.is_file(request, &next) {
            return Ok(Redirect::Follow { url: next, is_trusted: false });
        }
        if !may_have_credentials(&self.connection.adapter, &request.base, &next) {
            return Err(Error::api(format!("redirects to {}", self.stranger(&next))));
        }
        let is_trusted = !is_readable_by_others(&next) || self.allow_http;
        Ok(Redirect::Follow { url: next, is_trusted })
    }

    /// Returns whether a redirect leads to a file that gets no credentials. A body goes to nobody else than the API.
    fn is_file(&self, request: &Request, next: &Url) -> bool {
        let spec = &self.connection.adapter;
        request.body.is_none() && !may_have_credentials(spec, &request.base, next) && spec.result_hosts.have(next)
    }

    /// Decides for a request that writes: only redirects that keep method and body are followed, to where credentials may go. Rows go
    /// nowhere else.
    fn redirect_of_write(&self, request: &Request, how: &Sending<'_>, led: &Led<'_>) -> Redirect {
        let keeps_method = matches!(led.status, 307 | 308);
        let is_private = |url: &Url| !is_readable_by_others(url) || self.allow_http || !self.sends_secrets(request, how.authorizer);
        let may_write_to = |url: &Url| {
            matches!(url.scheme(), "http" | "https")
                && is_private(url)
                && may_have_credentials(&self.connection.adapter, &request.base, url)
        };
        match led.from.join(led.location) {
            Ok(next) if keeps_method && may_write_to(&next) => Redirect::Follow { url: next, is_trusted: true },
            Ok(next) => Redirect::Stay { led_to: Some(self.redactor.url(&next)) },
            Err(_) => Redirect::Stay { led_to: Some(self.redactor.text(led.location)) },
        }
    }

    /// Sends once. Only a trusted place gets the credentials and the spec's headers, which may hold options. Fails when there are no
    /// credentials to be had.
    async fn exchange_once(
        &self,
        url: &Url,
        request: &Request,
        how: &Sending<'_>,
        is_trusted: bool,
    ) -> std::result::Result<(Exchange, Option<SentWith>), Unsent> {
        let mut hop = Request { url: url.clone(), ..request.clone() };
        let mut sent_with = None;
        if is_trusted {
            let authorized = how.authorizer.authorize(&mut hop).await;
            self.tell_notes(how.observer);
            sent_with = Some(authorized.map_err(|error| Unsent { lacks_credentials: is_refusal(&error), error })?);
        } else {
            hop.headers.retain(|(name, _)| name.eq_ignore_ascii_case("accept"));
        }
        let outgoing = Outgoing { method: hop.method.name(), url: &hop.url, headers: &hop.headers, body: hop.body, sink: how.sink };
        Ok((self.transport.send(outgoing).await, sent_with))
    }
}

/// Returns whether an answer or an option is why credentials are missing, and not that the work ends.
pub fn is_refusal(err: &Error) -> bool {
    matches!(err.kind(), ErrorKind::Api | ErrorKind::Config)
}

//! Credentials of a connection, added to a request as it is sent, and the rule where they may go.

mod answer;
mod ask;
mod aws;
mod carried;
mod consent;
mod jwt;
mod kinds;
mod oauth1;
mod oauth2;
mod post;
mod redirected;
mod renewed;
mod session;
mod several;
mod signed;
mod store;

pub(super) use answer::secrets_of;
pub(super) use ask::token_place;
pub use consent::{access_text, Consent, Invitation};
pub(super) use kinds::authorizer_of;
pub(super) use post::TokenPost;

use super::authorizer::Lasting;
use super::message::Request;
use crate::spec::{AdapterSpec, AuthFields, AuthSpec, Connection, OptionSpec, Secret, Template};
use crate::{Error, Result};
use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};
use url::{Host, Url};

/// What authenticates a connection, complete.
pub(super) enum Credentials {
    None,
    /// Header names and values.
    Headers(Vec<(String, Secret)>),
    /// Query parameters and values.
    Params(Vec<(String, Secret)>),
}

impl Credentials {
    /// Collects the options that the connection's way to authenticate needs. Fails, naming the option, when one is missing or
    /// empty, or holds what no header can.
    pub(super) fn of(connection: &Connection) -> Result<Credentials> {
        let auth = auth_of(connection)?;
        let value_of = |option: &OptionSpec| match connection.options.values.get(&option.name) {
            Some(value) => Ok(value.clone()),
            None => Err(Error::config(format!("option '{}' is missing", option.name))),
        };
        let filled = |option: &OptionSpec| match value_of(option) {
            Ok(value) if value.expose().is_empty() => Err(Error::config(format!("option '{}' is empty", option.name))),
            other => other,
        };
        let fields_of = |fields: &AuthFields| -> Result<Vec<(String, Secret)>> {
            for option in &fields.options {
                filled(option)?;
            }
            let filled = |(name, value): &(String, Template)| Ok((name.clone(), Secret::new(connection.fill(value)?)));
            fields.fields.iter().map(filled).collect()
        };
        match auth {
            AuthSpec::None => Ok(Credentials::None),
            AuthSpec::Basic { username, password } => {
                let (user, pass) = (value_of(username)?, value_of(password)?);
                if user.expose().is_empty() && pass.expose().is_empty() {
                    return Err(Error::config(format!("options '{}' and '{}' are empty", username.name, password.name)));
                }
                let encoded = STANDARD.encode(format!("{}:{}", user.expose(), pass.expose()));
                Ok(Credentials::Headers(vec![("Authorization".to_string(), Secret::new(format!("Basic {encoded}")))]))
            }
            AuthSpec::Bearer { token, prefix } => {
                let value = filled(token)?;
                is_header_value(token, &value)?;
                let text = format!("{prefix} {}", value.expose());
                Ok(Credentials::Headers(vec![("Authorization".to_string(), Secret::new(text.trim_start()))]))
            }
            AuthSpec::Headers(headers) => {
                for option in &headers.options {
                    is_header_value(option, &filled(option)?)?;
                }
                Ok(Credentials::Headers(fields_of(headers)?))
            }
            AuthSpec::Params(params) => Ok(Credentials::Params(fields_of(params)?)),
            AuthSpec::OAuth2(_) | AuthSpec::Jwt(_) | AuthSpec::Session(_) | AuthSpec::Aws(_) | AuthSpec::OAuth1(_) => {
                Err(Error::internal("credentials that a server gives are not options"))
            }
        }
    }

    /// Adds the credentials to a request; a header or parameter of the same name is replaced.
    fn add_to(&self, url: &mut Url, headers: &mut Vec<(String, String)>) {
        match self {
            Credentials::None => {}
            Credentials::Headers(pairs) => {
                for (name, value) in pairs {
                    headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
                    headers.push((name.clone(), value.expose().to_string()));
                }
            }
            Credentials::Params(pairs) => {
                let names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
                *url = without_params(url, &names);
                url.query_pairs_mut().extend_pairs(pairs.iter().map(|(name, value)| (name.as_str(), value.expose())));
            }
        }
    }
}

impl Lasting for Credentials {
    fn put_on(&self, hop: &mut Request) -> Result<()> {
        self.add_to(&mut hop.url, &mut hop.headers);
        Ok(())
    }

    fn has_secrets(&self) -> bool {
        !matches!(self, Credentials::None)
    }
}

/// Puts a header on a request, in the place of those of its name.
fn put_header(hop: &mut Request, name: &str, value: &str) {
    hop.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    hop.headers.push((name.to_string(), value.to_string()));
}

/// Puts headers with a token on a request; those of the same names are replaced.
fn put_headers(headers: &[(String, Template)], connection: &Connection, hop: &mut Request) -> Result<()> {
    for (name, value) in headers {
        let value = connection.fill(value).map_err(|err| err.within(format!("header '{name}'")))?;
        if !crate::spec::is_header_value(&value) {
            return Err(Error::api(format!("header '{name}' cannot hold what the token has: a line break, or a blank at its end")));
        }
        put_header(hop, name, &value);
    }
    Ok(())
}

fn seconds_now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// Returns the way to authenticate that a connection uses.
pub(super) fn auth_of(connection: &Connection) -> Result<&AuthSpec> {
    let auth = connection.adapter.auth.get(connection.options.auth);
    auth.ok_or_else(|| Error::internal(format!("the adapter '{}' has no auth block {}", connection.adapter.name, connection.options.auth)))
}

/// Returns the query parameters that carry credentials.
pub(super) fn secret_params(connection: &Connection) -> Vec<String> {
    let fields = connection.adapter.auth.iter().flat_map(|auth| match auth {
        AuthSpec::Params(params) => params.fields.as_slice(),
        _ => &[],
    });
    fields.map(|(name, _)| name.clone()).collect()
}

/// Returns the URL without the query parameters of these names.
pub(super) fn without_params(url: &Url, names: &[&str]) -> Url {
    let is_named = |name: &str| names.contains(&name);
    if !url.query_pairs().any(|(name, _)| is_named(&name)) {
        return url.clone();
    }
    let kept: Vec<(String, String)> =
        url.query_pairs().filter(|(name, _)| !is_named(name)).map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    let mut url = url.clone();
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
    url
}

/// Returns whether credentials may go to the origin of `url`: that of the base URL, or one that the spec lists.
pub(super) fn may_have_credentials(spec: &AdapterSpec, base: &Url, url: &Url) -> bool {
    url.origin() == base.origin() || spec.allows_origin(url)
}

/// Returns whether what is sent to `url` can be read on the way.
pub(super) fn is_readable_by_others(url: &Url) -> bool {
    url.scheme() != "https" && !is_loopback(url)
}

/// Returns whether the host is this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

fn is_header_value(option: &OptionSpec, value: &Secret) -> Result<()> {
    if crate::spec::is_header_value(value.expose()) {
        return Ok(());
    }
    Err(Error::config(format!(
        "option '{}' holds a character that no HTTP header can, such as a line break or a space at its end",
        option.name
    )))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{adapter, basic};
    use super::*;

    #[test]
    fn credentials_go_to_the_base_and_to_listed_hosts() {
        let base = Url::parse("https://api.test/v1").unwrap();
        let check = |url: &str, expected: bool| {
            assert_eq!(may_have_credentials(&adapter(basic()), &base, &Url::parse(url).unwrap()), expected, "{url}");
        };
        check("https://api.test/other", true);
        check("https://api.test:443/", true);
        check("https://files.test/x", true);
        for url in
            ["http://api.test/", "https://api.test:8443/", "https://api.test.evil.test/", "https://x.api.test/", "http://files.test/"]
        {
            check(url, false);
        }
    }

    #[test]
    fn only_https_and_this_machine_are_private() {
        let check = |url: &str, expected: bool| assert_eq!(is_readable_by_others(&Url::parse(url).unwrap()), expected, "{url}");
        for url in
            ["https://api.test", "http://127.0.0.1:8080", "http://127.9.9.9", "http://[::1]/", "http://localhost:1", "http://a.localhost"]
        {
            check(url, false);
        }
        for url in ["http://api.test", "http://10.0.0.1", "http://localhost.evil.test", "http://127.0.0.1.evil.test"] {
            check(url, true);
        }
    }

    #[test]
    fn parameters_are_replaced_not_doubled() {
        let credentials = Credentials::Params(vec![("key".to_string(), Secret::new("a b"))]);
        let mut url = Url::parse("https://api.test/?key=old&x=1&key=older").unwrap();
        credentials.add_to(&mut url, &mut Vec::new());
        assert_eq!(url.as_str(), "https://api.test/?x=1&key=a+b");
    }
}

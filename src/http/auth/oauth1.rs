//! Signs requests by OAuth 1.0 (RFC 5849), with HMAC-SHA1 or HMAC-SHA256.

use super::{jwt::unique, put_header, seconds_now};
use crate::http::authorizer::Lasting;
use crate::http::message::Request;
use crate::spec::{Connection, OAuth1Spec, OptionSpec};
use crate::{Error, Result};
use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use percent_encoding::{utf8_percent_encode, AsciiSet, NON_ALPHANUMERIC};
use ring::hmac;
use std::sync::Arc;
use url::{form_urlencoded, Url};

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Signs each request of a connection.
pub struct OAuth1 {
    connection: Arc<Connection>,
    spec: Arc<OAuth1Spec>,
}

/// What is in a signature besides the request.
struct Signing {
    is_sha256: bool,
    realm: Option<String>,
    consumer_key: String,
    consumer_secret: String,
    token: Option<String>,
    token_secret: String,
}

impl OAuth1 {
    /// Prepares. Fails when an option is missing or empty.
    pub fn new(connection: Arc<Connection>, spec: Arc<OAuth1Spec>) -> Result<OAuth1> {
        let oauth1 = OAuth1 { connection, spec };
        oauth1.signing()?;
        Ok(oauth1)
    }

    fn signing(&self) -> Result<Signing> {
        let spec = &self.spec;
        let given = |option: &OptionSpec| {
            let value = self.connection.option(&option.name).map(|value| value.expose().to_string());
            value.filter(|value| !value.is_empty())
        };
        let needed = |option: &OptionSpec| match given(option) {
            None if option.required => Err(Error::config(format!("option '{}' is empty", option.name))),
            value => Ok(value),
        };
        let realm =
            spec.realm.as_ref().map(|realm| self.connection.fill(realm)).transpose().map_err(|err| err.within("'realm' of 'auth'"))?;
        Ok(Signing {
            is_sha256: spec.is_sha256,
            realm,
            consumer_key: needed(&spec.consumer_key)?.unwrap_or_default(),
            consumer_secret: needed(&spec.consumer_secret)?.unwrap_or_default(),
            token: needed(&spec.token)?,
            token_secret: needed(&spec.token_secret)?.unwrap_or_default(),
        })
    }
}

impl Lasting for OAuth1 {
    fn put_on(&self, hop: &mut Request) -> Result<()> {
        let value = self.signing()?.header(hop, &seconds_now().to_string(), &unique()?);
        put_header(hop, "Authorization", &value);
        Ok(())
    }
}

impl Signing {
    /// Returns the header of a request.
    fn header(&self, hop: &Request, timestamp: &str, nonce: &str) -> String {
        let method = if self.is_sha256 { "HMAC-SHA256" } else { "HMAC-SHA1" };
        let mut own = vec![
            ("oauth_consumer_key", self.consumer_key.as_str()),
            ("oauth_nonce", nonce),
            ("oauth_signature_method", method),
            ("oauth_timestamp", timestamp),
        ];
        own.extend(self.token.as_deref().map(|token| ("oauth_token", token)));
        let mut pairs: Vec<(String, String)> = own.iter().map(|(name, value)| (encoded(name), encoded(value))).collect();
        pairs.extend(hop.url.query_pairs().map(|(name, value)| (encoded(&name), encoded(&value))));
        pairs.extend(form_of(hop));
        pairs.sort();
        let pairs = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        let base = format!("{}&{}&{}", hop.method, encoded(&base_uri(&hop.url)), encoded(&pairs));
        let key = format!("{}&{}", encoded(&self.consumer_secret), encoded(&self.token_secret));
        let algorithm = if self.is_sha256 { hmac::HMAC_SHA256 } else { hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY };
        let signature = STANDARD.encode(hmac::sign(&hmac::Key::new(algorithm, key.as_bytes()), base.as_bytes()));
        let realm = self.realm.as_ref().map(|realm| format!("realm=\"{}\"", realm.replace(['"', '\\'], "")));
        let fields = own.into_iter().chain([("oauth_signature", signature.as_str())]);
        let fields = fields.map(|(name, value)| format!("{name}=\"{}\"", encoded(value)));
        format!("OAuth {}", realm.into_iter().chain(fields).collect::<Vec<_>>().join(", "))
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

/// Returns the pairs of a body that is a form.
fn form_of(hop: &Request) -> Vec<(String, String)> {
    let is_form = hop.headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("content-type") && value.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded")
    });
    let body = hop.body.as_deref().filter(|_| is_form).unwrap_or_default();
    form_urlencoded::parse(body.as_bytes()).map(|(name, value)| (encoded(&name), encoded(&value))).collect()
}

/// Returns the URL without its query, as it is signed.
fn base_uri(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::message::Method;

    fn signing() -> Signing {
        Signing {
            is_sha256: false,
            realm: Some("Photos".to_string()),
            consumer_key: "dpf43f3p2l4k3l03".to_string(),
            consumer_secret: "kd94hf93k423kf44".to_string(),
            token: Some("nnch734d00sl2jdk".to_string()),
            token_secret: "pfkkdhi9sl3r4s00".to_string(),
        }
    }

    #[test]
    fn the_signature_is_that_of_the_rfc() {
        let url = Url::parse("http://photos.example.net/photos?file=vacation.jpg&size=original").unwrap();
        let hop = Request::get(url.clone(), url, Vec::new());
        let header = signing().header(&hop, "137131202", "chapoH");
        assert_eq!(
            header,
            "OAuth realm=\"Photos\", oauth_consumer_key=\"dpf43f3p2l4k3l03\", oauth_nonce=\"chapoH\", oauth_signature_method=\"HMAC-SHA1\", \
             oauth_timestamp=\"137131202\", oauth_token=\"nnch734d00sl2jdk\", oauth_signature=\"MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D\""
        );
    }

    #[test]
    fn what_stands_in_a_form_is_signed_too() {
        let url = Url::parse("https://a.example/x?b=1").unwrap();
        let form = |body: &str| Request {
            method: Method::Post,
            body: Some(body.to_string()),
            ..Request::get(url.clone(), url.clone(), vec![("content-type".to_string(), "application/x-www-form-urlencoded".to_string())])
        };
        let header = |body: &str| Signing { is_sha256: true, ..signing() }.header(&form(body), "1", "n");
        assert_ne!(header("a=1"), header("a=2"));
        assert!(header("a=1").contains("HMAC-SHA256"));
    }
}

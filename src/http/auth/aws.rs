//! Signs requests for services of Amazon and those that do as they do (Signature Version 4).

use super::{is_header_value, put_header};
use crate::http::authorizer::Lasting;
use crate::http::message::Request;
use crate::spec::{AwsSpec, Connection, OptionSpec};
use crate::{Error, Result};
use percent_encoding::{utf8_percent_encode, AsciiSet, NON_ALPHANUMERIC};
use ring::{digest, hmac};
use std::sync::Arc;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::OffsetDateTime;
use url::Url;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What may stand in a part of a URL as it is (RFC 3986, section 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const MOMENT: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");
/// The service whose paths are signed as they are, and which wants to know the hash of a body.
const S3: &str = "s3";

/// Signs each request of a connection.
pub struct Aws {
    connection: Arc<Connection>,
    spec: Arc<AwsSpec>,
}

/// Whose requests are signed, and for what.
struct Signer {
    access_key: String,
    secret_key: String,
    session_token: Option<String>,
    region: String,
    service: String,
}

impl Aws {
    /// Prepares. Fails when an option is missing or empty.
    pub fn new(connection: Arc<Connection>, spec: Arc<AwsSpec>) -> Result<Aws> {
        let aws = Aws { connection, spec };
        aws.signer()?;
        Ok(aws)
    }

    fn signer(&self) -> Result<Signer> {
        let given = |option: &OptionSpec| {
            let value = self.connection.option(&option.name).map(|value| value.expose().to_string());
            value.filter(|value| !value.is_empty())
        };
        let needed = |option: &OptionSpec| given(option).ok_or_else(|| Error::config(format!("option '{}' is empty", option.name)));
        for option in [&self.spec.access_key, &self.spec.session_token] {
            // These stand in headers as they are.
            self.connection.option(&option.name).map_or(Ok(()), |value| is_header_value(option, value))?;
        }
        let filled = |template, key: &str| self.connection.fill(template).map_err(|err| err.within(format!("'{key}' of 'auth'")));
        Ok(Signer {
            access_key: needed(&self.spec.access_key)?,
            secret_key: needed(&self.spec.secret_key)?,
            session_token: given(&self.spec.session_token),
            region: filled(&self.spec.region, "region")?,
            service: filled(&self.spec.service, "service")?,
        })
    }
}

impl Lasting for Aws {
    fn put_on(&self, hop: &mut Request) -> Result<()> {
        let moment =
            OffsetDateTime::now_utc().format(MOMENT).map_err(|err| Error::internal(format!("the time cannot be written: {err}")))?;
        self.signer()?.sign(hop, &moment)
    }
}

impl Signer {
    /// Signs a request as it is sent at a moment, such as `20150830T123600Z`.
    fn sign(&self, hop: &mut Request, moment: &str) -> Result<()> {
        let path = self.canonical_path(&hop.url);
        self.sign_path(hop, &path, moment)
    }

    /// Signs a request whose path is signed as `path`.
    fn sign_path(&self, hop: &mut Request, path: &str, moment: &str) -> Result<()> {
        let query = canonical_query(&hop.url);
        // What is signed is what is sent: a blank is %20 and never +.
        hop.url.set_query((!query.is_empty()).then_some(query.as_str()));
        let body_hash = hex_hash(hop.body.as_deref().unwrap_or_default().as_bytes());
        put_header(hop, "X-Amz-Date", moment);
        if let Some(token) = &self.session_token {
            put_header(hop, "X-Amz-Security-Token", token);
        }
        if self.service == S3 {
            put_header(hop, "X-Amz-Content-Sha256", &body_hash);
        }
        let headers = signed_headers(hop)?;
        let names = headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical = format!("{}\n{path}\n{query}\n{lines}\n{names}\n{body_hash}", hop.method);
        let day = moment.get(..8).unwrap_or(moment);
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let text = format!("{ALGORITHM}\n{moment}\n{scope}\n{}", hex_hash(canonical.as_bytes()));
        let mut key = format!("AWS4{}", self.secret_key).into_bytes();
        for part in [day, &self.region, &self.service, "aws4_request"] {
            key = hmac_of(&key, part.as_bytes());
        }
        let signature = hex(&hmac_of(&key, text.as_bytes()));
        let value = format!("{ALGORITHM} Credential={}/{scope}, SignedHeaders={names}, Signature={signature}", self.access_key);
        put_header(hop, "Authorization", &value);
        Ok(())
    }

    /// Returns the path as it is signed. S3 has names with any number of slashes; elsewhere several are one.
    fn canonical_path(&self, url: &Url) -> String {
        let path = url.path();
        if self.service == S3 {
            return path.to_string();
        }
        let encoded =
            path.split('/').filter(|segment| !segment.is_empty()).map(|segment| utf8_percent_encode(segment, UNRESERVED).to_string());
        let segments = encoded.collect::<Vec<_>>().join("/");
        match path.ends_with('/') && !segments.is_empty() {
            true => format!("/{segments}/"),
            false => format!("/{segments}"),
        }
    }
}

/// Returns the query with its pairs sorted and encoded as it is signed.
fn canonical_query(url: &Url) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
    let mut pairs: Vec<(String, String)> = url.query_pairs().map(|(name, value)| (encoded(&name), encoded(&value))).collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Returns the headers that are signed: those that say where the request goes, and what it means.
fn signed_headers(hop: &Request) -> Result<Vec<(String, String)>> {
    let host = hop.url.host_str().ok_or_else(|| Error::internal("a request without a host"))?;
    let host = hop.url.port().map_or_else(|| host.to_string(), |port| format!("{host}:{port}"));
    let is_signed = |name: &str| name == "content-type" || name.starts_with("x-amz-");
    let others =
        hop.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.split_whitespace().collect::<Vec<_>>().join(" ")));
    let mut headers: Vec<(String, String)> = others.filter(|(name, _)| is_signed(name)).chain([("host".to_string(), host)]).collect();
    headers.sort();
    Ok(headers)
}

fn hmac_of(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec()
}

fn hex_hash(text: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, text).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::message::Method;

    /// The signer of the vectors that AWS publishes.
    fn signer(service: &str, session_token: Option<&str>) -> Signer {
        Signer {
            access_key: "AKIDEXAMPLE".to_string(),
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_string(),
            session_token: session_token.map(str::to_string),
            region: "us-east-1".to_string(),
            service: service.to_string(),
        }
    }

    /// A request to [`HOST`] that is signed.
    struct Sample<'a> {
        method: Method,
        target: &'a str,
        /// The content type of a body.
        kind: Option<&'a str>,
        /// The path as it is signed, where it is another one than that of the request.
        signed_path: Option<&'a str>,
    }

    impl<'a> Sample<'a> {
        fn get(target: &'a str) -> Sample<'a> {
            Sample { method: Method::Get, target, kind: None, signed_path: None }
        }
    }

    fn signed(signer: &Signer, sample: &Sample<'_>) -> String {
        let url = Url::parse(&format!("{HOST}{}", sample.target)).unwrap();
        let headers = sample.kind.map(|kind| ("Content-Type".to_string(), kind.to_string())).into_iter().collect();
        let body = sample.kind.map(|_| "Param1=value1".to_string());
        let mut hop = Request { method: sample.method, body, ..Request::get(url.clone(), url, headers) };
        match sample.signed_path {
            Some(path) => signer.sign_path(&mut hop, path, "20150830T123600Z").unwrap(),
            None => signer.sign(&mut hop, "20150830T123600Z").unwrap(),
        }
        let (_, value) = hop.headers.iter().find(|(name, _)| name == "Authorization").unwrap();
        value.rsplit_once("Signature=").unwrap().1.to_string()
    }

    const HOST: &str = "https://example.amazonaws.com";
    const UNRESERVED_ONES: &str = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// The names are those of the suite `aws4_testsuite`, without those whose headers are not signed here.
    #[test]
    fn signatures_are_those_of_the_published_vectors() {
        let all_in_query = format!("/?{UNRESERVED_ONES}={UNRESERVED_ONES}");
        let all_in_path = format!("/{UNRESERVED_ONES}");
        let vanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        let vectors = [
            ("get-vanilla", "/", vanilla),
            ("get-vanilla-query", "/", vanilla),
            ("get-vanilla-empty-query-key", "/?Param1=value1", "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"),
            (
                "get-vanilla-query-order-encoded",
                "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
                "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
            ),
            (
                "get-vanilla-query-order-key-case",
                "/?Param2=value2&Param1=value1",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                "get-vanilla-query-order-key",
                "/?Param1=value2&Param1=Value1",
                "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1",
            ),
            (
                "get-vanilla-query-order-value",
                "/?Param1=value2&Param1=value1",
                "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694",
            ),
            ("get-vanilla-query-unreserved", &all_in_query, "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"),
            ("get-vanilla-utf8-query", "/?\u{1234}=bar", "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
            ("get-unreserved", &all_in_path, "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
            ("normalize-path/get-relative-relative", "/example1/example2/../..", vanilla),
            ("normalize-path/get-relative", "/example/..", vanilla),
            ("normalize-path/get-slash-dot-slash", "/./", vanilla),
            ("normalize-path/get-slash-pointless-dot", "/./example", "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"),
            ("normalize-path/get-slash", "//", vanilla),
            ("normalize-path/get-slashes", "//example//", "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"),
        ];
        for (name, path, expected) in vectors {
            assert_eq!(signed(&signer("service", None), &Sample::get(path)), expected, "{name}");
        }
        let with_token = signer("service", Some("6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"));
        let expected = "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8";
        assert_eq!(signed(&with_token, &Sample::get("")), expected, "get-vanilla-with-session-token");
    }

    #[test]
    fn signatures_of_bodies_are_those_of_the_published_vectors() {
        let form = "application/x-www-form-urlencoded";
        let vanilla = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b";
        let query = "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11";
        let token = concat!(
            "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/",
            "qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT",
            "38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
        );
        let vectors = [
            ("post-vanilla", "/", None, None, vanilla),
            ("post-header-key-case", "/", None, None, vanilla),
            ("post-vanilla-query", "/?Param1=value1", None, None, query),
            ("post-vanilla-empty-query-value", "/?Param1=value1", None, None, query),
            ("post-sts-header-after", "/", None, None, vanilla),
            ("post-sts-header-before", "/", Some(token), None, "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"),
            ("post-x-www-form-urlencoded", "/", None, Some(form), "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
            (
                "post-x-www-form-urlencoded-parameters",
                "/",
                None,
                Some("application/x-www-form-urlencoded; charset=utf8"),
                "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe",
            ),
        ];
        for (name, path, token, kind, expected) in vectors {
            let post = Sample { method: Method::Post, kind, ..Sample::get(path) };
            assert_eq!(signed(&signer("service", token), &post), expected, "{name}");
        }
    }

    /// These vectors sign the path as it is sent. Services other than S3 expect it encoded once more, which the suite leaves out.
    #[test]
    fn signatures_of_encoded_paths_are_those_of_the_published_vectors() {
        let vectors = [
            (
                "normalize-path/get-space",
                "/example space/",
                "/example%20space/",
                "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
            ),
            ("get-utf8", "/\u{1234}", "/%E1%88%B4", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
            (
                "normalize-path/get-special-character",
                "/example/$delete",
                "/example/%24delete",
                "a853c9b21b528b19643d00910d35b83a10c366a10833ceefb45edd6c80e40f27",
            ),
        ];
        for (name, path, as_signed, expected) in vectors {
            let get = Sample { signed_path: Some(as_signed), ..Sample::get(path) };
            assert_eq!(signed(&signer("service", None), &get), expected, "{name}");
        }
    }

    #[test]
    fn paths_session_tokens_and_s3_are_signed_as_botocore_signs_them() {
        let get = |signer: &Signer, path: &str, expected: &str| {
            assert_eq!(signed(signer, &Sample::get(path)), expected, "{path}");
        };
        get(&signer("service", None), "/example%20space/", "446b817944c553435b35e813c261ff4e161fff982d1bacdef1c87f6785dd1662");
        get(&signer("service", None), "/%E1%88%B4", "697b34846207a3f72246f99d74ae1ee4fe54f44bb06730c58a0d339eb079596d");
        get(&signer("service", Some("TOK")), "/", "1476663319ead566e67b5b736b750ee21b350819e5d07bdc20e5e5e96576a357");
        get(&signer(S3, None), "/a%20b", "5f21212cee430f8b63e319336be962dabf8167eff3c077138133c6a870c1e4d3");
    }
}

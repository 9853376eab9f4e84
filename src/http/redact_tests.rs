//! What is masked, and what is not.

use super::*;
use crate::http::known::MOST_PAST;
use crate::http::sample::{adapter, basic, connection, option};
use crate::spec::{AuthFields, AuthSpec, Secret};
use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use proptest::prelude::*;

fn redactor(auth: AuthSpec, options: &[(&str, &str)]) -> Redactor {
    Redactor::new(&connection(adapter(auth), options))
}

fn check(text: &str, expected: &str) {
    let redactor = redactor(basic(), &[("username", "me"), ("password", "s3/cr t+1"), ("site", "example")]);
    assert_eq!(redactor.text(text), expected);
}

#[test]
fn all_patterns_compile() {
    assert_eq!(PATTERNS.len(), patterns().len());
}

#[test]
fn values_are_masked_in_every_form() {
    check("pw s3/cr t+1 here", "pw *** here");
    check("x=s3%2Fcr%20t%2B1&y=s3%2Fcr+t%2B1", "x=***&y=***");
    check(&STANDARD.encode("me:s3/cr t+1"), "***");
    check(&STANDARD.encode("s3/cr t+1"), "***");
    check("site example stays", "site example stays");
}

#[test]
fn keys_that_look_secret_are_masked() {
    check("https://a.test/x?api_key=123&page=2&access_token=q%20q#f", "https://a.test/x?api_key=***&page=2&access_token=***#f");
    check("https://a.test/x?key=1&monkey=2&sig=3&page_token=4", "https://a.test/x?key=***&monkey=2&sig=***&page_token=***");
    check("{\"client_secret\": \"abc\", \"name\": \"n\"}", "{\"client_secret\": \"***\", \"name\": \"n\"}");
    check("password=x", "password=***");
    check("no secret in a plain sentence about a token", "no secret in a plain sentence about a token");
}

#[test]
fn values_in_quotes_are_masked_inside_them() {
    let header = r#"OAuth realm="r", oauth_signature_method="HMAC-SHA1", oauth_signature="0w9LJ7m%3D", oauth_version="1.0""#;
    check(header, r#"OAuth realm="r", oauth_signature_method="HMAC-SHA1", oauth_signature="***", oauth_version="1.0""#);
    check(r#"and api_key="KEY 1" token='TOK,2' secret=PLAIN3;"#, r#"and api_key="***" token='***' secret=***;"#);
    check(r#"password: "PW 1", (client_secret = 'two', x"#, r#"password: "***", (client_secret = '***', x"#);
    check(r#"a={password:"pw",token:'t'} key="k""#, r#"a={password:"***",token:'***'} key="***""#);
    check(r#"{'access_token': 'a b', 'name': 'n'}"#, r#"{'access_token': '***', 'name': 'n'}"#);
    check(r#"sent \" token=\"a\\b c\" and\", x"#, r#"sent \" token=\"***\" and\", x"#);
    check(r#"{\"api_key\": \"a b\", \"id\": 1}"#, r#"{\"api_key\": \"***\", \"id\": 1}"#);
    check(r#"{"secret": "a\"b", "id": 1} token="a\"b" c"#, r#"{"secret": "***", "id": 1} token="***" c"#);
    check(r#"<a href="/x?page_token=" class="b">"#, r#"<a href="/x?page_token=***" class="b">"#);
    check("?SignatureMethod=HmacSHA256&Signature=abc", "?SignatureMethod=HmacSHA256&Signature=***");
    check(r#"{"signature_method": "HMAC", "signature": "x"}"#, r#"{"signature_method": "HMAC", "signature": "***"}"#);
    check(r#"invalid token: expired, code: "404""#, r#"invalid token: expired, code: "404""#);
    check("token=\"it never ends", "token=\"***");
}

#[test]
fn users_in_urls_and_headers_that_authorise_are_masked() {
    check("https://user:pass@a.test/x", "https://***@a.test/x");
    check("HTTP://user:p@ss@a.test/x?to=b@c.test", "HTTP://***@a.test/x?to=b@c.test");
    check("Authorization: Bearer abc.def", "Authorization: ***");
    check("sent bearer abcdefgh1234", "sent bearer ***");
}

#[test]
fn users_in_urls_of_options_are_secrets_as_they_are_sent() {
    let check = |site: &str, text: &str, expected: &str| {
        assert_eq!(redactor(basic(), &[("site", site)]).text(text), expected, "{site}: {text}");
    };
    let proxy = "http://me:pr%40xy-pa55@127.0.0.1:3128";
    check(proxy, "pr@xy-pa55, pr%40xy-pa55, me", "***, ***, me");
    check(proxy, &format!("it got >>{}<<", STANDARD.encode("me:pr@xy-pa55")), "it got >>***==<<");
    check("http://me:a1@b.test", &STANDARD.encode("me:a1"), "***");
    check("http://t0k%2Fen:@b.test", &format!("t0k/en {}", STANDARD.encode("t0k/en:")), "*** ***Og==");
    check("http://t0k%2Fen@b.test", "t0k/en", "***");
    check("http://b.test/me", "b.test/me", "b.test/me");
}

#[test]
fn short_values_are_masked_as_words_and_after_their_key() {
    let redactor = redactor(AuthSpec::Params(AuthFields::of_options(vec![("k9".to_string(), option("pin", true))])), &[("pin", "12")]);
    assert_eq!(redactor.text("12 rows, k9=12, pin: 12, ?k9=12&a=12"), "*** rows, k9=***, pin: ***, ?k9=***&a=***");
}

#[test]
fn what_is_learned_is_a_secret_from_then_on() {
    let redactor = redactor(basic(), &[("password", "s3cr3t")]);
    assert_eq!(redactor.text("tok3n-one s3cr3t"), "tok3n-one ***");
    redactor.learn(vec!["tok3n-one".to_string(), String::new()]);
    assert_eq!(redactor.text("tok3n-one s3cr3t, dG9rM24tb25l"), "*** ***, ***");
    for number in 0..MOST_PAST {
        redactor.learn(vec![format!("{number:03}-others")]);
    }
    assert_eq!(redactor.text("tok3n-one s3cr3t 000-others 063-others"), "tok3n-one *** *** ***");
}

#[test]
fn what_a_credential_has_now_is_never_forgotten() {
    let redactor = redactor(basic(), &[("password", "s3cr3t")]);
    let credential = |number: usize| Holder::Credential([("password".to_string(), Secret::new(number.to_string()))].into());
    for number in 0..2 * MOST_PAST {
        redactor.learn_of(credential(number), vec![format!("{number:03}-one"), format!("{number:03}-two")]);
    }
    assert_eq!(redactor.text("000-one 000-two 127-one"), "*** *** ***");
    redactor.learn_of(credential(0), vec!["000-new".to_string()]);
    assert_eq!(redactor.text("000-one 000-new 001-one"), "*** *** ***");
    for number in 0..MOST_PAST {
        redactor.learn(vec![format!("{number:03}-others")]);
    }
    assert_eq!(redactor.text("000-one 000-new 001-one"), "000-one *** ***");
}

#[test]
fn longer_values_go_first() {
    let auth =
        AuthSpec::Headers(AuthFields::of_options(vec![("X-A".to_string(), option("a", true)), ("X-B".to_string(), option("b", true))]));
    let redactor = redactor(auth, &[("a", "abcd"), ("b", "abcdefgh")]);
    assert_eq!(redactor.text("got abcdefgh and abcd"), "got *** and ***");
}

#[test]
fn urls_are_redacted() {
    let redactor = redactor(basic(), &[("password", "s3cr3t")]);
    let url = Url::parse("https://u:p@a.test/s3cr3t/x?token=t&page=1").unwrap();
    assert_eq!(redactor.url(&url), "https://***@a.test/***/x?token=***&page=1");
}

proptest! {
    #[test]
    fn a_secret_never_survives(secret in "[A-Z0-9=&;/+%é\"]{4,12}", before in "[a-z ]{0,9}", after in "[a-z ]{0,9}", any in ".*") {
        let redactor = redactor(basic(), &[("password", &secret)]);
        let masked = redactor.text(&format!("{before}{secret}{after}"));
        prop_assert!(!masked.contains(&secret), "{}", masked);
        redactor.text(&any);
    }
}

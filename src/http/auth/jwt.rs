//! Signs tokens (RFC 7515 to 7519).

use crate::document::{json, tree_of, JsonMap as Map, JsonValue as Value};
use crate::files::read_text;
use crate::spec::{Connection, Filled, JwtAlgorithm, JwtSpec, Layered, Secret, Sources, Template, KEY_HOLE};
use crate::{Error, Result};
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::Engine;
use ring::rand::SystemRandom;
use ring::signature::{EcdsaKeyPair, KeyPair, RsaEncoding, RsaKeyPair, ECDSA_P256_SHA256_FIXED_SIGNING, RSA_PKCS1_SHA256, RSA_PSS_SHA256};
use ring::{digest, hmac};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::PrivateKeyDer;
use std::collections::BTreeMap;
use std::path::Path;

/// How far, in seconds, a token's beginning lies back at most: the clocks of servers differ. It is a tenth of a life that is shorter, so that
/// such a token has not ended when it is signed.
const MOST_AHEAD: i64 = 30;
/// The `id-rsaEncryption` algorithm of a public key, in DER.
const RSA_ENCRYPTION: &[u8] = &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// A signed token and when it ends, in seconds since 1970.
pub struct SignedToken {
    pub text: Secret,
    pub expires: i64,
}

/// Signs a token that says what the spec says, besides `defaults`, which the spec's claims replace. Fails, naming the option, when the key
/// cannot sign.
pub fn sign(jwt: &JwtSpec, connection: &Connection, defaults: &[(&str, String)], now: i64) -> Result<SignedToken> {
    let key = Key::of(jwt, connection)?;
    let fill = |template: &Template| key.fill(connection, template);
    let life = i64::try_from(jwt.life.as_secs()).unwrap_or(i64::MAX);
    let begins = now - MOST_AHEAD.min(life / 10);
    let mut claims = Map::new();
    for (name, value) in defaults {
        claims.insert((*name).to_string(), value.clone().into());
    }
    claims.insert("iat".to_string(), begins.into());
    claims.insert("exp".to_string(), (begins + life).into());
    claims.insert("jti".to_string(), unique()?.into());
    for (name, template) in &jwt.claims {
        let value = fill(template).map_err(|err| err.within(format!("claim '{name}'")))?;
        match value {
            Some(value) => claims.insert(name.clone(), value.into()),
            None => claims.remove(name),
        };
    }
    let mut header = json!({ "alg": jwt.algorithm.name(), "typ": "JWT" });
    if let Some(key_id) = jwt.key_id.as_ref().map(fill).transpose().map_err(|err| err.within("'key_id'"))?.flatten() {
        header["kid"] = key_id.into();
    }
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encoded(&header), encoded(&Value::from(claims)));
    let signature = key.signer.sign(signed.as_bytes())?;
    Ok(SignedToken { text: Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))), expires: begins + life })
}

/// A key, and what its file says besides.
struct Key {
    signer: Signer,
    /// The texts of a service account's file, and the key's own fingerprint.
    fields: BTreeMap<String, String>,
}

enum Signer {
    Rsa(Box<RsaKeyPair>, &'static dyn RsaEncoding),
    Ecdsa(EcdsaKeyPair),
    Hmac(hmac::Key),
}

impl Key {
    fn of(jwt: &JwtSpec, connection: &Connection) -> Result<Key> {
        let name = &jwt.key.name;
        let value = connection.option(name).map(Secret::expose).unwrap_or_default();
        if value.trim().is_empty() {
            return Err(Error::config(format!("option '{name}' is empty")));
        }
        Key::read(jwt.algorithm, value).map_err(|err| err.within(format!("option '{name}'")))
    }

    fn read(algorithm: JwtAlgorithm, value: &str) -> Result<Key> {
        if algorithm == JwtAlgorithm::Hs256 {
            return Ok(Key { signer: Signer::Hmac(hmac::Key::new(hmac::HMAC_SHA256, value.as_bytes())), fields: BTreeMap::new() });
        }
        let is_key = |text: &str| text.contains("-----BEGIN") || text.trim_start().starts_with('{');
        let text = if is_key(value) { value.to_string() } else { read_text(Path::new(value.trim()), "file")? };
        let (pem, mut fields) = match tree_of(text.as_bytes()) {
            Some(Value::Object(entries)) => {
                let fields: BTreeMap<String, String> =
                    entries.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_string()))).collect();
                let pem = fields.get("private_key").cloned();
                (pem.ok_or_else(|| Error::config("it is JSON without 'private_key'; expected the file of a service account"))?, fields)
            }
            // As an environment variable has it, which cannot hold a line break in some places.
            _ => (text.replace("\\n", "\n"), BTreeMap::new()),
        };
        fields.remove("private_key");
        let signer = Signer::read(algorithm, &pem)?;
        fields.extend(signer.fingerprint().map(|fingerprint| ("fingerprint".to_string(), fingerprint)));
        Ok(Key { signer, fields })
    }

    /// Fills a template. `None` when it is nothing but an option without a value. Fails, naming the hole, on another one without a value.
    fn fill(&self, connection: &Connection, template: &Template) -> Result<Option<String>> {
        if let Some(hole) = template.only_hole() {
            let is_empty = connection.option(&hole.name).is_none_or(|value| value.expose().is_empty());
            if is_empty && hole.is_plain() && !hole.name.starts_with(KEY_HOLE) {
                return Ok(None);
            }
        }
        template.render(&Layered(self, connection)).map(Some)
    }
}

impl Sources for Key {
    fn value_of(&self, name: &str) -> Option<Filled> {
        self.fields.get(name.strip_prefix(KEY_HOLE)?).map(Filled::text)
    }
}

impl Signer {
    fn read(algorithm: JwtAlgorithm, pem: &str) -> Result<Signer> {
        let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| match pem.contains("ENCRYPTED") {
            true => Error::config("the private key is encrypted; expected one without a passphrase, as 'openssl pkey' writes it"),
            false => Error::config("no private key in it; expected PEM, with '-----BEGIN PRIVATE KEY-----'"),
        })?;
        let rejected = |err: ring::error::KeyRejected| {
            let wanted = if algorithm == JwtAlgorithm::Es256 { "an EC key on curve P-256" } else { "an RSA key of 2048 bits or more" };
            Error::config(format!("the private key cannot sign by {}: {err}; expected {wanted}", algorithm.name()))
        };
        if algorithm == JwtAlgorithm::Es256 {
            let PrivateKeyDer::Pkcs8(der) = &der else {
                let remedy = "'openssl pkcs8 -topk8 -nodes' converts it";
                return Err(Error::config(format!(
                    "the private key is not in the form PKCS #8, with '-----BEGIN PRIVATE KEY-----'; {remedy}"
                )));
            };
            let random = SystemRandom::new();
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_pkcs8_der(), &random);
            return pair.map(Signer::Ecdsa).map_err(rejected);
        }
        let pair = match &der {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            other => RsaKeyPair::from_pkcs8(other.secret_der()),
        };
        let encoding: &'static dyn RsaEncoding = if algorithm == JwtAlgorithm::Ps256 { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
        pair.map(|pair| Signer::Rsa(Box::new(pair), encoding)).map_err(rejected)
    }

    fn sign(&self, text: &[u8]) -> Result<Vec<u8>> {
        let failed = |_| Error::internal("a token could not be signed");
        match self {
            Signer::Hmac(key) => Ok(hmac::sign(key, text).as_ref().to_vec()),
            Signer::Ecdsa(pair) => pair.sign(&SystemRandom::new(), text).map(|signature| signature.as_ref().to_vec()).map_err(failed),
            Signer::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(*encoding, &SystemRandom::new(), text, &mut signature).map_err(failed)?;
                Ok(signature)
            }
        }
    }

    /// Returns the SHA-256 of an RSA key's public part, in base64: what Snowflake calls the key.
    fn fingerprint(&self) -> Option<String> {
        let Signer::Rsa(pair, _) = self else { return None };
        let key = pair.public_key().as_ref();
        let bits = der(0x03, &[&[0u8], key].concat());
        let whole = der(0x30, &[RSA_ENCRYPTION, &bits].concat());
        Some(STANDARD.encode(digest::digest(&digest::SHA256, &whole)))
    }
}

/// Returns a value in DER: its tag, its length, itself.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len();
    let mut whole = vec![tag];
    match len {
        0..=127 => whole.push(len as u8),
        128..=255 => whole.extend([0x81, len as u8]),
        _ => whole.extend([0x82, (len >> 8) as u8, len as u8]),
    }
    whole.extend_from_slice(content);
    whole
}

/// Returns a text that no other token has.
pub fn unique() -> Result<String> {
    let random: ring::rand::Random<[u8; 16]> =
        ring::rand::generate(&SystemRandom::new()).map_err(|_| Error::internal("the system has no random numbers"))?;
    Ok(random.expose().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::sample::{adapter, basic, connection, option};
    use ring::signature::{UnparsedPublicKey, ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256};
    use std::time::Duration;

    const RSA: &str = include_str!("test_keys/rsa.pem");
    const EC: &str = include_str!("test_keys/ec.pem");

    fn spec(algorithm: JwtAlgorithm, claims: &[(&str, &str)]) -> JwtSpec {
        let claims = claims.iter().map(|(name, value)| (name.to_string(), Template::parse_value(value).unwrap())).collect();
        let key_id = Some(Template::parse_value("${key.private_key_id}").unwrap()).filter(|_| algorithm == JwtAlgorithm::Ps256);
        JwtSpec { algorithm, key: option("private_key", true), claims, key_id, life: Duration::from_secs(600) }
    }

    fn signed(jwt: &JwtSpec, key: &str) -> Result<(Value, Value, String, Vec<u8>)> {
        let connection = connection(adapter(basic()), &[("private_key", key), ("site", "a")]);
        let token = sign(jwt, &connection, &[("aud", "https://a/token".to_string()), ("iss", "me".to_string())], 1000)?;
        assert_eq!(token.expires, 1570);
        let text = token.text.expose().to_string();
        let (signed, signature) = text.rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        let decoded = |text: &str| tree_of(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
        Ok((decoded(header), decoded(claims), signed.to_string(), URL_SAFE_NO_PAD.decode(signature).unwrap()))
    }

    #[test]
    fn tokens_say_what_the_spec_says() {
        let jwt = spec(JwtAlgorithm::Hs256, &[("iss", "${site}-x"), ("sub", "${password}"), ("scope", "all")]);
        let (header, mut claims, ..) = signed(&jwt, "secret").unwrap();
        assert_eq!(header, json!({"alg": "HS256", "typ": "JWT"}));
        assert_eq!(claims["jti"].as_str().map(str::len), Some(32));
        claims["jti"] = "".into();
        assert_eq!(claims, json!({"aud": "https://a/token", "iss": "a-x", "iat": 970, "exp": 1570, "jti": "", "scope": "all"}));
        assert!(signed(&spec(JwtAlgorithm::Hs256, &[("x", "a${password}")]), "secret")
            .unwrap_err()
            .to_string()
            .starts_with("claim 'x': no value"));
    }

    #[test]
    fn a_short_token_begins_little_before_it_is_signed() {
        let connection = connection(adapter(basic()), &[("private_key", "secret")]);
        for (life, expected) in [(1, 1001), (30, 1027), (300, 1270), (86_400, 87_370)] {
            let jwt = JwtSpec { life: Duration::from_secs(life), ..spec(JwtAlgorithm::Hs256, &[]) };
            assert_eq!(sign(&jwt, &connection, &[], 1000).unwrap().expires, expected, "a life of {life} seconds");
        }
    }

    #[test]
    fn signatures_are_right() {
        let (_, _, text, signature) = signed(&spec(JwtAlgorithm::Hs256, &[]), "secret").unwrap();
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, b"secret"), text.as_bytes(), &signature).unwrap();
        let account = json!({"private_key": RSA, "private_key_id": "k7", "client_email": "me@a"}).to_string();
        for (algorithm, key) in [(JwtAlgorithm::Rs256, RSA), (JwtAlgorithm::Ps256, account.as_str())] {
            let (header, _, text, signature) = signed(&spec(algorithm, &[]), key).unwrap();
            let Signer::Rsa(pair, _) = Signer::read(algorithm, RSA).unwrap() else { panic!() };
            let public = pair.public_key().as_ref().to_vec();
            let outcome = match algorithm {
                JwtAlgorithm::Ps256 => UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, public).verify(text.as_bytes(), &signature),
                _ => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public).verify(text.as_bytes(), &signature),
            };
            outcome.unwrap();
            assert_eq!(header.get("kid").and_then(Value::as_str), (algorithm == JwtAlgorithm::Ps256).then_some("k7"));
        }
        let (_, _, text, signature) = signed(&spec(JwtAlgorithm::Es256, &[]), EC).unwrap();
        let Signer::Ecdsa(pair) = Signer::read(JwtAlgorithm::Es256, EC).unwrap() else { panic!() };
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref()).verify(text.as_bytes(), &signature).unwrap();
    }

    #[test]
    fn the_fingerprint_is_that_of_openssl() {
        let key = Key::read(JwtAlgorithm::Rs256, RSA).unwrap();
        assert_eq!(key.fields["fingerprint"], "mDpt7uXSDEtnCgAW5W01TGcgGdlSCpYW4Al4L97pgRA=");
    }

    #[test]
    fn keys_that_cannot_sign_are_told_by_option() {
        let check = |algorithm: JwtAlgorithm, key: &str, expected: &str| {
            let err = signed(&spec(algorithm, &[]), key).unwrap_err().to_string();
            assert!(err.starts_with("option 'private_key'") && err.contains(expected), "{err}");
        };
        check(JwtAlgorithm::Rs256, "", "is empty");
        check(JwtAlgorithm::Rs256, "/nowhere/key.pem", "cannot be read");
        check(JwtAlgorithm::Rs256, "{\"type\": \"service_account\"}", "JSON without 'private_key'");
        check(JwtAlgorithm::Rs256, EC, "expected an RSA key");
        check(JwtAlgorithm::Es256, RSA, "expected an EC key on curve P-256");
        check(JwtAlgorithm::Rs256, "-----BEGIN ENCRYPTED PRIVATE KEY-----", "encrypted");
        check(JwtAlgorithm::Rs256, "-----BEGIN NONSENSE-----", "no private key in it");
    }
}

//! Reads an `auth` that signs each request: AWS4Auth and OAUTH1.

use super::auth_options::Options;
use super::oauth2::template_of;
use crate::spec::{AwsSpec, OAuth1Spec, OptionSpec, Template};
use crate::yaml::Fields;

pub(super) const AWS_KEYS: &[&str] = &["type", "help", "service", "region", "params"];
pub(super) const OAUTH1_KEYS: &[&str] = &["type", "help", "signature_method", "realm", "params"];

/// Reads the keys of AWS4Auth.
pub(super) fn aws(fields: &Fields<'_>) -> Option<AwsSpec> {
    let mut options = Options::of(fields);
    let (access_key, secret_key) = (
        options.take_open("access_key_id", "the id of the access key"),
        options.take_renamed("secret_access_key", "secret_key", "its secret"),
    );
    let session_token = options.take("session_token", "the token of a session, for keys that are temporary");
    let region = match fields.text("region") {
        Some(text) => template_of(fields, "region", &text),
        None => {
            let option = options.take_open("region", "the region, such as us-east-1");
            let template = Template::of_hole(&option.name);
            options.put_back(option);
            template
        }
    };
    Some(AwsSpec {
        access_key,
        secret_key,
        session_token: OptionSpec { required: false, ..session_token },
        region,
        service: template_of(fields, "service", &fields.required_text("service")?),
        more: options.rest(),
    })
}

/// Reads the keys of OAUTH1.
pub(super) fn oauth1(fields: &Fields<'_>) -> Option<OAuth1Spec> {
    let mut options = Options::of(fields);
    let is_sha256 = match fields.text("signature_method").as_deref() {
        None | Some("HMAC-SHA1") => false,
        Some("HMAC-SHA256") => true,
        Some(_) => {
            fields.wrong("signature_method", fields.get("signature_method")?, "HMAC-SHA1 or HMAC-SHA256");
            return None;
        }
    };
    Some(OAuth1Spec {
        is_sha256,
        realm: fields.text("realm").map(|text| template_of(fields, "realm", &text)),
        consumer_key: options.take_open("consumer_key", "the key of the client"),
        consumer_secret: options.take("consumer_secret", "its secret"),
        token: options.take("token", "the token of your account"),
        token_secret: options.take("token_secret", "its secret"),
        more: options.rest(),
    })
}

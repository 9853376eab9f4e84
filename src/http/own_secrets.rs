//! The secrets that a connection's options hold, and the names they are sent by.

use crate::spec::{AuthSpec, ClientProof, ClientSpec, Connection, OptionSpec};
use percent_encoding::percent_decode_str;
use std::collections::BTreeSet;
use url::Url;

/// What a connection keeps to itself from the beginning.
#[derive(Default)]
pub(super) struct OwnSecrets {
    /// Each as it is before anything encodes it.
    pub texts: Vec<String>,
    /// Names of secret options and of the parameters and headers they are sent in, in lower case.
    pub keys: BTreeSet<String>,
}

impl OwnSecrets {
    /// Collects the secrets of a connection.
    pub(super) fn of(connection: &Connection) -> OwnSecrets {
        let mut own = OwnSecrets::default();
        let spec = &connection.adapter;
        let options: Vec<&OptionSpec> = spec.auth.iter().flat_map(AuthSpec::options).chain(&spec.options).collect();
        for option in options {
            let value = connection.options.values.get(&option.name).map(|value| value.expose());
            if option.secret {
                own.keys.insert(option.name.to_ascii_lowercase());
                own.texts.extend(value.into_iter().flat_map(lines_of_key));
                own.texts.extend(value.map(str::to_string));
            }
            own.texts.extend(value.into_iter().flat_map(secrets_of_url));
        }
        for auth in &spec.auth {
            own.add_sent(connection, auth);
        }
        own
    }

    /// Adds what a way to authenticate makes of the options before it is encoded.
    fn add_sent(&mut self, connection: &Connection, auth: &AuthSpec) {
        let spec = &connection.adapter;
        for one in &connection.credentials() {
            let value_of =
                |option: &OptionSpec| one.options.values.get(&option.name).map(|value| value.expose().to_string()).unwrap_or_default();
            match auth {
                AuthSpec::Basic { username, password } => self.texts.extend(pair_of(&value_of(username), &value_of(password))),
                AuthSpec::Params(fields) | AuthSpec::Headers(fields) => {
                    let is_secret = |hole: &str| spec.option(hole).is_some_and(|option| option.secret);
                    let secret = fields.fields.iter().filter(|(_, value)| value.names().any(is_secret));
                    self.keys.extend(secret.map(|(name, _)| name.to_ascii_lowercase()));
                }
                AuthSpec::OAuth2(oauth2) => {
                    let Some(ClientSpec { id, proof: ClientProof::Basic { secret } }) = &oauth2.client else { continue };
                    self.texts.extend(pair_of(&value_of(id), &value_of(secret)));
                }
                AuthSpec::None
                | AuthSpec::Bearer { .. }
                | AuthSpec::Jwt(_)
                | AuthSpec::Session(_)
                | AuthSpec::Aws(_)
                | AuthSpec::OAuth1(_) => {}
            }
        }
    }
}

/// Returns what basic authentication encodes; `None` without a password.
fn pair_of(user: &str, password: &str) -> Option<String> {
    (!password.is_empty()).then(|| format!("{user}:{password}"))
}

/// Returns the password of a URL as it is sent, alone and after its user. A user without one is the secret itself.
fn secrets_of_url(value: &str) -> Vec<String> {
    let Ok(url) = Url::parse(value.trim()) else { return Vec::new() };
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (user, password) = (decoded(url.username()), decoded(url.password().unwrap_or_default()));
    match pair_of(&user, &password) {
        Some(pair) => vec![password, pair],
        None if user.is_empty() => Vec::new(),
        None => vec![user],
    }
}

/// Returns the lines of a private key, as it is or in the file of a service account: each is a secret of its own.
fn lines_of_key(value: &str) -> Vec<String> {
    let lines = value.split('\n').flat_map(|line| line.split("\\n")).map(str::trim);
    let is_key = value.contains("PRIVATE KEY-----");
    lines.filter(|line| is_key && line.len() > 20 && !line.contains("-----") && !line.contains('"')).map(str::to_string).collect()
}

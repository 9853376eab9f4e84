//! The files that keep token answers between processes: one a credential, locked while it is renewed, readable by its owner only.

use crate::document::{json, tree_of, JsonMap as Map, JsonValue as Value};
use crate::files::{locked, make_folder, read_text, replace};
use crate::spec::{Connection, Secret, TokenAnswer};
use crate::{Error, Result};
use ring::pbkdf2;
use std::collections::BTreeMap;
use std::fs::File;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

/// How often what identifies a credential is hashed: it may hold a password, which nobody is to guess from a file's name.
const N_ROUNDS: NonZeroU32 = NonZeroU32::MIN.saturating_add(19_999);
const SALT: &[u8] = b"unify tokens";
/// What messages call the file.
const WHAT: &str = "token file";

/// The file of one credential.
#[derive(Debug, Clone)]
pub struct TokenFile {
    path: PathBuf,
    connection: String,
}

impl TokenFile {
    /// Returns the file of a connection's credential, which `identity` tells from all others; `None` where there is no folder for it.
    pub fn of(connection: &Connection, identity: &[String]) -> Option<TokenFile> {
        let path = connection.tokens.folder()?.join(format!("{}.json", name_of(identity)));
        Some(TokenFile { path, connection: connection.name.clone() })
    }

    /// Returns what the file has; `None` when it does not exist. Fails when nobody can tell what it has: a refresh token may be in it.
    pub fn read(&self) -> Result<Option<TokenAnswer>> {
        if matches!(self.path.try_exists(), Ok(false)) {
            return Ok(None);
        }
        let text = read_text(&self.path, WHAT)?;
        let answer = tree_of(text.as_bytes()).and_then(|document| answer_of(&document));
        let wrong = || Error::config(format!("{WHAT} '{}' is not as Unify wrote it; remove it to get a new token", self.path.display()));
        answer.map(Some).ok_or_else(wrong)
    }

    /// Waits until nobody else renews the credential, and keeps others from it until the result is dropped.
    pub fn lock(&self, most_wait: Duration) -> Result<File> {
        if let Some(folder) = self.path.parent() {
            make_folder(folder)?;
        }
        locked(&self.path, WHAT, most_wait, &|| false)
    }

    /// Writes an answer, so that it is there even when the machine stops at once.
    pub fn write(&self, answer: &TokenAnswer) -> Result<()> {
        let values: Map<String, Value> =
            answer.values.iter().map(|(name, value)| (name.clone(), Value::from(value.expose().to_string()))).collect();
        let document = json!({
            "connection": self.connection,
            "obtained": answer.obtained,
            "expires": answer.expires,
            "values": values,
        });
        replace(&self.path, &format!("{document:#}\n"), WHAT)
    }
}

/// Returns a name that tells nothing about what it was made from.
fn name_of(identity: &[String]) -> String {
    let mut text = Vec::new();
    for part in identity {
        text.extend_from_slice(&(part.len() as u64).to_be_bytes());
        text.extend_from_slice(part.as_bytes());
    }
    let mut hash = [0u8; 16];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, N_ROUNDS, SALT, &text, &mut hash);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn answer_of(document: &Value) -> Option<TokenAnswer> {
    let values = document.get("values")?.as_object()?;
    let value = |(name, value): (&String, &Value)| Some((name.clone(), Secret::new(value.as_str()?)));
    let values: Option<BTreeMap<String, Secret>> = values.iter().map(value).collect();
    Some(TokenAnswer { values: values?, obtained: document.get("obtained")?.as_i64()?, expires: document.get("expires")?.as_i64() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::sample::{adapter, basic, connection};
    use crate::spec::Tokens;

    fn file(folder: &std::path::Path) -> TokenFile {
        let mut connection = connection(adapter(basic()), &[("password", "s3cr3t")]);
        connection.tokens = Tokens::default().in_folder(Some(folder.join("tokens")));
        TokenFile::of(&connection, &["https://a/token".to_string(), "s3cr3t".to_string()]).unwrap()
    }

    fn answer() -> TokenAnswer {
        let values = [("access_token", "a\"1"), ("refresh_token", "r1")].map(|(name, value)| (name.to_string(), Secret::new(value)));
        TokenAnswer { values: values.into(), obtained: 1000, expires: Some(4600) }
    }

    #[test]
    fn what_was_written_is_read_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(folder.path());
        assert_eq!(file.read().unwrap(), None);
        let lock = file.lock(Duration::ZERO).unwrap();
        file.write(&answer()).unwrap();
        assert_eq!(file.read().unwrap(), Some(answer()));
        assert!(file.lock(Duration::ZERO).unwrap_err().to_string().contains("is being changed by another process"));
        drop(lock);
        file.lock(Duration::ZERO).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&file.path), mode(file.path.parent().unwrap())), (0o600, 0o700));
        }
        assert!(!file.path.display().to_string().contains("s3cr3t"));
    }

    #[test]
    fn a_file_of_somebody_else_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(folder.path());
        drop(file.lock(Duration::ZERO).unwrap());
        for text in ["", "{", "{}", r#"{"values": {"access_token": 1}, "obtained": 1}"#, r#"{"values": []}"#] {
            std::fs::write(&file.path, text).unwrap();
            let err = file.read().unwrap_err().to_string();
            assert!(err.ends_with("is not as Unify wrote it; remove it to get a new token"), "{text}: {err}");
        }
    }

    #[test]
    fn each_credential_has_a_file_of_its_own() {
        let name = |parts: &[&str]| name_of(&parts.iter().map(|part| part.to_string()).collect::<Vec<_>>());
        assert_eq!(name(&["a", "b"]), name(&["a", "b"]));
        assert_ne!(name(&["a", "b"]), name(&["ab", ""]));
        assert_eq!(name(&[]).len(), 32);
    }
}

use super::*;
use crate::http::sample::{adapter, basic, connection};
use crate::spec::Tokens;
use std::collections::VecDeque;
use std::path::Path;

/// Gives one access token after the other, whatever it is asked with.
struct Listed {
    headers: Vec<(String, Template)>,
    tokens: Mutex<VecDeque<&'static str>>,
}

impl TokenSource for Listed {
    fn headers(&self) -> &[(String, Template)] {
        &self.headers
    }

    fn may_spend(&self) -> bool {
        false
    }

    fn fetch(&self, _: Option<&TokenAnswer>) -> Result<TokenAnswer> {
        let token = lock(&self.tokens).pop_front().ok_or_else(|| Error::api("asked too often"))?;
        Ok(answer("access_token", token))
    }
}

fn answer(name: &str, token: &str) -> TokenAnswer {
    TokenAnswer { values: [(name.to_string(), Secret::new(token))].into(), obtained: seconds_now(), expires: None }
}

/// Returns a connection whose tokens are in that folder.
fn connection_in(folder: &Path) -> Connection {
    let tokens = Tokens::default().in_folder(Some(folder.join("tokens")));
    Connection { tokens, ..connection(adapter(basic()), &[("password", "s3cr3t")]) }
}

fn renewed(connection: Connection, header: &str, tokens: &[&'static str]) -> Renewed {
    let headers = vec![("Authorization".to_string(), Template::parse_value(header).unwrap())];
    let file = TokenFile::of(&connection, &["a".to_string()]);
    Renewed::new(Renewal {
        redactor: Arc::new(Redactor::new(&connection)),
        connection: Arc::new(connection),
        source: Arc::new(Listed { headers, tokens: Mutex::new(tokens.iter().copied().collect()) }),
        timeout: Duration::from_secs(1),
        file,
        unsaved: Mutex::default(),
    })
}

fn sent(renewed: &Renewed) -> String {
    let url = url::Url::parse("https://api.test/").unwrap();
    let mut hop = Request::get(url.clone(), url, Vec::new());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match runtime.block_on(renewed.authorize(&mut hop)) {
        Ok(_) => hop.headers[0].1.clone(),
        Err(err) => err.to_string(),
    }
}

#[test]
fn what_is_stored_and_cannot_be_sent_is_fetched_anew() {
    for (name, stored) in [("access_token", ""), ("access_token", "a\nb"), ("ticket", "a")] {
        let folder = tempfile::tempdir().unwrap();
        let connection = connection_in(folder.path());
        let file = TokenFile::of(&connection, &["a".to_string()]).unwrap();
        drop(file.lock(Duration::ZERO).unwrap());
        file.write(&answer(name, stored)).unwrap();
        let renewed = renewed(connection, "Bearer ${token.access_token}", &["new"]);
        assert_eq!((sent(&renewed).as_str(), sent(&renewed).as_str()), ("Bearer new", "Bearer new"), "{name}: {stored:?}");
    }
}

#[test]
fn what_is_known_from_before_and_headers_carry_is_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let connection = connection_in(folder.path());
    let file = TokenFile::of(&connection, &["a".to_string()]).unwrap();
    drop(file.lock(Duration::ZERO).unwrap());
    file.write(&answer("ticket", "T1CKET-1")).unwrap();
    let renewed = renewed(connection, "Ticket ${token.ticket}", &[]);
    assert_eq!(renewed.renewal.redactor.text("refused: T1CKET-1"), "refused: ***");
}

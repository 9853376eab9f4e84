//! Options that every connection takes, whatever its adapter says: `header NAME`, a header of each request, `page_size`, how its servers are
//! reached (certificates and a proxy), and further values of those that authenticate.
//!
//! They are laid over the adapter's spec: the connection's own spec has them as its headers and as the size of its pages, so that all that
//! works with a spec works with them.

use super::{option_of_credential, AdapterSpec, AuthSpec, Discover, OptionSpec, Secret, TableDef, Template};
use crate::{Error, Result};
use std::collections::BTreeMap;

/// What the name of an option begins with that is a header.
const HEADER: &str = "header ";
/// The option that says how many rows to ask for in one page.
pub const PAGE_SIZE: &str = "page_size";
/// How a connection's servers are reached, of each option its name.
pub mod network {
    /// Authorities that are trusted besides the system's: PEM, or the path of a file.
    pub const CA_CERTIFICATE: &str = "ca_certificate";
    /// The certificate by which the connection shows itself: PEM, or the path of a file.
    pub const CLIENT_CERTIFICATE: &str = "client_certificate";
    /// Its private key.
    pub const CLIENT_KEY: &str = "client_key";
    /// The proxy, or `none`.
    pub const PROXY: &str = "proxy";
}

/// The options of [`network`].
pub const NETWORK_OPTIONS: &[&str] = &[network::CA_CERTIFICATE, network::CLIENT_CERTIFICATE, network::CLIENT_KEY, network::PROXY];
/// Those whose value may be shown: certificates are public, and so are paths.
const OPEN_OPTIONS: &[&str] = &[PAGE_SIZE, network::CA_CERTIFICATE, network::CLIENT_CERTIFICATE];
/// The most rows of a page that can be asked for.
const MOST_ROWS: u64 = 1_000_000;
/// Headers that say how a request is sent, which is decided elsewhere.
const TRANSPORT: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Returns the name of the option that sets a header.
pub fn header_option(name: &str) -> String {
    format!("{HEADER}{name}")
}

/// Returns the name of the header that an option sets; `None` when it sets none.
pub fn header_of(option: &str) -> Option<&str> {
    let (word, name) = option.split_at_checked(HEADER.len())?;
    word.eq_ignore_ascii_case(HEADER).then(|| name.trim())
}

impl AdapterSpec {
    /// Returns whether an option is one that every connection takes, and the adapter has none of that name itself.
    pub fn is_own_option(&self, name: &str) -> bool {
        let is_own = || {
            name.eq_ignore_ascii_case(PAGE_SIZE)
                || header_of(name).is_some()
                || network_option(name).is_some()
                || self.further(name).is_some()
        };
        self.option(name).is_none() && is_own()
    }

    /// Returns whether the value of an option is not to be shown. A name that is not known may be a misspelt secret.
    pub fn is_secret_option(&self, name: &str) -> bool {
        match self.option(name) {
            Some(option) => option.secret,
            None => match self.further(name) {
                Some((option, _)) => option.secret,
                None => !OPEN_OPTIONS.iter().any(|open| name.eq_ignore_ascii_case(open)),
            },
        }
    }

    /// Returns the spec of a connection with these options; `None` when none of them is one that every connection takes. Fails when a
    /// header cannot be sent, or is how the adapter authenticates, and when a page cannot have that size.
    pub fn laid_over(&self, given: &BTreeMap<String, Secret>) -> Result<Option<AdapterSpec>> {
        let own: Vec<(&String, &Secret)> = given.iter().filter(|(name, _)| self.is_own_option(name)).collect();
        if own.is_empty() {
            return Ok(None);
        }
        let mut spec = self.clone();
        for (name, value) in own {
            let outcome = match (header_of(name), network_option(name)) {
                (Some(header), _) => spec.set_header(name, header, value),
                // What it says is read when servers are to be reached.
                (None, Some(_)) => Ok(()),
                (None, None) if self.further(name).is_some() => match value.expose().is_empty() {
                    true => Err(Error::config("the value is empty")),
                    false => Ok(()),
                },
                (None, None) => spec.set_page_size(value),
            };
            outcome.map_err(|err| err.within(format!("option '{name}'")))?;
            let is_secret = self.is_secret_option(name);
            let further = self.further(name).map(|(option, number)| option_of_credential(&option.name, number));
            let name = further.unwrap_or_else(|| network_option(name).unwrap_or(name).to_string());
            spec.options.push(OptionSpec { name, description: None, default: None, required: false, secret: is_secret });
        }
        Ok(Some(spec))
    }

    fn set_header(&mut self, option: &str, name: &str, value: &Secret) -> Result<()> {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(Error::config("the name of a header has letters, digits and dashes only"));
        }
        if TRANSPORT.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(Error::config("this header says how a request is sent, and Unify sets it itself"));
        }
        if self.auth.iter().any(|auth| auth.sends_header(name)) {
            let options: Vec<&str> = self.auth.iter().flat_map(AuthSpec::options).map(|option| option.name.as_str()).collect();
            return Err(Error::config(format!(
                "the adapter authenticates by this header; set the options it has for that: {}",
                options.join(", ")
            )));
        }
        if self
            .options
            .iter()
            .any(|other| other.name != option && header_of(&other.name).is_some_and(|other| other.eq_ignore_ascii_case(name)))
        {
            return Err(Error::config("the header is given twice"));
        }
        if !is_header_value(value.expose()) {
            return Err(Error::config("the value holds a character that no HTTP header can, such as a line break or a space at its end"));
        }
        let is_other = |(other, _): &(String, Template)| !other.eq_ignore_ascii_case(name);
        self.headers.retain(is_other);
        for table_def in self.table_defs_mut() {
            table_def.change(&mut |table_def| table_def.headers.retain(is_other));
        }
        self.headers.push((name.to_string(), Template::of_hole(option)));
        Ok(())
    }

    /// Returns all tables, and what stands for the requests of discovery.
    fn table_defs_mut(&mut self) -> impl Iterator<Item = &mut TableDef> {
        self.tables.iter_mut().chain(self.discover.iter_mut().flat_map(Discover::table_defs_mut))
    }

    fn set_page_size(&mut self, value: &Secret) -> Result<()> {
        let size = value.expose().trim().parse().ok().filter(|size| (1..=MOST_ROWS).contains(size));
        let size: u64 = size.ok_or_else(|| Error::config(format!("expected a whole number of rows, from 1 to {MOST_ROWS}")))?;
        let mut is_used = false;
        for table_def in self.table_defs_mut() {
            table_def.change(&mut |table_def| is_used |= table_def.paging.set_page_size(size));
        }
        match is_used {
            true => Ok(()),
            false => {
                Err(Error::config("the adapter has no table whose requests say how many rows a page has ('count_param' in its 'paging')"))
            }
        }
    }
}

/// Returns the name of an option of [`network`], whatever its case.
fn network_option(name: &str) -> Option<&'static str> {
    NETWORK_OPTIONS.iter().find(|option| option.eq_ignore_ascii_case(name)).copied()
}

/// Returns whether a header can have the value: no control characters, and no blanks around it.
pub fn is_header_value(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte) || byte >= 0x80) && text.trim() == text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Paging;
    use expect_test::{expect, Expect};
    use std::sync::Arc;

    const SPEC: &str = "name: shop
base_url: https://api.test
auth: {type: BEARER}
headers: {X-Version: '1', Accept: text/plain}
tables:
  - name: paged
    resource_path: /paged
    headers: {X-Team: nobody}
    paging: {strategy: pageAndCount, page_param: p, count_param: n, page_size: 100}
  - name: fixed
    resource_path: /fixed
    paging: {strategy: pageAndCount, page_param: p, page_size: 30}
";

    fn laid_over(options: &[(&str, &str)]) -> Result<Option<AdapterSpec>> {
        let spec = AdapterSpec::parse("shop.yaml", SPEC)?.unwrap();
        spec.laid_over(&options.iter().map(|(name, value)| (name.to_string(), Secret::new(*value))).collect())
    }

    fn check_error(options: &[(&str, &str)], expected: Expect) {
        expected.assert_eq(&laid_over(options).unwrap_err().to_string());
    }

    #[test]
    fn a_header_takes_the_place_of_those_of_the_spec() {
        let spec = Arc::new(laid_over(&[("header x-team", "data"), ("Header X-VERSION", "2")]).unwrap().unwrap());
        let given = [("header x-team", "data"), ("Header X-VERSION", "2"), ("bearer_token", "t")];
        let given = given.iter().map(|(name, value)| (name.to_string(), Secret::new(*value))).collect();
        let connection = spec.connect("mine", given).unwrap();
        let headers: Vec<String> =
            spec.headers.iter().map(|(name, value)| format!("{name}: {}", connection.fill(value).unwrap())).collect();
        assert_eq!(headers, ["Accept: text/plain", "X-VERSION: 2", "x-team: data"]);
        assert!(spec.table("paged").unwrap().headers.is_empty());
        assert!(spec.is_secret_option("header x-team") && spec.option("header x-team").unwrap().secret);
    }

    #[test]
    fn pages_have_the_size_where_requests_can_say_so() {
        let spec = laid_over(&[("page_size", "7")]).unwrap().unwrap();
        let size = |table: &str| match spec.table(table).unwrap().paging {
            Paging::Counted(ref pages) => pages.size.page_size,
            _ => 0,
        };
        assert_eq!((size("paged"), size("fixed")), (7, 30));
        assert!(!spec.is_secret_option("page_size"));
    }

    #[test]
    fn other_options_change_nothing() {
        assert!(laid_over(&[("bearer_token", "x"), ("headers", "x"), ("header", "x")]).unwrap().is_none());
    }

    #[test]
    fn what_cannot_be_sent_is_refused_without_showing_it() {
        check_error(&[("header X Y", "s3cr3t")], expect!["option 'header X Y': the name of a header has letters, digits and dashes only"]);
        check_error(
            &[("header X-Y", "s3cr3t\nHost: x")],
            expect!["option 'header X-Y': the value holds a character that no HTTP header can, such as a line break or a space at its end"],
        );
        check_error(
            &[("header host", "x")],
            expect!["option 'header host': this header says how a request is sent, and Unify sets it itself"],
        );
        check_error(
            &[("header AUTHORIZATION", "x")],
            expect![
                "option 'header AUTHORIZATION': the adapter authenticates by this header; set the options it has for that: bearer_token"
            ],
        );
        check_error(&[("header X-A", "1"), ("header x-a", "2")], expect!["option 'header x-a': the header is given twice"]);
        for size in ["0", "-1", "many", "1.5", "1000001", ""] {
            check_error(&[("page_size", size)], expect!["option 'page_size': expected a whole number of rows, from 1 to 1000000"]);
        }
    }
}

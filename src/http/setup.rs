//! Look-ups before the first request of a connection.

use super::auth::{secrets_of, token_place};
use super::client::{Answer, ApiClient, PageBody};
use super::kernel::RequestObserver;
use super::known::Holder;
use super::message::{Method, Request};
use super::request::{url_of, ParamSet, Values};
use crate::document::{tree_of, Node};
use crate::source::PageValues;
use crate::spec::{Secret, SetupPlace, SetupStep};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;
use url::Url;

/// Look-ups belong to no table whose log could tell of them.
struct Unobserved;

impl RequestObserver for Unobserved {
    fn started(&self, _: Method, _: &dyn Display) {}
    fn answered(&self, _: u16, _: u64) {}
    fn retried(&self, _: &str, _: Duration) {}
    fn waiting(&self, _: Duration) {}
}

impl ApiClient {
    /// Looks up what requests need, once for all of them. Fails when an answer does not have it.
    pub(super) async fn set_up(&self) -> Result<()> {
        if self.connection().is_set_up() {
            return Ok(());
        }
        let _turn = self.setup_turn.lock().await;
        if self.connection().is_set_up() {
            return Ok(());
        }
        let mut values = BTreeMap::new();
        for step in &self.connection().adapter.setup {
            let request = self.look_up(step).map_err(|err| err.within("a look-up of 'setup'"))?;
            let place = format!("the look-up of 'setup', {}", self.text_of(&request));
            let body = match self.send(&request, false, &Unobserved).await.map_err(|err| err.within("a look-up of 'setup'"))? {
                Answer::Page(body) => body,
                Answer::Refused(err) => return Err(err.within("a look-up of 'setup'")),
                Answer::Empty(said) | Answer::Skipped(said) | Answer::Unchanged(said) | Answer::TooMuch(said) => {
                    return Err(Error::api(format!("a look-up of 'setup': {said}")))
                }
            };
            values.extend(self.captured(step, &body).map_err(|err| err.within(place))?);
            let secrets = values.iter().map(|(name, value)| (name.clone(), Secret::new(value.as_str()))).collect();
            self.redactor().learn_of(Holder::Setup, secrets_of(&secrets));
            self.connection().hold_setup(values.clone());
        }
        Ok(())
    }

    /// Returns the request of a look-up. Where it asks is part of the spec, as a token endpoint is.
    fn look_up(&self, step: &SetupStep) -> Result<Request> {
        let (none, page) = (ParamSet::default(), PageValues::default());
        let values = Values { connection: self.connection(), param_set: &none, page: &page };
        let url: Url = match &step.place {
            SetupPlace::Url(template) => token_place(&values.base_text(template)?, "url")?,
            SetupPlace::Path(path) => url_of(&values.base_text(&self.connection().adapter.base_url)?, &values.path_text(path, &values)?)?,
        };
        let headers = values.headers("application/json", &[], &step.headers, &values)?;
        Ok(Request { has_secrets: true, ..Request::get(url.clone(), url, headers) })
    }

    fn captured(&self, step: &SetupStep, body: &PageBody) -> Result<BTreeMap<String, String>> {
        let document = tree_of(&body.body);
        let mut values = BTreeMap::new();
        for (name, capture) in &step.capture {
            let Some(value) = capture.read_text(document.as_ref().map(Node::of_tree), &body.headers) else {
                let remedy = "check that in the adapter spec, and that the account has one";
                return Err(Error::api(format!("returned {} without '{name}' as 'capture' says: {remedy}", body.status)));
            };
            values.insert(name.clone(), value);
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::sample::{adapter, basic, connection};
    use crate::spec::{AdapterSpec, Template};

    fn base(base_url: &str, found: &str) -> String {
        let spec = AdapterSpec { base_url: Template::parse_path(base_url).unwrap(), ..adapter(basic()) };
        let connection = connection(spec, &[]);
        connection.hold_setup(BTreeMap::from([("dc".to_string(), found.to_string())]));
        let (none, page) = (ParamSet::default(), PageValues::default());
        let values = Values { connection: &connection, param_set: &none, page: &page };
        values.base_text(&connection.adapter.base_url).unwrap_or_else(|err| err.to_string())
    }

    #[test]
    fn what_is_looked_up_is_one_part_of_the_own_host() {
        let own = "https://{setup.dc}.api.test.com/3.0";
        assert_eq!(base(own, "us6"), "https://us6.api.test.com/3.0");
        for found in ["evil.com/", "evil.com", "evil.com#", "a@b", "us6.x", ""] {
            assert!(base(own, found).contains("setup.dc"), "{found}: {}", base(own, found));
        }
    }

    #[test]
    fn another_host_is_one_that_the_spec_lists() {
        let expected = "leads to a host that is not in 'allowed_hosts' of the spec";
        assert_eq!(base("{setup.dc}/v1", "https://files.test"), "https://files.test/v1");
        assert_eq!(base("https://{setup.dc}/v1", "files.test"), "https://files.test/v1");
        assert_eq!(base("https://{setup.dc}.test/v1", "files"), "https://files.test/v1");
        for (base_url, found) in [
            ("{setup.dc}/v1", "https://evil.com"),
            ("{setup.dc}/v1", "http://files.test"),
            ("{setup.dc}/v1", "https://files.test@evil.com"),
            ("https://{setup.dc}/v1", "evil"),
            ("https://{setup.dc}.test/v1", "evil"),
            ("https://x.{setup.dc}", "evil"),
        ] {
            assert!(base(base_url, found).ends_with(expected), "{base_url} {found}: {}", base(base_url, found));
        }
    }

    #[test]
    fn a_path_takes_anything_encoded() {
        assert_eq!(base("https://api.test/ex/{setup.dc}", "a/b?c"), "https://api.test/ex/a%2Fb%3Fc");
        assert!(base("https://api.test/ex/{setup.dc}", "..").contains("setup.dc"));
    }
}

//! Several credentials of one connection: further values of the options that authenticate.
//!
//! The first has the options' own names. The value of `bearer_token` in the second is option `bearer_token 2`; an option without such a value
//! has the same one in all.

use super::{AdapterSpec, AuthSpec, Connection, OptionSpec, Secret, SetupStep, TableDef, Template};
use crate::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};

/// The most credentials of a connection.
const MOST: usize = 100;

/// Returns the name of the option that has the value of `option` in a credential, counted from 1.
pub fn option_of_credential(option: &str, number: usize) -> String {
    match number {
        0 | 1 => option.to_string(),
        number => format!("{option} {number}"),
    }
}

/// Returns the option, and the number of the credential, that an option has a value for; `None` for the first's, and for other options.
pub fn credential_of(option: &str) -> Option<(&str, usize)> {
    let (base, number) = option.trim().rsplit_once(' ')?;
    let number = number.parse().ok().filter(|number| (2..=MOST).contains(number))?;
    Some((base.trim(), number))
}

impl AdapterSpec {
    /// Returns the option that authenticates, and the number of the credential, that an option has a further value for.
    pub(super) fn further(&self, name: &str) -> Option<(&OptionSpec, usize)> {
        let (base, number) = credential_of(name)?;
        let option = self.auth.iter().flat_map(AuthSpec::options).find(|option| option.name.eq_ignore_ascii_case(base))?;
        Some((option, number))
    }

    /// Fails when there are several credentials where only one can be: where a person consents, and when requests have a value of one elsewhere
    /// than where it authenticates.
    pub(super) fn check_credentials(&self, auth: &AuthSpec, given: &BTreeMap<String, Secret>) -> Result<()> {
        let further: Vec<&OptionSpec> = given.keys().filter_map(|name| Some(self.further(name)?.0)).collect();
        for option in &further {
            let name = &option.name;
            if matches!(auth, AuthSpec::OAuth2(oauth2) if oauth2.grant.needs_consent()) {
                return Err(Error::config(format!(
                    "option '{name}' has several values, and a person consents for one; make a connection of each"
                )));
            }
            if auth.has_tokens() && self.needs_token_first() {
                return Err(Error::config(format!(
                    "option '{name}' has several values, and requests have values that come with a token, which are those of one; give it one"
                )));
            }
            if !auth.options().iter().any(|own| own.name == *name) {
                return Err(Error::config(format!("option '{name}' has several values, and the connection does not authenticate by it")));
            }
            if !given.contains_key(name) {
                return Err(Error::config(format!("option '{name}' has a further value, and no first one")));
            }
            if self.stands_elsewhere(name) {
                return Err(Error::config(format!(
                    "option '{name}' has several values, and requests have it elsewhere than where it authenticates; give it one"
                )));
            }
        }
        Ok(())
    }

    /// Returns whether an option stands in requests where it does not authenticate.
    fn stands_elsewhere(&self, option: &str) -> bool {
        let has_it = |template: &Template| template.names().any(|name| name == option);
        has_it(&self.base_url)
            || self.headers.iter().any(|(_, value)| has_it(value))
            || self.setup.iter().flat_map(SetupStep::templates).any(has_it)
            || self.tables.iter().flat_map(TableDef::variants).any(|table_def| {
                let refresh_params = table_def.refresh.updates().map_or(&[][..], |updates| &updates.params);
                let params = table_def.params.iter().chain(refresh_params).flat_map(|param_def| param_def.values.templates());
                table_def.request_templates().into_iter().chain(params).any(has_it)
            })
    }
}

impl Connection {
    /// Returns the connection with each of its credentials alone, the first first; those that are equal once.
    pub fn credentials(&self) -> Vec<Connection> {
        let further: Vec<(&str, usize, &Secret)> = self
            .options
            .values
            .iter()
            .filter_map(|(name, value)| self.adapter.further(name).map(|(option, number)| (option.name.as_str(), number, value)))
            .collect();
        let mut first = self.clone();
        first.options.values.retain(|name, _| self.adapter.further(name).is_none());
        let numbers: BTreeSet<usize> = further.iter().map(|(_, number, _)| *number).collect();
        let mut all = vec![first];
        for number in numbers {
            let mut one = all[0].clone();
            let own = further.iter().filter(|(_, of, _)| *of == number);
            one.options.values.extend(own.map(|(name, _, value)| (name.to_string(), (*value).clone())));
            if !all.iter().any(|other| other.options.values == one.options.values) {
                all.push(one);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn connect(auth: &str, options: &[(&str, &str)]) -> Result<Connection> {
        let spec = format!("name: shop\nbase_url: https://api.test\noptions: {{site: x}}\nauth: {auth}\ntables: [{{name: t, params: {{u: '${{user}}'}}}}]\n");
        let spec = AdapterSpec::parse("shop.yaml", &spec.replace("${user}", if auth.contains("user") { "${user}" } else { "1" }))?.unwrap();
        let given: BTreeMap<String, Secret> = options.iter().map(|(name, value)| (name.to_string(), Secret::new(*value))).collect();
        let spec = Arc::new(spec.laid_over(&given)?.unwrap_or(spec));
        spec.connect("mine", given)
    }

    fn values(auth: &str, options: &[(&str, &str)]) -> String {
        let shown = |connection: Connection| {
            let values = connection.options.values.iter().map(|(name, value)| format!("{name}={}", value.expose()));
            values.collect::<Vec<_>>().join(" ")
        };
        match connect(auth, options) {
            Ok(connection) => connection.credentials().into_iter().map(shown).collect::<Vec<_>>().join(" | "),
            Err(err) => err.to_string(),
        }
    }

    #[test]
    fn each_credential_has_its_own_values() {
        assert_eq!(values("{type: BEARER}", &[("bearer_token", "a")]), "bearer_token=a");
        let three = [("Bearer_Token 3", "c"), ("bearer_token", "a"), ("bearer_token 2", "b"), ("site", "s")];
        assert_eq!(values("{type: BEARER}", &three), "bearer_token=a site=s | bearer_token=b site=s | bearer_token=c site=s");
        let same_name = [("username", "me"), ("password", "a"), ("password 2", "b"), ("password 9", "a")];
        assert_eq!(values("{type: BASIC}", &same_name), "password=a username=me | password=b username=me");
    }

    #[test]
    fn all_of_them_are_secret_and_mistakes_are_told() {
        let connection = connect("{type: BEARER}", &[("bearer_token", "a"), ("bearer_token 2", "b")]).unwrap();
        assert!(connection.adapter.is_secret_option("bearer_token 2"));
        let check = |auth: &str, options: &[(&str, &str)], expected: &str| {
            let said = values(auth, options);
            assert!(said.contains(expected), "{said}");
        };
        check("{type: BEARER}", &[("bearer_token", "a"), ("bearer_token 1", "b")], "has no option 'bearer_token 1'");
        check("{type: BEARER}", &[("bearer_token", "a"), ("site", "s"), ("site 2", "t")], "option 'site' takes one value");
        check("{type: BEARER}", &[("bearer_token", "a"), ("bearer_token 2", "")], "option 'bearer_token 2': the value is empty");
        check("{type: BASIC, params: {user: x}}", &[("user", "a"), ("user 2", "b")], "requests have it elsewhere");
        let session = "{type: SESSION, login: {resource_path: /l, form: {p: '${pin}'}, capture: {t: t}}, headers: {X: '${token.t}'}}";
        let two_pins = [("pin", "a"), ("pin 2", "b")];
        assert_eq!(values(session, &two_pins), "pin=a | pin=b");
        check(&format!("{session}\nheaders: {{Y: '${{token.t}}'}}"), &two_pins, "values that come with a token, which are those of one");
        let client = [("client_id", "a"), ("client_secret", "b"), ("client_secret 2", "c")];
        let oauth = "{type: OAUTH2, grant: client_credentials, token_url: 'https://api.test/token'}";
        assert_eq!(values(oauth, &client), "client_id=a client_secret=b | client_id=a client_secret=c");
        let consent = "{type: OAUTH2, grant: device_code, device_url: 'https://api.test/device', token_url: 'https://api.test/token'}";
        check(consent, &client, "option 'client_secret' has several values, and a person consents for one; make a connection of each");
        check("[{type: BEARER}, {type: BASIC}]", &[("bearer_token", "a"), ("password 2", "b")], "does not authenticate by it");
    }
}

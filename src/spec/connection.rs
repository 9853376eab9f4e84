//! Binds an adapter to one account: checks the options, chooses how to authenticate, fills holes with options.

use super::credentials::credential_of;
use super::own_options::{NETWORK_OPTIONS, PAGE_SIZE};
use super::{
    AdapterSpec, AuthSpec, Builtin, Connection, ConnectionOptions, Filled, Layered, OptionSpec, ParamValue, Part, Secret, Sources,
    Template, Tokens,
};
use crate::yaml::nearest;
use crate::{Error, Place, Result};
use std::collections::BTreeMap;
use std::sync::Arc;

impl AdapterSpec {
    /// Returns every option a connection may set, those of `auth` first, each name once.
    pub fn all_options(&self) -> Vec<&OptionSpec> {
        let mut options: Vec<&OptionSpec> = Vec::new();
        for option in self.auth.iter().flat_map(AuthSpec::options).chain(&self.options) {
            if !options.iter().any(|other| other.name.eq_ignore_ascii_case(&option.name)) {
                options.push(option);
            }
        }
        options
    }

    /// Returns the option of that name; names compare without case.
    pub fn option(&self, name: &str) -> Option<&OptionSpec> {
        self.all_options().into_iter().find(|option| option.name.eq_ignore_ascii_case(name))
    }

    /// Returns the names of all options, those of `auth` first.
    pub fn option_names(&self) -> Vec<&str> {
        self.all_options().into_iter().map(|option| option.name.as_str()).collect()
    }

    /// Makes a connection named `name` from the options given. Fails when an option is unknown, missing or empty, naming the
    /// valid ones, and when the base URL they make is not an http URL. Never shows a value.
    pub fn connect(self: &Arc<AdapterSpec>, name: &str, given: BTreeMap<String, Secret>) -> Result<Connection> {
        let connect = || {
            let options = self.complete(given)?;
            let connection = Connection { name: name.to_string(), adapter: Arc::clone(self), options, tokens: Tokens::default() };
            connection.check_base_url()?;
            Ok(connection)
        };
        connect().map_err(|err: Error| err.at(Place::connection(name)))
    }

    /// Fails when one of the options given is unknown, or one is missing or empty: all that [`AdapterSpec::connect`] checks but for
    /// the base URL.
    pub fn check_options(self: &Arc<AdapterSpec>, given: BTreeMap<String, Secret>) -> Result<()> {
        self.complete(given).map(|_| ())
    }

    fn complete(&self, given: BTreeMap<String, Secret>) -> Result<ConnectionOptions> {
        let given = self.with_own_names(given)?;
        let auth = self.choose_auth(&given)?;
        if let Some(auth) = self.auth.get(auth) {
            self.check_credentials(auth, &given)?;
        }
        let values = self.with_defaults(given, auth)?;
        Ok(ConnectionOptions { values, auth })
    }

    /// Returns the options under the names the spec has. Fails on a name it does not have.
    fn with_own_names(&self, given: BTreeMap<String, Secret>) -> Result<BTreeMap<String, Secret>> {
        let mut values = BTreeMap::new();
        for (name, value) in given {
            let Some(option) = self.option(&name) else {
                if let Some(option) = credential_of(&name).and_then(|(base, _)| self.option(base)) {
                    let why = "only those that authenticate take several, one for each credential";
                    return Err(Error::config(format!("option '{}' takes one value: {why}", option.name)));
                }
                let names = self.option_names();
                let known = names.iter().copied().chain([PAGE_SIZE]).chain(NETWORK_OPTIONS.iter().copied());
                let hint = match name.to_ascii_lowercase().as_str() {
                    "header" | "headers" => {
                        " (did you mean header \"NAME\" 'value', in the connections file 'header NAME: value'?)".to_string()
                    }
                    _ => nearest(&name, known).map_or(String::new(), |near| format!(" (did you mean '{near}'?)")),
                };
                let valid = if names.is_empty() { "it has none".to_string() } else { format!("its options are {}", names.join(", ")) };
                return Err(Error::config(format!("adapter '{}' has no option '{name}'{hint}; {valid}", self.name)));
            };
            values.insert(option.name.clone(), value);
        }
        Ok(values)
    }

    /// Returns the first alternative whose required options are all given.
    fn choose_auth(&self, given: &BTreeMap<String, Secret>) -> Result<usize> {
        let is_supplied = |auth: &AuthSpec| auth.options().iter().all(|option| !option.required || given.contains_key(&option.name));
        let given_auth_option = self.auth.iter().flat_map(AuthSpec::options).find(|option| given.contains_key(&option.name));
        let chosen = self.auth.iter().position(|auth| is_supplied(auth) && (*auth != AuthSpec::None || given_auth_option.is_none()));
        if let Some(idx) = chosen {
            return Ok(idx);
        }
        let ways: Vec<String> = self.auth.iter().filter_map(|auth| missing_of(auth, given)).collect();
        Err(Error::config(format!("adapter '{}' needs {}", self.name, ways.join(", or "))))
    }

    /// Adds defaults. Fails when a required option outside `auth` is missing, or one of the chosen auth is empty.
    fn with_defaults(&self, given: BTreeMap<String, Secret>, auth: usize) -> Result<BTreeMap<String, Secret>> {
        let mut values = given;
        let auth_spec = self.auth.get(auth).ok_or_else(|| Error::internal("the spec has no auth"))?;
        let auth_options = auth_spec.options();
        for option in auth_options.iter().copied().chain(&self.options) {
            if let (None, Some(default)) = (values.get(&option.name), &option.default) {
                values.insert(option.name.clone(), Secret::new(default));
            }
        }
        // Paths begin with a slash, so the base they are put behind has none.
        if let Some(Part::Hole(hole)) = self.base_url.parts().first() {
            if let Some(base) = values.get_mut(&hole.name) {
                *base = Secret::new(base.expose().trim().trim_end_matches('/'));
            }
        }
        let missing: Vec<String> =
            self.options.iter().filter(|option| option.required && !values.contains_key(&option.name)).map(described).collect();
        if !missing.is_empty() {
            return Err(Error::config(format!("adapter '{}' needs {}", self.name, missing.join(" and "))));
        }
        let may_be_empty = match auth_spec {
            AuthSpec::Basic { password, .. } => Some(password.name.as_str()),
            _ => None,
        };
        for option in auth_options {
            let is_empty = values.get(&option.name).is_some_and(|value| value.expose().is_empty());
            if is_empty && option.required && may_be_empty != Some(option.name.as_str()) {
                return Err(Error::config(format!("option {} is empty", described(option))));
            }
        }
        Ok(values)
    }
}

/// Returns what an alternative still needs: `option 'a' (its description) and option 'b'`.
fn missing_of(auth: &AuthSpec, given: &BTreeMap<String, Secret>) -> Option<String> {
    let missing: Vec<String> = auth
        .options()
        .into_iter()
        .filter(|option| option.required && !given.contains_key(&option.name))
        .map(|option| format!("option {}", described(option)))
        .collect();
    (!missing.is_empty()).then(|| missing.join(" and "))
}

fn described(option: &OptionSpec) -> String {
    match &option.description {
        Some(description) => format!("'{}' ({})", option.name, description.trim().trim_end_matches('.')),
        None => format!("'{}'", option.name),
    }
}

impl Connection {
    /// Returns the way this connection authenticates.
    pub fn auth(&self) -> &AuthSpec {
        &self.adapter.auth[self.options.auth]
    }

    /// Returns an option's value, default included.
    pub fn option(&self, name: &str) -> Option<&Secret> {
        self.options.values.get(name)
    }

    /// Fills a template's holes with options. Fails, naming the hole, when an option has no value. The result may hold secrets.
    pub fn fill(&self, template: &Template) -> Result<String> {
        template.render(self)
    }

    /// Returns a param's value with its holes filled from `sources`, and else from options. A text that is nothing but a hole without a
    /// value is null: the param is left out. Holes for what tells pages apart, and for tokens, stay.
    pub fn resolve(&self, value: &ParamValue, sources: &dyn Sources) -> Result<ParamValue> {
        let template = match value {
            ParamValue::Template(template) => template,
            ParamValue::Many { values, form } => {
                let mut values = values.iter().map(|value| self.resolve(value, sources)).collect::<Result<Vec<_>>>()?;
                values.retain(|value| *value != ParamValue::Null);
                return Ok(ParamValue::Many { values, form: *form });
            }
            value => return Ok(value.clone()),
        };
        let sources = Layered(sources, self);
        // A token lasts for less than a load, and is nothing to keep: the request has it.
        let stays = |name: &str| matches!(Builtin::named(name), Some(Builtin::Page | Builtin::Token | Builtin::Setup | Builtin::Job));
        if template.names().any(stays) {
            return template.partly_filled(&sources, stays).map(ParamValue::Template);
        }
        if template.is_raw() {
            return Ok(template.text(&sources)?.map_or(ParamValue::Null, ParamValue::Raw));
        }
        match template.value(&sources)? {
            Some(value) => ParamValue::of_filled(&value, &sources.date_format()),
            None => Ok(ParamValue::Null),
        }
    }
}

impl Sources for Connection {
    fn value_of(&self, name: &str) -> Option<Filled> {
        self.text_of_hole(name).map(Filled::text)
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;

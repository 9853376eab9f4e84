//! What requests carry of a server's answer: the headers that its values fill.

use crate::spec::{is_header_value, Connection, Filled, Layered, Secret, Sources, Template, TOKEN_HOLE};
use std::collections::BTreeMap;

/// The headers that carry tokens, and the connection whose options fill the rest of them.
#[derive(Clone, Copy)]
pub struct Carried<'a> {
    pub headers: &'a [(String, Template)],
    pub connection: &'a Connection,
}

/// Why the headers cannot carry what an answer gives.
#[derive(Debug, PartialEq, Eq)]
pub enum Lack {
    /// The answer does not have a value of this name.
    Missing(String),
    /// It has values that cannot be sent; what they are, in words.
    Worthless(String),
}

impl<'a> Carried<'a> {
    /// Returns the names of the values that the headers need.
    pub fn names(self) -> impl Iterator<Item = &'a str> {
        self.headers.iter().flat_map(|(_, value)| value.names()).filter_map(|hole| hole.strip_prefix(TOKEN_HOLE))
    }

    /// Returns the values that the headers carry: each gives access, whatever its name.
    pub fn secrets(self, values: &BTreeMap<String, Secret>) -> impl Iterator<Item = String> + use<'a, '_> {
        self.names().filter_map(|name| values.get(name)).map(|value| value.expose().to_string())
    }

    /// Returns why the headers cannot carry these values; `None` when they can.
    pub fn lack(self, values: &BTreeMap<String, Secret>) -> Option<Lack> {
        if let Some(name) = self.names().find(|name| !values.contains_key(*name)) {
            return Some(Lack::Missing(name.to_string()));
        }
        if let Some(name) = self.names().find(|name| values.get(*name).is_some_and(|value| value.expose().trim().is_empty())) {
            return Some(Lack::Worthless(format!("an empty '{name}'")));
        }
        // An option that is missing is told when a request is made.
        let filled = |value: &Template| value.render(&Layered(&Given(values), self.connection)).ok();
        let unfit = self.headers.iter().find(|(_, value)| filled(value).is_some_and(|text| !is_header_value(&text)));
        unfit.map(|(name, _)| {
            Lack::Worthless(format!("a token that header '{name}' cannot hold: it has a line break, or a blank at its end"))
        })
    }
}

/// Fills holes with the values of an answer.
struct Given<'a>(&'a BTreeMap<String, Secret>);

impl Sources for Given<'_> {
    fn value_of(&self, name: &str) -> Option<Filled> {
        self.0.get(name.strip_prefix(TOKEN_HOLE)?).map(|value| Filled::text(value.expose()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::sample::{adapter, basic, connection};

    #[test]
    fn what_no_request_can_carry_is_told() {
        let check = |values: &[(&str, &str)], expected: Option<Lack>| {
            let headers = [("Authorization", "Bearer ${token.access_token}"), ("X-Id", "<${token.id | base64}>")];
            let headers = headers.map(|(name, value)| (name.to_string(), Template::parse_value(value).unwrap()));
            let connection = connection(adapter(basic()), &[]);
            let values = values.iter().map(|(name, value)| (name.to_string(), Secret::new(*value))).collect();
            assert_eq!(Carried { headers: &headers, connection: &connection }.lack(&values), expected, "{values:?}");
        };
        let worthless = |what: &str| Some(Lack::Worthless(what.to_string()));
        check(&[("access_token", "a"), ("id", "b\n")], None);
        check(&[("access_token", "a")], Some(Lack::Missing("id".to_string())));
        check(&[("access_token", ""), ("id", "b")], worthless("an empty 'access_token'"));
        check(&[("access_token", "a"), ("id", " \n")], worthless("an empty 'id'"));
        let unfit = "a token that header 'Authorization' cannot hold: it has a line break, or a blank at its end";
        check(&[("access_token", "a\nb"), ("id", "b")], worthless(unfit));
        check(&[("access_token", "a "), ("id", "b")], worthless(unfit));
    }
}

//! A connection for the tests of this layer.

use crate::spec::{AdapterSpec, AuthSpec, Connection, ConnectionOptions, OptionSpec, Paging, Secret, TableDef, Template, Tokens};
use std::sync::Arc;

pub(super) fn option(name: &str, secret: bool) -> OptionSpec {
    OptionSpec { name: name.to_string(), description: None, default: None, required: true, secret }
}

pub(super) fn basic() -> AuthSpec {
    AuthSpec::Basic { username: option("username", false), password: option("password", true) }
}

/// Returns an adapter at `https://api.test/v1` without tables.
pub(super) fn adapter(auth: AuthSpec) -> AdapterSpec {
    AdapterSpec {
        allowed_hosts: vec!["files.test".to_string()],
        auth: vec![auth],
        options: vec![option("site", false)],
        tables: Vec::new(),
        ..crate::spec::tests::spec("https://api.test/v1", "resource_path: /t")
    }
}

/// Returns a connection with these options.
pub(super) fn connection(adapter: AdapterSpec, options: &[(&str, &str)]) -> Connection {
    let values = options.iter().map(|(name, value)| (name.to_string(), Secret::new(*value))).collect();
    Connection {
        name: "c".to_string(),
        adapter: Arc::new(adapter),
        options: ConnectionOptions { values, auth: 0 },
        tokens: Tokens::default(),
    }
}

/// Returns a table at that path.
pub(super) fn table(path: &str, paging: Paging) -> TableDef {
    TableDef { path: Template::parse_path(path).unwrap_or_default(), paging, ..crate::spec::tests::table("resource_path: /t") }
}

//! A connection for the tests of this layer.

use crate::spec::{
    AdapterSpec, AuthSpec, Connection, ConnectionOptions, Nested, OptionSpec, Paging, RefreshStrategy, RetrySpec, Secret, TableDef,
    Template, Throttle,
};
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
        name: "sample".to_string(),
        description: None,
        help: None,
        version: None,
        source: "(test)".to_string(),
        base_url: Template::parse_path("https://api.test/v1"),
        allowed_hosts: vec!["files.test".to_string()],
        auth: vec![auth],
        options: vec![option("site", false)],
        headers: Vec::new(),
        throttle: Throttle::default(),
        retry: RetrySpec::default(),
        errors: Vec::new(),
        tables: Vec::new(),
        views: Vec::new(),
    }
}

/// Returns a connection with these options.
pub(super) fn connection(adapter: AdapterSpec, options: &[(&str, &str)]) -> Connection {
    let values = options.iter().map(|(name, value)| (name.to_string(), Secret::new(*value))).collect();
    Connection { name: "c".to_string(), adapter: Arc::new(adapter), options: ConnectionOptions { values, auth: 0 } }
}

/// Returns a table at that path.
pub(super) fn table(path: &str, paging: Paging) -> TableDef {
    TableDef {
        name: "t".to_string(),
        description: None,
        path: Template::parse_path(path),
        headers: Vec::new(),
        params: Vec::new(),
        paging,
        result_body_path: Vec::new(),
        result_object_path: None,
        result_meta_paths: Vec::new(),
        copy_params_to_output: Vec::new(),
        select: Vec::new(),
        strip_prefixes: Vec::new(),
        columns: Vec::new(),
        only_columns: false,
        key_columns: Vec::new(),
        refresh: RefreshStrategy::Reload,
        max_staleness: None,
        nested: Nested::Flatten,
        write: None,
    }
}

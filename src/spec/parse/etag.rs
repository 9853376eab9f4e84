//! Reads `etag`: whether a refresh asks for a table only if it changed.

use super::Fields;
use crate::source::Paging;
use crate::spec::{Builtin, Method, ParamDef, RefreshStrategy, TableDef};

/// Returns whether refreshes send the ETag of the table's answer. One that the spec has for all tables is for those that have one answer.
pub(super) fn has_etag(fields: &Fields<'_>, spec: &Fields<'_>, table_def: &TableDef) -> bool {
    let own = fields.boolean("etag");
    let obstacle = obstacle(table_def);
    if let (Some(true), Some(obstacle), Some(node)) = (own, obstacle, fields.get("etag")) {
        let message = format!("'etag' of {} is true, but {obstacle}; leave it out", fields.place());
        fields.mistakes().at(node, message);
    }
    own.or_else(|| spec.boolean("etag")).unwrap_or(false) && obstacle.is_none()
}

/// Returns why the ETag of one answer does not tell whether the whole table changed.
fn obstacle(table_def: &TableDef) -> Option<&'static str> {
    let names_now = || table_def.hole_names().into_iter().any(|name| Builtin::named(name) == Some(Builtin::Now));
    if table_def.refresh != RefreshStrategy::Reload {
        Some("the refresh is by updates, which are asked for since a moment or a token")
    } else if table_def.paging != Paging::None {
        Some("the table has pages, each with an ETag of its own")
    } else if table_def.params.iter().any(ParamDef::varies) {
        Some("the table is loaded by several calls, each with an ETag of its own")
    } else if table_def.request.method != Method::Get {
        Some("it is not asked for by GET, and only answers to GET have an ETag")
    } else if names_now() {
        Some("the time is in its request, so that each is another one")
    } else {
        None
    }
}

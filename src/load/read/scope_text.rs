//! What a refresh would ask for, in words.

use crate::columns::timestamp_text;
use crate::load::read::estimate::{duration_text, Kind};
use crate::load::records::store::Loaded;
use crate::spec::TableDef;

/// Returns what the calls of a table ask for.
pub fn scope_text(table_def: &TableDef, kind: Kind, is_loaded: bool, loaded: Option<&Loaded>) -> String {
    let updates = table_def.refresh.updates();
    match (kind, updates) {
        (Kind::Everything, _) if !is_loaded => "not loaded: everything is asked for".to_string(),
        (Kind::Everything, None) => "everything is asked for anew".to_string(),
        (Kind::Everything, Some(_)) if loaded.is_none() => "its spec changed since it was loaded: everything is asked for anew".to_string(),
        (Kind::Everything, Some(_)) if loaded.is_some_and(|loaded| loaded.is_lacking) => {
            "rows may be missing since its last load: everything is asked for anew".to_string()
        }
        (Kind::Everything, Some(_)) => "nothing to go on from: everything is asked for anew".to_string(),
        (Kind::Updates, Some(updates)) => match &updates.cursor {
            Some(cursor) => {
                let param = cursor.param.as_ref().map_or(String::new(), |param| format!(", in param '{param}'"));
                format!("what changed since the greatest '{}'{param}", cursor.column)
            }
            None => {
                let lookback = i64::try_from(updates.lookback.as_micros()).unwrap_or(i64::MAX);
                let since = loaded.and_then(|loaded| loaded.started).map(|started| timestamp_text(started.saturating_sub(lookback)));
                let overwrite = updates.overwrite.as_ref();
                let overwrite = overwrite.map_or(String::new(), |column| format!("; rows of those windows, by '{column}', are replaced"));
                format!(
                    "what changed since {}, {} before its last load{overwrite}",
                    since.unwrap_or_default(),
                    duration_text(updates.lookback.as_secs())
                )
            }
        },
        (Kind::Updates, None) => String::new(),
    }
}

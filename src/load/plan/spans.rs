//! The spans of a column that a refresh asks for anew: where the windows of its parameter sets lie.

use crate::http::ParamSet;
use crate::load::plan::scope::varying_params;
use crate::spec::{Scale, TableDef};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The spans of a column, of which a refresh brings all rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spans {
    pub column: String,
    /// The params that tell the table's calls apart.
    pub params: Vec<String>,
    pub spans: Vec<Span>,
}

/// A span: `end` is not part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub scale: Scale,
    pub start: i64,
    pub end: i64,
    /// The values of the params in each call that asks for it.
    pub calls: Vec<Vec<String>>,
}

/// Returns the spans that the sets of a refresh ask for; `None` where the table's rows are not replaced by spans. A set in `left_out` brings no
/// rows, or not all.
pub fn spans_of(table_def: &TableDef, sets: &[ParamSet], left_out: &HashSet<usize>) -> Option<Spans> {
    let updates = table_def.refresh.updates()?;
    let column = updates.overwrite.clone()?;
    let params = varying_params(table_def, updates);
    let mut of_calls: BTreeMap<Vec<String>, Vec<(Scale, i64, i64)>> = BTreeMap::new();
    for (_, set) in sets.iter().enumerate().filter(|(number, _)| !left_out.contains(number)) {
        let text_of = |name: &String| set.value(name)?.to_text();
        let call = params.iter().map(text_of).collect::<Option<Vec<String>>>();
        let Some((call, window)) = call.zip(set.window.as_ref().map(|windowed| windowed.window)) else { continue };
        let spans = of_calls.entry(call).or_default();
        match spans.last_mut() {
            // The next window of the same call.
            Some((scale, _, end)) if *scale == window.scale() && *end == window.start => *end = window.end,
            _ => spans.push((window.scale(), window.start, window.end)),
        }
    }
    let mut by_bounds: HashMap<(Scale, i64, i64), Vec<Vec<String>>> = HashMap::new();
    for (call, bounds) in of_calls {
        bounds.into_iter().for_each(|bounds| by_bounds.entry(bounds).or_default().push(call.clone()));
    }
    let mut spans: Vec<Span> = by_bounds.into_iter().map(|((scale, start, end), calls)| Span { scale, start, end, calls }).collect();
    spans.sort_by(|a, b| (a.start, a.end, &a.calls).cmp(&(b.start, b.end, &b.calls)));
    Some(Spans { column, params, spans }).filter(|spans| !spans.spans.is_empty())
}

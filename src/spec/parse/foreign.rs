//! Holes as other tools write them, such as `{{ next_page_token }}`, and what to write instead. Unify would send them as they are.

use crate::spec::Builtin;

/// Names that other tools have for what is in the page's holes, without their lines and capitals.
const PAGE_NAMES: &[(&str, &[&str])] = &[
    (
        "page.token",
        &[
            "nextpagetoken",
            "nexttoken",
            "pagetoken",
            "cursor",
            "nextcursor",
            "nextpagecursor",
            "pagecursor",
            "endcursor",
            "continuationtoken",
            "paginationtoken",
            "pagingtoken",
            "startingafter",
            "nextpage",
            "nextmarker",
            "marker",
            "scrollid",
        ],
    ),
    ("page.number", &["page", "pagenumber", "pageindex", "pageno", "pagenum", "currentpage", "nextpagenumber"]),
    ("page.offset", &["offset", "skip", "startat", "startindex", "startrow", "startposition", "nextoffset", "pageoffset"]),
    (
        "page.size",
        &["limit", "pagesize", "perpage", "maxresults", "maxperpage", "pagelimit", "resultsperpage", "itemsperpage", "batchsize", "top"],
    ),
];
/// Names of the moment or value that a refresh goes on from.
const SINCE_NAMES: &[&str] = &[
    "replicationkeyvalue",
    "startingreplicationkeyvalue",
    "startingtimestamp",
    "bookmark",
    "watermark",
    "highwatermark",
    "lastsync",
    "lastsynctime",
    "lastrun",
    "lastupdated",
    "updatedsince",
    "updatedafter",
    "modifiedsince",
];
const NOW_NAMES: &[&str] = &["now_utc", "now", "utcnow"];
const TODAY_NAMES: &[&str] = &["today_utc", "today", "today_with_timezone"];
/// What stands before the name of a setting.
const SETTINGS: &[&str] =
    &["config", "settings", "options", "inputs", "env", "secrets", "credentials", "connection", "vars", "var", "params", "parameters"];
/// What stands before the name of a column of a parent's row.
const PARENTS: &[&str] = &["stream_partition", "stream_slice", "partition", "partition_key", "parent", "parent_record", "context"];
/// What stands before a bound of a window.
const INTERVALS: &[&str] = &["stream_interval", "stream_slice"];
/// Words with which templates of another kind begin, which an API may take.
const STATEMENTS: &[&str] = &["if", "else", "end", "range", "with", "define", "template", "block", "each", "printf", "upper", "lower"];

/// Where a text stands, which says what a hole is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    Path,
    Header,
    Param,
    Body,
}

/// What fills holes in a table, or in a whole spec.
pub(super) struct Known<'a> {
    pub params: Vec<&'a str>,
    pub options: Vec<&'a str>,
}

/// Returns what is said of the first hole in a text that another tool would fill.
pub(super) fn found_in(text: &str, stands: Stands, known: &Known<'_>) -> Option<String> {
    if let Some((written, inside)) = double_brace(text).filter(|(written, _)| !written.starts_with('$')) {
        return Some(told(written, &instead_of(inside, stands == Stands::Path, known)));
    }
    if stands == Stands::Path {
        let (written, name) = part_of_path(text)?;
        return Some(told(written, &instead_of(name, true, known)));
    }
    let name = single_brace(text, stands, known)?;
    let instead = instead_of(name, false, known);
    Some(format!("has '{{{name}}}', which is a hole in paths alone and would be sent as it is; {instead}"))
}

fn told(written: &str, instead: &str) -> String {
    format!("has '{written}', which is how other tools write a hole (placeholder) and would be sent as it is; {instead}")
}

/// Returns what is said of a text that holds `${{ name }}`.
pub(super) fn double_brace_with_dollar(text: &str) -> Option<String> {
    let (written, inside) = double_brace(text).filter(|(written, _)| written.starts_with('$'))?;
    Some(told(written, &instead_of(inside, false, &Known { params: Vec::new(), options: Vec::new() })))
}

/// Returns the first `{{ expression }}` of a text, with a dollar sign before it, and its expression.
fn double_brace(text: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    while let Some(at) = text[from..].find("{{").map(|at| from + at) {
        let end = at + 2 + text[at + 2..].find("}}")?;
        let inside = text[at + 2..end].trim();
        if is_expression(inside) {
            let begin = if text[..at].ends_with('$') { at - 1 } else { at };
            return Some((&text[begin..end + 2], inside));
        }
        from = at + 2;
    }
    None
}

/// Returns whether a text begins with a name, and is not of a template that the API itself may take: `.field`, `if .field`.
fn is_expression(text: &str) -> bool {
    let first = text.strip_prefix('$').unwrap_or(text);
    let word: &str = first.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
    let begins = word.starts_with(|c: char| c.is_alphabetic() || c == '_') && !word.starts_with("__");
    begins && !STATEMENTS.contains(&word) && !text.contains(" .") && !text.contains(['{', '\n'])
}

/// Returns the first part of a path that is a hole for others, `:id` or `<id>`, and its name.
fn part_of_path(path: &str) -> Option<(&str, &str)> {
    let path = path.split('?').next().unwrap_or(path);
    path.split(['/', ' ']).find_map(|part| {
        let inside = part.strip_prefix('<').and_then(|part| part.strip_suffix('>'));
        let name = inside.map(|inside| inside.rsplit(':').next().unwrap_or(inside)).or_else(|| part.strip_prefix(':'))?;
        is_word(name).then_some((part, name))
    })
}

/// Returns the name of a hole that only paths have: of `{name}` alone, in a header also inside a text, and in a body where the name is known.
fn single_brace<'t>(text: &'t str, stands: Stands, known: &Known<'_>) -> Option<&'t str> {
    if stands == Stands::Header {
        let holes = text.match_indices('{').filter(|(at, _)| !text[..*at].ends_with('$'));
        return holes.filter_map(|(at, _)| text[at + 1..].split_once('}')).map(|(name, _)| name).find(|name| is_word(name));
    }
    let name = text.trim().strip_prefix('{')?.strip_suffix('}').filter(|name| is_word(name))?;
    let is_ours = known.params.contains(&name) || known.options.contains(&name) || Builtin::NAMES.contains(&name);
    let is_known = is_ours || meant_by(name, false, known).is_some();
    (stands == Stands::Param || is_known).then_some(name)
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_') && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
}

/// Returns what to write instead of an expression of another tool.
fn instead_of(expression: &str, is_path: bool, known: &Known<'_>) -> String {
    let name = name_of(expression);
    let hole = hole(&name, is_path);
    if known.params.contains(&name.as_str()) || Builtin::NAMES.contains(&name.as_str()) && !PAGE_NAMES[0].1.contains(&name.as_str()) {
        return format!("write '{hole}'");
    }
    if known.options.contains(&name.as_str()) {
        return format!("write '{hole}', the option");
    }
    if let Some(meant) = of_function(expression, is_path).or_else(|| meant_by(&name, is_path, known)) {
        return meant;
    }
    match name.rsplit('.').next().filter(|last| is_word(last)) {
        Some(last) => format!("{}, and write '{}'", needed(last), self::hole(last, is_path)),
        None => "write the name of a param or an option, such as '${since}'".to_string(),
    }
}

/// Returns what gives a name a value.
pub(super) fn needed(name: &str) -> String {
    format!("give the table a param '{name}', or declare '{name}' in 'options'")
}

fn hole(name: &str, is_path: bool) -> String {
    let short = is_path && is_word(name);
    if short {
        format!("{{{name}}}")
    } else {
        format!("${{{name}}}")
    }
}

/// Returns the dotted name that an expression begins with: `config['a'] or 'b'` is `config.a`.
fn name_of(expression: &str) -> String {
    let plain = expression.replace(".get(", "[");
    let mut name = String::new();
    let mut is_within = false;
    for c in plain.chars() {
        match c {
            '[' => {
                name.push('.');
                is_within = true;
            }
            ']' | ')' | ',' if is_within => is_within = false,
            '\'' | '"' if is_within => {}
            c if c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | '-') => name.push(c),
            _ => break,
        }
    }
    name
}

/// Returns what a function of other tools, or a variable of theirs, gives.
fn of_function(expression: &str, is_path: bool) -> Option<String> {
    let write = |name: &str| Some(format!("write '{}'", hole(name, is_path)));
    let (name, arguments) = expression.split_once('(').unwrap_or((expression, ""));
    let days = || arguments.split([',', ')']).next().and_then(|days| days.trim().parse::<i64>().ok());
    match name.trim() {
        "$timestamp" => write("now | epoch"),
        "$isoTimestamp" => write("now | iso8601"),
        "day_delta" => write(&days().map_or("today-1d".to_string(), |days| format!("today{days:+}d"))),
        name if !arguments.is_empty() && NOW_NAMES.contains(&name) => write("now"),
        name if !arguments.is_empty() && TODAY_NAMES.contains(&name) => write("today"),
        _ => None,
    }
}

/// Returns what to write for a name that other tools have for something that Unify calls otherwise.
pub(super) fn meant_by(name: &str, is_path: bool, known: &Known<'_>) -> Option<String> {
    let folded: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if let Some((ours, _)) = PAGE_NAMES.iter().find(|(_, names)| names.contains(&folded.as_str())) {
        let what = if *ours == "page.token" { " for what leads to the next page" } else { "" };
        return Some(format!("write '{}'{what}", hole(ours, is_path)));
    }
    if SINCE_NAMES.contains(&folded.as_str()) {
        return Some("write '${timestamp}' or '${cursor}' in 'params' of 'refresh'".to_string());
    }
    let (before, rest) = name.split_once('.')?;
    let last = rest.rsplit('.').next().filter(|last| is_word(last))?;
    if INTERVALS.contains(&before) && matches!(last, "start_time" | "end_time") {
        let bound = if last == "start_time" { "window.start" } else { "window.end" };
        return Some(format!("write '{}', with 'window' in the table", hole(bound, is_path)));
    }
    let own = hole(last, is_path);
    if SETTINGS.contains(&before) {
        return Some(match known.options.contains(&last) {
            true => format!("write '{own}', the option"),
            false => format!("declare '{last}' in 'options' and write '{own}'"),
        });
    }
    if PARENTS.contains(&before) {
        return Some(format!("give the table a param '{last}', such as '{last}: sql@(SELECT id FROM parents)', and write '{own}'"));
    }
    let token = hole("page.token", is_path);
    let key = match before {
        "record" | "last_record" => "last_row",
        "response" | "body" => "pager_token_path",
        "headers" => "pager_token_header",
        _ => return None,
    };
    Some(format!("write '{key}: {rest}' in the table's paging and '{token}'"))
}

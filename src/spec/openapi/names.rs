//! Names for what a description has: tables, placeholders and options.

use crate::spec::own_options::PAGE_SIZE;
use crate::spec::{Builtin, FIELDS_HOLE, NETWORK_OPTIONS};

/// Longest name, in letters.
const LONGEST: usize = 100;

/// Returns a name of lower case letters, digits and `_`: `pageToken`, `page[token]` and `page-token` are `page_token`.
pub fn snake(name: &str) -> String {
    let mut snake = String::new();
    let mut before = '_';
    let letters: Vec<char> = name.chars().take(LONGEST * 2).collect();
    for (idx, letter) in letters.iter().copied().enumerate() {
        let begins_word = letter.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || before.is_ascii_digit()
                || before.is_ascii_uppercase() && letters.get(idx + 1).is_some_and(char::is_ascii_lowercase));
        let is_gap = !letter.is_ascii_alphanumeric();
        if (begins_word || is_gap) && !snake.is_empty() && !snake.ends_with('_') {
            snake.push('_');
        }
        if !is_gap {
            snake.push(letter.to_ascii_lowercase());
        }
        before = letter;
    }
    snake.truncate(LONGEST);
    let snake = snake.trim_end_matches('_');
    match snake.chars().next() {
        None => "x".to_string(),
        Some(first) if first.is_ascii_digit() => format!("n{snake}"),
        Some(_) => snake.to_string(),
    }
}

/// Returns the letters and digits of a name in lower case, so that ways of writing it are the same.
pub fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Returns one of what a word means several of: `companies` is `company`.
pub fn singular(word: &str) -> String {
    let ends = |ending: &str| word.len() > ending.len() + 1 && word.ends_with(ending);
    if ends("ies") {
        return format!("{}y", &word[..word.len() - 3]);
    }
    if ["ches", "shes", "xes", "sses"].iter().any(|ending| ends(ending)) {
        return word[..word.len() - 2].to_string();
    }
    let stays = ["ss", "us", "is"].iter().any(|ending| ends(ending));
    match ends("s") && !stays {
        true => word[..word.len() - 1].to_string(),
        false => word.to_string(),
    }
}

/// Returns several of what a word means one of: `country` is `countries`.
pub fn plural(word: &str) -> String {
    let ends = |endings: &[&str]| endings.iter().any(|ending| word.ends_with(ending));
    match word.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u'])) {
        Some(stem) => format!("{stem}ies"),
        None if ends(&["s", "x", "ch", "sh"]) => format!("{word}es"),
        None => format!("{word}s"),
    }
}

/// Returns whether a part of a path says what version of an API it is, and nothing about what is asked for.
pub fn is_version(segment: &str) -> bool {
    let lower = segment.to_ascii_lowercase();
    let digits = lower.strip_prefix('v').unwrap_or(&lower);
    let is_number =
        digits.starts_with(|c: char| c.is_ascii_digit()) && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '_'));
    let is_beta = ["alpha", "beta"].iter().any(|stage| digits.contains(stage)) && digits.starts_with(|c: char| c.is_ascii_digit());
    is_number || is_beta || matches!(lower.as_str(), "api" | "rest" | "odata")
}

/// Returns whether a part of a path has a placeholder.
pub fn is_hole(segment: &str) -> bool {
    segment.contains('{') && segment.contains('}')
}

/// Returns the name between the braces of a part of a path.
pub fn hole_of(segment: &str) -> Option<&str> {
    let (_, rest) = segment.split_once('{')?;
    rest.split_once('}').map(|(name, _)| name)
}

/// Returns the parts of a path between slashes, without `.json` at its end.
pub fn segments(path: &str) -> Vec<&str> {
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".json").unwrap_or(path);
    path.split('/').filter(|segment| !segment.is_empty()).collect()
}

/// Returns a path that is the same for all names of placeholders: `/orgs/{org}/repos` is `orgs/{}/repos`.
pub fn path_key(segments: &[&str]) -> String {
    let keys: Vec<&str> = segments.iter().map(|segment| if is_hole(segment) { "{}" } else { *segment }).collect();
    keys.join("/")
}

/// Returns a name for the table of a path: `/v1/orgs/{org}/repos` is `orgs_repos`, `/users/{id}` is `users_by_id`.
pub fn table_name(path: &str) -> String {
    let segments = segments(path);
    let named = segments.iter().skip_while(|segment| is_version(segment)).filter(|segment| !is_hole(segment));
    let words: Vec<String> = named.map(|segment| snake(segment)).collect();
    let mut name = if words.is_empty() { "root".to_string() } else { words.join("_") };
    if let Some(hole) = segments.last().and_then(|segment| hole_of(segment)) {
        name = format!("{name}_by_{}", snake(hole));
    }
    name.truncate(LONGEST);
    name
}

/// Returns the names that options of a spec do not have: those of holes that a load fills itself, and of options that every connection takes.
pub fn reserved<'a>() -> impl Iterator<Item = &'a str> {
    let names = Builtin::NAMES.into_iter().chain(NETWORK_OPTIONS.iter().copied()).chain([FIELDS_HOLE, PAGE_SIZE]);
    names.map(|name| -> &'a str { name })
}

/// Takes a name that no other has: `name`, `name_2`, ...
pub fn unique(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    if !is_taken(name) {
        return name.to_string();
    }
    let mut number = 2_u32;
    loop {
        let candidate = format!("{name}_{number}");
        if !is_taken(&candidate) {
            return candidate;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_snake_case() {
        let check = |name: &str, expected: &str| assert_eq!(snake(name), expected);
        check("pageToken", "page_token");
        check("page[token]", "page_token");
        check("APIKeyID", "api_key_id");
        check("enterprise-team", "enterprise_team");
        check("2fa", "n2fa");
        check("$top", "top");
        check("é", "x");
    }

    #[test]
    fn tables_are_named_after_their_paths() {
        let check = |path: &str, expected: &str| assert_eq!(table_name(path), expected);
        check("/v1/orgs/{org}/repos", "orgs_repos");
        check("/api/v2.1/users/{id}", "users_by_id");
        check("/2010-04-01/Accounts/{Sid}/Calls.json", "accounts_calls");
        check("/rest/api/3/issue", "issue");
        check("/", "root");
        check("/{x}", "root_by_x");
    }

    #[test]
    fn one_of_several() {
        let check = |word: &str, expected: &str| assert_eq!(singular(word), expected);
        check("companies", "company");
        check("boxes", "box");
        check("invoices", "invoice");
        check("status", "status");
        check("addresses", "address");
        check("s", "s");
    }

    #[test]
    fn several_of_one() {
        let check = |word: &str, expected: &str| assert_eq!(plural(word), expected);
        check("package_type", "package_types");
        check("category", "categories");
        check("bot_class", "bot_classes");
        check("day", "days");
        check("os", "oses");
    }

    proptest! {
        #[test]
        fn a_name_is_a_placeholder(name in ".*") {
            let snake = snake(&name);
            prop_assert!(snake.starts_with(|c: char| c.is_ascii_lowercase()), "{snake}");
            prop_assert!(snake.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'), "{snake}");
        }

        #[test]
        fn any_path_has_a_name(path in ".*", word in "[a-zé]*") {
            prop_assert!(!table_name(&path).is_empty());
            singular(&word);
            path_key(&segments(&path));
        }
    }
}

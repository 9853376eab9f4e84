//! What to say about a name that is not known: the one it was most likely meant to be, or all there are.

use crate::yaml::nearest;

/// Most candidates that are listed.
const MOST: usize = 30;

/// Returns `did you mean 'x'?`, else the candidates after `expected one of`, else `otherwise`: the end of a message.
pub fn hint<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str> + Clone, otherwise: &str) -> String {
    if let Some(near) = nearest(name, candidates.clone()) {
        return format!("did you mean '{near}'?");
    }
    let all: Vec<&str> = candidates.into_iter().collect();
    if all.is_empty() {
        return otherwise.to_string();
    }
    let more = match all.len().saturating_sub(MOST) {
        0 => String::new(),
        n_more => format!(" and {n_more} more"),
    };
    format!("expected one of: {}{more}", all[..all.len().min(MOST)].join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_lists_all_when_none_is_near() {
        assert_eq!(hint("zzz", ["orgs", "repos"], "none"), "expected one of: orgs, repos");
        assert_eq!(hint("org", ["orgs", "repos"], "none"), "did you mean 'orgs'?");
        assert_eq!(hint("org", [], "there is none"), "there is none");
        assert!(hint("zzz", vec!["a"; 33], "none").ends_with(", a, a and 3 more"));
    }
}

//! Which known name a misspelt one was most likely meant to be.

/// Returns the candidate most like `name`, if one is like it at all.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        let likeness = strsim::jaro_winkler(&name, &candidate.to_lowercase());
        if likeness > 0.8 && best.is_none_or(|(most, _)| likeness > most) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Returns `did you mean 'x'?`, or all candidates after `expected one of`, for the end of a message.
pub fn hint<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str> + Clone, otherwise: &str) -> String {
    if let Some(near) = nearest(name, candidates.clone()) {
        return format!("did you mean '{near}'?");
    }
    let all: Vec<&str> = candidates.into_iter().collect();
    if all.is_empty() {
        return otherwise.to_string();
    }
    format!("expected one of: {}", all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_finds_its_neighbour() {
        assert_eq!(nearest("repo", ["orgs", "repos", "pulls"]), Some("repos"));
        assert_eq!(nearest("REPOS", ["orgs", "repos"]), Some("repos"));
        assert_eq!(nearest("zzz", ["orgs", "repos"]), None);
    }

    #[test]
    fn a_hint_lists_all_when_none_is_near() {
        assert_eq!(hint("zzz", ["orgs", "repos"], "none"), "expected one of: orgs, repos");
        assert_eq!(hint("org", ["orgs", "repos"], "none"), "did you mean 'orgs'?");
        assert_eq!(hint("org", [], "there is none"), "there is none");
    }
}

//! Which of several names one was meant to be. Finding it costs no more than a bound, however many and long the names are.

use std::cell::Cell;

/// Longest name, in letters, that is compared.
const LONGEST: usize = 128;
/// How many pairs of letters are compared for one file or message: some tens of milliseconds.
const MOST_PAIRS: usize = 1 << 24;
/// How many times as long a name may be as one that is like it: beyond that the likeness is too small whatever the letters.
const LENGTHS: usize = 10;

/// Returns in how many letters two names differ, whatever their case, when those are at most `most`.
pub fn edits(name: &str, meant: &str, most: usize) -> Option<usize> {
    let (n_name, n_meant) = (n_letters(name)?, n_letters(meant)?);
    if n_name.abs_diff(n_meant) > most {
        return None;
    }
    Some(strsim::osa_distance(&name.to_lowercase(), &meant.to_lowercase())).filter(|n_edits| *n_edits <= most)
}

/// Returns in how many letters two names differ, whatever their case, when so few that one may be meant for the other: one, or two in names of
/// more than four letters, and none in those of a single one.
pub fn slips(name: &str, meant: &str) -> Option<usize> {
    let most = match n_letters(name)?.min(n_letters(meant)?) {
        0 | 1 => 0,
        2..=4 => 1,
        _ => 2,
    };
    edits(name, meant, most)
}

/// Finds the names that were meant, for all wrong names of one file or message: all together cost no more than a bound.
#[derive(Debug)]
pub struct Suggestions {
    n_pairs_left: Cell<usize>,
}

impl Default for Suggestions {
    fn default() -> Suggestions {
        Suggestions { n_pairs_left: Cell::new(MOST_PAIRS) }
    }
}

impl Suggestions {
    /// Returns the one of `valid` that is most like `name`, if any is like it at all; `None`, too, once as much is compared as may be.
    pub fn nearest<'a>(&self, name: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        let n_name = n_letters(name)?;
        let name = name.to_lowercase();
        let mut best: Option<(f64, &str)> = None;
        for candidate in valid {
            let n_candidate = n_letters(candidate).filter(|n_candidate| n_name <= n_candidate * LENGTHS);
            let n_pairs = n_candidate.map_or(1, |n_candidate| 1 + n_name * n_candidate);
            let n_pairs_left = self.n_pairs_left.get().checked_sub(n_pairs);
            self.n_pairs_left.set(n_pairs_left.unwrap_or(0));
            n_pairs_left?;
            if n_candidate.is_none() {
                continue;
            }
            let likeness = strsim::jaro_winkler(&name, &candidate.to_lowercase());
            if likeness > 0.8 && best.is_none_or(|(most, _)| likeness > most) {
                best = Some((likeness, candidate));
            }
        }
        best.map(|(_, candidate)| candidate)
    }

    /// Returns `did you mean 'x'?` with the nearest name after `before`; nothing when none is like it.
    pub fn hint<'a>(&self, before: &str, name: &str, valid: impl IntoIterator<Item = &'a str>) -> String {
        self.nearest(name, valid).map_or(String::new(), |near| format!("{before}did you mean '{near}'?"))
    }

    /// Returns what to write instead of `name`: `did you mean 'x'?`, or all that is valid.
    pub fn suggestion(&self, name: &str, valid: &[&str]) -> String {
        match self.nearest(name, valid.iter().copied()) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("expected one of: {}", valid.join(", ")),
        }
    }
}

/// Returns the one of `valid` that is most like `name`, if any is like it at all. For the one wrong name of a message.
pub fn nearest<'a>(name: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    Suggestions::default().nearest(name, valid)
}

/// Returns how many letters a name has; `None` for one that is too long to be compared.
fn n_letters(name: &str) -> Option<usize> {
    // A letter has four bytes at most.
    (name.len() <= LONGEST * 4).then(|| name.chars().count()).filter(|n_letters| *n_letters <= LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_slip_is_one_letter_or_two_in_longer_names() {
        let check = |name: &str, meant: &str, expected: Option<usize>| assert_eq!(slips(name, meant), expected, "{name} {meant}");
        check("hm", "hn", Some(1));
        check("hx", "yn", None);
        check("HN", "hn", Some(0));
        check("gihtub", "github", Some(1));
        check("gitub2", "github", Some(2));
        check("shops", "shop", Some(1));
        check("shopper", "shop", None);
        check("", "a", None);
        check("b", "a", None);
        check("A", "a", Some(0));
        check(&"a".repeat(100_000), &"a".repeat(100_001), None);
    }

    #[test]
    fn names_that_are_too_long_are_not_compared() {
        let candidates: Vec<String> = (0..5_000).map(|idx| format!("aaaa{idx}")).collect();
        let suggestions = Suggestions::default();
        assert_eq!(suggestions.nearest(&"a".repeat(100_000), candidates.iter().map(String::as_str)), None);
        assert_eq!(suggestions.n_pairs_left.get(), MOST_PAIRS);
        assert_eq!(suggestions.nearest("aaaa", [&*"a".repeat(100_000), "aaab"]), Some("aaab"));
        assert_eq!(suggestions.n_pairs_left.get(), MOST_PAIRS - 1 - 17);
    }

    #[test]
    fn all_wrong_names_together_compare_no_more_than_the_bound() {
        let candidates: Vec<String> = (0..5_000).map(|idx| format!("orders_of_the_year_{idx:04}")).collect();
        let suggestions = Suggestions::default();
        let n_compared = Cell::new(0);
        let counted = || candidates.iter().map(String::as_str).inspect(|_| n_compared.set(n_compared.get() + 1));
        let hints: Vec<bool> =
            (0..5_000).map(|idx| suggestions.nearest(&format!("ordres_of_the_year_{idx:04}"), counted()).is_some()).collect();
        assert!(hints[0] && !hints[4_999]);
        // Each wrong name after the last that is compared looks at one candidate and gives up.
        assert!(n_compared.get() <= MOST_PAIRS / (23 * 23) + 5_000, "{}", n_compared.get());
    }

    proptest! {
        #[test]
        fn no_likeness_is_missed_for_a_length(name in "[ab]{1,60}", candidate in "[ab]{1,4}") {
            let is_like = strsim::jaro_winkler(&name, &candidate) > 0.8;
            prop_assert_eq!(nearest(&name, [candidate.as_str()]).is_some(), is_like);
        }
    }
}

//! Texts that were meant to be a statement of ours, but for a slip or two in its keywords: their error names the statement that was meant.
//!
//! Only texts that DuckDB cannot parse get here. A text is claimed when its first word begins statements of ours alone, or when its words
//! are the keywords of a statement but for few slips. A statement of DuckDB that is nearer keeps DuckDB's error.

use crate::sql::caret::with_caret;
use crate::sql::commands::DEFINITIONS;
use crate::sql::grammar::{self, is_blank, Rule};
use crate::yaml::edits;
use std::collections::BTreeSet;

/// Words at the beginning of a text that are looked at: the longest statement has five keywords.
const MOST_WORDS: usize = 8;
/// Slips that a text may be away from a statement.
const MOST_SLIPS: usize = 2;
/// Longest rest of a statement, in bytes, that is parsed behind other keywords, and longest that is shown.
const LONGEST_REST: usize = 4000;
const LONGEST_SHOWN: usize = 200;
/// Most statements that are named.
const MOST_NAMED: usize = 3;
/// First words that begin statements of DuckDB, too.
const SHARED: [&str; 6] = ["CREATE", "DROP", "EXPLAIN", "LOAD", "SHOW", "START"];
/// Statements of DuckDB that are near ours.
const OF_DUCKDB: [&[&str]; 3] = [&["SHOW", "ALL", "TABLES"], &["SHOW", "TABLES", "FROM"], &["START", "TRANSACTION"]];
/// Words that are taken for each other.
const ALIKE: [&[&str]; 3] = [&["IN", "FROM", "FOR", "OF", "ON"], &["LOAD", "RELOAD", "REFRESH"], &["STOP", "CANCEL"]];
/// Words that may be too many in a CREATE or DROP: with any other word it is a statement of DuckDB.
const MODIFIERS: [&str; 5] = ["OR", "REPLACE", "PERSISTENT", "TEMP", "TEMPORARY"];
/// The optional keywords of `CREATE CONNECTION`.
const CREATES: [&[&str]; 4] = [
    &["CREATE", "CONNECTION"],
    &["CREATE", "PERSISTENT", "CONNECTION"],
    &["CREATE", "OR", "REPLACE", "CONNECTION"],
    &["CREATE", "OR", "REPLACE", "PERSISTENT", "CONNECTION"],
];

/// The keywords a statement begins with.
struct Form {
    keywords: Vec<&'static str>,
    /// How the statement is written; `None` for one of DuckDB.
    syntax: Option<&'static str>,
}

impl Form {
    fn is_ours_alone(&self) -> bool {
        !SHARED.contains(&self.keywords[0])
    }

    fn hides_its_text(&self) -> bool {
        self.keywords[0] == "CREATE"
    }
}

/// A statement that a text may have been meant to be.
struct Candidate<'a> {
    form: &'a Form,
    /// How many words of the text stand for its keywords.
    n_words: usize,
    /// Whether the text is a statement once they are the keywords.
    is_valid: bool,
    /// How many words or keywords are wrong.
    n_wrong: usize,
}

/// Returns the message for a text that is near a statement of ours; `None` when it is not. `bare` is `text` with blanks for its comments.
///
/// Texts whose first word is far from ours cost nothing more; of others the first words are compared.
pub(super) fn message_of(text: &str, bare: &str) -> Option<String> {
    let words = leading_words(bare);
    let (_, first) = *words.first()?;
    // `SHOW name` and `LOAD name` are DuckDB's.
    let is_alone = bare[end_of_words(bare, &words)..].trim_matches(|letter| is_blank(letter) || letter == ';').is_empty();
    if is_alone && words.len() == 2 && ["SHOW", "LOAD"].iter().any(|keyword| first.eq_ignore_ascii_case(keyword)) {
        return None;
    }
    let forms: Vec<Form> = forms().into_iter().filter(|form| begins_like(first, form.keywords[0])).collect();
    if forms.is_empty() {
        return None;
    }
    let candidates = candidates(bare, &words, &forms);
    let rank = |candidate: &Candidate<'_>| (!candidate.is_valid, candidate.n_wrong);
    let best = candidates.iter().map(rank).min();
    let nearest: Vec<&Candidate<'_>> = candidates.iter().filter(|candidate| Some(rank(candidate)) == best).take(MOST_NAMED).collect();
    if nearest.iter().any(|candidate| candidate.form.syntax.is_none()) {
        return None;
    }
    let (position, hint) = match nearest.first() {
        Some(candidate) => {
            let names: BTreeSet<String> = nearest.iter().map(|candidate| named(candidate, bare, &words)).collect();
            (place_of_slip(bare, &words, candidate), format!("did you mean {}?", listed(&names)))
        }
        None => (end_of_words(bare, &words[..1]), format!("expected {}", listed(&statements_of(first, &forms)?))),
    };
    let found = match bare[position..].trim_matches(|letter| is_blank(letter) || letter == ';').is_empty() {
        true => "at end of input".to_string(),
        false => format!("at or near \"{}\"", grammar::found_at(text, position)),
    };
    let message = format!("syntax error {found}; {hint}");
    // Of these the text is not shown: it may hold a secret.
    let hides_text = forms.iter().any(Form::hides_its_text) || bare.contains(['\'', '$']);
    Some(if hides_text { message } else { format!("{message}\n\n{}", with_caret(text, position)) })
}

/// Returns how the statements are written that a word of ours alone begins.
fn statements_of(first: &str, forms: &[Form]) -> Option<BTreeSet<String>> {
    let of_word = |form: &&Form| form.is_ours_alone() && form.keywords[0].eq_ignore_ascii_case(first);
    let syntaxes: BTreeSet<String> = forms.iter().filter(of_word).filter_map(|form| form.syntax.map(str::to_string)).collect();
    (!syntaxes.is_empty()).then_some(syntaxes)
}

/// Returns the keyword that makes a wrong statement right, in the place of one of its first words or before it, and the statement with it.
/// The keywords that the statement begins with stay keywords, and the new one is one: neither is a name that was missing.
pub(super) fn meant(bare: &str) -> Option<(&'static str, String)> {
    if bare.len() > LONGEST_REST {
        return None;
    }
    let head_len = grammar::len_of(Rule::head, bare)?;
    let keywords: BTreeSet<&str> =
        DEFINITIONS.statements.iter().flat_map(|statement| statement.syntax.split(|letter: char| !letter.is_ascii_uppercase())).collect();
    for (start, word) in leading_words(bare).into_iter().skip(1) {
        // What comes after the place of the keyword, and how much of it belongs to the keywords.
        let is_right = |statement: &String, rest: &str| {
            let rest_of_head = head_len.saturating_sub(bare.len() - rest.len());
            let first_name = if start < head_len { statement.len() - rest.len() + rest_of_head } else { head_len };
            let names = grammar::places_of_names(statement);
            names.is_some_and(|names| names.into_iter().all(|place| place >= first_name && place != start))
        };
        for keyword in keywords.iter().filter(|keyword| !keyword.is_empty()) {
            let is_slip = slips(word, keyword).is_some_and(|n_slips| n_slips > 0);
            let (before, rest) = (&bare[..start], &bare[start + word.len()..]);
            let replaced = is_slip.then(|| (format!("{before}{keyword}{rest}"), rest));
            let inserted = (format!("{before}{keyword} {}", &bare[start..]), &bare[start..]);
            if let Some((statement, _)) = replaced.into_iter().chain([inserted]).find(|(statement, rest)| is_right(statement, rest)) {
                return Some((keyword, spaced(&statement)));
            }
        }
    }
    None
}

fn forms() -> Vec<Form> {
    let mut forms: Vec<Form> = OF_DUCKDB.iter().map(|keywords| Form { keywords: keywords.to_vec(), syntax: None }).collect();
    for statement in DEFINITIONS.statements {
        let syntax = Some(statement.syntax);
        match statement.rule {
            Rule::create_connection => forms.extend(CREATES.iter().map(|keywords| Form { keywords: keywords.to_vec(), syntax })),
            _ => forms.push(Form { keywords: statement.keywords(), syntax }),
        }
    }
    forms
}

/// Returns whether a first word may stand for a keyword: with slips, with the next word joined to it, or in the place of one like it.
fn begins_like(word: &str, keyword: &str) -> bool {
    let is_joined = word.get(..keyword.len()).is_some_and(|start| start.eq_ignore_ascii_case(keyword));
    is_joined || slips(word, keyword).is_some() || are_alike(word, keyword)
}

/// Returns in how many letters a word differs from a keyword: one at most in a keyword of up to four letters, else two.
fn slips(word: &str, keyword: &str) -> Option<usize> {
    edits(word, keyword, if keyword.len() > 4 { 2 } else { 1 })
}

fn are_alike(word: &str, keyword: &str) -> bool {
    let has = |group: &&[&str], word: &str| group.iter().any(|other| other.eq_ignore_ascii_case(word));
    ALIKE.iter().any(|group| has(group, word) && has(group, keyword))
}

/// Returns the statements that a text is near enough to: those it becomes with the right keywords, and those whose keywords are all there.
fn candidates<'a>(bare: &str, words: &[(usize, &str)], forms: &'a [Form]) -> Vec<Candidate<'a>> {
    let mut candidates = Vec::new();
    for form in forms {
        for (n_words, distance) in distances(words, forms, form).into_iter().enumerate() {
            let Some(distance) = distance.filter(|distance| distance.n_slips <= MOST_SLIPS) else { continue };
            let rest = &bare[end_of_words(bare, &words[..n_words])..];
            let corrected = || format!("{} {rest}", form.keywords.join(" "));
            let is_ours_right = || rest.len() <= LONGEST_REST && grammar::is(Rule::statement, &corrected());
            let is_valid = if form.syntax.is_none() { distance.has_all } else { is_ours_right() };
            if is_valid || distance.has_all && form.keywords.len() > 1 {
                candidates.push(Candidate { form, n_words, is_valid, n_wrong: distance.n_wrong });
            }
        }
    }
    candidates
}

/// How far words are from keywords.
#[derive(Clone, Copy)]
struct Distance {
    n_slips: usize,
    n_wrong: usize,
    /// Whether each keyword has a word that is like it.
    has_all: bool,
}

/// Returns how far the first 0, 1, 2 ... words are from all keywords of a form.
fn distances(words: &[(usize, &str)], forms: &[Form], form: &Form) -> Vec<Option<Distance>> {
    let n_keywords = form.keywords.len();
    let mut table = vec![vec![None; n_keywords + 1]; words.len() + 1];
    table[0][0] = Some(Distance { n_slips: 0, n_wrong: 0, has_all: true });
    for n_words in 0..=words.len() {
        for n_done in 0..n_keywords {
            let Some(distance): Option<Distance> = table[n_words][n_done] else { continue };
            for step in steps(&words[n_words..], forms, form, n_done) {
                let next = Distance {
                    n_slips: distance.n_slips + step.n_slips,
                    n_wrong: distance.n_wrong + step.n_slips.min(1),
                    has_all: distance.has_all && step.has_all,
                };
                let place: &mut Option<Distance> = &mut table[n_words + step.n_words][n_done + step.n_keywords];
                let is_better = |old: &Distance| (next.n_slips, next.n_wrong, !next.has_all) < (old.n_slips, old.n_wrong, !old.has_all);
                if next.n_slips <= MOST_SLIPS && place.as_ref().is_none_or(is_better) {
                    *place = Some(next);
                }
            }
        }
    }
    table.into_iter().map(|row| row[n_keywords]).collect()
}

/// Words that stand for keywords.
struct Step {
    n_words: usize,
    n_keywords: usize,
    n_slips: usize,
    has_all: bool,
}

/// Returns what the next words may stand for after the first `n_done` keywords.
fn steps(words: &[(usize, &str)], forms: &[Form], form: &Form, n_done: usize) -> Vec<Step> {
    let step = |n_words, n_keywords, n_slips, has_all| Step { n_words, n_keywords, n_slips, has_all };
    let keyword = form.keywords[n_done];
    let next = form.keywords.get(n_done + 1).copied();
    let word = words.first().map(|(_, word)| *word);
    let is_first = n_done == 0;
    let slip_of_words = if form.is_ours_alone() { 1 } else { MOST_SLIPS };
    let mut steps = Vec::new();
    if let Some(word) = word {
        steps.extend(slips(word, keyword).map(|n_slips| step(1, 1, n_slips, true)));
        if are_alike(word, keyword) || !is_first && form.is_ours_alone() && keyword_at(word, forms).is_none() {
            steps.push(step(1, 1, MOST_SLIPS, false));
        }
        if next.is_some_and(|next| word.eq_ignore_ascii_case(&format!("{keyword}{next}"))) {
            steps.push(step(1, 2, 1, true));
        }
        let is_modifier = MODIFIERS.iter().any(|modifier| slips(word, modifier).is_some());
        if !is_first && form.syntax.is_some() && (is_modifier || !matches!(form.keywords[0], "CREATE" | "DROP")) {
            steps.push(step(1, 0, slip_of_words, true));
        }
    }
    if let (Some(next), [(_, one), (_, other), ..], false) = (next, words, is_first) {
        if one.eq_ignore_ascii_case(next) && other.eq_ignore_ascii_case(keyword) {
            steps.push(step(2, 2, 1, true));
        }
    }
    // A word that is like a keyword stands for it and is not the name behind one that is missing.
    let is_name = word.is_none_or(|word| keyword_at(word, forms).is_none() || next.is_some_and(|next| slips(word, next).is_some()));
    let says_enough = form.keywords.len() > 2 || !matches!(form.keywords[0], "DROP" | "START");
    if !is_first && is_name && says_enough {
        steps.push(step(0, 1, slip_of_words, false));
    }
    steps
}

/// Returns the keyword of the forms that a word is like, first words apart.
fn keyword_at(word: &str, forms: &[Form]) -> Option<&'static str> {
    forms.iter().flat_map(|form| &form.keywords[1..]).copied().find(|keyword| slips(word, keyword).is_some())
}

/// Returns the statement that was meant as the user would write it; how it is written in general when that is not known or may show a secret.
fn named(candidate: &Candidate<'_>, bare: &str, words: &[(usize, &str)]) -> String {
    let rest = &bare[end_of_words(bare, &words[..candidate.n_words])..];
    let shows_rest = candidate.is_valid && !candidate.form.hides_its_text() && rest.len() <= LONGEST_SHOWN && !rest.contains(['\'', '$']);
    match candidate.form.syntax {
        Some(syntax) if !shows_rest => syntax.to_string(),
        _ => spaced(&format!("{} {rest}", candidate.form.keywords.join(" "))),
    }
}

/// Returns where the first word stands that is not the keyword of its place, or what comes after the keywords.
fn place_of_slip(bare: &str, words: &[(usize, &str)], candidate: &Candidate<'_>) -> usize {
    let is_same = |(word, keyword): (&(usize, &str), &&str)| word.1.eq_ignore_ascii_case(keyword);
    let n_same = words.iter().zip(&candidate.form.keywords).take_while(|(word, keyword)| is_same((word, keyword))).count();
    end_of_words(bare, &words[..n_same])
}

/// Returns where the text goes on after its first words, blanks left out; the text's end, without blanks, when it does not.
fn end_of_words(bare: &str, words: &[(usize, &str)]) -> usize {
    let end = words.last().map_or(0, |(start, word)| start + word.len());
    let rest = bare[end..].trim_start_matches(is_blank);
    if rest.is_empty() || rest == ";" {
        return end;
    }
    bare.len() - rest.len()
}

/// Returns a statement on one line, blanks as they are needed, without its `;`.
fn spaced(text: &str) -> String {
    let mut result = String::new();
    let mut is_quoted = false;
    for letter in text.trim_matches(|letter| is_blank(letter) || letter == ';').chars() {
        is_quoted ^= letter == '"';
        match letter {
            letter if is_quoted || !is_blank(letter) => {
                if letter == '.' && !is_quoted && result.ends_with(' ') {
                    result.pop();
                }
                result.push(letter);
            }
            _ if result.ends_with([' ', '.']) => {}
            _ => result.push(' '),
        }
    }
    result
}

fn listed(names: &BTreeSet<String>) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => one.to_string(),
        [firsts @ .., last] => format!("{} or {last}", firsts.join(", ")),
    }
}

/// Returns the words a text begins with, and where each starts, up to the first thing that is not a word. Quoted names are not words.
fn leading_words(bare: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let mut rest = bare;
    while words.len() < MOST_WORDS {
        rest = rest.trim_start_matches(is_blank);
        let len = rest.find(|letter: char| !is_of_word(letter)).unwrap_or(rest.len());
        if len == 0 || rest.starts_with(|letter: char| letter.is_ascii_digit() || letter == '$') {
            break;
        }
        words.push((bare.len() - rest.len(), &rest[..len]));
        rest = &rest[len..];
    }
    words
}

fn is_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '$') || letter > '\u{A0}' && letter != '\u{FEFF}'
}

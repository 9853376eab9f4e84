//! What a JSONPath may hold, so that parsing it and finding what it means take time in proportion to the body, on any stack.

use crate::{Error, Result};

/// Longest path, in bytes.
const MAX_BYTES: usize = 500;
/// Deepest nesting of brackets: the parser tries each kind of them in several ways, one inside the other.
const MAX_DEPTH: usize = 3;
/// Most brackets and signs for `not`.
const MAX_BRACKETS: usize = 40;
/// Most elements of one list of selectors.
const MAX_SELECTORS: usize = 8;

/// Fails, saying what there is too much of.
pub(super) fn check(path: &str) -> Result<()> {
    let refuse = |why: String| Err(Error::config(format!("the JSONPath {why}")));
    if path.len() > MAX_BYTES {
        return refuse(format!("has {} bytes; expected at most {MAX_BYTES}", path.len()));
    }
    let shape = Shape::of(path);
    if shape.deepest > MAX_DEPTH {
        return refuse(format!("has {} brackets in one another; expected at most {MAX_DEPTH}", shape.deepest));
    }
    if shape.n_brackets > MAX_BRACKETS {
        return refuse(format!("has {} brackets and signs for not; expected at most {MAX_BRACKETS}", shape.n_brackets));
    }
    // Each of these multiplies what has to be looked at.
    if shape.n_descents > 1 || shape.n_filters > 1 || shape.n_lists > 1 {
        return refuse("has more than one '..', one filter or one list of selectors; expected one of each at most".to_string());
    }
    if shape.n_commas >= MAX_SELECTORS {
        return refuse(format!("lists more than {MAX_SELECTORS} selectors"));
    }
    if shape.filter_descends {
        return refuse("has '..' or '$' in a filter; expected paths of keys and positions that begin with '@'".to_string());
    }
    if shape.has_pattern {
        return refuse("calls 'match' or 'search', which are not supported".to_string());
    }
    Ok(())
}

/// What there is in a path outside of texts.
#[derive(Default)]
struct Shape {
    deepest: usize,
    n_brackets: usize,
    n_descents: usize,
    n_filters: usize,
    n_lists: usize,
    n_commas: usize,
    filter_descends: bool,
    has_pattern: bool,
}

impl Shape {
    fn of(path: &str) -> Shape {
        let mut shape = Shape::default();
        // The open brackets, each with whether it has a comma.
        let mut open: Vec<(char, bool)> = Vec::new();
        let mut quote = None;
        let mut is_escaped = false;
        let mut last = ' ';
        let mut word = String::new();
        for c in path.chars() {
            if let Some(end) = quote {
                if !is_escaped && c == end {
                    quote = None;
                }
                is_escaped = !is_escaped && c == '\\';
                continue;
            }
            match c {
                '\'' | '"' => quote = Some(c),
                '[' | '(' => {
                    open.push((c, false));
                    shape.has_pattern |= c == '(' && matches!(word.as_str(), "match" | "search");
                }
                ']' | ')' => {
                    open.pop();
                }
                '?' => shape.n_filters += 1,
                '$' => shape.filter_descends |= shape.n_filters > 0,
                '.' if last == '.' => {
                    shape.n_descents += 1;
                    shape.filter_descends |= shape.n_filters > 0 && open.iter().any(|(bracket, _)| *bracket == '[');
                }
                ',' => shape.comma(&mut open),
                _ => {}
            }
            shape.n_brackets += usize::from(matches!(c, '[' | '(' | '!'));
            shape.deepest = shape.deepest.max(open.len());
            last = c;
            match c {
                c if c.is_alphanumeric() || c == '_' => word.push(c),
                c if c.is_whitespace() => {}
                _ => word.clear(),
            }
        }
        shape
    }

    fn comma(&mut self, open: &mut [(char, bool)]) {
        if let Some(('[', has_comma)) = open.last_mut() {
            self.n_lists += usize::from(!*has_comma);
            *has_comma = true;
            self.n_commas += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::document::JsonPath;

    #[test]
    fn paths_of_specs_are_well_within_the_limits() {
        for path in [
            "data[-1:].id",
            "$.meta['next.page'].cursor",
            "$..next",
            "links[?(@.rel=='next')].href",
            "$.links[?@.rel=='next' && (@.type=='a' || !@.gone)].href",
            "$['a','b'].c",
            "$.a[?length(@.b)>1].c",
            "$['..$?(((((('].a",
        ] {
            assert!(JsonPath::parse(path).is_ok(), "{path}: {:?}", JsonPath::parse(path));
        }
    }

    #[test]
    fn no_path_takes_the_stack_or_the_evening() {
        let body = format!("{{\"a\": {}1{}}}", "[".repeat(100), "]".repeat(100));
        let mut body = body.into_bytes();
        let body = crate::document::parse(&mut body).unwrap();
        let shapes = [
            ("$[?", "(", "@.a", ")"),
            ("$[?", "!(", "@.a", ")"),
            ("$[?", "length(", "@.a", ")"),
            ("$[?", "@[?", "@.a", "]"),
            ("$[?", "@.a&&", "@.a", ""),
            ("$", ".a", "", ""),
            ("$", "..*", "", ""),
            ("$", "[*,*]", "", ""),
            ("$", "[0,0]", "", ""),
            ("$", "[?@..a]", "", ""),
            ("$", "[?$..a]", "", ""),
            ("$", "[?match(@.a,'.*')]", "", ""),
        ];
        for (start, link, middle, closing) in shapes {
            for n_links in [1, 3, 4, 12, 30, 100, 3000] {
                let end = if start.ends_with('?') { "]" } else { "" };
                let path = format!("{start}{}{middle}{}{end}", link.repeat(n_links), closing.repeat(n_links));
                let began = std::time::Instant::now();
                let parsed = JsonPath::parse(&path);
                if let Ok(path) = &parsed {
                    path.is_present(body.root());
                }
                assert!(began.elapsed().as_secs() < 5, "{path} took {:?}", began.elapsed());
                assert!(n_links < 3000 || parsed.is_err(), "{path}");
            }
        }
    }
}

//! A source file cut into code, comments and tests, so that a rule looks only where it means to.

/// One tracked text file.
pub struct Source {
    /// Path from the project's folder, with slashes.
    pub path: String,
    pub lines: Vec<Line>,
}

/// One line of a file.
pub struct Line {
    pub raw: String,
    /// The line without comments; the contents of string and character literals are blank.
    pub code: String,
    /// The text of the line's comments.
    pub comment: String,
    /// Whether the line belongs to a test.
    pub is_test: bool,
}

impl Source {
    /// Cuts `text` by the language its file's ending means.
    pub fn new(path: &str, text: &str) -> Source {
        let (code, comments) = match path.rsplit('.').next() {
            Some("rs" | "cpp" | "h" | "hpp" | "mjs" | "js") => Scanner::new(text, path.ends_with(".rs")).run(),
            Some("py" | "sh" | "mk" | "yaml" | "toml") => hash_comments(text),
            _ if path.ends_with("Makefile") || path.ends_with(".ci/run") => hash_comments(text),
            _ => (text.to_string(), String::new()),
        };
        let is_test = test_lines(path, &code);
        let parts = text
            .lines()
            .zip(code.lines().map(Some).chain(std::iter::repeat(None)))
            .zip(comments.lines().map(Some).chain(std::iter::repeat(None)));
        let lines = parts
            .enumerate()
            .map(|(line_idx, ((raw, code), comment))| Line {
                raw: raw.to_string(),
                code: code.unwrap_or_default().to_string(),
                comment: comment.unwrap_or_default().to_string(),
                is_test: is_test.get(line_idx).copied().unwrap_or(false),
            })
            .collect();
        Source { path: path.to_string(), lines }
    }

    /// Returns whether the file is Rust code below `folder`.
    pub fn is_rust_in(&self, folder: &str) -> bool {
        self.path.starts_with(folder) && self.path.ends_with(".rs")
    }

    /// Returns the file's code as one text; byte positions in it count lines as the file does.
    pub fn code(&self) -> String {
        self.lines.iter().map(|line| format!("{}\n", line.code)).collect()
    }
}

/// Splits a text whose comments start with `#`. A `#` inside a string is taken for a comment only after a space.
fn hash_comments(text: &str) -> (String, String) {
    let split = |line: &str| match line.find('#').filter(|position| *position == 0 || line[..*position].ends_with(' ')) {
        Some(position) => (line[..position].to_string(), line[position + 1..].to_string()),
        None => (line.to_string(), String::new()),
    };
    let lines: Vec<(String, String)> = text.lines().map(split).collect();
    let join = |parts: Vec<&str>| parts.join("\n");
    (join(lines.iter().map(|line| line.0.as_str()).collect()), join(lines.iter().map(|line| line.1.as_str()).collect()))
}

/// Splits code of the C family: two texts of the same lines, one with the code, one with the comments.
struct Scanner<'a> {
    rest: &'a str,
    is_rust: bool,
    code: String,
    comments: String,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str, is_rust: bool) -> Scanner<'a> {
        Scanner { rest: text, is_rust, code: String::new(), comments: String::new() }
    }

    fn run(mut self) -> (String, String) {
        while let Some(next) = self.rest.chars().next() {
            let follows_word = self.code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if self.rest.starts_with("//") {
                let len = self.rest.find('\n').unwrap_or(self.rest.len());
                self.take_comment(len);
            } else if self.rest.starts_with("/*") {
                let len = self.block_comment_len();
                self.take_comment(len);
            } else if let Some(len) = self.raw_string_len().filter(|_| !follows_word) {
                self.take_literal(len);
            } else if next == '"' {
                let len = self.quoted_len('"');
                self.take_literal(len);
            } else if next == '\'' && self.is_char_literal(follows_word) {
                let len = self.quoted_len('\'');
                self.take_literal(len);
            } else {
                self.code.push(next);
                if next == '\n' {
                    self.comments.push('\n');
                }
                self.rest = &self.rest[next.len_utf8()..];
            }
        }
        (self.code, self.comments)
    }

    fn take_comment(&mut self, len: usize) {
        self.comments.push_str(&self.rest[..len]);
        self.skip(len);
    }

    fn take_literal(&mut self, len: usize) {
        self.code.push('"');
        self.comments.extend(self.rest[..len].chars().filter(|c| *c == '\n'));
        self.skip(len);
        self.code.push('"');
    }

    fn skip(&mut self, len: usize) {
        self.code.extend(self.rest[..len].chars().filter(|c| *c == '\n'));
        self.rest = &self.rest[len..];
    }

    fn block_comment_len(&self) -> usize {
        let mut depth = 0;
        let mut position = 0;
        while position < self.rest.len() {
            let rest = &self.rest[position..];
            if rest.starts_with("/*") && (self.is_rust || depth == 0) {
                depth += 1;
                position += 2;
            } else if rest.starts_with("*/") {
                depth -= 1;
                position += 2;
                if depth == 0 {
                    return position;
                }
            } else {
                position += rest.chars().next().map_or(1, char::len_utf8);
            }
        }
        self.rest.len()
    }

    /// Returns the length of the raw string the rest starts with, if it does.
    fn raw_string_len(&self) -> Option<usize> {
        if !self.is_rust {
            let name_len = self.rest.strip_prefix("R\"")?.find('(')?;
            let end = format!("){}\"", &self.rest[2..2 + name_len]);
            return Some(self.rest.find(&end).map_or(self.rest.len(), |position| position + end.len()));
        }
        let prefix_len = ["br", "cr", "r"].iter().find(|prefix| self.rest.starts_with(**prefix))?.len();
        let n_hashes = self.rest[prefix_len..].bytes().take_while(|byte| *byte == b'#').count();
        let body = self.rest[prefix_len + n_hashes..].strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(n_hashes));
        let start = prefix_len + n_hashes + 1;
        Some(body.find(&end).map_or(self.rest.len(), |position| start + position + end.len()))
    }

    fn quoted_len(&self, quote: char) -> usize {
        let mut escaped = false;
        for (position, c) in self.rest.char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if c == quote => return position + 1,
                _ => {}
            }
        }
        self.rest.len()
    }

    /// Tells a character literal from Rust's lifetimes and from the separators in C++ numbers.
    fn is_char_literal(&self, follows_word: bool) -> bool {
        if !self.is_rust {
            return !follows_word;
        }
        let mut chars = self.rest.chars().skip(1);
        match chars.next() {
            Some('\\') => true,
            Some(_) => chars.next() == Some('\''),
            None => false,
        }
    }
}

/// Returns for each line whether it belongs to a test: a test file, or an item under `#[cfg(test)]`.
fn test_lines(path: &str, code: &str) -> Vec<bool> {
    let n_lines = code.lines().count();
    let is_test_file =
        path.starts_with("test/rust/") || path.ends_with("/tests.rs") || path.ends_with("_tests.rs") || path.contains("/tests/");
    let mut is_test = vec![is_test_file; n_lines];
    if !path.ends_with(".rs") {
        return is_test;
    }
    let mut position = 0;
    while let Some(found) = code[position..].find("#[cfg(test)]") {
        let start = position + found;
        let end = item_end(code, start + "#[cfg(test)]".len());
        let line_of = |position: usize| code[..position].matches('\n').count();
        is_test[line_of(start)..=line_of(end).min(n_lines - 1)].fill(true);
        position = end;
    }
    is_test
}

/// Returns where the item that starts at `start` ends: its semicolon, or the brace that closes it.
fn item_end(code: &str, start: usize) -> usize {
    let mut depth = 0;
    for (offset, c) in code[start..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return start + offset,
            '}' => depth -= 1,
            ';' if depth == 0 => return start + offset,
            _ => {}
        }
    }
    code.len()
}

#[test]
fn a_file_is_cut_into_code_and_comments() {
    let text = concat!(
        "//! Doc \"x\".\n",
        "let a = \"unsafe // not a comment\"; // but this\n",
        "let b = r#\"a \"quoted\"\n} word\"#; /* one /* two */ three */ let c = '\"';\n",
        "fn f<'a>(x: &'a str, y: char) -> bool { y == '\\'' || y == '{' }\n",
    );
    let source = Source::new("src/a.rs", text);
    let code: Vec<&str> = source.lines.iter().map(|line| line.code.as_str()).collect();
    assert_eq!(
        code,
        ["", "let a = \"\"; ", "let b = \"", "\";  let c = \"\";", "fn f<'a>(x: &'a str, y: char) -> bool { y == \"\" || y == \"\" }"]
    );
    let comments: Vec<&str> = source.lines.iter().map(|line| line.comment.as_str()).collect();
    assert_eq!(comments, ["//! Doc \"x\".", "// but this", "", "/* one /* two */ three */", ""]);
}

#[test]
fn tests_are_told_from_the_rest() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { if x { y } }\n}\nfn c() {}\n#[cfg(test)]\nmod d;\nfn e() {}\n";
    let is_test: Vec<bool> = Source::new("src/a.rs", text).lines.iter().map(|line| line.is_test).collect();
    assert_eq!(is_test, [false, true, true, true, true, false, true, true, false]);
    assert!(Source::new("src/a/tests.rs", "fn a() {}").lines[0].is_test);
}

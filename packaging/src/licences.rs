//! The licence check: every package that ends up in the extension or its tests has a licence from the allowed list.

use serde_json::Value;

/// Returns one line for each package whose licence is not allowed, in the order of their names. `allowed` holds SPDX ids.
pub fn refused(metadata: &Value, allowed: &[String]) -> Vec<String> {
    let empty = Vec::new();
    let packages = metadata["packages"].as_array().unwrap_or(&empty);
    let mut lines: Vec<String> = packages
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(|licence| is_allowed(licence, allowed)))
        .map(|package| {
            let text = |key: &str| package[key].as_str().unwrap_or("?").to_string();
            let licence = package["license"].as_str().unwrap_or("no licence");
            format!("{} {}: {licence}", text("name"), text("version"))
        })
        .collect();
    lines.sort();
    lines
}

/// Returns whether the SPDX expression can be met with allowed licences only. An expression that does not parse cannot.
pub fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    // Old packages write `MIT/Apache-2.0` for `MIT OR Apache-2.0`.
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { words: &words, position: 0, allowed };
    let met = parser.any_of();
    met == Some(true) && parser.position == words.len()
}

struct Parser<'a> {
    words: &'a [&'a str],
    position: usize,
    allowed: &'a [String],
}

impl Parser<'_> {
    fn take(&mut self, word: &str) -> bool {
        let found = self.words.get(self.position) == Some(&word);
        self.position += usize::from(found);
        found
    }

    fn any_of(&mut self) -> Option<bool> {
        let mut met = self.all_of()?;
        while self.take("OR") {
            met |= self.all_of()?;
        }
        Some(met)
    }

    fn all_of(&mut self) -> Option<bool> {
        let mut met = self.licence()?;
        while self.take("AND") {
            met &= self.licence()?;
        }
        Some(met)
    }

    fn licence(&mut self) -> Option<bool> {
        if self.take("(") {
            let met = self.any_of()?;
            return self.take(")").then_some(met);
        }
        let id = *self.words.get(self.position)?;
        if matches!(id, "OR" | "AND" | "WITH" | ")") {
            return None;
        }
        self.position += 1;
        if self.take("WITH") {
            let exception = *self.words.get(self.position)?;
            self.position += 1;
            let both = format!("{id} WITH {exception}");
            return Some(self.allowed.iter().any(|licence| licence == id || *licence == both));
        }
        Some(self.allowed.iter().any(|licence| licence == id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(expression: &str, expected: bool) {
        let allowed = ["MIT".to_string(), "Apache-2.0".into(), "ISC".into()];
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }

    #[test]
    fn an_expression_is_met_with_allowed_licences_only() {
        check("MIT", true);
        check("GPL-3.0", false);
        check("MIT OR GPL-3.0", true);
        check("MIT/GPL-3.0", true);
        check("MIT AND GPL-3.0", false);
        check("(MIT OR GPL-3.0) AND ISC", true);
        check("GPL-3.0 OR (MIT AND GPL-2.0)", false);
        check("Apache-2.0 WITH LLVM-exception OR GPL-3.0", true);
        check("GPL-3.0 WITH GCC-exception", false);
    }

    #[test]
    fn an_expression_that_does_not_parse_is_not_met() {
        for expression in ["", "(MIT", "MIT)", "MIT OR", "AND MIT", "MIT ISC", "MIT WITH"] {
            check(expression, false);
        }
    }

    #[test]
    fn refused_packages_are_named() {
        let metadata = json!({"packages": [
            {"name": "b", "version": "2.0.0", "license": "GPL-3.0"},
            {"name": "a", "version": "1.0.0", "license": null},
            {"name": "c", "version": "1.0.0", "license": "MIT"},
        ]});
        assert_eq!(refused(&metadata, &["MIT".into()]), ["a 1.0.0: no licence", "b 2.0.0: GPL-3.0"]);
    }
}

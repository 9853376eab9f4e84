//! The headers of an answer.

/// Header names and values in the order they came; values that are not UTF-8 are replaced where they are not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    pairs: Vec<(String, String)>,
}

impl Headers {
    /// Wraps names and values.
    pub fn new(pairs: Vec<(String, String)>) -> Headers {
        Headers { pairs }
    }

    /// Returns the first value of that name; names compare without case.
    pub fn get<'a>(&'a self, name: &str) -> Option<&'a str> {
        self.pairs.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns every value of that name; names compare without case.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns the headers but for those of these names, in lower case.
    pub fn without(mut self, names: &[&str]) -> Headers {
        self.pairs.retain(|(name, _)| !names.contains(&name.to_ascii_lowercase().as_str()));
        self
    }

    /// Returns names and values.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }
}

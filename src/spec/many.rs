//! Params of which one request has many values.

use std::num::NonZeroUsize;

/// How many values of a param go into one request, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Many {
    /// Most values of one request; `None`: all.
    pub batch: Option<NonZeroUsize>,
    pub form: ManyForm,
}

/// How several values of a param stand in a query string. In a body they are a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ManyForm {
    /// `a=1,2`
    #[default]
    Comma,
    /// `a=1&a=2`
    Repeat,
    /// `a[]=1&a[]=2`
    Brackets,
    /// `a=[1,2]`
    Json,
}

impl ManyForm {
    /// All there are, as specs name them.
    pub const NAMES: [&'static str; 4] = ["comma", "repeat", "brackets", "json"];

    /// Returns the form of that name.
    pub fn named(name: &str) -> Option<ManyForm> {
        [ManyForm::Comma, ManyForm::Repeat, ManyForm::Brackets, ManyForm::Json].into_iter().find(|form| form.name() == name)
    }

    /// Returns the name that specs have for it.
    pub fn name(self) -> &'static str {
        match self {
            ManyForm::Comma => "comma",
            ManyForm::Repeat => "repeat",
            ManyForm::Brackets => "brackets",
            ManyForm::Json => "json",
        }
    }
}

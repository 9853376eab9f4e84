//! Why a body is not a document.

use crate::Error;
use std::fmt;

/// What is wrong with a body and where, without a piece of the body, which may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    what: String,
    offset: Option<usize>,
    /// Of the files in the body.
    part: usize,
}

impl Fault {
    /// Returns the byte of the body where it is wrong; `None` when that is the body as a whole.
    pub fn offset(&self) -> Option<usize> {
        self.offset
    }

    pub(super) fn whole(what: impl Into<String>) -> Fault {
        Fault { what: what.into(), offset: None, part: 0 }
    }

    pub(super) fn at(offset: usize, what: impl Into<String>) -> Fault {
        Fault { what: what.into(), offset: Some(offset), part: 0 }
    }

    /// Returns which of the files in the body is wrong.
    pub(super) fn part(&self) -> usize {
        self.part
    }

    /// Says in which file it is.
    pub(super) fn of_file(self, name: Option<&str>) -> Fault {
        match name {
            Some(name) => Fault { what: format!("file '{name}' of the zip: {}", self.what), ..self },
            None => self,
        }
    }

    pub(super) fn in_part(self, part: usize) -> Fault {
        Fault { part, ..self }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Error {
        Error::data(fault.what)
    }
}

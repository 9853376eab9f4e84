//! The one error type of the crate: a kind that callers branch on, a message for the reader, and the cause.

use std::fmt;

/// A result whose error is [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What some caller branches on; everything else is in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Something the user wrote is wrong: a spec, a connections file, an option, an argument.
    Config,
    /// The API answered with an error, or could not be reached.
    Api,
    /// The API's data could not be turned into rows.
    Data,
    /// DuckDB refused a statement.
    Database,
    /// The database was closed while work was under way.
    DatabaseGone,
    /// The user interrupted the statement that waits; the job it waits for goes on.
    Interrupted,
    /// The job was cancelled.
    Cancelled,
    /// The API takes no request before this moment, in microseconds since 1970-01-01 00:00:00 UTC.
    NotBefore(i64),
    /// An unfinished load cannot be continued; started over, it can succeed.
    CannotResume,
    /// Unify broke one of its own rules: ask for a report.
    Internal,
}

/// An error: what went wrong, where, and what to do about it. Never holds a secret.
#[derive(Debug, Clone)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<Error>>,
}

impl Error {
    /// Makes an error of `kind`. The message is one lowercase clause without a final period.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into(), source: None }
    }

    /// Makes a [`ErrorKind::Config`] error.
    pub fn config(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Config, message)
    }

    /// Makes a [`ErrorKind::Api`] error.
    pub fn api(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Api, message)
    }

    /// Makes a [`ErrorKind::Data`] error.
    pub fn data(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Data, message)
    }

    /// Makes a [`ErrorKind::Database`] error.
    pub fn database(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Database, message)
    }

    /// Makes a [`ErrorKind::Internal`] error, which asks the user for a report.
    pub fn internal(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Internal, format!("{}; this is a mistake in Unify, please report it", message.into()))
    }

    /// Puts the place before the message, `"{place}: {message}"`, and keeps this error as the cause.
    #[must_use]
    pub fn within(self, place: impl fmt::Display) -> Error {
        Error { kind: self.kind, message: format!("{place}: {}", self.message), source: Some(Box::new(self)) }
    }

    /// Returns the kind callers branch on.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the message with all its context.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|err| err as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_comes_first_and_the_kind_stays() {
        let err = Error::api("returned 403").within("table 'repos'").within("connection 'github'");
        assert_eq!(err.to_string(), "connection 'github': table 'repos': returned 403");
        assert_eq!(err.kind(), ErrorKind::Api);
    }
}

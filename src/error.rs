//! The one error type of the crate: a kind that callers branch on, where it happened, what is wrong, and the cause.
//!
//! An [`Error`] has a kind, which callers branch on, and knows its place: connection, table and request, as each becomes known on the
//! way up. The message is put together from place, context and cause when it is shown. Nothing is said twice, and nobody searches a
//! message for words. An error of DuckDB's has its type besides (`duckdb_result_error_type`). Only what another kind of database says
//! comes as text alone; `CatalogKind` is the one place that reads it.

use std::fmt;
use std::sync::OnceLock;

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
    /// The API answered with an error where an unfinished load was to go on: the place may be stale, or the API may have failed.
    AtOldPlace,
    /// The rows of a load do not fit what the user added to the table; the same rows never will.
    Refused,
    /// Values that are stored cannot become those of a wider type as they came; loaded again with that type, they can.
    CannotWiden,
    /// Rows moved at the source while pages were read side by side; read one after the other, none is missed.
    RowsMoved,
    /// The API does not know the token any more that asks for what changed; all rows can be loaded again.
    TokenExpired,
    /// Rows vanished at the source while pages were read, and nothing tells those that moved for it from others: read anew, they may stay.
    RowsVanished,
    /// A part of a range has more rows than the API gives of it; asked for in halves, it may give all.
    TooMuch,
    /// An object came where lists come, and was taken for a row: what is stored is not to be gone on with.
    MixedAnswers,
    /// Unify broke one of its own rules: ask for a report.
    Internal,
}

/// What DuckDB says an error of its own is, where somebody branches on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseErrorType {
    /// The statement is not SQL.
    Parser,
    /// The statement names what is not there, or means nothing.
    Binder,
    /// An entry of a catalog is missing, or there already.
    Catalog,
    /// Rows break a constraint or a unique index.
    Constraint,
    /// The transaction cannot go on or be committed: another one is in the way, or its rows break an index.
    Transaction,
    /// Anything else.
    Other,
}

/// Where an error happened, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    pub connection: Option<String>,
    /// Where the connection is defined: file and line.
    pub defined_at: Option<String>,
    /// Of the connection.
    pub table: Option<String>,
    /// Method and URL, redacted.
    pub request: Option<String>,
}

impl Place {
    /// Returns the place that a connection is.
    pub fn connection(name: &str) -> Place {
        Place { connection: Some(name.to_string()), ..Place::default() }
    }

    /// Returns the place that a table of a connection is.
    pub fn table(connection: &str, table: &str) -> Place {
        Place { table: Some(table.to_string()), ..Place::connection(connection) }
    }

    /// Returns the place that a request is.
    pub fn request(request: impl Into<String>) -> Place {
        Place { request: Some(request.into()), ..Place::default() }
    }

    /// Returns what both say of one place; `None` when they are two places.
    fn with(&self, other: &Place) -> Option<Place> {
        let joined = |one: &Option<String>, other: &Option<String>| match (one, other) {
            (Some(one), Some(other)) if one != other => None,
            _ => Some(one.clone().or_else(|| other.clone())),
        };
        Some(Place {
            connection: joined(&self.connection, &other.connection)?,
            defined_at: joined(&self.defined_at, &other.defined_at)?,
            table: joined(&self.table, &other.table)?,
            request: joined(&self.request, &other.request)?,
        })
    }
}

/// Writes `connection 'github', table 'repos': GET https://...`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(connection) = &self.connection {
            write!(f, "connection '{connection}'")?;
        }
        if let Some(defined_at) = &self.defined_at {
            write!(f, " ({defined_at})")?;
        }
        if let Some(table) = &self.table {
            write!(f, ", table '{table}'")?;
        }
        match (&self.connection, &self.request) {
            (Some(_), Some(request)) => write!(f, ": {request}"),
            (None, Some(request)) => f.write_str(request),
            (_, None) => Ok(()),
        }
    }
}

/// An error: what went wrong, where, and what to do about it. Never holds a secret.
#[derive(Debug, Clone)]
pub struct Error {
    kind: ErrorKind,
    place: Option<Box<Place>>,
    /// What is wrong, without the place; of an error around another one, what that belongs to.
    what: String,
    database_type: Option<DatabaseErrorType>,
    source: Option<Box<Error>>,
    /// The whole message, made when somebody reads it first.
    message: OnceLock<String>,
}

impl Error {
    /// Makes an error of `kind`. The message is one lowercase clause without a final period.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { kind, place: None, what: message.into(), database_type: None, source: None, message: OnceLock::new() }
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

    /// Makes the [`ErrorKind::Database`] error that DuckDB told, with its type. The message is DuckDB's, the type's name in front of it.
    pub fn of_database(database_type: DatabaseErrorType, message: impl Into<String>) -> Error {
        Error { database_type: Some(database_type), ..Error::database(message) }
    }

    /// Makes a [`ErrorKind::Internal`] error, which asks the user for a report.
    pub fn internal(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Internal, format!("{}; this is a mistake in Unify, please report it", message.into()))
    }

    /// Puts what the error belongs to before the message, `"{context}: {message}"`, and keeps this error as the cause.
    #[must_use]
    pub fn within(self, context: impl fmt::Display) -> Error {
        let kind = self.kind;
        Error { source: Some(Box::new(self)), ..Error::new(kind, context.to_string()) }
    }

    /// Says where the error happened. What is known of the place already stays, and nothing is said twice. An error of another place becomes the
    /// cause of one here.
    #[must_use]
    pub fn at(mut self, place: Place) -> Error {
        if let Some(known) = &self.place {
            let Some(joined) = known.with(&place) else {
                let kind = self.kind;
                return Error { place: Some(Box::new(place)), source: Some(Box::new(self)), ..Error::new(kind, "") };
            };
            self.place = Some(Box::new(joined));
        } else if self.place().is_none_or(|known| known.with(&place).as_ref() != Some(known)) {
            self.place = Some(Box::new(place));
        }
        self.message = OnceLock::new();
        self
    }

    /// Says the same in other words, which `words` makes of these: all but the place.
    #[must_use]
    pub fn in_words(mut self, words: impl FnOnce(&str) -> String) -> Error {
        let place = self.place.take();
        let database_type = self.database_type();
        let what = words(&self.to_string());
        Error { place, database_type, ..Error::new(self.kind, what) }
    }

    /// Returns the kind callers branch on.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns where it happened, as far as that is known.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_deref().or_else(|| self.source.as_ref()?.place())
    }

    /// Returns what DuckDB says the error is; `None` when it is not DuckDB's.
    pub fn database_type(&self) -> Option<DatabaseErrorType> {
        self.database_type.or_else(|| self.source.as_ref()?.database_type())
    }

    /// Returns DuckDB's own words, without the type's name and the context; `None` when the error is not DuckDB's.
    pub fn database_words(&self) -> Option<&str> {
        match (self.database_type, &self.source) {
            (Some(_), _) => Some(self.what.split_once(" Error: ").map_or(self.what.as_str(), |(_, words)| words)),
            (None, source) => source.as_ref()?.database_words(),
        }
    }

    /// Returns the message with all its context.
    pub fn message(&self) -> &str {
        self.message.get_or_init(|| self.to_string())
    }
}

/// Writes place, context and cause, one after the other.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.place.as_ref().map(|place| place.to_string()).unwrap_or_default();
        let cause = self.source.as_ref().map(|cause| cause.to_string()).unwrap_or_default();
        let parts = [place.as_str(), self.what.as_str(), cause.as_str()];
        f.write_str(&parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": "))
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
        let err = Error::api("returned 403").within("param 'id'").within("row 7");
        assert_eq!(err.to_string(), "row 7: param 'id': returned 403");
        assert_eq!(err.message(), err.to_string());
        assert_eq!(err.kind(), ErrorKind::Api);
    }

    #[test]
    fn a_place_is_said_once_and_kept_as_it_becomes_known() {
        let err = Error::api("returned 403").at(Place::request("GET https://a/b"));
        assert_eq!(err.message(), "GET https://a/b: returned 403");
        let err = err.at(Place::table("github", "repos"));
        assert_eq!(err.message(), "connection 'github', table 'repos': GET https://a/b: returned 403");
        assert_eq!(err.clone().at(Place::table("github", "repos")).message(), err.message());
        assert_eq!(err.clone().at(Place::connection("github")).message(), err.message());
        assert_eq!(err.place().and_then(|place| place.table.as_deref()), Some("repos"));
        let defined = Place { defined_at: Some("c.yaml:5".to_string()), ..Place::connection("github") };
        let err = Error::config("there is no adapter 'x'").at(Place::connection("github")).at(defined);
        assert_eq!(err.message(), "connection 'github' (c.yaml:5): there is no adapter 'x'");
    }

    #[test]
    fn an_error_of_another_place_is_the_cause() {
        let err = Error::api("returned 403").at(Place::table("github", "orgs")).at(Place::table("github", "repos"));
        assert_eq!(err.message(), "connection 'github', table 'repos': connection 'github', table 'orgs': returned 403");
        assert_eq!(err.place().and_then(|place| place.table.as_deref()), Some("repos"));
        let within = Error::api("returned 403").at(Place::table("a", "b")).within("it failed").at(Place::table("a", "b"));
        assert_eq!(within.message(), "it failed: connection 'a', table 'b': returned 403");
    }

    #[test]
    fn what_duckdb_says_of_its_error_stays_under_any_context() {
        let err =
            Error::of_database(DatabaseErrorType::Constraint, "Constraint Error: Duplicate key").within("x").at(Place::table("a", "b"));
        assert_eq!((err.database_type(), err.database_words()), (Some(DatabaseErrorType::Constraint), Some("Duplicate key")));
        let err = err.in_words(|words| format!("{words}; try again"));
        assert_eq!(err.message(), "connection 'a', table 'b': x: Constraint Error: Duplicate key; try again");
        assert_eq!(err.database_type(), Some(DatabaseErrorType::Constraint));
        assert_eq!(Error::config("Binder Error: none").database_words(), None);
    }
}

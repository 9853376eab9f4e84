//! What a book's rows and pages are like besides plain: rules that tests switch on one by one.
//!
//! `__book?` takes `keys=` (the form of `id`: `plain`, `case`: texts that differ by case and accent only, `long`: numbers beyond 2^53 beside
//! some with a point, `nanos`: moments that differ by nanoseconds, `text`: numbers that become texts), `drift=A,B` (columns whose values
//! have another form from row A and from row B on; `0` ends it), `hidden=N` (one row in N is counted and not shown), `order=` (`old`: as they
//! came, `new`: the newest first, `changed`: by the time of the last change, with links and tokens that name a row), `arrive=N` (while pages are
//! read, up to N new rows come to each set), `edit=1` (a row just given is changed whenever one comes), `rush=1` (they come at any time, not
//! only when all pages so far are answered), `insert=N` (N rows come to each set now), `expire=HOW` (tokens and links of an older `epoch=N`
//! are answered by `first`: the first page, `empty`: a page without rows, `error`: an error in a 200, `html`, or a status).

use std::str::FromStr;

/// The rules of one book.
#[derive(Debug, Clone, Default)]
pub struct Quirks {
    pub keys: Keys,
    /// Rows from which on drifting columns have their second and third form.
    pub drift: Option<(usize, usize)>,
    pub hidden: usize,
    pub order: Order,
    pub arrive: usize,
    pub edit: bool,
    pub rush: bool,
    pub expire: Option<Expire>,
    pub epoch: u64,
}

/// The form of a row's `id`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Keys {
    #[default]
    Plain,
    Case,
    Long,
    Nanos,
    Text,
}

/// The order of a set's rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    Old,
    New,
    Changed,
}

/// How a token or link that has expired is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expire {
    First,
    Empty,
    Error,
    Html,
    Status(u16),
}

impl Quirks {
    /// Takes a rule. `None`: it is not one of these.
    pub fn change(&mut self, key: &str, value: &str) -> Option<Result<(), String>> {
        Some(match key {
            "keys" => put(&mut self.keys, key, value),
            "drift" => drift_of(value).map(|drift| self.drift = drift),
            "hidden" => put(&mut self.hidden, key, value),
            "order" => put(&mut self.order, key, value),
            "arrive" => put(&mut self.arrive, key, value),
            "edit" => flag(value).map(|edit| self.edit = edit),
            "rush" => flag(value).map(|rush| self.rush = rush),
            "expire" if value == "none" => {
                self.expire = None;
                Ok(())
            }
            "expire" => value.parse().map(|expire| self.expire = Some(expire)),
            "epoch" => put(&mut self.epoch, key, value),
            _ => return None,
        })
    }

    /// Returns whether a row is counted but never shown.
    pub fn hides(&self, idx: usize) -> bool {
        self.hidden > 0 && (scattered(idx as u64) as usize).is_multiple_of(self.hidden)
    }
}

/// Returns a number that looks drawn by chance, and is always the same for the same one.
pub fn scattered(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32
}

fn put<T: FromStr>(place: &mut T, key: &str, value: &str) -> Result<(), String> {
    *place = value.parse().map_err(|_| format!("'{value}' is not a value of '{key}'"))?;
    Ok(())
}

fn flag(value: &str) -> Result<bool, String> {
    match value {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(format!("'{value}' is neither 0 nor 1")),
    }
}

fn drift_of(value: &str) -> Result<Option<(usize, usize)>, String> {
    let wrong = || format!("'drift' needs two numbers or 0, not '{value}'");
    match value.split_once(',') {
        Some((first, second)) => Ok(Some((first.parse().map_err(|_| wrong())?, second.parse().map_err(|_| wrong())?))),
        None if value == "0" => Ok(None),
        None => Err(wrong()),
    }
}

impl FromStr for Keys {
    type Err = String;

    fn from_str(name: &str) -> Result<Keys, String> {
        match name {
            "plain" => Ok(Keys::Plain),
            "case" => Ok(Keys::Case),
            "long" => Ok(Keys::Long),
            "nanos" => Ok(Keys::Nanos),
            "text" => Ok(Keys::Text),
            other => Err(format!("unknown keys '{other}'")),
        }
    }
}

impl FromStr for Order {
    type Err = String;

    fn from_str(name: &str) -> Result<Order, String> {
        match name {
            "old" => Ok(Order::Old),
            "new" => Ok(Order::New),
            "changed" => Ok(Order::Changed),
            other => Err(format!("unknown order '{other}'")),
        }
    }
}

impl FromStr for Expire {
    type Err = String;

    fn from_str(name: &str) -> Result<Expire, String> {
        match name {
            "first" => Ok(Expire::First),
            "empty" => Ok(Expire::Empty),
            "error" => Ok(Expire::Error),
            "html" => Ok(Expire::Html),
            status => status.parse().map(Expire::Status).map_err(|_| format!("unknown way to expire '{status}'")),
        }
    }
}

//! The grammar of Unify's statements, and what its pieces say. What the statements do is defined above it.

mod comments;
mod mistake;
mod names;
mod rules;

pub use comments::{blanked, is_blank, trimmed};
pub use mistake::{expected, found_at, meant, message_of};
pub use names::{any_argument, connection_begin, end_name, first_name, has, joined, name_of, number_of, table_argument, table_of};
pub use rules::{is, len_of, parsed, places_of_names, Pair, Rule};

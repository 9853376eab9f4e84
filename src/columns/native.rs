//! Types that DuckDB has and no field of an API's answer: those of columns that come out of files or of another database.

use std::fmt::{self, Display};

/// Types without parameters, as DuckDB writes them, each with the one that other databases keep its values in.
const PLAIN: &[(&str, &str)] = &[
    ("TINYINT", "SMALLINT"),
    ("SMALLINT", "SMALLINT"),
    ("INTEGER", "INTEGER"),
    ("UTINYINT", "SMALLINT"),
    ("USMALLINT", "INTEGER"),
    ("UINTEGER", "BIGINT"),
    ("UBIGINT", "DECIMAL(20,0)"),
    ("UHUGEINT", "VARCHAR"),
    ("FLOAT", "FLOAT"),
    ("UUID", "UUID"),
    ("BLOB", "BLOB"),
    ("BIT", "VARCHAR"),
    ("TIME", "TIME"),
    ("TIME WITH TIME ZONE", "VARCHAR"),
    ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH TIME ZONE"),
    ("TIMESTAMP_S", "TIMESTAMP"),
    ("TIMESTAMP_MS", "TIMESTAMP"),
    ("INTERVAL", "INTERVAL"),
];
/// The type of moments with a time zone.
const MOMENT: &str = "TIMESTAMP WITH TIME ZONE";

/// A type of DuckDB's own, or a list of it. Its values are handed over as texts, and DuckDB casts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NativeType {
    /// A position in [`PLAIN`].
    plain: usize,
    is_list: bool,
}

impl NativeType {
    /// Returns the type that DuckDB writes so; `None` when it is not one of these.
    pub fn of_sql_name(name: &str) -> Option<NativeType> {
        let (name, is_list) = name.strip_suffix("[]").map_or((name, false), |element| (element, true));
        let plain = PLAIN.iter().position(|(plain, _)| *plain == name)?;
        Some(NativeType { plain, is_list })
    }

    /// Returns whether it is a list.
    pub fn is_list(self) -> bool {
        self.is_list
    }

    /// Returns whether its values are moments with a time zone.
    pub fn is_moment(self) -> bool {
        !self.is_list && PLAIN[self.plain].0 == MOMENT
    }

    /// Returns whether the greatest value says how far a table is: those of moments and of whole numbers do.
    pub fn is_cursor(self) -> bool {
        let name = PLAIN[self.plain].0;
        self.is_moment() || !self.is_list && (name.ends_with("INT") || name.ends_with("INTEGER"))
    }

    /// Returns the type that databases other than DuckDB's own keep its values in.
    pub fn elsewhere(self) -> String {
        format!("{}{}", PLAIN[self.plain].1, self.suffix())
    }

    fn suffix(self) -> &'static str {
        if self.is_list {
            "[]"
        } else {
            ""
        }
    }
}

impl Display for NativeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", PLAIN[self.plain].0, self.suffix())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        let names = PLAIN.iter().flat_map(|(name, _)| [name.to_string(), format!("{name}[]")]);
        for name in names {
            assert_eq!(NativeType::of_sql_name(&name).map(|native| native.to_string()), Some(name));
        }
        for name in ["", "[]", "VARCHAR", "DECIMAL(18,3)", "INTEGER[][]", "INTEGER[3]"] {
            assert_eq!(NativeType::of_sql_name(name), None, "{name}");
        }
    }

    #[test]
    fn other_databases_keep_all_values() {
        let elsewhere = |name: &str| NativeType::of_sql_name(name).map(NativeType::elsewhere).unwrap_or_default();
        assert_eq!(elsewhere("UBIGINT"), "DECIMAL(20,0)");
        assert_eq!(elsewhere("UINTEGER[]"), "BIGINT[]");
        assert_eq!(elsewhere("UUID"), "UUID");
    }
}

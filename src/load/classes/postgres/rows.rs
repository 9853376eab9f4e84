//! The rows of a table of PostgreSQL's: the query for them, in the order of the key, and the lines of COPY as batches.

use super::tables::ServerTable;
use super::types::{elements_of, ServerColumn};
use crate::columns::{Batch, Column, ColumnData, ColumnSource, ColumnVector, Form, TableSchema, TextColumn, Validity};
use crate::session::{quote_ident, quote_literal};
use crate::{Error, Result};

/// Bytes of a page, and rows, at most.
const PAGE_BYTES: usize = 1 << 20;
const PAGE_ROWS: usize = 16_384;

/// What is read of a table.
pub struct Reading {
    pub table: ServerTable,
    /// The column that says how far the table is, and from which value on.
    pub since: Option<(String, String)>,
    /// Whether a load that was cut goes on behind its last row. A cursor that is a number says nothing of when a row changed: what changed between
    /// the two parts of a load would never be asked for.
    pub resumes: bool,
}

impl ServerTable {
    /// Returns the columns of the table here.
    pub fn table_schema(&self) -> TableSchema {
        let column = |column: &ServerColumn| Column {
            name: column.name.clone(),
            source: ColumnSource::Record(vec![column.name.clone()]),
            column_type: column.column_type,
            declared: true,
            form: Form::default(),
        };
        TableSchema { columns: self.columns.iter().map(column).collect() }
    }
}

impl Reading {
    /// Returns the query for the rows behind the one of this key.
    pub fn sql(&self, after: Option<&[String]>) -> String {
        let table = &self.table;
        let values: Vec<String> = table.columns.iter().map(ServerColumn::sql).collect();
        let key: Vec<String> = table.key.iter().map(|name| quote_ident(name)).collect();
        let mut conditions = Vec::new();
        if let Some((column, value)) = &self.since {
            let (column, value) = (quote_ident(column), quote_literal(value));
            conditions.push(format!("({column} >= {value} OR {column} IS NULL)"));
        }
        if let Some(after) = after {
            let after: Vec<String> = after.iter().map(|text| quote_literal(text)).collect();
            conditions.push(format!("({}) > ({})", key.join(", "), after.join(", ")));
        }
        let conditions = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
        let order = if key.is_empty() { String::new() } else { format!(" ORDER BY {}", key.join(", ")) };
        format!("SELECT {} FROM {}.{}{conditions}{order}", values.join(", "), quote_ident(&table.schema), quote_ident(&table.name))
    }
}

/// Rows that are gathered.
pub struct Page<'a> {
    schema: &'a TableSchema,
    columns: &'a [ServerColumn],
    values: Vec<Texts>,
    pub n_rows: usize,
    pub n_bytes: usize,
    /// The last row, as the server wrote it.
    pub last: Vec<Option<String>>,
    /// The position of a column with a value that its type does not have.
    pub lacking: Option<usize>,
}

/// Values of a column, as texts or as lists of them.
#[derive(Default)]
struct Texts {
    texts: TextColumn,
    validity: Validity,
    /// Of lists: where each row's elements end, and which rows there are.
    rows: Option<(Vec<u32>, Validity)>,
}

impl<'a> Page<'a> {
    /// Returns an empty one.
    pub fn new(schema: &'a TableSchema, columns: &'a [ServerColumn]) -> Page<'a> {
        let texts = |column: &ServerColumn| Texts { rows: column.is_list().then(Default::default), ..Texts::default() };
        Page { schema, columns, values: columns.iter().map(texts).collect(), n_rows: 0, n_bytes: 0, last: Vec::new(), lacking: None }
    }

    /// Adds a row as COPY writes it.
    pub fn add(&mut self, line: &str) -> Result<()> {
        let mut fields: Vec<Option<String>> = line.split('\t').map(unescaped).collect();
        if self.columns.is_empty() {
            fields.clear();
        }
        if fields.len() != self.columns.len() {
            return Err(Error::data(format!("a row has {} values, and the table {} columns", fields.len(), self.columns.len())));
        }
        for (idx, ((column, values), field)) in self.columns.iter().zip(&mut self.values).zip(&fields).enumerate() {
            let has_all = values.push(column, field.as_deref()).map_err(|err| err.within(format_args!("column '{}'", column.name)))?;
            if !has_all {
                self.lacking = Some(idx);
            }
        }
        self.n_rows += 1;
        self.n_bytes += line.len() + fields.len() * 5;
        self.last = fields;
        Ok(())
    }

    /// Returns whether it has as much as a page is to have.
    pub fn is_full(&self) -> bool {
        self.n_bytes >= PAGE_BYTES || self.n_rows >= PAGE_ROWS
    }

    /// Returns its rows as texts in columns.
    pub fn into_batch(self) -> Batch {
        Batch { schema: self.schema.clone(), columns: self.values.into_iter().map(Texts::into_vector).collect(), n_rows: self.n_rows }
    }
}

impl Texts {
    /// Adds a value, or the elements of a list. Returns whether the column's type has all of it.
    fn push(&mut self, column: &ServerColumn, text: Option<&str>) -> Result<bool> {
        let Texts { texts, validity, rows } = self;
        let mut written = String::new();
        let mut has_all = true;
        let mut add = |text: Option<&str>| {
            written.clear();
            if let Some(text) = text {
                has_all &= !column.lacks(text);
                column.form.write(text, &mut written);
            }
            texts.push(&written);
            validity.push(text.is_some());
        };
        let Some((ends, lists)) = rows else {
            add(text);
            return Ok(has_all);
        };
        if let Some(text) = text {
            elements_of(text, add)?;
        }
        ends.push(u32::try_from(validity.bytes.len()).unwrap_or(u32::MAX));
        lists.push(text.is_some());
        Ok(has_all)
    }

    fn into_vector(self) -> ColumnVector {
        let texts = ColumnVector { data: ColumnData::Varchar(self.texts), validity: self.validity };
        match self.rows {
            None => texts,
            Some((ends, validity)) => ColumnVector { data: ColumnData::List { ends, child: Box::new(texts) }, validity },
        }
    }
}

/// Returns a value as COPY writes it in its text format; `None` for null.
fn unescaped(field: &str) -> Option<String> {
    if field == "\\N" {
        return None;
    }
    let mut text = String::with_capacity(field.len());
    let mut chars = field.chars();
    while let Some(c) = chars.next() {
        text.push(match c {
            '\\' => match chars.next() {
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('v') => '\u{b}',
                Some(other) => other,
                None => '\\',
            },
            c => c,
        });
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(key: &[&str]) -> ServerTable {
        ServerTable {
            schema: "public".to_string(),
            name: "it's".to_string(),
            description: None,
            columns: vec![ServerColumn::new("id", "integer", 0), ServerColumn::new("a\"b", "text[]", 1)],
            key: key.iter().map(|name| name.to_string()).collect(),
        }
    }

    #[test]
    fn rows_are_asked_for_behind_the_last_one() {
        let reading = Reading { table: table(&["id"]), since: Some(("id".to_string(), "5".to_string())), resumes: true };
        assert_eq!(reading.sql(None), r#"SELECT "id", "a""b" FROM "public"."it's" WHERE ("id" >= '5' OR "id" IS NULL) ORDER BY "id""#);
        let reading = Reading { table: table(&["id", "a\"b"]), since: None, resumes: true };
        let after = ["1".to_string(), "it's".to_string()];
        assert_eq!(
            reading.sql(Some(&after)),
            r#"SELECT "id", "a""b" FROM "public"."it's" WHERE ("id", "a""b") > ('1', 'it''s') ORDER BY "id", "a""b""#
        );
        assert_eq!(Reading { table: table(&[]), since: None, resumes: true }.sql(None), r#"SELECT "id", "a""b" FROM "public"."it's""#);
    }

    #[test]
    fn lines_of_copy_are_rows() {
        let table = table(&["id"]);
        let schema = table.table_schema();
        let mut page = Page::new(&schema, &table.columns);
        page.add("1\t{a,\"b\\\\tc\"}").unwrap();
        page.add("\\N\t\\N").unwrap();
        assert!(page.add("1").unwrap_err().message().contains("1 values"));
        let batch = page.into_batch();
        let ColumnData::List { ends, child } = &batch.columns[1].data else { panic!("not a list") };
        assert_eq!((batch.n_rows, ends.as_slice(), child.validity.bytes.len()), (2, &[2, 2][..], 2));
        assert_eq!(unescaped("a\\tb\\\\c\\nd").as_deref(), Some("a\tb\\c\nd"));
        assert_eq!(unescaped(""), Some(String::new()));
    }
}

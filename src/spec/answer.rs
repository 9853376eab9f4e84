//! How the answers of a table become records, and the fields of records columns.

use super::MomentFormat;
use crate::document::{BodyStyle, Node, View};

/// What the answers of a table are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AnswerDef {
    pub body: BodyStyle,
    /// How records stand below records; `None`: they do not.
    pub tree: Option<TreeDef>,
    pub records: RecordForm,
    /// Records that are left out.
    pub skip_when: Option<FieldCondition>,
    /// Records that say that a row is gone.
    pub deleted_when: Option<FieldCondition>,
}

/// Records that have records of the same form below them, to any depth: all of them are rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeDef {
    /// Keys from a record down to the list of those below it.
    pub below: Vec<String>,
    /// Objects of a record that are records below it, too, behind those of the list.
    pub also: Vec<String>,
    /// Keys from a record down to the text by which those below it know it.
    pub label: Option<Vec<String>>,
    /// The column that has the texts of the records above, the outermost first.
    pub column: String,
}

/// What stands where the records are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RecordForm {
    /// A list of records, or one record.
    #[default]
    Plain,
    /// An object whose values are the records. The column of this name has the keys.
    KeyedBy(String),
    /// Records of values without names.
    Rows(Vec<NamedRow>),
    /// An object with a list for each of these columns, each at a path below it.
    Zip(Vec<(String, Vec<String>)>),
}

/// A list of values without names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRow {
    /// The field of a record that is the list; `None`: the record itself.
    pub field: Option<String>,
    pub names: RowNames,
    /// The key of the value in an element that is an object; `None`: an object with nothing else but `value` is that value.
    pub value: Option<String>,
}

/// The names of the values of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowNames {
    Given(Vec<String>),
    /// Where in the body they are.
    At(Vec<String>),
}

/// What a field is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldCondition {
    pub path: Vec<String>,
    /// One of them; empty: anything but null.
    pub values: Vec<String>,
}

impl FieldCondition {
    /// Returns whether a text is one of those that are looked for.
    pub fn is_one(&self, text: &str) -> bool {
        self.values.is_empty() || self.values.iter().any(|value| value == text)
    }

    /// Returns whether a record is so.
    pub fn matches(&self, record: Node<'_>) -> bool {
        let Some(node) = record.at(&self.path) else { return false };
        match node.view() {
            View::Null => false,
            _ if self.values.is_empty() => true,
            View::Text(text) => self.is_one(text),
            _ => self.is_one(&node.to_json()),
        }
    }
}

/// What is done with the values of a column before they are converted to its type.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ColumnReading {
    /// Whether white space at both ends is taken off.
    pub trim: bool,
    /// How the column's moments are written.
    pub moment: Option<MomentFormat>,
}

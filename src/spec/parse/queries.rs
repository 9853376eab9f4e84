//! Checks what the query of a param names: tables and options of the spec.

use super::Node;
use crate::spec::{AdapterSpec, OptionSpec, ParentQuery};
use crate::yaml::Mistakes;

/// Where a query stands.
pub(super) struct QueryPlace<'a> {
    pub spec: &'a AdapterSpec,
    pub options: &'a [&'a OptionSpec],
    /// Such as `param 'id' of table 'orders'`.
    pub name: &'a str,
    pub node: &'a Node,
    pub mistakes: &'a Mistakes,
}

impl QueryPlace<'_> {
    /// Adds the mistakes of a query's names.
    pub fn check(&self, query: &ParentQuery) {
        for table in query.tables.iter().filter(|table| self.spec.table(table).is_none()) {
            self.mistakes.at(self.node, format!("the query of {} {}", self.name, self.reads(table)));
        }
        for name in &query.options {
            let fault = match self.options.iter().find(|option| option.name == *name) {
                None => {
                    let names = self.options.iter().map(|option| option.name.as_str());
                    format!("a hole '{name}', and no option has this name{}", self.mistakes.suggestions().hint("; ", name, names))
                }
                Some(option) if option.secret => format!("the secret option '{name}'; a query holds options that are not secret"),
                Some(_) => continue,
            };
            self.mistakes.at(self.node, format!("the query of {} has {fault}", self.name));
        }
    }

    fn reads(&self, table: &str) -> String {
        if self.spec.view(table).is_some() {
            return format!("reads view '{table}'; expected tables only");
        }
        let names = self.spec.tables.iter().map(|table_def| table_def.name.as_str());
        format!("reads table '{table}', which the spec does not have{}", self.mistakes.suggestions().hint("; ", table, names))
    }
}

//! Which parameter sets the rows of one level give for the next one, where a table goes on below its own rows.

use super::axis::{check_count, elements_of};
use super::sets::{sets_of_all_fields, Planned, PlannedSets};
use crate::columns::TableSchema;
use crate::http::ParamSet;
use crate::load::plan::scope::Scope;
use crate::load::plan::spec_query::check_tables;
use crate::load::plan::updates::Moments;
use crate::session::{quote_ident, quote_literal, Session, TableName, Value};
use crate::spec::{ParamDef, ParamValue, ParamValues, RecurseDef, TableDef};
use crate::Result;
use std::collections::HashSet;

/// The rows of one level.
pub struct Level<'a> {
    pub staging: &'a TableName,
    /// The columns of the staging table.
    pub schema: &'a TableSchema,
    /// What the rows of the level are marked by.
    pub mark: &'a str,
}

/// The sets that a load has asked for, or is to ask for, so that none is asked for twice: that ends a circle in the data.
#[derive(Default)]
pub struct SeenSets {
    values: HashSet<Vec<(String, Option<String>)>>,
}

impl SeenSets {
    /// Notes a set. Returns whether it is new.
    pub fn is_new(&mut self, set: &ParamSet) -> bool {
        self.values.insert(set.values.iter().map(|(name, value)| (name.clone(), value.to_text())).collect())
    }

    /// Fails when there are more sets than a table may have.
    pub fn check(&self) -> Result<()> {
        check_count(self.values.len())
    }
}

impl Planned<'_> {
    /// Returns the sets that the rows of a level lead to, in the order of their values, also those that were asked for before.
    pub fn sets_below(&self, recurse: &RecurseDef, level: &Level<'_>, now: i64, session: &mut dyn Session) -> Result<PlannedSets> {
        let rows = self.rows_below(recurse, level, session).map_err(|err| err.within("'recurse'"))?;
        let mut elements = elements_of(&ParamDef::new(recurse.names.clone(), ParamValues::Each(Vec::new())), rows)?;
        // Sets that look the same in the log are numbered, so their order must not change when a load goes on.
        elements.sort_by_cached_key(|element| element.iter().map(ParamValue::to_text).collect::<Vec<_>>());
        if elements.is_empty() {
            return Ok(PlannedSets::default());
        }
        let table_def = self.table_below(recurse, elements);
        let below = Planned { table_def: &table_def, ..*self };
        let scope = Scope::Everything(Moments { now, last_start: None });
        let mut planned = sets_of_all_fields(below, &scope, session)?;
        planned.sets.iter_mut().for_each(|set| set.from_parent = true);
        planned.leave_out_unusable(self.connection, &table_def);
        Ok(planned)
    }

    /// Returns the table with these values for the param that leads down.
    fn table_below(&self, recurse: &RecurseDef, elements: Vec<Vec<ParamValue>>) -> TableDef {
        let mut table_def = self.table_def.clone();
        let is_meant = |param_def: &ParamDef| param_def.names.iter().any(|name| recurse.names.contains(name));
        if let Some(param_def) = table_def.params.iter_mut().find(|param_def| is_meant(param_def)) {
            *param_def = ParamDef::new(recurse.names.clone(), ParamValues::Each(elements));
        }
        table_def
    }

    /// Runs the query over the rows of a level, which stand in the session's own schema under the table's name.
    fn rows_below(&self, recurse: &RecurseDef, level: &Level<'_>, session: &mut dyn Session) -> Result<Vec<Vec<Value>>> {
        let Some(marked) = level.schema.set_column() else { return Ok(Vec::new()) };
        let marked = quote_ident(&marked.name);
        let view = TableName { catalog: Some("temp".into()), schema: "main".into(), table: self.table_def.name.clone() };
        session.execute(&format!(
            "CREATE OR REPLACE TEMP VIEW {} AS SELECT * EXCLUDE ({marked}) FROM {} WHERE {marked} = {}",
            quote_ident(&view.table),
            level.staging,
            quote_literal(level.mark),
        ))?;
        let is_empty = session.query(&format!("SELECT 1 FROM {view} LIMIT 1"))?.is_empty();
        if is_empty {
            return Ok(Vec::new());
        }
        let value = |name: &String| self.connection.option(name).map(|value| (name.clone(), value.expose().to_string()));
        let options = recurse.query.options.iter().filter_map(value).collect();
        let sql = recurse.query.qualified(Some("temp"), "main", &options)?;
        check_tables(&[&self.table_def.name, &level.staging.table], &sql, session)?;
        session.query(&sql)
    }
}

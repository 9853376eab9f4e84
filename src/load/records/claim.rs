//! What Unify takes for its own in a database, and what it leaves alone: schemas and tables that it did not make, or that somebody changed.

use crate::load::records::fingerprint::Whose;
use crate::load::records::store::{StateRow, Store};
use crate::session::{quote_literal, Session, TableName};
use crate::{Error, Result};

impl Store {
    /// Makes, in the session's transaction, the connection's schema, or checks that it is Unify's, and that target and staging are Unify's where they exist.
    pub fn claim(&self, session: &mut dyn Session) -> Result<()> {
        self.claim_schema(session)?;
        self.check_target(session)?;
        self.check_staging(session)
    }

    /// Fails when the target exists and is not the table that Unify made there. Returns its fingerprint, `None` when it does not exist.
    pub fn check_target(&self, session: &mut dyn Session) -> Result<Option<String>> {
        let Store { target: TableName { schema, table, .. }, .. } = self;
        if !self.exists(session, &self.target)? {
            return Ok(None);
        }
        let shape = self.fingerprint(session, table)?;
        match self.whose(session, table, shape.as_deref())? {
            Whose::Ours => Ok(shape),
            Whose::Changed => Err(Error::config(format!(
                "the columns of '{schema}.{table}' changed since Unify loaded it; Unify leaves alone what somebody else changed; rename it, or drop it to load it again"
            ))),
            Whose::Others => Err(not_ours(&self.target)),
        }
    }

    fn check_staging(&self, session: &mut dyn Session) -> Result<()> {
        match self.exists(session, &self.staging)? && !self.is_ours(session, &self.staging.table, None)? {
            true => Err(not_ours(&self.staging)),
            false => Ok(()),
        }
    }

    /// Makes, in the session's transaction, the connection's schema, or checks that it is Unify's. Returns whether it was made.
    pub fn claim_schema(&self, session: &mut dyn Session) -> Result<bool> {
        // What is in it is found faster than the schema.
        if !self.exists(session, &self.target)? && !self.has_schema(session)? {
            let state = self.state_sql(&StateRow { status: "schema", ..StateRow::default() }, None);
            session.execute(&format!("CREATE SCHEMA {}; {state}", self.schema_sql()))?;
            return Ok(true);
        }
        match self.is_ours(session, "", None)? {
            true => Ok(false),
            false => Err(Error::config(format!(
                "schema '{}' exists and was not made by Unify, which leaves it alone; rename the connection or the schema",
                self.target.schema
            ))),
        }
    }

    /// Returns whether the connection's schema exists.
    pub fn has_schema(&self, session: &mut dyn Session) -> Result<bool> {
        let found = session.query(&format!(
            "SELECT 1 FROM duckdb_schemas() WHERE lower(database_name) = lower({}) AND lower(schema_name) = lower({})",
            quote_literal(self.target.catalog.as_deref().unwrap_or_default()),
            quote_literal(&self.target.schema),
        ))?;
        Ok(!found.is_empty())
    }
}

fn not_ours(table: &TableName) -> Error {
    Error::config(format!("'{}.{}' exists and was not made by Unify, which leaves it alone; rename or drop it", table.schema, table.table))
}

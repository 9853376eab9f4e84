//! `unify_http`: one GET request with a connection's credentials, whatever it answers.

use crate::columns::{ColumnType, TableSchema};
use crate::document::write_text;
use crate::http::Reply;
use crate::load::Ask;
use crate::session::Value;
use crate::spec::{Connection, ScalarType};
use crate::sql::commands::fetch::PARAMS;
use crate::sql::rows::{batch_of, integer, schema_of, text};
use crate::sql::{Arguments, Bound, FunctionDef, ParameterDef, ParameterType, StatementContext, Step, WaitingCall, Work};
use crate::{Error, Place, Result};
use std::sync::Arc;

const CONNECTION: ParameterDef = ParameterDef { name: "connection", parameter_type: ParameterType::Varchar };
const PATH: ParameterDef = ParameterDef { name: "path", parameter_type: ParameterType::Varchar };

const COLUMNS: &[(&str, ColumnType)] =
    &[("status", ColumnType::Scalar(ScalarType::BigInt)), ("headers", ColumnType::Json), ("body", ColumnType::Scalar(ScalarType::Varchar))];

/// `unify_http('conn', '/path', params := MAP {...})`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_http",
    description: "Sends one GET request for a path of a connection's API, with its credentials and within its budget; returns status, \
                  headers and body, secrets redacted",
    example: "FROM unify_http('shop', '/stores', params := MAP {'limit': '5'})",
    positional: &[CONNECTION, PATH],
    named: &[PARAMS],
    ..FunctionDef::calling(bind)
};

fn bind(arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
    let connection = arguments.text(0, CONNECTION.name)?;
    let connection = ctx.instance.catalog.snapshot(&ctx.settings).expect_connection(connection)?.open()?;
    Ok(Bound::Waiting(Box::new(HttpCall {
        schema: schema_of(COLUMNS),
        connection,
        path: arguments.text(1, PATH.name)?.to_string(),
        params: arguments.named_map(PARAMS.name)?.to_vec(),
    })))
}

/// A call bound to its request, which each execution sends.
struct HttpCall {
    schema: TableSchema,
    connection: Arc<Connection>,
    path: String,
    params: Vec<(String, Option<String>)>,
}

impl HttpCall {
    fn placed(&self, err: Error) -> Error {
        err.at(Place::connection(&self.connection.name))
    }
}

impl WaitingCall for HttpCall {
    fn schema(&self) -> &TableSchema {
        &self.schema
    }

    fn start(&self, ctx: &StatementContext<'_>) -> Result<Box<dyn Work>> {
        let ask =
            ctx.instance.loader.reader().ask(&self.connection, &self.path, &self.params, &ctx.settings).map_err(|err| self.placed(err))?;
        Ok(Box::new(HttpWork { connection: self.connection.name.clone(), ask }))
    }

    fn progress(&self) -> Option<f64> {
        None
    }
}

struct HttpWork {
    connection: String,
    ask: Ask,
}

impl Work for HttpWork {
    fn step(&mut self, _ctx: &StatementContext<'_>) -> Result<Step> {
        match self.ask.reply().map_err(|err| err.at(Place::connection(&self.connection)))? {
            Some(reply) => Ok(Step::Rows(vec![batch_of(&schema_of(COLUMNS), &[row_of(&reply)])?])),
            None => Ok(Step::Waits(self.ask.awaited())),
        }
    }
}

fn row_of(reply: &Reply) -> Vec<Value> {
    vec![integer(reply.status), text(Some(&headers_json(&reply.headers))), text(Some(&reply.body))]
}

/// Returns the headers as a JSON object, those of one name joined with commas.
fn headers_json(headers: &[(String, String)]) -> String {
    let mut joined: Vec<(&str, String)> = Vec::new();
    for (name, value) in headers {
        match joined.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, values)) => {
                values.push_str(", ");
                values.push_str(value);
            }
            None => joined.push((name, value.clone())),
        }
    }
    let mut out = vec![b'{'];
    for (idx, (name, value)) in joined.iter().enumerate() {
        if idx > 0 {
            out.push(b',');
        }
        write_text(&mut out, name);
        out.push(b':');
        write_text(&mut out, value);
    }
    out.push(b'}');
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::commands::tests::check_error;
    use expect_test::expect;

    #[test]
    fn headers_of_one_name_are_joined() {
        let pairs = [("link", "<a>"), ("x", "say \"hi\""), ("Link", "<b>")].map(|(name, value)| (name.to_string(), value.to_string()));
        assert_eq!(headers_json(&pairs), r#"{"link":"<a>, <b>","x":"say \"hi\""}"#);
        assert_eq!(headers_json(&[]), "{}");
    }

    #[test]
    fn a_connection_that_cannot_be_used_is_an_error_when_the_call_is_bound() {
        check_error("unify_http", &["shp", "/orders"], expect!["there is no connection 'shp'; did you mean 'shop'?"]);
    }
}

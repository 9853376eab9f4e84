//! `AUTHORIZE CONNECTION` and `unify_authorize`: a person consents to what a connection does in their name.

use crate::columns::timestamp_text;
use crate::http::access_text;
use crate::load::{print_line, Authorized, ConsentTalk};
use crate::session::{quote_literal, Value};
use crate::spec::{Connection, ScalarType, TokenAnswer};
use crate::sql::commands::create_connection::NAME;
use crate::sql::grammar::{self, Rule};
use crate::sql::rows::{bound_rows, text};
use crate::sql::{Arguments, Bound, FunctionDef, ParameterDef, ParameterType, StatementContext, StatementDef, Topic};
use crate::Result;

const REDIRECTED: ParameterDef = ParameterDef { name: "redirected", parameter_type: ParameterType::Varchar };

const COLUMNS: &[(&str, ScalarType)] = &[
    ("connection", ScalarType::Varchar),
    ("status", ScalarType::Varchar),
    ("access_until", ScalarType::Timestamp),
    ("message", ScalarType::Varchar),
];

pub(super) static STATEMENT: StatementDef = StatementDef {
    rule: Rule::authorize_connection,
    syntax: "AUTHORIZE CONNECTION name",
    description:
        "Asks you to consent, in a browser, to what a connection does in your name; says on stderr which address to open, and waits",
    example: "AUTHORIZE CONNECTION books",
    function: &FUNCTION,
    topic: Topic::Connections,
    arguments: |pair| Ok(vec![quote_literal(&grammar::first_name(pair)?)]),
};

/// `unify_authorize(name, redirected := NULL)`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_authorize",
    description:
        "Asks you to consent, in a browser, to what a connection does in your name; says on stderr which address to open, and waits. \
                  redirected: the address that the browser was led to, where it could not reach this machine",
    example: "FROM unify_authorize('books', redirected := 'http://127.0.0.1:49152/?code=...&state=...')",
    positional: &[NAME],
    named: &[REDIRECTED],
    hides_its_text: true,
    ..FunctionDef::calling(bind)
};

fn bind(arguments: &Arguments, ctx: &StatementContext<'_>) -> Result<Bound> {
    let name = arguments.text(0, NAME.name)?.to_string();
    let redirected = arguments.named_text(REDIRECTED.name)?.map(str::to_string);
    ctx.instance.catalog.snapshot(&ctx.settings).expect_connection(&name)?;
    Ok(bound_rows(COLUMNS, move |ctx| authorize(&name, redirected.as_deref(), ctx).map(|row| vec![row])))
}

fn authorize(name: &str, redirected: Option<&str>, ctx: &StatementContext<'_>) -> Result<Vec<Value>> {
    let connection = ctx.instance.catalog.snapshot(&ctx.settings).expect_connection(name)?.open()?;
    let tell = |address: &str, code: Option<&str>| print_line(&invitation(&connection.name, address, code));
    let within = |err: crate::Error| err.within(format!("connection '{}'", connection.name));
    let talk = ConsentTalk { tell: &tell, redirected };
    let outcome = ctx.instance.loader.reader().authorize(&connection, &talk, &ctx.settings, ctx.interrupted).map_err(within)?;
    Ok(match outcome {
        Authorized::Tokens(answer) => {
            let until = answer.expires.map_or(Value::Null, |expires| Value::Timestamp(expires.saturating_mul(1_000_000)));
            vec![text(Some(&connection.name)), text(Some("authorized")), until, text(Some(&lasts(&answer)))]
        }
        Authorized::ByHand { address } => {
            let message = format!(
                "open {address} and consent; then run FROM unify_authorize('{}', redirected := 'the address that the browser was led to')",
                connection.name
            );
            vec![text(Some(&connection.name)), text(Some("waits for you")), Value::Null, text(Some(&message))]
        }
    })
}

/// Returns what a person is told.
fn invitation(name: &str, address: &str, code: Option<&str>) -> String {
    match code {
        Some(code) => format!("To authorize connection '{name}', open {address} and enter the code {code}"),
        None => format!(
            "To authorize connection '{name}', open {address}\nWhere the browser cannot reach this machine, interrupt, and run FROM unify_authorize('{name}', \
             redirected := 'the address that the browser was led to')"
        ),
    }
}

/// Returns until when a connection's access lasts; `None` when no server gave it any.
pub(super) fn access_of(connection: &Connection) -> Option<String> {
    connection.token().map(|answer| lasts(&answer))
}

fn lasts(answer: &TokenAnswer) -> String {
    access_text(answer, |seconds| format!("{} UTC", timestamp_text(seconds.saturating_mul(1_000_000))))
}

#[cfg(test)]
mod tests {
    use crate::sql::commands::tests::{check_error, check_statement};
    use expect_test::expect;

    #[test]
    fn the_statement_is_a_call() {
        check_statement("AUTHORIZE CONNECTION shop", expect!["SELECT * FROM unify_authorize('shop')"]);
        check_statement("authorize connection \"it's\";", expect!["SELECT * FROM unify_authorize('it''s')"]);
    }

    #[test]
    fn an_unknown_connection_is_an_error() {
        check_error("unify_authorize", &["shp"], expect!["there is no connection 'shp'; did you mean 'shop'?"]);
    }
}

//! `unify_dry_run`: the requests of the session's last COPY with `dry_run true`.

use crate::load::PlannedWrite;
use crate::session::Value;
use crate::spec::ScalarType;
use crate::sql::rows::{bound_rows, integer, text};
use crate::sql::{Arguments, Bound, FunctionDef, StatementContext};
use crate::Result;

const COLUMNS: &[(&str, ScalarType)] = &[
    ("request", ScalarType::BigInt),
    ("method", ScalarType::Varchar),
    ("url", ScalarType::Varchar),
    ("idempotency_key", ScalarType::Varchar),
    ("body", ScalarType::Varchar),
    ("first_row", ScalarType::BigInt),
    ("rows", ScalarType::BigInt),
];

/// `unify_dry_run()`.
pub(super) static FUNCTION: FunctionDef = FunctionDef {
    name: "unify_dry_run",
    description: "Lists the requests that the session's last COPY ... (FORMAT unify, dry_run true) would send, secrets redacted",
    example: "FROM unify_dry_run()",
    ..FunctionDef::calling(bind)
};

fn bind(_arguments: &Arguments, _ctx: &StatementContext<'_>) -> Result<Bound> {
    Ok(bound_rows(COLUMNS, |ctx| {
        let planned = ctx.instance.loader.dry_run(ctx.session);
        Ok(planned.iter().enumerate().map(|(idx, write)| row_of(idx + 1, write)).collect())
    }))
}

fn row_of(number: usize, write: &PlannedWrite) -> Vec<Value> {
    vec![
        integer(number as i64),
        text(Some(write.method)),
        text(Some(&write.url)),
        text(write.idempotency_key.as_deref()),
        text(write.body.as_deref()),
        integer(write.first_row),
        integer(write.n_rows),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::commands::tests::{check_rows, TestInstance};
    use crate::sql::{bind_copy, CopyArguments};
    use expect_test::expect;
    use serde_json::json;

    #[test]
    fn before_a_dry_run_there_is_none() {
        check_rows("unify_dry_run", &[], expect!["request | method | url | idempotency_key | body | first_row | rows"]);
    }

    #[test]
    fn the_last_dry_run_of_the_session_is_listed() {
        let instance = TestInstance::new();
        let options = vec![("dry_run".to_string(), Value::Boolean(true))];
        let columns = vec!["region".to_string(), "name".to_string(), "password".to_string()];
        let arguments = CopyArguments { path: "shop.customers".to_string(), columns, options };
        let bound = bind_copy(&arguments, &instance.context()).unwrap();
        let mut write = bound.start("shop.customers", &instance.instance().loader, &instance.settings(), 1).unwrap();
        for (region, name) in [("eu", "Ada"), ("eu", "Bob"), ("us", "s3cr3t")] {
            write.push(vec![json!(region), json!(name), json!(1)], &|| false).unwrap();
        }
        write.finish(&|| false).unwrap();
        instance.check_rows("unify_dry_run", &[], expect![[r#"
            request | method | url | idempotency_key | body | first_row | rows
            1 | POST | https://eu.example.com/api/eu/customers | 54dc3aaddd4ee999374c44c202e81830 | [{"name":"Ada","password":***},{"name":"Bob","password":***}] | 1 | 2
            2 | POST | https://eu.example.com/api/us/customers | 0962c9db86d85394bf32004647b17d71 | [{"name":"***","password":***}] | 3 | 1"#]]);
    }
}

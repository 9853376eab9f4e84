//! One test file: a template of sqllogictest records, filled in and run in one host.

use crate::host::{Host, Session};
use sqllogictest::Runner;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use testapi::Server;

/// The line every file needs before its first record. It loads the extension and points it to the test's specs and connections.
const REQUIRE: &str = "require unify";

/// Runs the file. The error says what failed, and where.
pub fn run(file: &Path, python: &Path, extension: &Path) -> Result<(), String> {
    let place = |err: &dyn std::fmt::Display| format!("{}: {err}", file.display());
    let template = fs::read_to_string(file).map_err(|err| place(&err))?;
    let server = Server::start(0).map_err(|err| place(&err))?;
    let folder = tempfile::tempdir().map_err(|err| place(&err))?;
    let root = root_of(file).ok_or_else(|| place(&"the file is in no folder 'test' with 'connections.yaml'"))?;
    let values = [
        ("API", server.address().to_string()),
        ("EXTENSION", extension.display().to_string()),
        ("TEST", root.display().to_string()),
        ("TMP", folder.path().display().to_string()),
    ];
    let script = filled(&template, &values).map_err(|err| place(&err))?;
    let host = Host::start(python, &root.join("hosts/slt_host.py"), folder.path(), server.address()).map_err(|err| place(&err))?;
    let version = host.version().to_string();
    let host = Arc::new(Mutex::new(host));
    prepare(&host, &root, extension).map_err(|err| place(&err))?;
    let mut n_sessions = 0;
    let mut runner = Runner::new(|| {
        n_sessions += 1;
        let session = Session::new(host.clone(), n_sessions);
        async move { Ok(session) }
    });
    runner.add_label(&version);
    let outcome = runner.run_script_with_name(&script, file.display().to_string()).map_err(|err| err.display(false).to_string());
    drop(runner);
    let ended = match Arc::try_unwrap(host) {
        Ok(host) => host.into_inner().unwrap_or_else(PoisonError::into_inner).end(),
        Err(_) => Err("the host is still in use".to_string()),
    };
    outcome.and(ended.map_err(|err| place(&err)))
}

fn prepare(host: &Arc<Mutex<Host>>, root: &Path, extension: &Path) -> Result<(), String> {
    let text = |path: &Path| path.display().to_string().replace('\'', "''");
    let statements = [
        format!("LOAD '{}'", text(extension)),
        format!("SET GLOBAL unify_spec_path = '{}'", text(&root.join("specs"))),
        format!("SET GLOBAL unify_connections_file = '{}'", text(&root.join("connections.yaml"))),
    ];
    let mut session = Session::new(host.clone(), 0);
    for statement in &statements {
        session.execute(statement).map_err(|err| format!("{statement}: {err}"))?;
    }
    Ok(())
}

/// Returns the folder `test` the file is in.
fn root_of(file: &Path) -> Option<std::path::PathBuf> {
    file.ancestors().find(|folder| folder.join("connections.yaml").is_file()).map(Path::to_path_buf)
}

/// Replaces `${NAME}` by the values and takes the `require unify` line out.
fn filled(template: &str, values: &[(&str, String)]) -> Result<String, String> {
    if !template.lines().any(|line| line.trim() == REQUIRE) {
        return Err(format!("there is no line '{REQUIRE}'"));
    }
    let mut script = template.lines().map(|line| if line.trim() == REQUIRE { "" } else { line }).collect::<Vec<_>>().join("\n");
    for (name, value) in values {
        script = script.replace(&format!("${{{name}}}"), value);
    }
    script.push('\n');
    Ok(script)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_and_the_requirement_goes() {
        let values = [("API", "http://here".to_string())];
        assert_eq!(filled("# x\nrequire unify\n.get ${API}/a", &values), Ok("# x\n\n.get http://here/a\n".to_string()));
    }

    #[test]
    fn a_file_without_the_requirement_is_an_error() {
        assert!(filled("query I\nSELECT 1\n----\n1\n", &[]).is_err());
    }
}

//! Where Unify looks for its files: the only place that reads the environment and the home directory.

use crate::catalog::program::Programs;
use crate::files::make_folder;
use crate::session::Settings;
use crate::spec::Secret;
use crate::{Error, Result};
use std::path::PathBuf;

type Variable = dyn Fn(&str) -> Option<String> + Send + Sync;

/// The environment variables and the home directory of the process, or a test's own.
pub struct Environment {
    variable: Box<Variable>,
    home: Box<dyn Fn() -> Option<PathBuf> + Send + Sync>,
    /// What programs that print secrets printed last.
    programs: Programs,
}

impl Environment {
    /// Returns the environment of the process; it is read again at each use.
    pub fn of_process() -> Environment {
        Environment {
            variable: Box::new(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())),
            home: Box::new(std::env::home_dir),
            programs: Programs::default(),
        }
    }

    /// Returns an environment with these variables and this home directory only.
    #[cfg(test)]
    pub(crate) fn of_test(variables: &[(&str, &str)], home: Option<&std::path::Path>) -> Environment {
        let variables: std::collections::HashMap<String, String> =
            variables.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let home = home.map(std::path::Path::to_path_buf);
        Environment {
            variable: Box::new(move |name| variables.get(name).cloned()),
            home: Box::new(move || home.clone()),
            programs: Programs::default(),
        }
    }

    /// Returns the value of a variable, empty ones included.
    pub fn variable(&self, name: &str) -> Option<String> {
        (self.variable)(name)
    }

    /// Returns whether the process is the kernel of a notebook: Jupyter tells it the process it belongs to.
    pub fn is_notebook(&self) -> bool {
        self.variable("JPY_PARENT_PID").is_some_and(|value| !value.is_empty())
    }

    /// Returns what a program prints. Blocks. Fails, naming the program, when it does not end well.
    pub fn output_of(&self, line: &str) -> Result<Secret> {
        self.programs.output_of(line)
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        self.variable(name).filter(|value| !value.trim().is_empty()).map(|value| self.expand(&value))
    }

    /// Replaces a leading `~` by the home directory.
    pub fn expand(&self, path: &str) -> PathBuf {
        let rest = path.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/') || rest.starts_with('\\'));
        match (rest, (self.home)()) {
            (Some(rest), Some(home)) => home.join(rest.trim_start_matches(['/', '\\'])),
            _ => PathBuf::from(path),
        }
    }

    fn unify_home(&self) -> Option<PathBuf> {
        self.path("UNIFY_HOME")
    }

    fn default_home(&self) -> Option<PathBuf> {
        (self.home)().filter(|home| !home.as_os_str().is_empty()).map(|home| home.join(".unify"))
    }
}

/// A file or folder to read, and who named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub path: PathBuf,
    /// What named it, for messages; `None` for the default places, which need not exist.
    pub named_by: Option<&'static str>,
}

impl Place {
    /// Fails when somebody named the place and it does not exist.
    pub fn check(&self, what: &str) -> Result<()> {
        match self.named_by {
            Some(named_by) if !self.path.exists() => {
                Err(Error::config(format!("{named_by} names the {what} '{}', which does not exist", self.path.display())))
            }
            _ => Ok(()),
        }
    }
}

/// Returns the connections file: the one the setting or `UNIFY_CONNECTIONS` names, else the first that exists of
/// `$UNIFY_HOME/connections.yaml` and `~/.unify/connections.yaml`.
pub fn connections_file(settings: &Settings, environment: &Environment) -> Option<Place> {
    if !settings.connections_file.is_empty() {
        let path = environment.expand(&settings.connections_file);
        return Some(Place { path, named_by: Some("setting 'unify_connections_file'") });
    }
    if let Some(path) = environment.path("UNIFY_CONNECTIONS") {
        return Some(Place { path, named_by: Some("environment variable UNIFY_CONNECTIONS") });
    }
    default_connections_files(environment).into_iter().find(|path| path.exists()).map(|path| Place { path, named_by: None })
}

/// Returns where a connections file is looked for that nothing names, in this order.
pub fn default_connections_files(environment: &Environment) -> Vec<PathBuf> {
    let homes = [environment.unify_home(), environment.default_home()];
    homes.into_iter().flatten().map(|home| home.join("connections.yaml")).collect()
}

/// Returns the connections file to write to: the one that is read, else the first place where one would be found. Makes the home folder
/// it goes into; fails when there is none.
pub fn writable_connections_file(settings: &Settings, environment: &Environment) -> Result<PathBuf> {
    if let Some(place) = connections_file(settings, environment) {
        return Ok(place.path);
    }
    let home = environment.unify_home().or_else(|| environment.default_home()).ok_or_else(|| {
        Error::config("there is no home directory for the connections file; SET unify_connections_file to the file to write")
    })?;
    make_folder(&home)?;
    Ok(home.join("connections.yaml"))
}

/// Returns the folder that keeps the tokens of the connections in `file`: beside it, under its name. `file` need not exist.
pub fn token_folder(file: &std::path::Path) -> PathBuf {
    let name = file.file_name().map_or_else(|| "connections.yaml".into(), |name| name.to_string_lossy());
    file.with_file_name(format!("{name}.tokens"))
}

/// Returns the folder with the user's adapter specs: the one the setting names, else the first that exists of `$UNIFY_HOME/rest_specs` and
/// `~/.unify/rest_specs`.
pub fn spec_folder(settings: &Settings, environment: &Environment) -> Option<Place> {
    if !settings.spec_path.is_empty() {
        return Some(Place { path: environment.expand(&settings.spec_path), named_by: Some("setting 'unify_spec_path'") });
    }
    let homes = [environment.unify_home(), environment.default_home()];
    let mut folders = homes.into_iter().flatten().map(|home| home.join("rest_specs"));
    folders.find(|path| path.is_dir()).map(|path| Place { path, named_by: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn settings(connections_file: &str, spec_path: &str) -> Settings {
        let mut settings = Settings::read(|_| None).unwrap();
        settings.connections_file = connections_file.to_string();
        settings.spec_path = spec_path.to_string();
        settings
    }

    #[test]
    fn the_first_connections_file_found_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        let unify_home = folder.path().join("unify");
        std::fs::create_dir_all(home.join(".unify")).unwrap();
        std::fs::create_dir_all(&unify_home).unwrap();
        let check = |setting: &str, variables: &[(&str, &str)], expected: Option<PathBuf>| {
            let place = connections_file(&settings(setting, ""), &Environment::of_test(variables, Some(&home)));
            assert_eq!(place.map(|place| place.path), expected, "{setting} {variables:?}");
        };
        let home_variable = ("UNIFY_HOME", unify_home.to_str().unwrap());
        check("", &[], None);
        std::fs::write(home.join(".unify/connections.yaml"), "").unwrap();
        check("", &[], Some(home.join(".unify/connections.yaml")));
        check("", &[home_variable], Some(home.join(".unify/connections.yaml")));
        std::fs::write(unify_home.join("connections.yaml"), "").unwrap();
        check("", &[home_variable], Some(unify_home.join("connections.yaml")));
        check("", &[home_variable, ("UNIFY_CONNECTIONS", "/a/b.yaml")], Some("/a/b.yaml".into()));
        check("", &[home_variable, ("UNIFY_CONNECTIONS", "")], Some(unify_home.join("connections.yaml")));
        check("c.yaml", &[home_variable, ("UNIFY_CONNECTIONS", "/a/b.yaml")], Some("c.yaml".into()));
        check("~/c.yaml", &[], Some(home.join("c.yaml")));
        check("~c.yaml", &[], Some("~c.yaml".into()));
    }

    #[test]
    fn what_is_written_to_is_what_is_read_or_would_be() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        let file = |setting: &str, variables: &[(&str, &str)], home: Option<&Path>| {
            writable_connections_file(&settings(setting, ""), &Environment::of_test(variables, home))
        };
        assert_eq!(file("/a/b.yaml", &[], Some(&home)).unwrap(), PathBuf::from("/a/b.yaml"));
        assert_eq!(file("", &[("UNIFY_CONNECTIONS", "/a/c.yaml")], Some(&home)).unwrap(), PathBuf::from("/a/c.yaml"));
        assert!(file("", &[], None).unwrap_err().to_string().contains("SET unify_connections_file"));
        assert!(!home.exists());
        assert_eq!(file("", &[], Some(&home)).unwrap(), home.join(".unify/connections.yaml"));
        assert!(home.join(".unify").is_dir());
        let unify_home = folder.path().join("unify/home");
        let variables = [("UNIFY_HOME", unify_home.to_str().unwrap())];
        assert_eq!(file("", &variables, Some(&home)).unwrap(), unify_home.join("connections.yaml"));
        assert!(unify_home.is_dir());
        // One that is there is taken before one that is not.
        std::fs::write(home.join(".unify/connections.yaml"), "").unwrap();
        assert_eq!(file("", &variables, Some(&home)).unwrap(), home.join(".unify/connections.yaml"));
    }

    #[test]
    fn the_spec_folder_is_never_below_the_current_directory_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let unify_home = folder.path().to_str().unwrap();
        let place = |setting: &str, variables: &[(&str, &str)], home: Option<&Path>| {
            spec_folder(&settings("", setting), &Environment::of_test(variables, home)).map(|place| place.path)
        };
        assert_eq!(place("", &[], None), None);
        assert_eq!(place("", &[("UNIFY_HOME", unify_home)], None), None);
        std::fs::create_dir(folder.path().join("rest_specs")).unwrap();
        assert_eq!(place("", &[("UNIFY_HOME", unify_home)], None), Some(folder.path().join("rest_specs")));
        assert_eq!(place("", &[("UNIFY_HOME", "/nowhere")], Some(folder.path())), None);
        assert_eq!(place("specs", &[("UNIFY_HOME", unify_home)], None), Some("specs".into()));
    }

    #[test]
    fn the_first_spec_folder_found_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let (home, unify_home) = (folder.path().join("home"), folder.path().join("unify"));
        let place = || {
            let environment = Environment::of_test(&[("UNIFY_HOME", unify_home.to_str().unwrap())], Some(&home));
            spec_folder(&settings("", ""), &environment).map(|place| place.path)
        };
        assert_eq!(place(), None);
        std::fs::create_dir_all(home.join(".unify/rest_specs")).unwrap();
        assert_eq!(place(), Some(home.join(".unify/rest_specs")));
        std::fs::create_dir_all(unify_home.join("rest_specs")).unwrap();
        assert_eq!(place(), Some(unify_home.join("rest_specs")));
    }

    #[test]
    fn a_named_place_must_exist() {
        let place = Place { path: "/nowhere/x.yaml".into(), named_by: Some("setting 'unify_connections_file'") };
        assert_eq!(
            place.check("connections file").unwrap_err().to_string(),
            "setting 'unify_connections_file' names the connections file '/nowhere/x.yaml', which does not exist"
        );
    }
}

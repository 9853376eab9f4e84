//! The windows of a load: each set of params is asked for once for each of them.

use crate::http::{ParamSet, Windowed};
use crate::load::plan::fill::{filled, SetValues};
use crate::spec::{
    grain_of, Builtin, Connection, Ends, Hole, Layered, LoadValues, ParamValue, Scale, TableDef, Template, Window, WindowDef, WindowRange,
};
use crate::{Error, Result};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// A window, and what the load knows when it asks for it.
type Asked = (Window, Arc<LoadValues>);

/// Cuts the range of a table for its sets of params.
pub struct Windows<'a> {
    connection: &'a Connection,
    window_def: &'a WindowDef,
    /// The least that tells two bounds apart as requests write them: of moments, days and numbers.
    grains: [i64; 3],
    /// Whether a hole writes bounds as the days of a time zone.
    has_days_of_zone: bool,
    /// Whether each request has a window, whatever the params are.
    is_in_requests: bool,
    /// The windows of each range, by whether a refresh asks.
    cut: HashMap<(WindowRange, bool), Arc<[Asked]>>,
    /// A range that has nothing in it.
    empty: Option<[String; 2]>,
}

/// From where on a refresh asks.
#[derive(Clone, Copy)]
pub struct WindowsSince<'a> {
    /// What the load knew that the table has the rows of.
    pub last: &'a LoadValues,
    pub lookback: Duration,
}

impl<'a> Windows<'a> {
    /// Prepares the windows of a table; `None` for one that has none.
    pub fn new(connection: &'a Connection, table_def: &'a TableDef) -> Option<Windows<'a>> {
        let window_def = table_def.window.as_ref()?;
        let holes = table_def.window_holes();
        let grain = |hole: &&Hole, scale: Scale| grain_of(hole, scale, &table_def.date_format).ok().flatten();
        let grains = [Scale::Moments, Scale::Days, Scale::Numbers]
            .map(|scale| holes.iter().filter_map(|hole| grain(hole, scale)).max().unwrap_or(1));
        let is_of_days = |hole: &&Hole| hole.has_zone() && grain(hole, Scale::Moments).is_some_and(|grain| grain >= WindowDef::DAY);
        Some(Windows {
            connection,
            window_def,
            grains,
            has_days_of_zone: holes.iter().any(is_of_days),
            is_in_requests: table_def.request_templates().into_iter().any(names_window),
            cut: HashMap::new(),
            empty: None,
        })
    }

    /// Returns the requests' sets of a set of params, whose holes are not filled: one for each window, or one where no window stands in them.
    /// With `since`, those are left out that the loaded table has.
    pub fn sets_of(&mut self, set: ParamSet, load: &Arc<LoadValues>, since: Option<WindowsSince<'_>>) -> Result<Vec<ParamSet>> {
        if !self.is_in_requests && !set.values.iter().flat_map(|(_, value)| value.templates()).any(names_window) {
            return Ok(vec![filled(self.connection, set, load)?]);
        }
        let range = self.range(&set, load)?;
        let least = match since {
            Some(WindowsSince { last, lookback }) => {
                let lookback = match range.scale {
                    Scale::Numbers => i64::try_from(lookback.as_secs()),
                    Scale::Moments | Scale::Days => i64::try_from(lookback.as_micros()),
                };
                let last = self.range(&set, last)?;
                self.window_def.complete_until(last).saturating_sub(lookback.unwrap_or(i64::MAX))
            }
            None => i64::MIN,
        };
        let asked = self.asked(range, load, since.is_some())?;
        let open: Arc<[(String, ParamValue)]> = set.values.iter().cloned().collect();
        let of_window = |(window, load): &Asked| {
            let windowed = Windowed { window: *window, open: open.clone() };
            Ok(ParamSet { window: Some(windowed), ..filled(self.connection, set.clone(), load)? })
        };
        asked.iter().filter(|(window, _)| window.end > least).map(of_window).collect()
    }

    /// Returns what is to be said where a range has nothing in it.
    pub fn note(&self) -> Option<String> {
        let [start, end] = self.empty.as_ref()?;
        Some(format!("the window starts at {start} and ends at {end}, which is not later: nothing to ask for"))
    }

    fn range(&self, set: &ParamSet, load: &LoadValues) -> Result<WindowRange> {
        let of_set = SetValues { values: &set.values, but: "" };
        let sources = Layered(load, &of_set);
        let range = self.window_def.range(&Layered(&sources, self.connection), |scale| match scale {
            Scale::Moments => self.grains[0],
            Scale::Days => self.grains[1],
            Scale::Numbers => self.grains[2],
        })?;
        if range.scale == Scale::Moments && self.window_def.ends == Ends::Inclusive && self.has_days_of_zone {
            return Err(Error::config(
                "the window's bounds are sent as days of a time zone, and 'ends: inclusive' needs whole days; write its start and end as days, \
                 such as \"${today | tz('Europe/Berlin')}\", and leave 'tz' out of the params",
            ));
        }
        Ok(range)
    }

    fn asked(&mut self, range: WindowRange, load: &Arc<LoadValues>, is_update: bool) -> Result<Arc<[Asked]>> {
        if let Some(asked) = self.cut.get(&(range, is_update)) {
            return Ok(asked.clone());
        }
        let windows = self.window_def.windows(range)?;
        if windows.is_empty() && self.empty.is_none() {
            self.empty = Some(range.bound_names());
        }
        let with_load = |window: Window| (window, Arc::new(LoadValues { window: Some(window.bounds()), ..LoadValues::clone(load) }));
        let asked: Arc<[Asked]> = windows.into_iter().map(with_load).collect();
        self.cut.insert((range, is_update), asked.clone());
        Ok(asked)
    }
}

/// Returns the sets of the halves of a set's window; `None` where nothing that is smaller can be asked for.
pub fn halves_of(connection: &Connection, set: &ParamSet) -> Result<Option<[ParamSet; 2]>> {
    let Some((windowed, [first, second])) = set.window.as_ref().and_then(|windowed| Some((windowed, windowed.window.halves()?))) else {
        return Ok(None);
    };
    let half = |window: Window| {
        let load = Arc::new(LoadValues { window: Some(window.bounds()), ..LoadValues::clone(&set.load) });
        let open = ParamSet { values: windowed.open.to_vec(), ..set.clone() };
        let windowed = Windowed { window, open: windowed.open.clone() };
        Ok::<ParamSet, Error>(ParamSet { window: Some(windowed), ..filled(connection, open, &load)? })
    };
    Ok(Some([half(first)?, half(second)?]))
}

fn names_window(template: &Template) -> bool {
    template.names().any(|name| Builtin::named(name) == Some(Builtin::Window))
}

//! Reads `window` and `max_rows`, and checks them against the rest of the table.

use super::params::value_of;
use crate::spec::{duration_of, grain_of, Ends, Hole, MaxRows, ParamValue, Scale, Step, TableDef, Template, WindowDef, DURATION_FORMS};
use crate::yaml::{Fields, Mistakes, Node};

/// The keys of `window`, in the order of the reference.
pub(super) const WINDOW_KEYS: &[&str] = &["start", "end", "step", "ends", "unit", "overlap"];
/// The keys of `max_rows`, in the order of the reference.
pub(super) const MAX_ROWS_KEYS: &[&str] = &["rows", "do"];

const STEP_FORMS: &str =
    "a length of time such as '30d' or '12h', months such as '1mo', or a number of 1 or more where the range is one of numbers";

/// Reads `window`.
pub(super) fn window_of(table: &Fields<'_>) -> Option<WindowDef> {
    let fields = Fields::of(table.get("window")?, format!("'window' of {}", table.place()), WINDOW_KEYS, table.mistakes())?;
    let mistakes = fields.mistakes();
    let value = |key: &str| fields.get(key).and_then(|node| value_of(node, &format!("'{key}' of {}", fields.place()), mistakes));
    let start = fields.required_text("start").and_then(|_| value("start"));
    let step = step_of(&fields);
    let end = match (fields.get("end"), step) {
        (None, Some(Step::Number(_))) => {
            mistakes.at(fields.mapping_node(), format!("{} has no 'end', which a range of numbers needs", fields.place()));
            None
        }
        (None, _) => Some(ParamValue::Template(Template::of_hole("now"))),
        (Some(_), _) => value("end"),
    };
    let ends = ends_of(&fields);
    let (start, end, step) = (start?, end?, step?);
    let unit = length_of(&fields, "unit", step, 1);
    let overlap = length_of(&fields, "overlap", step, 0).unwrap_or(0);
    if let Some(node) = fields.get("overlap").filter(|_| overlap >= step.shortest()) {
        mistakes.at(node, format!("'overlap' of {} is not shorter than its 'step'", fields.place()));
    }
    let window_def = WindowDef { start, end, step, ends, unit, overlap };
    if let Err(err) = window_def.check_bounds() {
        mistakes.at(fields.mapping_node(), format!("{}: {err}", fields.place()));
    }
    Some(window_def)
}

fn step_of(fields: &Fields<'_>) -> Option<Step> {
    let text = fields.required_text("step")?;
    let text = text.trim();
    let n_digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: Option<i64> = text[..n_digits].parse().ok();
    let step = match (number, text[n_digits..].trim().to_ascii_lowercase().as_str()) {
        (Some(number), "") => Some(Step::Number(number)),
        (Some(number), "mo" | "month" | "months") => Some(Step::Months(number)),
        (Some(number), "y" | "year" | "years") => Some(Step::Months(number.saturating_mul(12))),
        _ => micros_of(text).map(Step::Time),
    };
    let step = step.filter(|step| step.shortest() > 0);
    if step.is_none() {
        fields.wrong("step", fields.get("step")?, STEP_FORMS);
    }
    step
}

fn micros_of(text: &str) -> Option<i64> {
    duration_of(text).and_then(|duration| i64::try_from(duration.as_micros()).ok())
}

fn ends_of(fields: &Fields<'_>) -> Ends {
    match fields.text("ends").as_deref() {
        None | Some("exclusive") => Ends::Exclusive,
        Some("inclusive") => Ends::Inclusive,
        Some(_) => {
            let expected = "exclusive (the next window starts where this one ends) or inclusive (it starts one unit later)";
            fields.wrong("ends", fields.get("ends").unwrap_or(fields.mapping_node()), expected);
            Ends::Exclusive
        }
    }
}

/// Reads a length in what the step counts, of at least `least`.
fn length_of(fields: &Fields<'_>, key: &str, step: Step, least: i64) -> Option<i64> {
    let node = fields.get(key)?;
    let is_number = matches!(step, Step::Number(_));
    let text = node.text().unwrap_or("").trim();
    let length = if is_number { text.parse().ok() } else { micros_of(text) };
    let length = length.filter(|length| *length >= least);
    match (length, is_number) {
        (Some(_), _) => {}
        (None, true) => fields.wrong(key, node, &format!("a whole number of {least} or more, as the step is a number")),
        (None, false) if least > 0 => fields.wrong(key, node, &format!("a length of time above 0: {DURATION_FORMS}")),
        (None, false) => fields.wrong(key, node, DURATION_FORMS),
    }
    length
}

/// Reads `max_rows`: a number, or a mapping of it and what to do.
pub(super) fn max_rows_of(table: &Fields<'_>) -> Option<MaxRows> {
    let node = table.get("max_rows")?;
    if node.mapping().is_none() {
        return table.count("max_rows", 1).map(|rows| MaxRows { rows, splits: false });
    }
    let fields = Fields::of(node, format!("'max_rows' of {}", table.place()), MAX_ROWS_KEYS, table.mistakes())?;
    if fields.get("rows").is_none() {
        fields.mistakes().at(node, format!("{} has no 'rows'", fields.place()));
    }
    let splits = match fields.text("do").as_deref() {
        None | Some("fail") => false,
        Some("split") => true,
        Some(_) => {
            fields.wrong("do", fields.get("do").unwrap_or(node), "fail, or split (the window is asked for in halves)");
            false
        }
    };
    Some(MaxRows { rows: fields.count("rows", 1)?, splits })
}

/// A table's window and where it stands in the file.
pub(super) struct WindowCheck<'a> {
    pub table_def: &'a TableDef,
    /// The table's mapping.
    pub node: &'a Node,
    pub mistakes: &'a Mistakes,
}

impl WindowCheck<'_> {
    /// Adds the mistakes that holes, key and refresh make of a window.
    pub fn run(&self) {
        let node = self.node.get("window").unwrap_or(self.node);
        let place = format!("table '{}'", self.table_def.name);
        let Some(window_def) = &self.table_def.window else {
            if let (Some(MaxRows { splits: true, .. }), None) = (&self.table_def.max_rows, self.node.get("window")) {
                let message =
                    format!("'max_rows' of {place} splits the window, and the table has none; give it a 'window', or write 'do: fail'");
                self.mistakes.at(self.node.get("max_rows").unwrap_or(self.node), message);
            }
            return;
        };
        if self.table_def.window_holes().is_empty() {
            let message = format!(
                "the window of {place} is sent nowhere; write ${{window.start}} and ${{window.end}} in its params, path, headers or body"
            );
            self.mistakes.at(node, message);
        }
        if window_def.overlap > 0 && self.table_def.key_columns.is_empty() {
            let message = format!(
                "the windows of {place} overlap, and the table has no key to find the rows by that come twice; name its 'key_columns'"
            );
            self.mistakes.at(node, message);
        }
        if let Some(updates) = self.table_def.refresh.updates() {
            for (key, is_there) in [("cursor", updates.cursor.is_some()), ("sync_token", updates.sync_token.is_some())] {
                if is_there {
                    let message = format!(
                        "{place} has a 'window', at whose last complete part a refresh begins, and a '{key}', which says another place; keep one"
                    );
                    self.mistakes.at(self.node.get("refresh").unwrap_or(self.node), message);
                }
            }
        }
        for hole in self.table_def.variants().flat_map(TableDef::window_holes) {
            self.check_grain(hole, window_def, &place);
        }
    }

    /// What a hole writes tells the windows apart.
    fn check_grain(&self, hole: &Hole, window_def: &WindowDef, place: &str) {
        let node = self.node.get("window").unwrap_or(self.node);
        let scale = if matches!(window_def.step, Step::Number(_)) { Scale::Numbers } else { Scale::Moments };
        let grain = match grain_of(hole, scale, &self.table_def.date_format) {
            Ok(grain) => grain,
            Err(err) => return self.mistakes.at(node, format!("the hole '{hole}' of {place}: {err}")),
        };
        let Some(grain) = grain else {
            return self.mistakes.at(node, format!("the hole '{hole}' of {place} is the same for all windows"));
        };
        for (key, length) in [("step", Some(window_def.step.shortest())), ("unit", window_def.unit)] {
            if length.is_some_and(|length| length < grain) {
                let message = format!("'{key}' of the window of {place} is shorter than what the hole '{hole}' tells apart");
                self.mistakes.at(node.get(key).unwrap_or(node), message);
            }
        }
    }
}

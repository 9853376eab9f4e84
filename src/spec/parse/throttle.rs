//! Reads `throttle` and `throttles`, and where answers tell how long to wait.

use super::text::duration;
use crate::spec::{Amount, BudgetSign, LeftSign, NamedThrottle, Throttle, Told, WaitSign, WaitUnit};
use crate::yaml::{Fields, Node};

/// The keys of `throttle`, in the order of the reference, besides those of a budget.
pub(super) const THROTTLE_KEYS: &[&str] = &["sleep", "requests_per_second", "concurrency", "budgets"];
/// The keys of an entry of `budgets`, in the order of the reference.
pub(super) const BUDGET_KEYS: &[&str] = &[
    "remaining_header",
    "remaining_path",
    "used_header",
    "used_path",
    "limit",
    "limit_header",
    "limit_path",
    "cost_header",
    "cost_path",
    "reserve",
    "reset_header",
    "reset_path",
    "reset_unit",
    "restore_per_second",
    "restore_path",
    "window",
];
const UNITS: &[(&str, WaitUnit)] = &[
    ("seconds", WaitUnit::Seconds),
    ("minutes", WaitUnit::Minutes),
    ("ms", WaitUnit::Millis),
    ("epoch", WaitUnit::Epoch),
    ("epoch_ms", WaitUnit::EpochMillis),
    ("date", WaitUnit::Date),
];

/// Reads the spec's `throttle`.
pub(super) fn throttle_of(spec: &Fields<'_>) -> Throttle {
    spec.get("throttle").and_then(|node| limits(node, "'throttle'", spec)).unwrap_or_default()
}

/// Reads `throttles`, the limits that tables name, and those that tables have for themselves.
pub(super) fn throttles_of(spec: &Fields<'_>) -> Vec<NamedThrottle> {
    let mut throttles = Vec::new();
    if let Some(node) = spec.get("throttles") {
        let Some(entries) = node.mapping() else {
            spec.wrong("throttles", node, "a mapping of names to limits as in 'throttle'");
            return throttles;
        };
        for (key, node) in entries {
            if key.name.is_empty() || key.name.contains(char::is_whitespace) {
                spec.mistakes().at(node, format!("the name '{}' in 'throttles' has a blank; expected a word", key.name));
            }
            let throttle = limits(node, &format!("'{}' in 'throttles'", key.name), spec).unwrap_or_default();
            throttles.push(NamedThrottle { name: key.name.clone(), throttle });
        }
    }
    for table in spec.get("tables").and_then(Node::list).unwrap_or_default() {
        let name = table.get("name").and_then(Node::text).unwrap_or("");
        let Some(node) = table.get("throttle").filter(|node| node.mapping().is_some()) else { continue };
        let throttle = limits(node, &format!("'throttle' of table '{name}'"), spec).unwrap_or_default();
        throttles.push(NamedThrottle { name: NamedThrottle::own_name(name), throttle });
    }
    throttles
}

/// Reads a table's `throttle`: returns the name of its limits.
pub(super) fn throttle_name_of(table: &Fields<'_>, spec: &Fields<'_>) -> Option<String> {
    let node = table.get("throttle")?;
    if node.mapping().is_some() {
        return Some(NamedThrottle::own_name(table.get("name").and_then(Node::text).unwrap_or("")));
    }
    let Some(name) = node.text() else {
        table.wrong("throttle", node, "limits, or the name of some in 'throttles'");
        return None;
    };
    let known: Vec<&str> =
        spec.get("throttles").and_then(Node::mapping).unwrap_or_default().iter().map(|(key, _)| key.name.as_str()).collect();
    if !known.contains(&name) {
        let hint = table.mistakes().suggestions().hint("; ", name, known.iter().copied());
        table
            .mistakes()
            .at(node, format!("'throttle' of {} is '{name}', which 'throttles' of the spec does not have{hint}", table.place()));
        return None;
    }
    Some(name.to_string())
}

fn limits(node: &Node, place: &str, spec: &Fields<'_>) -> Option<Throttle> {
    let default = Throttle::default();
    let keys: Vec<&str> = THROTTLE_KEYS.iter().chain(BUDGET_KEYS).copied().collect();
    let fields = Fields::of(node, place, &keys, spec.mistakes())?;
    let rate = above_zero(&fields, "requests_per_second");
    let mut signs: Vec<BudgetSign> = Vec::new();
    if BUDGET_KEYS.iter().any(|key| fields.get(key).is_some()) {
        signs.extend(budget_of(&fields));
    }
    if let Some(node) = fields.get("budgets") {
        let place = format!("an entry of 'budgets' of {place}");
        match node.list() {
            Some(nodes) => {
                signs.extend(nodes.iter().filter_map(|node| budget_of(&Fields::of(node, &place, BUDGET_KEYS, spec.mistakes())?)))
            }
            None => fields.wrong("budgets", node, "a list of mappings"),
        }
    }
    Some(Throttle {
        sleep: fields.number("sleep").unwrap_or(default.sleep),
        requests_per_second: rate,
        concurrency: fields.count("concurrency", 1).map_or(default.concurrency, |count| count.min(256) as usize),
        signs,
    })
}

/// Reads where answers tell of one budget.
fn budget_of(fields: &Fields<'_>) -> Option<BudgetSign> {
    let remaining = told(fields, "remaining_header", "remaining_path");
    let used = told(fields, "used_header", "used_path");
    let left = match (remaining, used) {
        (Some(remaining), None) => Some(LeftSign::Remaining(remaining)),
        (None, Some(used)) => Some(LeftSign::Used(used)),
        (Some(_), Some(_)) => {
            let message = format!("{} says both what remains and what is used; keep one", fields.place());
            fields.mistakes().at(fields.mapping_node(), message);
            return None;
        }
        (None, None) if fields.get("reset_header").is_some() || fields.get("reset_path").is_some() => None,
        (None, None) => {
            let message = format!(
                "{} does not say where answers tell what is left; expected one of remaining_header, remaining_path, used_header, used_path",
                fields.place()
            );
            fields.mistakes().at(fields.mapping_node(), message);
            return None;
        }
    };
    let unit = unit_of(fields, "reset_unit");
    Some(BudgetSign {
        left,
        limit: amount(fields, "limit", told(fields, "limit_header", "limit_path")),
        cost: told(fields, "cost_header", "cost_path"),
        reserve: above_zero(fields, "reserve").unwrap_or(1.0),
        reset: told(fields, "reset_header", "reset_path").map(|told| WaitSign { told, unit }),
        restore: amount(fields, "restore_per_second", fields.json_path("restore_path").map(Told::Body)),
        window: duration(fields, "window"),
    })
}

/// Reads a header, a path in the JSON of this header, or a path in the body.
fn told(fields: &Fields<'_>, header: &str, path: &str) -> Option<Told> {
    match (fields.text(header), fields.json_path(path)) {
        (Some(name), Some(path)) => Some(Told::HeaderJson(name, path)),
        (Some(name), None) => Some(Told::Header(name)),
        (None, Some(path)) => Some(Told::Body(path)),
        (None, None) => None,
    }
}

fn amount(fields: &Fields<'_>, key: &str, told: Option<Told>) -> Option<Amount> {
    match (above_zero(fields, key), told) {
        (Some(_), Some(_)) => {
            let message = format!("{} has '{key}', and says where answers tell it; keep one", fields.place());
            fields.mistakes().at(fields.get(key).unwrap_or(fields.mapping_node()), message);
            None
        }
        (Some(number), None) => Some(Amount::Fixed(number)),
        (None, told) => told.map(Amount::Told),
    }
}

fn above_zero(fields: &Fields<'_>, key: &str) -> Option<f64> {
    let number = fields.number(key);
    if let (Some(node), true) = (fields.get(key), number == Some(0.0)) {
        fields.wrong(key, node, "a number above 0");
    }
    number.filter(|number| *number > 0.0)
}

fn unit_of(fields: &Fields<'_>, key: &str) -> WaitUnit {
    let Some(word) = fields.text(key) else { return WaitUnit::BySize };
    match UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(&word)) {
        Some((_, unit)) => *unit,
        None => {
            let names: Vec<&str> = UNITS.iter().map(|(name, _)| *name).collect();
            let message =
                format!("'{key}' of {} is '{word}'; {}", fields.place(), fields.mistakes().suggestions().suggestion(&word, &names));
            fields.mistakes().at(fields.get(key).unwrap_or(fields.mapping_node()), message);
            WaitUnit::BySize
        }
    }
}

/// The keys that tell how long to wait before another try, in the order of the reference.
pub(super) const WAIT_KEYS: &[&str] = &["wait_header", "wait_path", "wait_unit"];

/// Reads where an answer tells how long to wait before another try.
pub(super) fn wait_sign_of(fields: &Fields<'_>) -> Option<WaitSign> {
    let unit = unit_of(fields, "wait_unit");
    let told = told(fields, "wait_header", "wait_path");
    if let (None, Some(node)) = (&told, fields.get("wait_unit")) {
        fields.mistakes().at(node, format!("{} has 'wait_unit', but neither 'wait_header' nor 'wait_path'", fields.place()));
    }
    Some(WaitSign { told: told?, unit })
}

//! Reads `throttle`, `retry` and `errors`.

use crate::spec::yaml::{suggestion, Fields};
use crate::spec::{ErrorCondition, ErrorRule, RetrySpec, RuleVerdict, Throttle};

/// Reads `throttle`.
pub(super) fn throttle_of(spec: &Fields<'_>) -> Throttle {
    let default = Throttle::default();
    let keys = ["sleep", "requests_per_second", "concurrency", "remaining_header", "reset_header"];
    let Some(fields) = spec.get("throttle").and_then(|node| Fields::of(node, "'throttle'", &keys, spec.mistakes())) else { return default };
    let rate = fields.number("requests_per_second");
    if let (Some(node), true) = (fields.get("requests_per_second"), rate == Some(0.0)) {
        fields.wrong("requests_per_second", node, "a number above 0");
    }
    Throttle {
        sleep: fields.number("sleep").unwrap_or(default.sleep),
        requests_per_second: rate,
        concurrency: fields.count("concurrency", 1).map_or(default.concurrency, |count| count.min(256) as usize),
        remaining_header: fields.text("remaining_header"),
        reset_header: fields.text("reset_header"),
    }
}

/// Reads `retry`.
pub(super) fn retry_of(spec: &Fields<'_>) -> RetrySpec {
    let default = RetrySpec::default();
    let keys = ["attempts", "base", "max", "park", "statuses"];
    let Some(fields) = spec.get("retry").and_then(|node| Fields::of(node, "'retry'", &keys, spec.mistakes())) else { return default };
    RetrySpec {
        attempts: fields.count("attempts", 1).map_or(default.attempts, |count| count.min(1000) as u32),
        base: fields.number("base").unwrap_or(default.base),
        max: fields.number("max").unwrap_or(default.max),
        park: fields.number("park").unwrap_or(default.park),
        statuses: statuses_of(&fields, "statuses"),
    }
}

fn statuses_of(fields: &Fields<'_>, key: &str) -> Vec<u16> {
    let Some(node) = fields.get(key) else { return Vec::new() };
    let mut statuses = Vec::new();
    for element in node.list().unwrap_or(std::slice::from_ref(node)) {
        match element.text().and_then(|text| text.parse::<u16>().ok()).filter(|status| (100..600).contains(status)) {
            Some(status) => statuses.push(status),
            None => fields.wrong(key, element, "an HTTP status from 100 to 599, or a list of them"),
        }
    }
    statuses
}

/// Reads `errors`.
pub(super) fn error_rules_of(spec: &Fields<'_>) -> Vec<ErrorRule> {
    let Some(node) = spec.get("errors") else { return Vec::new() };
    let Some(nodes) = node.list() else {
        spec.wrong("errors", node, "a list of rules");
        return Vec::new();
    };
    nodes
        .iter()
        .filter_map(|node| error_rule(&Fields::of(node, "the rule in 'errors'", &["when", "do", "message"], spec.mistakes())?))
        .collect()
}

fn error_rule(fields: &Fields<'_>) -> Option<ErrorRule> {
    let Some(when_node) = fields.get("when") else {
        fields.mistakes().at(fields.mapping_node(), format!("{} has no 'when'", fields.place()));
        return None;
    };
    let when_fields = Fields::of(when_node, "'when'", &["status", "body", "header"], fields.mistakes())?;
    let when = ErrorCondition {
        statuses: statuses_of(&when_fields, "status"),
        body: expectation(&when_fields, "body").map(|(path, value)| (path.split('.').map(str::to_string).collect(), value)),
        header: expectation(&when_fields, "header"),
    };
    if when == ErrorCondition::default() {
        fields.mistakes().at(when_node, "'when' names nothing to match; expected status, body or header");
    }
    let word = fields.required_text("do")?;
    let verdicts = [("retry", RuleVerdict::Retry), ("fail", RuleVerdict::Fail), ("empty", RuleVerdict::Empty), ("skip", RuleVerdict::Skip)];
    let Some((_, verdict)) = verdicts.iter().find(|(name, _)| name.eq_ignore_ascii_case(&word)) else {
        let message = match word.as_str() {
            "refresh_token" => "'do: refresh_token' is not supported yet".to_string(),
            _ => format!("'do' is '{word}'; {}", suggestion(&word, &verdicts.map(|(name, _)| name))),
        };
        fields.mistakes().at(fields.get("do")?, message);
        return None;
    };
    Some(ErrorRule { when, verdict: *verdict, message: fields.text("message") })
}

/// Reads a name alone (it has to be there), or a mapping of one name to the value expected.
fn expectation(fields: &Fields<'_>, key: &str) -> Option<(String, Option<String>)> {
    let node = fields.get(key)?;
    let found = match (node.text(), node.mapping()) {
        (Some(name), _) => Some((name.to_string(), None)),
        (None, Some([(name, value)])) if value.list().is_none() && value.mapping().is_none() => {
            Some((name.name.clone(), value.text().map(str::to_string)))
        }
        _ => None,
    };
    let found = found.filter(|(name, _)| !name.is_empty());
    if found.is_none() {
        fields.wrong(key, node, "a name, or a mapping of one name to one value");
    }
    found
}

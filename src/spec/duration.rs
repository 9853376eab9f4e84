//! Lengths of time as specs write them: seconds, or numbers with units.

use std::time::Duration;

/// What [`duration_of`] takes, for messages.
pub const DURATION_FORMS: &str = "seconds, or numbers with units such as '90s', '30m', '4h', '1d', '2w' or '1h 30m'";

/// The longest length of time a spec may name: a thousand years.
const MOST_SECONDS: f64 = 1000.0 * 366.0 * 86_400.0;

/// Returns the length of time a text names: seconds (`90`, `0.5`), or one or several numbers with a unit each (`s`, `m`, `h`, `d`, `w`).
/// `None` for anything else.
pub fn duration_of(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Some(seconds) = number_of(text) {
        return from_seconds(seconds);
    }
    let mut seconds = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let n_digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (digits, tail) = rest.split_at(n_digits);
        let tail = tail.trim_start();
        let n_letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(n_letters);
        seconds += number_of(digits)? * seconds_in(unit)?;
        rest = tail.trim_start();
    }
    (!text.is_empty()).then(|| from_seconds(seconds)).flatten()
}

fn number_of(text: &str) -> Option<f64> {
    let is_plain = text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    is_plain.then(|| text.parse().ok()).flatten()
}

fn seconds_in(unit: &str) -> Option<f64> {
    let seconds = match unit.to_ascii_lowercase().as_str() {
        "s" | "sec" | "second" | "seconds" => 1.0,
        "m" | "min" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        "w" | "week" | "weeks" => 7.0 * 86_400.0,
        _ => return None,
    };
    Some(seconds)
}

fn from_seconds(seconds: f64) -> Option<Duration> {
    (seconds <= MOST_SECONDS).then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_units_are_read() {
        let cases = [("90", 90), ("0", 0), ("30m", 1800), ("4h", 14_400), ("1d", 86_400), ("2 weeks", 1_209_600), (" 1h 30m ", 5400)];
        for (text, seconds) in cases {
            assert_eq!(duration_of(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(duration_of("0.5"), Some(Duration::from_millis(500)));
        assert_eq!(duration_of("1.5H"), Some(Duration::from_secs(5400)));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", " ", "h", "-1", "-1h", "4 hours ago", "4x", "1h30", "1e9", "inf", "nan", "1..5h", "99999999999999d", "PT4H", "é"]
        {
            assert_eq!(duration_of(text), None, "{text}");
        }
    }
}

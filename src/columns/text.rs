//! Values as DuckDB casts them to VARCHAR.

use std::io::Write as _;

/// Appends a double as DuckDB writes it: `1.0`, `0.1`, `1e+20`, `1e-05`.
pub(super) fn write_double(out: &mut Vec<u8>, value: f64) {
    // `{:e}` gives the shortest digits that read back as the same value: `1.25e2`.
    let scientific = format!("{value:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        out.extend_from_slice(scientific.as_bytes());
        return;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    // Writing to memory does not fail.
    if (-4..16).contains(&exponent) {
        let _ = write!(out, "{value:?}");
        return;
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    let _ = write!(out, "{mantissa}e{sign}{:02}", exponent.abs());
}

/// Returns a number as JSON has it, of one that DuckDB wrote: `1e20`, `1e-5`.
pub(super) fn as_json_number(text: &str) -> String {
    text.replace("e+", "e").replace("e-0", "e-")
}

//! Units, and numbers as a person wants to read them: `1.2 s`, `34 ms`, `2.1 GB`.
//!
//! Follows Grafana's ids, and its reading of them: `bytes` counts in powers of two and reads `GiB`, `decbytes`
//! in powers of ten and reads `GB`. The lab's own panels use `decbytes`. The window formats by the same rules;
//! both are tested against one table, `ui/src/shared/format/cases.json`.

/// What a panel's values are counted in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A plain number, written out in full (`none`).
    None,
    /// A plain number, shortened when long (`short`); also what a panel without a unit has.
    Short,
    /// Bytes in powers of 1024 (`bytes`).
    Bytes,
    /// Bytes in powers of 1000 (`decbytes`).
    DecBytes,
    /// Bytes a second in powers of 1000 (`Bps`).
    BytesPerSecond,
    /// Bytes a second in powers of 1024 (`binBps`).
    BinBytesPerSecond,
    /// Something a second (`ops`, `reqps`, `rps`, `wps`, `cps`).
    PerSecond,
    /// Seconds (`s`).
    Seconds,
    /// Milliseconds (`ms`).
    Milliseconds,
    /// Microseconds (`µs`).
    Microseconds,
    /// Percent, 100 is all (`percent`).
    Percent,
    /// A share, 1 is all (`percentunit`).
    Share,
    /// Any other id; its values are shown as plain numbers.
    Other(String),
}

impl Unit {
    /// The unit of Grafana's id; an empty one is `short`.
    pub fn from_grafana(id: &str) -> Self {
        match id {
            "none" => Self::None,
            "" | "short" => Self::Short,
            "bytes" => Self::Bytes,
            "decbytes" => Self::DecBytes,
            "Bps" => Self::BytesPerSecond,
            "binBps" => Self::BinBytesPerSecond,
            "ops" | "reqps" | "rps" | "wps" | "cps" => Self::PerSecond,
            "s" => Self::Seconds,
            "ms" => Self::Milliseconds,
            "µs" => Self::Microseconds,
            "percent" => Self::Percent,
            "percentunit" => Self::Share,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Grafana's id; all that count something a second are `ops`.
    pub fn grafana_id(&self) -> &str {
        match self {
            Self::None => "none",
            Self::Short => "short",
            Self::Bytes => "bytes",
            Self::DecBytes => "decbytes",
            Self::BytesPerSecond => "Bps",
            Self::BinBytesPerSecond => "binBps",
            Self::PerSecond => "ops",
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Microseconds => "µs",
            Self::Percent => "percent",
            Self::Share => "percentunit",
            Self::Other(id) => id,
        }
    }
}

/// One step of a scale, in the unit of the value.
struct Step {
    /// Values from here on use it.
    from: f64,
    /// What one of it is worth.
    size: f64,
    suffix: &'static str,
}

const fn step(from: f64, size: f64, suffix: &'static str) -> Step {
    Step { from, size, suffix }
}

/// Minutes begin at two, hours and days too: "96 s" says more than "1.6 min".
const SECONDS: &[Step] = &[
    step(172_800.0, 86_400.0, " d"),
    step(7_200.0, 3_600.0, " h"),
    step(120.0, 60.0, " min"),
    step(1.0, 1.0, " s"),
    step(1e-3, 1e-3, " ms"),
    step(1e-6, 1e-6, " µs"),
    step(1e-9, 1e-9, " ns"),
];

const fn prefixed(base: f64, suffixes: [&'static str; 5]) -> [Step; 5] {
    let [tera, giga, mega, kilo, one] = suffixes;
    let (k, m, g, t) = (base, base * base, base * base * base, base * base * base * base);
    [step(t, t, tera), step(g, g, giga), step(m, m, mega), step(k, k, kilo), step(1.0, 1.0, one)]
}

const BYTES: &[Step] = &prefixed(1024.0, [" TiB", " GiB", " MiB", " KiB", " B"]);
const DEC_BYTES: &[Step] = &prefixed(1000.0, [" TB", " GB", " MB", " kB", " B"]);
const BYTES_PER_SECOND: &[Step] = &prefixed(1000.0, [" TB/s", " GB/s", " MB/s", " kB/s", " B/s"]);
const BIN_BYTES_PER_SECOND: &[Step] = &prefixed(1024.0, [" TiB/s", " GiB/s", " MiB/s", " KiB/s", " B/s"]);

/// `value` with its unit and the digits that make sense; a dash for what is no number. `decimals` fixes the
/// digits after the point.
pub fn format_value(unit: &Unit, value: f64, decimals: Option<u8>) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let decimals = decimals.map(usize::from);
    match unit {
        Unit::Seconds => scaled(value, SECONDS, " s", decimals),
        Unit::Milliseconds => scaled(value / 1e3, SECONDS, " s", decimals),
        Unit::Microseconds => scaled(value / 1e6, SECONDS, " s", decimals),
        Unit::Bytes => scaled(value, BYTES, " B", decimals),
        Unit::DecBytes => scaled(value, DEC_BYTES, " B", decimals),
        Unit::BytesPerSecond => scaled(value, BYTES_PER_SECOND, " B/s", decimals),
        Unit::BinBytesPerSecond => scaled(value, BIN_BYTES_PER_SECOND, " B/s", decimals),
        Unit::Percent => percent(value, decimals),
        Unit::Share => percent(value * 100.0, decimals),
        Unit::PerSecond => counted(value, Some(1e5), "/s", decimals),
        Unit::Short => counted(value, Some(1e7), "", decimals),
        Unit::None => counted(value, None, "", decimals),
        Unit::Other(_) => counted(value, Some(1e5), "", decimals),
    }
}

fn percent(value: f64, decimals: Option<usize>) -> String {
    format!("{} %", group(value, decimals.unwrap_or_else(|| digits_for(value))))
}

fn scaled(value: f64, scale: &[Step], zero: &str, decimals: Option<usize>) -> String {
    if value == 0.0 {
        return format!("0{zero}");
    }
    let size = value.abs();
    let mut at = scale.iter().position(|step| size >= step.from).unwrap_or(scale.len() - 1);
    // 999.7 ms reads "1.0 s", not "1,000 ms".
    if let Some(up) = at.checked_sub(1).map(|up| &scale[up]) {
        let rounded = (size / scale[at].size).round() * scale[at].size;
        if rounded >= up.from && up.from == up.size {
            at -= 1;
        }
    }
    let in_unit = value / scale[at].size;
    format!("{}{}", group(in_unit, decimals.unwrap_or_else(|| digits_for(in_unit))), scale[at].suffix)
}

/// Counts keep all their digits, with separators, until they reach `long`.
fn counted(value: f64, long: Option<f64>, suffix: &str, decimals: Option<usize>) -> String {
    let size = value.abs();
    if long.is_some_and(|long| size >= long) {
        let (per, prefix) = [(1e12, 'T'), (1e9, 'G'), (1e6, 'M')]
            .into_iter()
            .find(|(per, _)| size >= *per)
            .unwrap_or((1e3, 'k'));
        let in_unit = value / per;
        let digits = if in_unit.abs() >= 99.5 || is_whole(in_unit) { 0 } else { 1 };
        return format!("{} {prefix}{suffix}", group(in_unit, decimals.unwrap_or(digits)));
    }
    let digits = if is_whole(value) || size >= 99.95 {
        0
    } else if size >= 9.995 {
        1
    } else {
        2
    };
    format!("{}{suffix}", group(value, decimals.unwrap_or(digits)))
}

fn is_whole(value: f64) -> bool {
    (value - value.round()).abs() < 1e-9 * value.abs().max(1.0)
}

/// Two significant digits; whole numbers as they are.
fn digits_for(value: f64) -> usize {
    let size = value.abs();
    if is_whole(value) || size >= 9.95 {
        0
    } else if size >= 0.0995 {
        1
    } else {
        2
    }
}

/// Thousands apart by commas, a minus as long as a plus, and no minus before a zero.
fn group(value: f64, digits: usize) -> String {
    let scale = 10f64.powi(digits.min(12) as i32);
    // Halves go up, as in the window, and not to the even digit as in `format!`.
    let rounded = (value.abs() * scale).round() / scale;
    let plain = format!("{rounded:.digits$}");
    let (whole, fraction) = plain.split_once('.').map_or((plain.as_str(), None), |(w, f)| (w, Some(f)));
    let mut text = String::with_capacity(plain.len() + plain.len() / 3 + 3);
    if value < 0.0 && rounded != 0.0 {
        text.push('−');
    }
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Cases {
        values: Vec<Case>,
    }

    #[derive(serde::Deserialize)]
    struct Case {
        unit: String,
        value: Option<f64>,
        text: String,
    }

    /// The window's table: what it shows is what a report or a terminal shows.
    #[test]
    fn numbers_read_as_in_the_window() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../ui/src/shared/format/cases.json");
        let cases: Cases = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert!(cases.values.len() > 20);
        for case in cases.values {
            let unit = Unit::from_grafana(&case.unit);
            let value = case.value.unwrap_or(f64::NAN);
            assert_eq!(format_value(&unit, value, None), case.text, "{} {value}", case.unit);
        }
    }

    #[test]
    fn digits_can_be_fixed_and_odd_numbers_do_no_harm() {
        let cases = [
            (Unit::Seconds, 0.0341, Some(2), "34.10 ms"),
            (Unit::Short, 1.0, Some(0), "1"),
            (Unit::Short, -0.001, None, "0.00"),
            (Unit::DecBytes, 5e15, None, "5,000 TB"),
            (Unit::Seconds, 1e-12, None, "0.00 ns"),
            (Unit::DecBytes, f64::INFINITY, None, "–"),
            (Unit::Other("watt".into()), 12.5, None, "12.5"),
        ];
        for (unit, value, decimals, expected) in cases {
            assert_eq!(format_value(&unit, value, decimals), expected, "{unit:?} {value}");
        }
    }

    #[test]
    fn every_unit_goes_back_to_its_id() {
        for id in [
            "none",
            "short",
            "bytes",
            "decbytes",
            "Bps",
            "binBps",
            "ops",
            "s",
            "ms",
            "µs",
            "percent",
            "percentunit",
            "watt",
        ] {
            assert_eq!(Unit::from_grafana(id).grafana_id(), id);
        }
        assert_eq!(Unit::from_grafana("").grafana_id(), "short");
    }
}

//! What a value is compared with, as it is written: `">= 100ms"`, `"<= 0.5 * @fast"`; and sizes: `128MiB`.

use lab_dashboards::Unit;

use super::model::{Bound, Compare};
use super::names;

/// Longer ones first, so that `>=` isn't read as `>`.
const COMPARISONS: [(&str, Compare); 6] = [
    (">=", Compare::AtLeast),
    ("<=", Compare::AtMost),
    ("==", Compare::Equal),
    ("!=", Compare::NotEqual),
    (">", Compare::Above),
    ("<", Compare::Below),
];

const SIZES: [(&str, u64); 3] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// Reads a comparison with a number or with a multiple of a remembered value. The number comes out in `unit`.
///
/// # Errors
/// With a sentence, when it is something else or its unit isn't that of the value.
pub fn read(text: &str, unit: &Unit) -> Result<(Compare, Bound), String> {
    let text = text.trim();
    let Some((compare, rest)) =
        COMPARISONS.iter().find_map(|(sign, compare)| Some((*compare, text.strip_prefix(sign)?.trim())))
    else {
        return Err(format!("{text:?} begins with none of >=, <=, ==, !=, >, <"));
    };
    if let Some(name) = rest.strip_prefix('@') {
        return Ok((compare, multiple(1.0, name)?));
    }
    if let Some((factor, name)) = rest.split_once('*') {
        let name =
            name.trim().strip_prefix('@').ok_or_else(|| format!("{rest:?} is a multiple of no @name"))?;
        return Ok((compare, multiple(number(factor.trim())?, name)?));
    }
    Ok((compare, Bound { number: in_unit(rest, unit)?, times: None }))
}

/// Reads a size in bytes, such as `128MiB` or `4096`.
///
/// # Errors
/// With a sentence, when it is none.
pub fn bytes(text: &str) -> Result<u64, String> {
    let (digits, size) = SIZES
        .iter()
        .find_map(|(suffix, size)| Some((text.strip_suffix(suffix)?.trim(), *size)))
        .unwrap_or((text, 1));
    let whole: Option<u64> = digits.parse().ok();
    whole.and_then(|count| count.checked_mul(size)).ok_or_else(|| {
        format!("{text:?} is no size: a whole number of bytes, or one followed by KiB, MiB or GiB")
    })
}

fn multiple(number: f64, name: &str) -> Result<Bound, String> {
    if names::may_be(name) {
        Ok(Bound { number, times: Some(name.to_owned()) })
    } else {
        Err(format!("{name:?} can't be a name"))
    }
}

fn number(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| format!("{text:?} is no number"))
}

/// A number that may bear a unit, in the unit of the value.
fn in_unit(text: &str, unit: &Unit) -> Result<f64, String> {
    let end = text.find(|c: char| c.is_ascii_alphabetic() || c == '%').unwrap_or(text.len());
    let (digits, suffix) = (text[..end].trim(), text[end..].trim());
    // 1e6 is a number, not 1 with the unit e6.
    if let Ok(plain) = number(text) {
        return Ok(plain);
    }
    let factor = match (suffix, unit) {
        ("", _) | ("s", Unit::Seconds) | ("ms", Unit::Milliseconds) | ("%", Unit::Percent) => 1.0,
        ("ms", Unit::Seconds) => 1e-3,
        ("s", Unit::Milliseconds) => 1e3,
        ("%", Unit::Share) => 1e-2,
        (size, Unit::Bytes | Unit::DecBytes | Unit::BytesPerSecond | Unit::BinBytesPerSecond) => {
            match SIZES.iter().find(|(name, _)| *name == size) {
                Some((_, bytes)) => *bytes as f64,
                None => return Err(format!("{text:?} isn't a size in bytes, KiB, MiB or GiB")),
            }
        }
        _ => return Err(format!("{text:?} doesn't go with the unit {:?}", unit.grafana_id())),
    };
    Ok(number(digits)? * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_read_in_the_unit_of_the_value() {
        let cases = [
            (">= 100ms", "s", Compare::AtLeast, 0.1, None),
            ("<= 2 s", "s", Compare::AtMost, 2.0, None),
            ("< 2s", "ms", Compare::Below, 2000.0, None),
            (">128MiB", "decbytes", Compare::Above, 134_217_728.0, None),
            ("== 60%", "percentunit", Compare::Equal, 0.6, None),
            ("!= 60%", "percent", Compare::NotEqual, 60.0, None),
            (">= 1e6", "short", Compare::AtLeast, 1e6, None),
            ("<= 0.5 * @fast", "ops", Compare::AtMost, 0.5, Some("fast")),
            (">= @fast", "s", Compare::AtLeast, 1.0, Some("fast")),
        ];
        for (text, unit, compare, number, times) in cases {
            let read = read(text, &Unit::from_grafana(unit));
            let times = times.map(str::to_owned);
            assert_eq!(read, Ok((compare, Bound { number, times })), "{text}");
        }
    }

    #[test]
    fn what_is_no_bound_is_told() {
        let cases = [
            ("100ms", "s", "begins with none of"),
            ("=> 1", "s", "begins with none of"),
            (">= fast", "s", "doesn't go with the unit"),
            (">= 5MiB", "s", "doesn't go with the unit"),
            (">= 5ms", "bytes", "isn't a size"),
            (">= 2 * fast", "s", "is a multiple of no @name"),
            (">= two * @fast", "s", "is no number"),
            (">= @2fast", "s", "can't be a name"),
            (">=", "s", "is no number"),
            (">= inf", "s", "doesn't go with"),
        ];
        for (text, unit, reason) in cases {
            let error = read(text, &Unit::from_grafana(unit)).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn sizes_are_whole_numbers_of_bytes() {
        for (text, size) in
            [("4096", 4096), ("128MiB", 134_217_728), ("2 GiB", 2_147_483_648), ("1KiB", 1024)]
        {
            assert_eq!(bytes(text), Ok(size));
        }
        for text in ["", "1.5GiB", "MiB", "128 MB", "-1", "99999999999GiB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}

//! Numbers as text, the way Go writes them, because answers are compared with Prometheus' byte for byte.

/// The shortest decimal that reads back as `value`, without an exponent (Go: `strconv.FormatFloat(v, 'f', -1, 64)`).
pub fn format_float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.into();
    }
    value.to_string()
}

/// As [`format_float`], but with an exponent below 1e-6 and from 1e21 on (Prometheus, `util/jsonutil`).
pub fn format_json_float(value: f64) -> String {
    let magnitude = value.abs();
    if value.is_finite() && magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        let text = format!("{value:e}");
        // Go signs a positive exponent, Rust does not.
        return match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
            _ => text,
        };
    }
    format_float(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_prometheus_writes_them() {
        let table = [
            (0.0, "0", "0"),
            (-0.0, "-0", "-0"),
            (1.0, "1", "1"),
            (0.1, "0.1", "0.1"),
            (1e-6, "0.000001", "0.000001"),
            (1.5e-7, "0.00000015", "1.5e-7"),
            (1e20, "100000000000000000000", "100000000000000000000"),
            (1e21, "1000000000000000000000", "1e+21"),
            (-2.5e22, "-25000000000000000000000", "-2.5e+22"),
            (f64::INFINITY, "+Inf", "+Inf"),
            (f64::NEG_INFINITY, "-Inf", "-Inf"),
            (f64::NAN, "NaN", "NaN"),
        ];
        for (value, plain, json) in table {
            assert_eq!((format_float(value).as_str(), format_json_float(value).as_str()), (plain, json));
        }
    }
}

//! Samples out of a store as OpenMetrics text, so that another program can hold the same ones: what
//! `promtool tsdb create-blocks-from openmetrics` reads.
//!
//! Staleness markers are left out, because the format has no way to write one.

use std::io::{self, Write};

use crate::model::{METRIC_NAME, Matcher, Queryable, is_stale};

/// Writes every sample of the series that meet `matchers`, a series after the other, and returns how many
/// samples were written. Series without a metric name have no form in the format and are passed over.
///
/// # Errors
/// When `out` can't be written to.
pub fn write_openmetrics(
    source: &dyn Queryable,
    matchers: &[Matcher],
    out: &mut dyn Write,
) -> io::Result<u64> {
    let mut written = 0;
    for series in source.select(matchers, i64::MIN, i64::MAX) {
        let metric = series.labels.metric();
        if metric.is_empty() {
            continue;
        }
        let labels = series.labels.iter().filter(|(name, _)| *name != METRIC_NAME);
        let labels: Vec<_> = labels.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let series_text = format!("{metric}{{{}}}", labels.join(","));
        for sample in series.samples.iter().filter(|sample| !is_stale(sample.value)) {
            writeln!(out, "{series_text} {} {}", float(sample.value), seconds(sample.t_ms))?;
            written += 1;
        }
    }
    writeln!(out, "# EOF")?;
    Ok(written)
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The shortest text that reads back as the same float.
fn float(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        (if value > 0.0 { "+Inf" } else { "-Inf" }).to_owned()
    } else {
        format!("{value:?}")
    }
}

/// Milliseconds as seconds, so that Prometheus' reader gets the same milliseconds back. It computes
/// `int64(float * 1000)` (`model/textparse/openmetricsparse.go`), which cuts `1.001` down to 1000 ms where the
/// float lies just below; a microsecond more then makes it right.
fn seconds(t_ms: i64) -> String {
    let sign = if t_ms < 0 { "-" } else { "" };
    let (whole, rest) = (t_ms.unsigned_abs() / 1000, t_ms.unsigned_abs() % 1000);
    let plain = format!("{sign}{whole}.{rest:03}");
    match plain.parse::<f64>() {
        Ok(read) if (read * 1000.0) as i64 == t_ms => plain,
        _ => format!("{plain}001"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Labels, Sample, stale_marker};
    use crate::store::{MemoryStore, Storage, StoreConfig};

    #[test]
    fn text_as_promtool_reads_it() {
        let store = MemoryStore::new(StoreConfig { retention: None, ..StoreConfig::default() });
        let quoted = store.resolve(&Labels::from_pairs([(METRIC_NAME, "a"), ("l", "\\ \" \n ü")])).unwrap();
        let bare = store.resolve(&Labels::from_pairs([(METRIC_NAME, "b")])).unwrap();
        let values = [0.1, 1e300, f64::NAN, stale_marker(), f64::INFINITY, f64::NEG_INFINITY, -0.0];
        for (value, t_ms) in values.into_iter().zip(1_700_000_000_123..) {
            store.append(&[(quoted, Sample { t_ms, value })]);
        }
        store.append(&[(bare, Sample { t_ms: 1_700_000_000_000, value: 1.0 })]);
        let mut out = Vec::new();
        assert_eq!(write_openmetrics(&store, &[], &mut out).unwrap(), 7);
        let text = String::from_utf8(out).unwrap();
        let expected = r#"a{l="\\ \" \n ü"} 0.1 1700000000.123
a{l="\\ \" \n ü"} 1e300 1700000000.124
a{l="\\ \" \n ü"} NaN 1700000000.125
a{l="\\ \" \n ü"} +Inf 1700000000.127
a{l="\\ \" \n ü"} -Inf 1700000000.128
a{l="\\ \" \n ü"} -0.0 1700000000.129
b{} 1.0 1700000000.000
# EOF
"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn every_millisecond_survives_the_cut_to_an_integer() {
        let mut nudged = 0;
        for t_ms in
            (0..5000).chain(1_700_000_000_000..1_700_000_005_000).chain([-1, -1001, 4_102_444_800_001])
        {
            let text = seconds(t_ms);
            assert_eq!((text.parse::<f64>().unwrap() * 1000.0) as i64, t_ms, "{text}");
            nudged += usize::from(text.rsplit('.').next().unwrap().len() > 3);
        }
        println!("{nudged} of 10,003 needed the microsecond");
    }
}

//! The whole exposition of a real member: etcd 3.5.9 with `--metrics extensive`, after some load, a compaction
//! and a defragmentation.

use std::collections::{HashMap, HashSet};

use lab_metrics::MetricKind;
use lab_metrics::exposition::{Entry, parse};

const TEXT: &str = include_str!("data/etcd-3.5.9.prom");

#[test]
fn every_line_is_understood_and_says_the_same_when_written_again() {
    let (mut samples, mut kinds, mut helps) = (0, HashMap::new(), HashSet::new());
    let mut lines = TEXT.lines().filter(|line| !line.starts_with('#'));
    for entry in parse(TEXT) {
        match entry.unwrap() {
            Entry::Type { metric, kind } => assert_eq!(kinds.insert(metric, kind), None, "{metric}"),
            Entry::Help { metric, .. } => assert!(helps.insert(metric), "{metric}"),
            Entry::Sample(sample) => {
                let labels = sample.labels().unwrap();
                let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
                let braces =
                    if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
                let (series, value) = lines.next().unwrap().rsplit_once(' ').unwrap();
                assert_eq!(format!("{}{braces}", sample.metric()), series);
                assert_eq!(sample.series, series);
                assert_eq!(sample.value, value.parse::<f64>().unwrap(), "{series}");
                assert_eq!(sample.timestamp_ms, None);
                samples += 1;
            }
        }
    }
    assert_eq!(lines.next(), None);
    assert_eq!(samples, 1960);
    assert_eq!(kinds.keys().copied().collect::<HashSet<_>>(), helps);
    assert_eq!(kinds["etcd_disk_wal_fsync_duration_seconds"], MetricKind::Histogram);
    assert_eq!(kinds["etcd_server_proposals_committed_total"], MetricKind::Gauge);
    assert_eq!(kinds["go_gc_duration_seconds"], MetricKind::Summary);
}

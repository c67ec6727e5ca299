//! What a series is called on a chart. Follows Grafana's Prometheus data source (`pkg/promlib/models`, its
//! `getName`), which fills `{{label}}` on the server.

use std::collections::{BTreeSet, HashMap};

use lab_metrics::{Labels, METRIC_NAME};

/// The legend format by which Grafana names series by the labels in which they differ.
pub const AUTO_LEGEND: &str = "__auto";

/// The name of a series by its target's legend format.
///
/// - `{{label}}`, spaces allowed inside, stands for the label's value, and for nothing where it is absent;
/// - an empty format gives the series as Prometheus writes it, `name{a="b"}`;
/// - a series without any label, named by an empty or automatic format, is called by its expression.
pub fn legend(format: &str, labels: &Labels, expr: &str) -> String {
    if format.is_empty() || format == AUTO_LEGEND {
        return if labels.is_empty() { expr.to_owned() } else { series(labels) };
    }
    let mut name = String::with_capacity(format.len());
    let mut rest = format;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((label, after)) = after.split_once("}}") else { break };
        name.push_str(before);
        name.push_str(labels.get(label.trim()));
        rest = after;
    }
    name.push_str(rest);
    name
}

/// Names for all series of one target under [`AUTO_LEGEND`]: the labels in which they differ, and just the value
/// where that is one label.
pub(crate) fn automatic(all: &[&Labels], expr: &str) -> Vec<String> {
    let differing: BTreeSet<&str> = all
        .iter()
        .flat_map(|labels| labels.iter())
        .map(|(label, _)| label)
        .filter(|label| all.iter().any(|labels| labels.get(label) != all[0].get(label)))
        .collect();
    all.iter()
        .map(|labels| match (differing.len(), differing.first()) {
            (0, _) => legend(AUTO_LEGEND, labels, expr),
            (1, Some(label)) => labels.get(label).to_owned(),
            _ => series(&labels.filtered(|label| differing.contains(label))),
        })
        .collect()
}

/// Tells series of the same name apart as Grafana does: each gets a number, from 1.
pub fn distinguish(names: &mut [String]) {
    let mut counts: HashMap<String, (usize, usize)> = HashMap::new();
    for name in names.iter() {
        counts.entry(name.clone()).or_default().0 += 1;
    }
    for name in names {
        if let Some((total, seen)) = counts.get_mut(name.as_str())
            && *total > 1
        {
            *seen += 1;
            *name = format!("{name} {seen}");
        }
    }
}

/// `name{a="b", c="d"}`, as Prometheus writes a series.
fn series(labels: &Labels) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .filter(|(label, _)| *label != METRIC_NAME)
        .map(|(label, value)| format!("{label}={value:?}"))
        .collect();
    match (labels.metric(), pairs.is_empty()) {
        (metric, true) if !metric.is_empty() => metric.to_owned(),
        (metric, _) => format!("{metric}{{{}}}", pairs.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_filled_as_grafana_fills_it() {
        let labels = Labels::from_pairs([("__name__", "up"), ("instance", "etcd-1"), ("grpc_code", "OK")]);
        let bare = Labels::default();
        let cases = [
            ("{{instance}}", &labels, "etcd-1"),
            ("{{ instance }} {{grpc_code}}", &labels, "etcd-1 OK"),
            ("{{instance}} to {{To}}", &labels, "etcd-1 to "),
            ("{{__name__}}", &labels, "up"),
            ("in use", &labels, "in use"),
            ("{{instance", &labels, "{{instance"),
            ("{{instance}} {{", &labels, "etcd-1 {{"),
            ("{instance}", &labels, "{instance}"),
            ("", &labels, r#"up{grpc_code="OK", instance="etcd-1"}"#),
            ("", &bare, "max(up)"),
            ("__auto", &bare, "max(up)"),
        ];
        for (format, labels, expected) in cases {
            assert_eq!(legend(format, labels, "max(up)"), expected, "{format:?}");
        }
        assert_eq!(legend("", &Labels::from_pairs([("__name__", "up")]), "up"), "up");
        assert_eq!(legend("", &Labels::from_pairs([("a", "b")]), "x"), r#"{a="b"}"#);
    }

    #[test]
    fn automatic_names_say_what_differs() {
        let series = |instance, to| Labels::from_pairs([("job", "etcd"), ("instance", instance), ("To", to)]);
        let (a, b, c) = (series("etcd-1", "x"), series("etcd-2", "x"), series("etcd-2", "y"));
        assert_eq!(automatic(&[&a, &b], "e"), ["etcd-1", "etcd-2"]);
        assert_eq!(automatic(&[&b, &c], "e"), ["x", "y"]);
        assert_eq!(
            automatic(&[&a, &b, &c], "e"),
            [
                r#"{To="x", instance="etcd-1"}"#,
                r#"{To="x", instance="etcd-2"}"#,
                r#"{To="y", instance="etcd-2"}"#
            ]
        );
        assert_eq!(automatic(&[&Labels::default()], "e"), ["e"]);
    }

    #[test]
    fn equal_names_are_numbered() {
        let mut names = ["a", "b", "a"].map(String::from);
        distinguish(&mut names);
        assert_eq!(names, ["a 1", "b", "a 2"]);
    }
}

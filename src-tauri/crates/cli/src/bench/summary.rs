//! The text at the end of a load: the figures of etcd's own tool under the same names, then what that tool doesn't
//! tell: each member's part, errors by code, compactions, and what was left unanswered.

use std::fmt::Write;

use hdrhistogram::Histogram;
use lab_bench::{Ended, LatencySummary, MemberReport, Report};

/// Rows of the histogram, and the width of its longest bar.
const ROWS: u64 = 10;
const BAR: u64 = 40;

/// A report as text. (Writing to a String can't fail, so the results of `write!` are of no interest here.)
pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    figures(&mut text, report);
    if report.latency.is_some() {
        histogram(&mut text, report.histogram.as_ref());
        let _ = writeln!(text, "\nLatency distribution:");
        for percentile in &report.percentiles {
            let _ = writeln!(text, "  {}% in {:.4} secs.", percentile.percent, percentile.latency_s);
        }
    }
    members(&mut text, &report.members);
    errors(&mut text, report);
    notes(&mut text, report);
    text
}

fn figures(text: &mut String, report: &Report) {
    let _ = writeln!(text, "\nSummary:\n  Total:\t{:.4} secs.", report.duration_s);
    if let Some(LatencySummary { max_s, min_s, mean_s, stddev_s, .. }) = report.latency {
        let rows = [("Slowest", max_s), ("Fastest", min_s), ("Average", mean_s), ("Stddev", stddev_s)];
        for (name, seconds) in rows {
            let _ = writeln!(text, "  {name}:\t{seconds:.4} secs.");
        }
    }
    let _ = writeln!(text, "  Requests/sec:\t{:.4}", report.rate);
    let _ = writeln!(text, "  Answers:\t{}", count(report.answers));
    let _ = writeln!(text, "  Errors:\t{}", count(report.errors));
}

fn histogram(text: &mut String, histogram: &Histogram<u64>) {
    let _ = writeln!(text, "\nResponse time histogram:");
    let (low, high) = (histogram.min(), histogram.max());
    let step = (high - low + 1).div_ceil(ROWS);
    let mut rows: Vec<(u64, u64)> =
        (low..=high).step_by(step as usize).map(|from| ((from + step - 1).min(high), 0)).collect();
    for value in histogram.iter_recorded() {
        let row = ((value.value_iterated_to() - low) / step) as usize;
        rows[row].1 += value.count_at_value();
    }
    let most = rows.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
    for (to, count) in rows {
        let bar = "∎".repeat(usize::try_from(count * BAR / most).unwrap_or(0));
        let _ = writeln!(text, "  {:>9} [{count}]\t|{bar}", time(to as f64 / 1e6));
    }
}

fn members(text: &mut String, members: &[MemberReport]) {
    let width = members.iter().map(|member| member.endpoint.len()).max().unwrap_or(0).max("Member".len());
    let _ = writeln!(
        text,
        "\n{:<width$}  {:>5}  {:>10}  {:>8}  {:>8}  {:>8}  {:>8}  {:>8}  {:>8}",
        "Member", "Conns", "Answers", "Rate", "p50", "p90", "p99", "Slowest", "Errors"
    );
    for member in members {
        let latency = |of: fn(&LatencySummary) -> f64| {
            member.latency.as_ref().map_or_else(|| "–".to_owned(), |latency| time(of(latency)))
        };
        let _ = writeln!(
            text,
            "{:<width$}  {:>5}  {:>10}  {:>6.0}/s  {:>8}  {:>8}  {:>8}  {:>8}  {:>8}",
            member.endpoint,
            member.conns,
            count(member.answers),
            member.rate,
            latency(|latency| latency.p50_s),
            latency(|latency| latency.p90_s),
            latency(|latency| latency.p99_s),
            latency(|latency| latency.max_s),
            count(member.errors),
        );
    }
}

fn errors(text: &mut String, report: &Report) {
    if report.error_counts.is_empty() {
        return;
    }
    let _ = writeln!(text, "\nError distribution:");
    for kind in &report.error_counts {
        let _ = writeln!(text, "  [{}]\t{}: {}", kind.count, kind.code, kind.message);
    }
    if let Some(latency) = &report.error_latency {
        let (p50, max) = (time(latency.p50_s), time(latency.max_s));
        let _ = writeln!(text, "  Requests failed after {p50} (median), {max} at most.");
    }
}

fn notes(text: &mut String, report: &Report) {
    let mut notes = Vec::new();
    if let Some(compactions) = &report.compactions {
        let mut note = format!("Compactions: {} done, {} failed", compactions.done, compactions.failed);
        if let Some(revision) = compactions.last_revision {
            let _ = write!(note, ", the last at revision {revision}");
        }
        if let Some(error) = &compactions.last_error {
            let _ = write!(note, "; last failure: {error}");
        }
        notes.push(note);
    }
    if report.unanswered.count > 0 {
        notes.push(format!(
            "Not in the figures: {} requests without an answer at the end, the oldest after {}",
            count(report.unanswered.count),
            time(report.unanswered.oldest_s)
        ));
    }
    if report.backlog > 0 {
        let late = count(report.backlog);
        notes.push(format!(
            "Not in the figures: {late} requests that were due, with no client free to send them"
        ));
    }
    if report.ended == Ended::Cancelled {
        notes.push("Interrupted: this is the result so far".into());
    }
    if !notes.is_empty() {
        let _ = writeln!(text, "\n{}.", notes.join(".\n"));
    }
}

/// Seconds with sensible digits and unit: `340 µs`, `3.4 ms`, `34 ms`, `1.2 s`.
pub(super) fn time(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s < 0.000_999_5 => (s * 1e6, "µs"),
        s if s < 0.999_5 => (s * 1e3, "ms"),
        s => (s, "s"),
    };
    let digits = usize::from(value < 9.95 && unit != "µs");
    format!("{value:.digits$} {unit}")
}

/// A count with its thousands apart: `1,234,567`.
pub(super) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_counts_read_well() {
        let table = [
            (0.000_000_4, "0 µs"),
            (0.000_34, "340 µs"),
            (0.003_42, "3.4 ms"),
            (0.034_2, "34 ms"),
            (0.999_4, "999 ms"),
            (0.999_9, "1.0 s"),
            (1.23, "1.2 s"),
            (61.0, "61 s"),
        ];
        for (seconds, text) in table {
            assert_eq!(time(seconds), text);
        }
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn the_histogram_shows_every_answer_once() {
        let mut latencies = Histogram::new_with_bounds(1, 3_600_000_000, 3).unwrap();
        for millis in 1..=1_000 {
            latencies.record(millis * 1_000).unwrap();
        }
        let mut text = String::new();
        histogram(&mut text, &latencies);
        let shown: u64 = text
            .lines()
            .filter_map(|line| line.split_once('[')?.1.split_once(']')?.0.parse::<u64>().ok())
            .sum();
        assert_eq!((shown, text.lines().filter(|line| line.contains('[')).count()), (1_000, 10), "{text}");
    }

    #[test]
    fn one_latency_is_one_row() {
        let mut latencies = Histogram::new_with_bounds(1, 3_600_000_000, 3).unwrap();
        latencies.record(1_234).unwrap();
        let mut text = String::new();
        histogram(&mut text, &latencies);
        assert!(text.contains("[1]"), "{text}");
    }
}

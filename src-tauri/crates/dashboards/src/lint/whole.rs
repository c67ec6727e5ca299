//! What concerns the dashboard as a whole: its name, the time it shows, and how often it asks anew.

use std::time::Duration;

use promql_parser::util::parse_duration;

use super::query::SCRAPE;
use crate::grafana::Dashboard;

/// A shorter time shows no course of things.
const LEAST_RANGE: Duration = Duration::from_secs(60);
/// Over a longer one, each point of a line is minutes of scrapes, and what the lab does lasts seconds.
const MOST_RANGE: Duration = Duration::from_secs(24 * 3600);

/// What is wrong with it.
pub fn check(dashboard: &Dashboard) -> Vec<String> {
    let mut wrong = Vec::new();
    if dashboard.uid.is_empty() {
        wrong.push("it has no uid, so no link to it lasts".into());
    }
    if dashboard.title.is_empty() {
        wrong.push("it has no title".into());
    }
    let range = range(&dashboard.time.from, &dashboard.time.to).unwrap_or_else(|reason| {
        wrong.push(reason);
        MOST_RANGE
    });
    wrong.extend(refresh(dashboard.refresh.as_deref().unwrap_or_default(), range));
    wrong
}

/// The length of time shown, which must end now, where the news is.
fn range(from: &str, to: &str) -> Result<Duration, String> {
    let shown = || format!("it shows the time from \"{from}\" to \"{to}\"");
    if to != "now" {
        return Err(format!("{}, which doesn't end now", shown()));
    }
    match from.strip_prefix("now-").and_then(|length| parse_duration(length).ok()) {
        None => Err(format!("{}, which doesn't begin a while before now", shown())),
        Some(range) if range < LEAST_RANGE => {
            Err(format!("{}, too short to see how something came", shown()))
        }
        Some(range) if range > MOST_RANGE => Err(format!("{}, too long to see seconds in it", shown())),
        Some(range) => Ok(range),
    }
}

fn refresh(text: &str, range: Duration) -> Option<String> {
    if text.is_empty() {
        return Some("it has no refresh, so it stands still until somebody asks anew".into());
    }
    match parse_duration(text) {
        Err(_) => Some(format!("its refresh \"{text}\" is no duration")),
        Ok(every) if every < SCRAPE => {
            Some(format!("its refresh \"{text}\" is shorter than a scrape, so it often asks for nothing new"))
        }
        Ok(every) if every >= range => {
            Some(format!("its refresh \"{text}\" is longer than the time that it shows"))
        }
        Ok(_) => None,
    }
}

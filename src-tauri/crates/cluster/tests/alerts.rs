//! Every alert in `prometheus/rules` has a test in `prometheus/tests` in which it fires and one in which it is silent.
//! That the tests pass is promtool's to say, which `make test` asks.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

use std::collections::BTreeSet;
use std::path::Path;

use serde_norway::Value;

/// All files of a folder under `prometheus`.
fn files(folder: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../prometheus").join(folder);
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.map(|file| serde_norway::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()).collect()
}

/// The elements of the list under `key`; none when there is no such list.
fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_sequence).into_iter().flatten()
}

/// Alerts of the tests that expect them to fire, or to be silent.
fn tested(tests: &[Value], firing: bool) -> BTreeSet<&str> {
    let cases =
        tests.iter().flat_map(|file| list(file, "tests")).flat_map(|test| list(test, "alert_rule_test"));
    let wanted = cases.filter(|case| list(case, "exp_alerts").next().is_some() == firing);
    wanted.map(|case| case["alertname"].as_str().unwrap()).collect()
}

#[test]
fn every_alert_is_tested_firing_and_silent() {
    let (rules, tests) = (files("rules"), files("tests"));
    let rules = rules.iter().flat_map(|file| list(file, "groups")).flat_map(|group| list(group, "rules"));
    let alerts: BTreeSet<&str> = rules.map(|rule| rule["alert"].as_str().unwrap()).collect();
    assert!(alerts.len() >= 13, "only {alerts:?}");
    assert_eq!(tested(&tests, true), alerts, "tested while firing, and those that there are");
    assert_eq!(tested(&tests, false), alerts, "tested while silent, and those that there are");
}

/// A lab is too short for the patience of production, so each alert says what that would be.
#[test]
fn every_alert_says_how_long_it_would_wait_in_production() {
    for rule in
        files("rules").iter().flat_map(|file| list(file, "groups")).flat_map(|group| list(group, "rules"))
    {
        let minutes = rule["annotations"]["production_for"].as_str().and_then(|text| text.strip_suffix('m'));
        let minutes = minutes.and_then(|minutes| minutes.parse::<u32>().ok());
        assert!(minutes.is_some_and(|minutes| minutes >= 1), "{:?}", rule["alert"]);
    }
}

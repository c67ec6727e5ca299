//! The lint: a dashboard without a mistake, and for each rule one with the mistake that it is there for.

use lab_dashboards::{Finding, lint};
use serde_json::{Value, json};

/// Nothing is wrong with it.
fn good() -> Value {
    let source = json!({"type": "prometheus", "uid": "${datasource}"});
    let target = |letter: &str, legend: &str| {
        let expr = "sum by (instance) (rate(x_total{code=\"$code\"}[$__rate_interval]))";
        json!({"refId": letter, "datasource": source, "expr": expr, "legendFormat": legend})
    };
    let panel = |id: u32, title: &str, x: u32| {
        json!({
            "id": id, "type": "timeseries", "title": title, "description": "Shows x.", "datasource": source,
            "gridPos": {"x": x, "y": 1, "w": 12, "h": 8}, "fieldConfig": {"defaults": {"unit": "ops"}},
            "targets": [target("A", "{{instance}}"), target("B", "{{ instance }} too")],
        })
    };
    json!({
        "uid": "u", "title": "D", "refresh": "5s", "time": {"from": "now-15m", "to": "now"},
        "templating": {"list": [
            {"name": "datasource", "type": "datasource", "query": "prometheus"},
            {"name": "code", "type": "constant", "query": "OK"},
            {"name": "unset", "type": "custom"},
        ]},
        "panels": [
            {"id": 1, "type": "row", "title": "R", "gridPos": {"x": 0, "y": 0, "w": 24, "h": 1}, "panels": []},
            panel(2, "P", 0),
            panel(3, "Q", 12),
            {"id": 4, "type": "text", "gridPos": {"x": 0, "y": 9, "w": 24, "h": 2}},
        ],
    })
}

/// Where in the good dashboard, what stands there instead (or nothing more), which panel is named, and a part of the
/// reason.
type Broken<'a> = (&'a str, Value, Option<&'a str>, &'a str);

fn broken() -> Vec<Broken<'static>> {
    let p = Some("P");
    let expr = "/panels/1/targets/0/expr";
    let legend = "/panels/1/targets/0/legendFormat";
    vec![
        ("/uid", json!(""), None, "it has no uid"),
        ("/title", Value::Null, None, "it has no title"),
        ("/refresh", Value::Null, None, "it has no refresh"),
        ("/refresh", json!("often"), None, "its refresh \"often\" is no duration"),
        ("/refresh", json!("250ms"), None, "shorter than a scrape"),
        ("/refresh", json!("1h"), None, "longer than the time that it shows"),
        ("/time/from", json!("2026-01-01"), None, "doesn't begin a while before now"),
        ("/time/from", json!("now-5s"), None, "too short"),
        ("/time/from", json!("now-30d"), None, "too long"),
        ("/time/to", json!("now-5m"), None, "doesn't end now"),
        ("/panels/1/id", Value::Null, p, "it has no id"),
        ("/panels/1/id", json!(1), p, "another panel has the id 1 too"),
        ("/panels/1/title", json!(""), Some("id 2"), "it has no title"),
        ("/panels/1/description", json!(" "), p, "it has no description"),
        ("/panels/1/fieldConfig", json!({}), p, "it has no unit"),
        ("/panels/1/targets", json!([]), p, "it has no query"),
        ("/panels/1/gridPos", Value::Null, p, "it has no place on the grid"),
        ("/panels/1/gridPos/h", json!(0), p, "it has no place on the grid"),
        ("/panels/1/gridPos/w", json!(13), Some("Q"), "it overlaps with \"P\""),
        ("/panels/1/gridPos/y", json!(0), p, "it overlaps with \"R\""),
        ("/panels/2/gridPos/x", json!(13), Some("Q"), "from column 13 over 12 columns"),
        (
            "/panels/1/datasource/uid",
            json!("prometheus"),
            p,
            "the data source \"prometheus\" is written into",
        ),
        ("/panels/1/datasource", Value::Null, p, "the panel: it names no data source"),
        ("/panels/1/targets/0/datasource", Value::Null, p, "query A: it names no data source"),
        (
            "/panels/1/targets/0/datasource/uid",
            json!("$code"),
            p,
            "${code} is no variable of type datasource",
        ),
        ("/panels/1/targets/1/refId", json!("A"), p, "another query has this letter too"),
        (expr, json!(" "), p, "query A: it is empty"),
        (expr, json!("rate(x[15s]"), p, "query A: at byte"),
        (expr, json!("sum by (instance) (rate(x[3s]))"), p, "a window of 3s holds fewer than 4 scrapes"),
        (expr, json!("sum by (instance) (rate(x[$__interval]))"), p, "a window of 1s holds fewer than 4"),
        (expr, json!("sum by (instance) (x{a=\"$nobody\"})"), p, "the variable $nobody stands for nothing"),
        (expr, json!("sum by (instance) (x{a=\"[[unset]]\"})"), p, "the variable $unset stands for nothing"),
        (legend, json!(""), p, "query A: it has no legend"),
        (legend, json!("{{ instance }} too"), p, "query B: another query has the same legend"),
        (legend, json!("all"), p, "its lines differ in instance, which the legend leaves out"),
        (expr, json!("sum by (instance, code) (x)"), p, "its lines differ in code"),
        (
            expr,
            json!("sum by (instance) (x) / on (instance) group_right sum by (instance, to) (x)"),
            p,
            "in to",
        ),
        (
            expr,
            json!("-histogram_quantile(0.9, sum by (le, to) (rate(x[15s]))) > 0"),
            p,
            "lines differ in to,",
        ),
        (expr, json!("max_over_time(sum by (to) (x)[1m:5s])"), p, "lines differ in to,"),
    ]
}

fn is_told(findings: &[Finding], panel: Option<&str>, reason: &str) -> bool {
    findings
        .iter()
        .any(|it| it.file == "d.json" && it.panel.as_deref() == panel && it.reason.contains(reason))
}

#[test]
fn a_good_dashboard_has_nothing_to_mend() {
    assert_eq!(lint(&[("d.json", &good().to_string())]), []);
}

#[test]
fn each_rule_refuses_what_it_is_there_for() {
    for (place, value, panel, reason) in broken() {
        let mut dashboard = good();
        *dashboard.pointer_mut(place).unwrap() = value.clone();
        let findings = lint(&[("d.json", &dashboard.to_string())]);
        assert!(is_told(&findings, panel, reason), "{place} = {value}: {reason}: {findings:?}");
    }
}

#[test]
fn legends_that_tell_lines_apart_are_not_refused() {
    let cases = [
        ("sum(x)", "all"),
        ("scalar(sum by (to) (x)) + 1", "one"),
        ("max by (__name__) (x)", "one"),
        ("histogram_quantile(0.9, sum by (le) (rate(x[15s])))", "p90"),
        ("topk(3, sum by (to) (x))", "{{to}}"),
        ("sum without (to) (x)", "{{instance}}"),
        ("2 * sum by (to) (x)", "to {{to}}"),
        ("sum by (to) (x) or x", "{{instance}}"),
        ("x", "__auto"),
        ("vector(1)", "one"),
    ];
    for (expr, legend) in cases {
        let mut dashboard = good();
        dashboard["panels"][1]["targets"][0]["expr"] = expr.into();
        dashboard["panels"][1]["targets"][0]["legendFormat"] = legend.into();
        assert_eq!(lint(&[("d.json", &dashboard.to_string())]), [], "{expr}: {legend}");
    }
    let mut dashboard = good();
    dashboard["panels"][1]["targets"][0]["expr"] = "x".into();
    dashboard["panels"][1]["targets"][0]["legendFormat"] = "all".into();
    let findings = lint(&[("d.json", &dashboard.to_string())]);
    assert!(is_told(&findings, Some("P"), "its legend names no label"), "{findings:?}");
}

#[test]
fn a_folded_row_has_a_grid_of_its_own() {
    let mut dashboard = good();
    let folded = dashboard["panels"][1].take();
    dashboard["panels"].as_array_mut().unwrap().remove(1);
    dashboard["panels"][0]["panels"] = json!([folded]);
    assert_eq!(lint(&[("d.json", &dashboard.to_string())]), []);
    dashboard["panels"][0]["panels"][0]["description"] = Value::Null;
    let findings = lint(&[("d.json", &dashboard.to_string())]);
    assert!(is_told(&findings, Some("P"), "it has no description"), "{findings:?}");
}

#[test]
fn dashboards_have_uids_and_titles_of_their_own() {
    let (one, mut other) = (good(), good());
    let told = |other: &Value| {
        let findings = lint(&[("d.json", &one.to_string()), ("e.json", &other.to_string())]);
        findings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let both = ["e.json: d.json has the uid \"u\" too", "e.json: d.json has the title \"D\" too"];
    assert_eq!(told(&other), both);
    (other["uid"], other["title"]) = ("v".into(), "E".into());
    assert_eq!(told(&other), [""; 0]);
}

#[test]
fn a_finding_says_where_and_what_is_no_dashboard_is_one() {
    let mut dashboard = good();
    dashboard["panels"][1]["description"] = Value::Null;
    let [finding] = lint(&[("d.json", &dashboard.to_string())]).try_into().unwrap();
    assert!(finding.to_string().starts_with("d.json: panel \"P\": it has no description"), "{finding}");
    let [finding] = lint(&[("d.json", "{")]).try_into().unwrap();
    assert!(finding.to_string().starts_with("d.json: this is no JSON"), "{finding}");
    let wrapped = json!({"meta": {}, "dashboard": good()});
    assert_eq!(lint(&[("d.json", &wrapped.to_string())]), []);
}

//! Dashboards that are not ours: nothing in them may keep one from opening.

use lab_dashboards::{PanelKind, ReadError, TargetError, Unit, read};

#[test]
fn unknown_and_misshapen_things_do_no_harm() {
    let dashboard = read(
        r#"{
          "title": 7, "uid": null, "schemaVersion": "latest", "templating": {"list": "none"}, "time": [],
          "panels": [
            null, 3, {"type": "plugin-of-somebody", "id": "x", "gridPos": {"x": -1, "y": 2.5}, "targets": {}},
            {"type": "timeseries", "id": 1, "title": "T", "datasource": "old", "gridPos": {"x": 0, "y": 1},
             "fieldConfig": {"defaults": {"unit": "furlong", "decimals": "two", "thresholds": null}},
             "targets": [{"refId": "A", "expr": "up", "exemplar": true}, {"rawSql": "select 1"}, "no"]},
            {"type": "row", "collapsed": true, "title": "R", "gridPos": {"y": 9},
             "panels": [{"type": "stat", "id": 2, "gridPos": {"y": 12}}, {"type": "text", "id": 3, "gridPos": {"y": 10}}]}
          ]
        }"#,
    )
    .unwrap();
    assert_eq!((dashboard.title.as_str(), dashboard.rows.len()), ("", 2));
    let kinds: Vec<&PanelKind> = dashboard.panels().map(|panel| &panel.kind).collect();
    let unsupported = |name: &str| PanelKind::Unsupported(name.into());
    assert_eq!(
        kinds,
        [&unsupported("plugin-of-somebody"), &PanelKind::TimeSeries, &unsupported("text"), &PanelKind::Stat]
    );
    let panel = dashboard.panels().nth(1).unwrap();
    assert_eq!((&panel.unit, panel.decimals, panel.targets.len()), (&Unit::Other("furlong".into()), None, 2));
}

#[test]
fn what_the_api_wraps_is_unwrapped_and_what_is_no_dashboard_is_refused() {
    let wrapped = r#"{"meta": {}, "dashboard": {"title": "W", "panels": []}}"#;
    assert_eq!(read(wrapped).unwrap().title, "W");
    assert!(matches!(read("{"), Err(ReadError::Json(_))));
    assert!(matches!(read("[]"), Err(ReadError::NoDashboard(_))));
    assert!(matches!(read("{}"), Err(ReadError::NoDashboard(_))));
}

#[test]
fn a_query_that_fails_leaves_the_others() {
    use lab_dashboards::{Scope, Window, evaluate};
    struct Nothing;
    impl lab_metrics::Queryable for Nothing {
        fn select(&self, _: &[lab_metrics::Matcher], _: i64, _: i64) -> Vec<lab_metrics::SeriesData> {
            Vec::new()
        }
    }
    let dashboard = read(
        r#"{"panels": [{"type": "timeseries", "targets": [
             {"refId": "A", "expr": "sum("}, {"refId": "B", "expr": "vector(2)"}, {"refId": "C", "expr": "vector(3)"},
             {"refId": "D", "expr": "1 / 0"}, {"refId": "E", "expr": "vector(4)", "hide": true}]}]}"#,
    )
    .unwrap();
    let scope = Scope { step_ms: 1_000, range_ms: 2_000, scrape_ms: 1_000, variables: &[] };
    let window = Window { start_ms: 0, end_ms: 2_500, step_ms: 1_000 };
    let engine = lab_promql::Engine::default();
    let frames = evaluate(dashboard.panels().next().unwrap(), &scope, &engine, &Nothing, window);
    assert_eq!(frames.times_ms, [0, 1_000, 2_000]);
    assert_eq!(frames.problems.len(), 1);
    assert!(matches!(frames.problems[0].error, TargetError::Parse(_)), "{}", frames.problems[0]);
    let values: Vec<(&str, usize, &[Option<f64>])> =
        frames.lines.iter().map(|line| (line.name.as_str(), line.target, line.values.as_slice())).collect();
    let [two, three, gap] = [[Some(2.0); 3], [Some(3.0); 3], [None; 3]];
    assert_eq!(values, [("vector(2)", 1, two.as_slice()), ("vector(3)", 2, &three), ("1 / 0", 3, &gap)]);
}

//! What the panels showed that a step tells to look at: one that stays empty while the step moves what it is about
//! teaches nothing. That is no check of the system, so it is reported and not judged.

use std::time::Duration;

use lab::Asker;
use lab::api::{Command, PanelRef, Reply};
use lab_dashboards::{PanelQueries, Scope, builtin};
use lab_metrics::system_clock;
use serde::Serialize;
use serde_json::Value;
use tokio::time::{Instant, sleep};

/// Between two points; members are scraped as often.
const STEP_MS: i64 = 1_000;
/// A check can be met by what a load was told, before the metrics tell it too: an error that no member gave before is a
/// series that begins, and a rate of it needs two scrapes.
const SHOWN_WITHIN: Duration = Duration::from_secs(5);

/// A query of a panel, and what it showed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryReport {
    /// Title of the dashboard.
    pub dashboard: String,
    /// Title of the panel.
    pub panel: String,
    /// The query's letter.
    pub query: String,
    /// Points with a value, over all members.
    pub points: usize,
}

/// What the queries of `panels` showed since `since_ms`, as soon as each of them has shown something.
pub async fn shown(panels: &[PanelRef], since_ms: i64, asker: &Asker) -> Vec<QueryReport> {
    let deadline = Instant::now() + SHOWN_WITHIN;
    loop {
        let reports = asked(panels, since_ms, asker).await;
        if reports.iter().all(|report| report.points > 0) || Instant::now() >= deadline {
            return reports;
        }
        sleep(Duration::from_millis(STEP_MS as u64)).await;
    }
}

async fn asked(panels: &[PanelRef], since_ms: i64, asker: &Asker) -> Vec<QueryReport> {
    let now_ms = system_clock()().max(since_ms);
    let mut reports = Vec::new();
    for wanted in panels {
        let dashboard = builtin().iter().find(|dashboard| dashboard.uid == wanted.dashboard);
        let panel = dashboard.and_then(|dashboard| dashboard.panels().find(|panel| panel.id == wanted.panel));
        // Content that names a panel that isn't there is refused before anybody plays it.
        let (Some(dashboard), Some(panel)) = (dashboard, panel) else { continue };
        let range_ms = now_ms - since_ms;
        let scope = Scope { step_ms: STEP_MS, range_ms, scrape_ms: STEP_MS, variables: &dashboard.variables };
        for (at, expr) in PanelQueries::new(panel, &scope).exprs() {
            let command = Command::QueryRange {
                expr: expr.to_owned(),
                start_s: since_ms as f64 / 1e3,
                end_s: now_ms as f64 / 1e3,
                step_s: STEP_MS as f64 / 1e3,
            };
            let points = match asker.ask(command).await {
                Ok(Reply::Query { data, .. }) => points(&data),
                // A question that can't be answered showed nothing.
                _ => 0,
            };
            reports.push(QueryReport {
                dashboard: dashboard.title.clone(),
                panel: panel.title.clone(),
                query: panel.targets[at].ref_id.clone(),
                points,
            });
        }
    }
    reports
}

/// Points that can be drawn: neither NaN nor infinite.
fn points(data: &Value) -> usize {
    let series = data["result"].as_array().into_iter().flatten();
    let values = series.flat_map(|series| series["values"].as_array().into_iter().flatten());
    let numbers = values.filter_map(|pair| pair[1].as_str()?.parse::<f64>().ok());
    numbers.filter(|number| number.is_finite()).count()
}

//! What the lab asks of a dashboard before it ships it, and what `etcd-labctl dashboards check` tells a person
//! about theirs.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use promql_parser::parser::{self, Expr};
use promql_parser::util::{ExprVisitor, walk_expr};
use serde_json::Value;

use crate::grafana;
use crate::model::{Dashboard, VariableKind};
use crate::read::read;
use crate::variables::{Scope, substitute};

/// Members are scraped each second.
const SCRAPE: Duration = Duration::from_secs(1);
/// A rate needs two samples; with four scrapes it survives one that is lost and one that is late.
const SCRAPES_IN_A_WINDOW: u32 = 4;
/// What `$__interval` and the like stand for here; any ordinary panel width will do.
const STEP_MS: i64 = 1_000;
const RANGE_MS: i64 = 900_000;

/// Something to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// File as it was named.
    pub file: String,
    /// Title of the panel, or its id where it has none; `None` when it concerns the whole.
    pub panel: Option<String>,
    /// What is wrong, a sentence.
    pub reason: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.panel {
            Some(panel) => write!(f, "{}: panel \"{panel}\": {}", self.file, self.reason),
            None => write!(f, "{}: {}", self.file, self.reason),
        }
    }
}

/// Everything to mend in the dashboard `text`, in reading order. `file` is how findings name it.
pub fn lint(file: &str, text: &str) -> Vec<Finding> {
    let mut findings = Findings { file, list: Vec::new() };
    let dashboard = match read(text) {
        Ok(dashboard) => dashboard,
        Err(error) => {
            findings.add(None, error.to_string());
            return findings.list;
        }
    };
    // `read` gives what is shown; ids of rows and data sources are only in the file itself.
    let mut json: Value = serde_json::from_str(text).unwrap_or_default();
    if let Some(wrapped) = json.get_mut("dashboard").filter(|inner| inner.is_object()) {
        json = wrapped.take();
    }
    let raw: grafana::Dashboard = serde_json::from_value(json).unwrap_or_default();

    if dashboard.uid.is_empty() {
        findings.add(None, "it has no uid, so no link to it lasts".into());
    }
    if dashboard.title.is_empty() {
        findings.add(None, "it has no title".into());
    }
    let mut ids = HashSet::new();
    let mut panels: Vec<&grafana::Panel> = raw.panels.iter().collect();
    panels.extend(raw.panels.iter().flat_map(|row| &row.panels));
    for panel in panels {
        let name = if panel.title.is_empty() {
            format!("id {}", panel.id.map_or_else(|| "unknown".to_owned(), |id| id.to_string()))
        } else {
            panel.title.clone()
        };
        let mut add = |reason: String| findings.add(Some(&name), reason);
        match panel.id {
            None => add("it has no id".into()),
            Some(id) if !ids.insert(id) => add(format!("another panel has the id {id} too")),
            Some(_) => {}
        }
        if panel.kind != "row" {
            check_panel(panel, &dashboard, &mut add);
        }
    }
    findings.list
}

struct Findings<'a> {
    file: &'a str,
    list: Vec<Finding>,
}

impl Findings<'_> {
    fn add(&mut self, panel: Option<&str>, reason: String) {
        self.list.push(Finding { file: self.file.to_owned(), panel: panel.map(str::to_owned), reason });
    }
}

fn check_panel(panel: &grafana::Panel, dashboard: &Dashboard, add: &mut dyn FnMut(String)) {
    if panel.title.is_empty() {
        add("it has no title".into());
    }
    if panel.description.trim().is_empty() {
        add("it has no description: say what it shows and what is normal".into());
    }
    if panel.field_config.defaults.unit.as_deref().unwrap_or_default().is_empty() {
        add("it has no unit; a plain number is `short` or `none`".into());
    }
    check_data_source(&panel.datasource, "the panel", dashboard, add);
    let mut letters = HashSet::new();
    for target in &panel.targets {
        let query = format!("query {}", target.ref_id);
        if !letters.insert(&target.ref_id) {
            add(format!("{query}: another query has this letter too"));
        }
        check_data_source(&target.datasource, &query, dashboard, add);
        if target.legend_format.trim().is_empty() {
            add(format!("{query}: it has no legend, so its lines show all their labels"));
        }
        for reason in check_query(&target.expr, dashboard) {
            add(format!("{query}: {reason}"));
        }
    }
    if panel.targets.is_empty() {
        add("it has no query".into());
    }
}

/// A data source must be a variable of the dashboard, or the file works on one Grafana only.
fn check_data_source(source: &Value, of: &str, dashboard: &Dashboard, add: &mut dyn FnMut(String)) {
    let uid = source.get("uid").unwrap_or(source);
    let name = match uid.as_str() {
        None | Some("") => {
            add(format!("{of}: it names no data source, which means Grafana's default one"));
            return;
        }
        Some(uid) => uid.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).or(uid.strip_prefix('$')),
    };
    let is_variable = |name: &str| {
        dashboard
            .variables
            .iter()
            .any(|variable| variable.name == name && matches!(variable.kind, VariableKind::DataSource(_)))
    };
    match name {
        None => add(format!("{of}: the data source {uid} is written into the file; use a variable")),
        Some(name) if !is_variable(name) => {
            add(format!("{of}: the data source ${{{name}}} is no variable of type datasource"));
        }
        Some(_) => {}
    }
}

fn check_query(expr: &str, dashboard: &Dashboard) -> Vec<String> {
    let scrape_ms = SCRAPE.as_millis() as i64;
    let scope = Scope { step_ms: STEP_MS, range_ms: RANGE_MS, scrape_ms, variables: &dashboard.variables };
    let expr = substitute(expr, &scope);
    if expr.trim().is_empty() {
        return vec!["it is empty".into()];
    }
    // The lab's own parser goes first: it bounds what the grammar behind it gets to see.
    if let Err(error) = lab_promql::parse(&expr) {
        return vec![error.to_string()];
    }
    let Ok(tree) = parser::parse(&expr) else { return Vec::new() };
    let mut windows = Windows(Vec::new());
    let Ok(_) = walk_expr(&mut windows, &tree);
    let least = SCRAPE * SCRAPES_IN_A_WINDOW;
    windows
        .0
        .into_iter()
        .filter(|window| *window < least)
        .map(|window| {
            format!("a window of {window:?} holds fewer than {SCRAPES_IN_A_WINDOW} scrapes; take {least:?} or more")
        })
        .collect()
}

/// Collects the lengths of range selectors.
struct Windows(Vec<Duration>);

impl ExprVisitor for Windows {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Self::Error> {
        if let Expr::MatrixSelector(selector) = expr {
            self.0.push(selector.range);
        }
        Ok(true)
    }
}

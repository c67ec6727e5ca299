//! From Grafana's JSON to a [`Dashboard`].

use serde_json::Value;

use crate::grafana;
use crate::model::{
    Dashboard, GridPos, Mapping, Panel, PanelKind, Reduce, Row, Target, Threshold, Variable, VariableKind,
};
use crate::unit::Unit;

/// Why a file is no dashboard.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No JSON.
    #[error("this is no JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON, but no object with panels.
    #[error("this is JSON, but no Grafana dashboard: {0}")]
    NoDashboard(&'static str),
}

/// Reads a dashboard as Grafana saves or exports it, or as its HTTP API wraps it (`{"dashboard": …}`).
///
/// Fields and panel types unknown here do no harm: a panel becomes [`PanelKind::Unsupported`], the rest is
/// ignored. Panels that Grafana repeats for each value of a variable are read once.
///
/// # Errors
/// When `text` is no JSON, or no object with `panels`.
pub fn read(text: &str) -> Result<Dashboard, ReadError> {
    let mut json: Value = serde_json::from_str(text)?;
    if let Some(wrapped) = json.get_mut("dashboard").filter(|inner| inner.is_object()) {
        json = wrapped.take();
    }
    if !json.is_object() {
        return Err(ReadError::NoDashboard("it is not an object"));
    }
    if !json.get("panels").is_some_and(Value::is_array) {
        return Err(ReadError::NoDashboard("it has no list of panels"));
    }
    let raw: grafana::Dashboard = serde_json::from_value(json)?;
    Ok(Dashboard {
        uid: raw.uid,
        title: raw.title,
        description: raw.description,
        refresh: raw.refresh,
        from: raw.time.from,
        variables: raw.templating.list.into_iter().map(variable).collect(),
        rows: rows(raw.panels),
    })
}

/// Grafana keeps rows and panels in one list and lets their places say which belongs to which; only a folded
/// row holds its panels itself.
fn rows(mut panels: Vec<grafana::Panel>) -> Vec<Row> {
    panels.sort_by_key(|panel| (panel.grid_pos.y, panel.grid_pos.x));
    let mut rows = Vec::new();
    let mut current = Row { title: String::new(), panels: Vec::new() };
    for mut raw in panels {
        if raw.kind == "row" {
            let mut folded = std::mem::take(&mut raw.panels);
            folded.sort_by_key(|panel| (panel.grid_pos.y, panel.grid_pos.x));
            let next = Row { title: raw.title, panels: folded.into_iter().map(panel).collect() };
            let before = std::mem::replace(&mut current, next);
            if !(before.title.is_empty() && before.panels.is_empty()) {
                rows.push(before);
            }
        } else {
            current.panels.push(panel(raw));
        }
    }
    rows.push(current);
    rows
}

fn panel(raw: grafana::Panel) -> Panel {
    let defaults = raw.field_config.defaults;
    Panel {
        id: raw.id.unwrap_or_default(),
        title: raw.title,
        description: raw.description,
        kind: match raw.kind.as_str() {
            "timeseries" => PanelKind::TimeSeries,
            "stat" => PanelKind::Stat,
            other => PanelKind::Unsupported(other.to_owned()),
        },
        grid: GridPos { x: raw.grid_pos.x, y: raw.grid_pos.y, w: raw.grid_pos.w, h: raw.grid_pos.h },
        unit: Unit::from_grafana(defaults.unit.as_deref().unwrap_or_default()),
        min: defaults.min,
        max: defaults.max,
        decimals: defaults.decimals,
        thresholds: defaults
            .thresholds
            .steps
            .into_iter()
            .map(|step| Threshold { value: step.value, color: step.color })
            .collect(),
        threshold_lines: !matches!(defaults.custom.thresholds_style.mode.as_str(), "" | "off"),
        mappings: defaults
            .mappings
            .iter()
            .filter(|mapping| mapping.kind == "value")
            .flat_map(mappings)
            .collect(),
        reduce: raw.options.reduce_options.calcs.first().map(|calc| reduce(calc)).unwrap_or_default(),
        targets: raw.targets.into_iter().map(target).collect(),
    }
}

fn mappings(raw: &grafana::Mapping) -> Vec<Mapping> {
    let text = |of: &Value, field: &str| of.get(field).and_then(Value::as_str).map(str::to_owned);
    raw.options
        .iter()
        .filter_map(|(value, to)| {
            Some(Mapping { value: value.parse().ok()?, text: text(to, "text")?, color: text(to, "color") })
        })
        .collect()
}

fn reduce(calc: &str) -> Reduce {
    match calc {
        "last" => Reduce::Last,
        "min" => Reduce::Min,
        "max" => Reduce::Max,
        "mean" => Reduce::Mean,
        "sum" => Reduce::Sum,
        _ => Reduce::LastNotNull,
    }
}

fn target(raw: grafana::Target) -> Target {
    Target {
        ref_id: raw.ref_id,
        expr: raw.expr,
        legend_format: raw.legend_format,
        hidden: raw.hide,
        instant: raw.instant && raw.range != Some(true),
    }
}

fn variable(raw: grafana::Variable) -> Variable {
    let values = match raw.current.value {
        Value::String(value) => vec![value],
        Value::Array(values) => values.into_iter().filter_map(|v| v.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    // A constant or a text box that was never touched has its value in the query.
    let values = match (values.is_empty(), raw.kind.as_str(), raw.query.as_str()) {
        (true, "constant" | "textbox", Some(query)) => vec![query.to_owned()],
        _ => values,
    };
    Variable {
        name: raw.name,
        kind: match raw.kind.as_str() {
            "datasource" => VariableKind::DataSource(raw.query.as_str().unwrap_or_default().to_owned()),
            "interval" => VariableKind::Interval,
            _ => VariableKind::Other,
        },
        multi: raw.multi || raw.include_all,
        all_value: raw.all_value,
        values,
    }
}

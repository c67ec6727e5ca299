//! Where a panel and its queries ask.

use serde_json::Value;

use crate::model::{Dashboard, VariableKind};

/// A data source must be a variable of the dashboard, or the file works on one Grafana only.
pub fn check(source: &Value, dashboard: &Dashboard) -> Option<String> {
    let uid = match source.get("uid").unwrap_or(source).as_str() {
        None | Some("") => return Some("it names no data source, which means Grafana's default one".into()),
        Some(uid) => uid,
    };
    let Some(name) = uid.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).or(uid.strip_prefix('$'))
    else {
        return Some(format!("the data source \"{uid}\" is written into the file; use a variable"));
    };
    let known = dashboard
        .variables
        .iter()
        .any(|variable| variable.name == name && matches!(variable.kind, VariableKind::DataSource(_)));
    (!known).then(|| format!("the data source ${{{name}}} is no variable of type datasource"))
}

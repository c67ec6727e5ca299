//! The built-in dashboards as the window sees them, and their queries made ready to be asked again and again.

use std::collections::HashMap;

use lab_dashboards::{Dashboard, Panel, PanelKind, PanelQueries, Scope, builtin};

use crate::api::{self, DashboardView, MappingView, PanelRef, PanelView, RowView, TargetView};

/// Between two scrapes, milliseconds; queries with `$__rate_interval` lean on it.
pub const SCRAPE_MS: i64 = 1_000;

/// All dashboards, in the order of the rail.
pub fn views() -> Vec<DashboardView> {
    builtin().iter().map(dashboard_view).collect()
}

fn dashboard_view(dashboard: &Dashboard) -> DashboardView {
    DashboardView {
        uid: dashboard.uid.clone(),
        title: dashboard.title.clone(),
        description: dashboard.description.clone(),
        rows: dashboard
            .rows
            .iter()
            .map(|row| RowView {
                title: row.title.clone(),
                panels: row.panels.iter().filter_map(|panel| panel_view(dashboard, panel)).collect(),
            })
            .collect(),
    }
}

/// `None` for a panel of a kind that is not drawn here.
fn panel_view(dashboard: &Dashboard, panel: &Panel) -> Option<PanelView> {
    let kind = match panel.kind {
        PanelKind::TimeSeries => api::PanelKind::TimeSeries,
        PanelKind::Stat => api::PanelKind::Stat,
        _ => return None,
    };
    let scope = Scope {
        step_ms: SCRAPE_MS,
        range_ms: 120_000,
        scrape_ms: SCRAPE_MS,
        variables: &dashboard.variables,
    };
    let targets = panel
        .targets
        .iter()
        .map(|target| TargetView {
            expr: lab_dashboards::substitute(&target.expr, &scope).into_owned(),
            legend: target.legend_format.clone(),
        })
        .collect();
    Some(PanelView {
        id: panel.id,
        title: panel.title.clone(),
        description: panel.description.clone(),
        kind,
        unit: panel.unit.grafana_id().into(),
        min: panel.min,
        max: panel.max,
        mappings: panel
            .mappings
            .iter()
            .map(|mapping| MappingView { value: mapping.value, text: mapping.text.clone() })
            .collect(),
        // The first threshold of Grafana's list is the base, which has no value and no line.
        thresholds: if panel.threshold_lines {
            panel.thresholds.iter().filter_map(|threshold| threshold.value).collect()
        } else {
            Vec::new()
        },
        targets,
    })
}

/// Queries of panels, parsed once for a step and a range.
#[derive(Debug, Default)]
pub struct QueryCache {
    step_ms: i64,
    range_ms: i64,
    queries: HashMap<PanelRef, Option<PanelQueries>>,
}

impl QueryCache {
    /// The queries of a panel, or `None` when there is no such panel.
    pub fn get(&mut self, panel: &PanelRef, step_ms: i64, range_ms: i64) -> Option<&PanelQueries> {
        if (self.step_ms, self.range_ms) != (step_ms, range_ms) {
            *self = Self { step_ms, range_ms, queries: HashMap::new() };
        }
        self.queries
            .entry(panel.clone())
            .or_insert_with(|| {
                let dashboard = builtin().iter().find(|dashboard| dashboard.uid == panel.dashboard)?;
                let found = dashboard.panels().find(|candidate| candidate.id == panel.panel)?;
                let scope =
                    Scope { step_ms, range_ms, scrape_ms: SCRAPE_MS, variables: &dashboard.variables };
                Some(PanelQueries::new(found, &scope))
            })
            .as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whether_there_is_a_leader_is_said_in_words() {
        let all = views();
        let mut panels = all.iter().flat_map(|board| &board.rows).flat_map(|row| &row.panels);
        let leader = panels.find(|panel| panel.title == "Etcd has a leader?").unwrap();
        let text =
            |value: f64| leader.mappings.iter().find(|m| m.value == value).map(|m| m.text.to_lowercase());
        assert_eq!((text(0.0).as_deref(), text(1.0).as_deref()), (Some("no"), Some("yes")));
    }
}

//! What the lab asks of a dashboard before it ships it, and what `etcd-labctl dashboards check` tells a person
//! about theirs. Each rule is a function from what it looks at to what is wrong with it; the files beside this one
//! hold them by what they look at.
//!
//! Refuses to know whether a field is spelt as Grafana spells it: that is for Grafana's own types to say
//! (`ui/grafana`).

mod grid;
mod names;
mod query;
mod source;
mod whole;

use std::collections::HashSet;
use std::fmt;

use serde_json::Value;

use crate::grafana;
use crate::model::Dashboard;
use crate::read::{ReadError, read};

/// Something to mend.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
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

/// Everything to mend in the dashboards given as name and text of a file: in reading order what each has, and then
/// what two of them have in common and must not.
pub fn lint(files: &[(&str, &str)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut readable = Vec::new();
    for (file, text) in files {
        let mut add = |panel: Option<&str>, reason: String| {
            let file = (*file).to_owned();
            findings.push(Finding { file, panel: panel.map(str::to_owned), reason });
        };
        match both(text) {
            Ok((dashboard, raw)) => {
                check(&raw, &dashboard, &mut add);
                readable.push((*file, dashboard));
            }
            Err(error) => add(None, error.to_string()),
        }
    }
    for (file, reason) in names::shared(&readable) {
        findings.push(Finding { file: file.to_owned(), panel: None, reason });
    }
    findings
}

/// What is shown of a dashboard, and what its file says besides: ids of rows, places, data sources.
fn both(text: &str) -> Result<(Dashboard, grafana::Dashboard), ReadError> {
    let dashboard = read(text)?;
    let mut json: Value = serde_json::from_str(text)?;
    if let Some(wrapped) = json.get_mut("dashboard").filter(|inner| inner.is_object()) {
        json = wrapped.take();
    }
    Ok((dashboard, serde_json::from_value(json)?))
}

fn check(raw: &grafana::Dashboard, dashboard: &Dashboard, add: &mut dyn FnMut(Option<&str>, String)) {
    whole::check(raw).into_iter().for_each(|reason| add(None, reason));
    let mut ids = HashSet::new();
    for panel in raw.panels.iter().flat_map(|panel| std::iter::once(panel).chain(&panel.panels)) {
        let name = name(panel);
        let mut add = |reason: String| add(Some(&name), reason);
        match panel.id {
            None => add("it has no id".into()),
            Some(id) if !ids.insert(id) => add(format!("another panel has the id {id} too")),
            Some(_) => {}
        }
        check_panel(panel, dashboard, &mut add);
    }
    // A folded row's panels lie on a grid of their own until it is opened.
    for list in std::iter::once(&raw.panels).chain(raw.panels.iter().map(|row| &row.panels)) {
        grid::check(list).into_iter().for_each(|(panel, reason)| add(Some(&name(panel)), reason));
    }
}

/// As findings name a panel.
fn name(panel: &grafana::Panel) -> String {
    match panel.id {
        _ if !panel.title.is_empty() => panel.title.clone(),
        Some(id) => format!("id {id}"),
        None => "id unknown".to_owned(),
    }
}

/// Panels that show nothing that is asked for, and so have neither unit nor query.
const WITHOUT_DATA: [&str; 7] = ["row", "text", "dashlist", "alertlist", "annolist", "news", "welcome"];

fn check_panel(panel: &grafana::Panel, dashboard: &Dashboard, add: &mut dyn FnMut(String)) {
    if WITHOUT_DATA.contains(&panel.kind.as_str()) {
        return;
    }
    if panel.title.is_empty() {
        add("it has no title".into());
    }
    if panel.description.trim().is_empty() {
        add("it has no description: say what it shows and what is normal".into());
    }
    if panel.field_config.defaults.unit.as_deref().unwrap_or_default().is_empty() {
        add("it has no unit; a plain number is `short` or `none`".into());
    }
    source::check(&panel.datasource, dashboard)
        .into_iter()
        .for_each(|reason| add(format!("the panel: {reason}")));
    let mut letters = HashSet::new();
    for target in &panel.targets {
        let mut add = |reason: String| add(format!("query {}: {reason}", target.ref_id));
        if !letters.insert(&target.ref_id) {
            add("another query has this letter too".into());
        }
        source::check(&target.datasource, dashboard).into_iter().for_each(&mut add);
        query::check(&target.expr, &dashboard.variables).into_iter().for_each(&mut add);
        names::legend(target, &dashboard.variables).into_iter().for_each(&mut add);
    }
    if panel.targets.is_empty() {
        add("it has no query".into());
    }
    names::same_legend(&panel.targets).into_iter().for_each(add);
}

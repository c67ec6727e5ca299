//! What is asked: every query of every dashboard, with its variables filled in as the app fills them.

use lab_dashboards::{PanelQueries, Scope, builtin};

/// Between two scrapes.
pub const SCRAPE_MS: i64 = 1_000;

/// A panel's query.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    pub dashboard: &'static str,
    pub panel: &'static str,
    pub query: String,
}

/// Every query, as it is asked for a window and a step.
pub fn questions(range_ms: i64, step_ms: i64) -> Vec<Question> {
    let mut questions = Vec::new();
    for dashboard in builtin() {
        let scope = Scope { step_ms, range_ms, scrape_ms: SCRAPE_MS, variables: &dashboard.variables };
        for panel in dashboard.panels() {
            let queries = PanelQueries::new(panel, &scope);
            let asked = queries.exprs().map(|(_, query)| query.to_owned());
            let asked =
                asked.map(|query| Question { dashboard: &dashboard.title, panel: &panel.title, query });
            let before = questions.len();
            questions.extend(asked);
            let given = panel.targets.iter().filter(|target| !target.hidden).count();
            assert_eq!(
                questions.len() - before,
                given,
                "{} / {}: a query is not understood",
                dashboard.title,
                panel.title
            );
        }
    }
    questions
}

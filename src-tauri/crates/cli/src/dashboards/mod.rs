//! `etcd-labctl dashboards`: for those who write dashboards.

mod against;
mod answer;

use std::path::PathBuf;
use std::process::ExitCode;

use lab::api::Problem;
use lab_dashboards::{Dashboard, Finding, PanelQueries, Scope, Window, lint, read};
use lab_metrics::MemoryStore;
use lab_promql::Engine;
use serde::Serialize;

use crate::say;
use against::{Against, STEP_MS, Verdict, WINDOW_MS};

/// Members are scraped each second.
const SCRAPE_MS: i64 = 1_000;

/// What to do.
#[derive(clap::Args)]
pub struct DashboardsArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Name everything to mend with file, panel and reason. Exit code 1 when there is something.
    ///
    /// Every query is parsed and evaluated. With a real Prometheus, each is asked there too, over the last five
    /// minutes, and the lab's evaluator must answer alike over the same samples.
    Check(CheckArgs),
}

#[derive(clap::Args)]
struct CheckArgs {
    /// Grafana's JSON of a dashboard.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Address of a Prometheus to compare with, such as `http://127.0.0.1:9090`.
    #[arg(long, value_name = "URL")]
    against: Option<String>,
    /// Print one JSON object: `findings`, and what was counted.
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    /// Files that are dashboards.
    dashboards: usize,
    /// Queries of their panels.
    queries: usize,
    /// Those to which both sides gave the same answer.
    alike: usize,
    /// Points in these answers.
    points: usize,
    /// Those that no series answers at present, though all their metrics are there.
    empty: Vec<Finding>,
    findings: Vec<Finding>,
}

/// Carries out the command.
pub async fn run(args: &DashboardsArgs) -> Result<ExitCode, Problem> {
    let What::Check(args) = &args.what;
    let against = match &args.against {
        Some(url) => Some(Against::connect(url).await?),
        None => None,
    };
    let mut checked = Checked::default();
    let mut texts = Vec::new();
    for path in &args.files {
        let file = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => texts.push((file, text)),
            Err(error) => {
                checked.findings.push(Finding {
                    file,
                    panel: None,
                    reason: format!("it can't be read: {error}"),
                });
            }
        }
    }
    let texts: Vec<(&str, &str)> = texts.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
    checked.findings.extend(lint(&texts));
    for (file, text) in texts {
        // The lint has told what is no dashboard.
        if let Ok(dashboard) = read(text) {
            checked.dashboards += 1;
            checked.queries(file, &dashboard, against.as_ref()).await;
        }
    }
    if args.json {
        say::line(serde_json::json!(checked));
    } else {
        checked.say(against.is_some());
    }
    Ok(if checked.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Checked {
    /// Asks the queries of a dashboard that are understood; of the others, the lint has told why they are not.
    async fn queries(&mut self, file: &str, dashboard: &Dashboard, against: Option<&Against>) {
        let scope = Scope {
            step_ms: STEP_MS,
            range_ms: WINDOW_MS,
            scrape_ms: SCRAPE_MS,
            variables: &dashboard.variables,
        };
        for panel in dashboard.panels() {
            let queries = PanelQueries::new(panel, &scope);
            let found = |of: &str, reason: String| Finding {
                file: file.to_owned(),
                panel: Some(panel.title.clone()),
                reason: format!("query {of}: {reason}"),
            };
            self.queries += queries.exprs().count();
            // Without any sample: what can't be evaluated whatever there is.
            let nothing = MemoryStore::default();
            let window = Window { start_ms: 0, end_ms: WINDOW_MS, step_ms: STEP_MS };
            let vain = queries.evaluate(&Engine::default(), &nothing, window);
            let vain = vain.problems.iter().filter(|problem| problem.is_of_evaluation());
            self.findings.extend(vain.map(|problem| found(&problem.ref_id, problem.error.to_string())));
            let Some(against) = against else { continue };
            for (at, query) in queries.exprs() {
                let letter = &panel.targets[at].ref_id;
                let points = match against.judge(query).await {
                    Verdict::Wrong(reason) => {
                        self.findings.push(found(letter, reason));
                        continue;
                    }
                    Verdict::Alike(points) => {
                        self.alike += 1;
                        points
                    }
                    Verdict::NotCompared(points) => points,
                };
                self.points += points;
                if points == 0 {
                    self.empty.push(found(letter, query.to_owned()));
                }
            }
        }
    }

    fn say(&self, against: bool) {
        let Self { dashboards, queries, alike, points, empty, findings } = self;
        if against {
            let empty = empty.iter().map(|one| format!("{one}: no series answers at present"));
            empty.for_each(say::line);
        }
        findings.iter().for_each(say::line);
        let compared = if against {
            format!(
                ", {alike} of them answered as Prometheus does, in {}",
                say::counted(*points, "point", "points")
            )
        } else {
            String::new()
        };
        let told = if findings.is_empty() { "nothing".to_owned() } else { findings.len().to_string() };
        let dashboards = say::counted(*dashboards, "dashboard", "dashboards");
        let queries = say::counted(*queries, "query", "queries");
        say::line(format_args!("{dashboards}, {queries}{compared}: {told} to mend"));
    }
}

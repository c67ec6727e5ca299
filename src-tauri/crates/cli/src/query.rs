//! `etcd-labctl query`: a PromQL question to the running lab's metrics.

use std::process::ExitCode;

use lab::api::{Command, Problem, Reply};
use serde_json::Value;

use crate::find::Which;
use crate::{find, say};

/// Arguments of `query`.
#[derive(clap::Args)]
pub struct QueryArgs {
    /// PromQL expression.
    expr: String,
    /// Evaluate at this time, seconds since the Unix epoch; at the last scrape when not given.
    #[arg(long, value_name = "T", conflicts_with_all = ["start", "end", "step"])]
    time: Option<f64>,
    /// Evaluate from this time on, seconds since the Unix epoch.
    #[arg(long, value_name = "S", requires = "end")]
    start: Option<f64>,
    /// Up to this time, seconds since the Unix epoch.
    #[arg(long, value_name = "E", requires = "start")]
    end: Option<f64>,
    /// Every so many seconds.
    #[arg(long, value_name = "D", requires = "start", default_value_t = 1.0, value_parser = positive)]
    step: f64,
    /// Prometheus' HTTP JSON shape.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    which: Which,
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("must be a number of seconds above 0".into()),
    }
}

/// Asks and prints the answer.
pub async fn run(args: &QueryArgs) -> Result<ExitCode, Problem> {
    let asker = find::asker(&args.which).await?;
    let expr = args.expr.clone();
    let command = match (args.start, args.end) {
        (Some(start_s), Some(end_s)) => Command::QueryRange { expr, start_s, end_s, step_s: args.step },
        _ => Command::Query { expr, time_s: args.time },
    };
    if let Reply::Query { data, warnings } = asker.ask(command).await? {
        if args.json {
            let mut answer = serde_json::json!({ "status": "success", "data": data });
            if !warnings.is_empty() {
                answer["warnings"] = warnings.into();
            }
            say::line(answer);
        } else {
            print(&data);
            warnings.iter().for_each(|warning| say::aside(format_args!("note: {warning}")));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print(data: &Value) {
    let result = &data["result"];
    if result.as_array().is_some_and(Vec::is_empty) {
        return say::aside("No series answers this: check the name, or wait for the next scrape.");
    }
    match (data["resultType"].as_str(), result.as_array()) {
        (Some("vector"), Some(elements)) => {
            let row = |element: &Value| vec![series(&element["metric"]), text(&element["value"][1])];
            say::table(&elements.iter().map(row).collect::<Vec<_>>());
        }
        (Some("matrix"), Some(elements)) => {
            for element in elements {
                say::line(series(&element["metric"]));
                for point in element["values"].as_array().into_iter().flatten() {
                    say::line(format_args!("  {}  {}", text(&point[0]), text(&point[1])));
                }
            }
        }
        _ => say::line(text(&result[1])),
    }
}

/// A series as PromQL writes it: `name{label="value"}`.
fn series(metric: &Value) -> String {
    let name = metric["__name__"].as_str().unwrap_or_default();
    let labels: Vec<String> = metric
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(label, _)| *label != "__name__")
        .map(|(label, value)| format!("{label}={value}"))
        .collect();
    format!("{name}{{{}}}", labels.join(", "))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

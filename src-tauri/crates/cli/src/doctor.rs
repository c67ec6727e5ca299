//! `etcd-labctl doctor`: what is missing here, and what mends it.

use std::process::ExitCode;

use lab::api::Problem;
use lab::{Config, doctor};

use crate::say;

/// Arguments of `doctor`.
#[derive(clap::Args)]
pub struct DoctorArgs {
    /// One JSON object a finding.
    #[arg(long)]
    json: bool,
}

/// Prints the findings; exit code 1 when something is missing that the lab can't do without.
pub async fn run(args: &DoctorArgs) -> Result<ExitCode, Problem> {
    let config = Config::standard("terminal")?;
    let findings = doctor::examine(&config.binaries, config.topologies.usual()).await?;
    for finding in &findings {
        if args.json {
            say::line(serde_json::to_string(finding).unwrap_or_default());
            continue;
        }
        let mark = match (finding.ok, finding.optional) {
            (true, _) => "ok     ",
            (false, true) => "note   ",
            (false, false) => "MISSING",
        };
        say::line(format_args!("{mark}  {}: {}", finding.what, finding.found));
        if !finding.mend.is_empty() {
            say::line(format_args!("         → {}", finding.mend));
        }
    }
    let sound = findings.iter().all(|finding| finding.ok || finding.optional);
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

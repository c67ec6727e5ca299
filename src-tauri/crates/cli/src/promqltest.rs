//! `etcd-labctl promqltest`: Prometheus' conformance scripts against the lab's evaluator.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use lab::api::Problem;
use lab_promql::promqltest::run_script;

use crate::say;

/// Arguments of `promqltest`.
#[derive(clap::Args)]
pub struct PromqltestArgs {
    /// Whose rules: Prometheus 2.42's, or 3's, where a range leaves out its left edge.
    #[arg(long, value_enum, default_value_t = Semantics::V3)]
    semantics: Semantics,
    /// Scripts in Prometheus' test format.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Semantics {
    /// Prometheus 2.42.
    #[value(name = "2.42")]
    V2_42,
    /// Prometheus 3.
    #[value(name = "3")]
    V3,
}

/// Runs the scripts; prints passed, failed and skipped a file, and a total last. Exit code 1 when one failed.
pub fn run(args: &PromqltestArgs) -> ExitCode {
    let semantics = match args.semantics {
        Semantics::V2_42 => lab_promql::Semantics::V2_42,
        Semantics::V3 => lab_promql::Semantics::V3,
    };
    let (mut passed, mut failed, mut skipped, mut unread) = (0, 0, 0, 0);
    for file in &args.files {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => {
                let sentence = format!("{} can't be read.", file.display());
                say::problem(&Problem::new("file-unreadable", sentence, "Check the path.").detail(error));
                unread += 1;
                continue;
            }
        };
        let report = run_script(&text, semantics);
        for failure in &report.failures {
            say::line(format_args!(
                "{}:{}: {}\n    {}",
                file.display(),
                failure.line,
                failure.text,
                failure.reason
            ));
        }
        say::line(format_args!(
            "{}: {} passed, {} failed, {} skipped",
            file.display(),
            report.passed,
            report.failed,
            report.skipped
        ));
        passed += report.passed;
        failed += report.failed;
        skipped += report.skipped;
    }
    say::line(format_args!("total: {passed} passed, {failed} failed, {skipped} skipped"));
    if failed == 0 && unread == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

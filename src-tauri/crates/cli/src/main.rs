//! `etcd-labctl`: the lab without a window.

mod bench;

use std::process::ExitCode;

use clap::Parser;

/// A three-member etcd to load, to slow down and to watch.
#[derive(Parser)]
#[command(version)]
enum Command {
    /// Put a load on a cluster and measure it.
    Bench(bench::BenchArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    match Command::parse() {
        Command::Bench(args) => bench::run(args).await,
    }
}

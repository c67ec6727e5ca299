//! `etcd-labctl`: the lab without a window. Each command is a file of its own; this one only names them.

mod bench;
mod dashboards;
mod doctor;
mod down;
mod fault;
mod find;
mod image;
mod link;
mod log;
mod member;
mod observers;
mod promqltest;
mod query;
mod restart;
mod run;
mod say;
mod scenario;
mod signals;
mod status;
mod up;

use std::process::ExitCode;

use clap::Parser;

/// A three-member etcd to load, to slow down and to watch.
///
/// Exit code: 0 when all went well, 1 when something failed, 2 when the command was not understood,
/// 130 when it was interrupted before it had a result.
#[derive(Parser)]
#[command(name = "etcd-labctl", version, max_term_width = 100)]
enum Command {
    /// Say what is missing on this machine, and what mends it.
    Doctor(doctor::DoctorArgs),
    /// Start a cluster and hold it until Ctrl-C.
    Up(up::UpArgs),
    /// Stop a running lab, or remove what one that was killed left behind.
    Down(down::DownArgs),
    /// Say how the running lab fares.
    Status(status::StatusArgs),
    /// Print the end of a member's log.
    Log(log::LogArgs),
    /// Stop one member and start it again with its data.
    Restart(restart::RestartArgs),
    /// Stop, kill, hold or resume one member.
    Member(member::MemberArgs),
    /// Run Prometheus and Grafana beside a cluster in Docker.
    Observers(observers::ObserversArgs),
    /// Build, save, load and list the images that members run from in Docker.
    Image(image::ImageArgs),
    /// Set and clear failpoints of members: a slow disk, an error, a crash at a chosen place.
    Fault(fault::FaultArgs),
    /// Delay, limit and cut the links between members.
    Link(link::LinkArgs),
    /// Put a load on a cluster and measure it.
    Bench(bench::BenchArgs),
    /// Play a scenario on a cluster of its own, and judge its checks.
    Run(run::RunArgs),
    /// Check scenarios that you write.
    Scenario(scenario::ScenarioArgs),
    /// Check Grafana dashboards that you write.
    Dashboards(dashboards::DashboardsArgs),
    /// Ask the running lab's metrics a PromQL question.
    Query(query::QueryArgs),
    /// Run conformance scripts in Prometheus' test format.
    Promqltest(promqltest::PromqltestArgs),
}

fn main() -> ExitCode {
    // Before anything else: this program may have been started to watch over a member, or over containers.
    if let Some(code) = lab_cluster::native::run_if_supervisor() {
        return code;
    }
    if let Some(code) = lab_cluster::docker::run_if_watcher() {
        return code;
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            say::aside(format_args!(
                "etcd-labctl can't start its threads: {error}. End some programs and try again."
            ));
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(carry_out(Command::parse()));
    // A read from a terminal that never ends must not keep the program.
    runtime.shutdown_background();
    code
}

async fn carry_out(command: Command) -> ExitCode {
    let result = match command {
        Command::Bench(args) => return bench::run(args).await,
        Command::Promqltest(args) => return promqltest::run(&args),
        Command::Scenario(args) => return scenario::run(&args),
        Command::Doctor(args) => doctor::run(&args).await,
        Command::Up(args) => up::run(args).await,
        Command::Down(args) => down::run(&args).await,
        Command::Status(args) => status::run(&args).await,
        Command::Log(args) => log::run(&args).await,
        Command::Fault(args) => fault::run(&args).await,
        Command::Link(args) => link::run(&args).await,
        Command::Restart(args) => restart::run(&args).await,
        Command::Member(args) => member::run(&args).await,
        Command::Observers(args) => observers::run(&args).await,
        Command::Image(args) => image::run(&args).await,
        Command::Run(args) => run::run(&args).await,
        Command::Dashboards(args) => dashboards::run(&args).await,
        Command::Query(args) => query::run(&args).await,
    };
    result.unwrap_or_else(|problem| {
        say::problem(&problem);
        ExitCode::FAILURE
    })
}

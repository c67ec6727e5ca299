//! What a put costs the one who asks: this load generator beside etcd's own `benchmark`, in turn, against the same
//! cluster of three. Prints throughput, CPU a put and memory of each round, and the ratios of the medians.
//!
//!     cargo bench -p lab-bench
//!     BENCH_PUTS=20000 BENCH_CLIENTS=100 BENCH_CONNS=10 BENCH_ROUNDS=1 cargo bench -p lab-bench

use std::{
    io::Write,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, ensure};
use lab_bench::{BenchSpec, CancellationToken, Put, Workload};
use lab_cluster::native::{Binaries, Launch, NativeConfig, NativeRuntime, PortChoice, Program};
use lab_cluster::{Runtime, Topology};
use wait4::Wait4;

/// Version of the members and of etcd's tool.
const VERSION: &str = "3.5.9";

/// Tells this program to be the load instead of the measuring; a spec as JSON follows.
const LOAD: &str = "--load";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = std::env::args().collect();
    match arguments.iter().position(|argument| argument == LOAD) {
        Some(at) => load(arguments.get(at + 1).context("no spec")?).await,
        None => measure().await,
    }
}

async fn load(spec: &str) -> anyhow::Result<()> {
    let spec: BenchSpec = serde_json::from_str(spec)?;
    let report = lab_bench::run(spec, CancellationToken::new(), |_| {}).await?;
    ensure!(report.errors == 0, "{:?}", report.error_counts);
    Ok(())
}

/// A load's size, from the environment.
struct Size {
    puts: u64,
    clients: u32,
    conns: u32,
    rounds: usize,
}

async fn measure() -> anyhow::Result<()> {
    let size = Size {
        puts: from_environment("BENCH_PUTS", 60_000)?,
        clients: from_environment("BENCH_CLIENTS", 1_000)?,
        conns: from_environment("BENCH_CONNS", 1_000)?,
        rounds: from_environment("BENCH_ROUNDS", 3)?,
    };
    // Children inherit it: etcd's tool doesn't raise it by itself.
    rlimit::increase_nofile_limit(u64::from(size.conns) + 1_024)?;
    let folder = tempfile::tempdir()?;
    let binaries = Binaries::standard();
    let benchmark = binaries.find(Program::Benchmark, VERSION)?;
    let runtime = NativeRuntime::new(NativeConfig {
        topology: Topology::etcd()?,
        binaries,
        version: VERSION.into(),
        folder: folder.path().into(),
        keep_data: false,
        ports: PortChoice::Auto,
        quota_bytes: None,
        peer_proxies: Default::default(),
        lab_id: "beside-etcds".into(),
        launch: Launch::for_this_system()?,
    });
    let nodes = runtime.start(&|_| {}).await?;
    let endpoints = nodes.iter().map(|node| node.client.trim_start_matches("http://"));
    let put = Put { sequential_keys: true, key_space_size: 100_000, val_size: 256, ..Put::default() };
    let mut spec = BenchSpec::new(endpoints, Workload::Put(put));
    (spec.clients, spec.conns, spec.total) = (size.clients, size.conns, Some(size.puts));
    println!("{}, {} rounds\n{}", spec.command_line(), size.rounds, Cost::HEAD);

    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..size.rounds {
        // etcd's tool takes the line that a person would type for ours, as its flags are spelt the same.
        let line = spec.command_line();
        let flags = line.split(' ').skip(2);
        // It logs the life of every connection to standard error.
        let benchmark = &mut Command::new(&benchmark);
        theirs.push(cost("etcd's", benchmark.args(flags).stderr(Stdio::null()), size.puts)?);
        let load = [LOAD, &serde_json::to_string(&spec)?];
        ours.push(cost("ours", Command::new(std::env::current_exe()?).args(load), size.puts)?);
    }
    runtime.stop().await;
    let ratio = |of: fn(&Cost) -> f64| median(&ours, of) / median(&theirs, of);
    println!(
        "ours / etcd's: throughput {:.2}, CPU a put {:.2}, memory {:.2}",
        ratio(|cost| cost.puts_s),
        ratio(|cost| cost.cpu_us_a_put),
        ratio(|cost| cost.memory_mib)
    );
    Ok(())
}

/// What one round took.
struct Cost {
    puts_s: f64,
    cpu_us_a_put: f64,
    memory_mib: f64,
}

impl Cost {
    const HEAD: &str = "        puts/s  CPU µs/put  max RSS MiB";
}

fn cost(name: &str, command: &mut Command, puts: u64) -> anyhow::Result<Cost> {
    let start = Instant::now();
    let child = command.stdout(Stdio::null()).spawn()?;
    let ended = child.wait4()?;
    ensure!(ended.status.success(), "{name}: {}", ended.status);
    let used = ended.rusage;
    let cost = Cost {
        puts_s: puts as f64 / start.elapsed().as_secs_f64(),
        cpu_us_a_put: (used.utime + used.stime).as_secs_f64() * 1e6 / puts as f64,
        memory_mib: used.maxrss as f64 / (1 << 20) as f64,
    };
    println!("{name:<6}  {:>6.0}  {:>10.1}  {:>11.0}", cost.puts_s, cost.cpu_us_a_put, cost.memory_mib);
    std::io::stdout().flush()?;
    Ok(cost)
}

fn median(costs: &[Cost], of: fn(&Cost) -> f64) -> f64 {
    let mut values: Vec<_> = costs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn from_environment<T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    name: &str,
    otherwise: T,
) -> anyhow::Result<T> {
    match std::env::var(name) {
        Ok(text) => text.parse().with_context(|| format!("{name}={text}")),
        Err(_) => Ok(otherwise),
    }
}

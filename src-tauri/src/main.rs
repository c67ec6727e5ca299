//! The desktop app: a window on a lab. This crate is the only one that knows Tauri; what the lab is and does is in
//! crate `lab`, and the terminal (`etcd-labctl`) has the same.

use std::process::ExitCode;

mod app;
mod bridge;
mod browser;
mod ending;
mod instance;
mod sidecars;

fn main() -> ExitCode {
    if let Some(code) = lab_cluster::native::run_if_supervisor() {
        return code;
    }
    if let Some(code) = lab_cluster::docker::run_if_watcher() {
        return code;
    }
    app::run().unwrap_or_else(|problem| {
        eprintln!("etcd-lab: {problem}");
        if !problem.detail.is_empty() {
            eprintln!("  cause: {}", problem.detail);
        }
        ExitCode::FAILURE
    })
}

//! Generates what Tauri embeds, and says in plain words what has to be built before the app can be.

use std::path::Path;
use std::process::ExitCode;

use tauri_build::{AppManifest, Attributes};

/// The page's only ways into the program; `capabilities/window.json` allows them one by one.
const COMMANDS: &[&str] = &["send", "subscribe", "open_page"];

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=../ui/dist");
    println!("cargo::rerun-if-changed=../icons");
    if cfg!(feature = "custom-protocol") && !Path::new("../ui/dist/index.html").exists() {
        println!(
            "cargo::error=ui/dist is missing: build the UI with `npm --prefix ui ci && npm --prefix ui run build`"
        );
        return ExitCode::FAILURE;
    }
    match tauri_build::try_build(Attributes::new().app_manifest(AppManifest::new().commands(COMMANDS))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={}", format!("{error:#}").replace('\n', " "));
            println!(
                "cargo::error=if it is a program under src-tauri/binaries that is missing, `make etcd` builds it"
            );
            ExitCode::FAILURE
        }
    }
}

//! Where the programs lie that come with the app. Members are started by crate `lab-cluster`, whose spawner sees to
//! it that none outlives the lab; Tauri's part ends with telling the folder.

use std::path::PathBuf;
use std::process::Command;

use lab::api::Problem;
use tauri::{AppHandle, Runtime};
use tauri_plugin_shell::ShellExt;

/// A program of `bundle.externalBin`; the others lie beside it.
const ANY_SIDECAR: &str = "etcd-lab-etcd-3.5.9";

/// The folder that holds etcd and etcdctl, beside the app's own program.
pub fn folder<R: Runtime>(app: &AppHandle<R>) -> Result<PathBuf, Problem> {
    let unknown = |cause: &dyn std::fmt::Display| {
        Problem::new(
            "sidecars-unknown",
            "The app cannot tell the folder that it was started from.",
            "Start it by its full path.",
        )
        .detail(cause)
    };
    let sidecar: Command = app.shell().sidecar(ANY_SIDECAR).map_err(|error| unknown(&error))?.into();
    let program = PathBuf::from(sidecar.get_program());
    program.parent().map(PathBuf::from).ok_or_else(|| unknown(&program.display()))
}

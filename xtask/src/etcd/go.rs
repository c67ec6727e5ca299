//! Running Go: always static, always from the vendored modules, never from what a person's environment adds.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// A `go` command in the folder, shielded from workspaces, flags and targets set elsewhere.
pub fn go(folder: &Path) -> Command {
    let mut go = Command::new("go");
    go.current_dir(folder);
    go.env_remove("GOOS").env_remove("GOARCH");
    go.env("CGO_ENABLED", "0").env("GOWORK", "off").env("GOFLAGS", "-buildvcs=false");
    go
}

/// Runs a command to its end, its output going to the terminal.
pub fn run(command: &mut Command, doing: &str) -> Result<()> {
    let status =
        command.stdin(Stdio::null()).status().with_context(|| format!("cannot run go for {doing}"))?;
    if !status.success() {
        bail!("{doing} failed ({status}); what went wrong is printed above");
    }
    Ok(())
}

/// Fails unless Go is there in the wanted version or can fetch it by itself. How to get it is `make setup`'s to say.
pub fn check(folder: &Path, wanted: &str) -> Result<()> {
    // In a folder with a go.mod, Go itself compares its version with the one asked for there, and may fetch it.
    match go(folder).args(["env", "GOVERSION"]).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => bail!(
            "Go {wanted} or newer is needed (`make setup` says how to get it); go says: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ),
        Err(error) => bail!("Go {wanted} or newer is needed (`make setup` says how to get it): go: {error}"),
    }
}

/// What Go builds for, in its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Platform {
    /// `linux` or `darwin`.
    pub os: &'static str,
    /// `amd64` or `arm64`.
    pub arch: &'static str,
}

impl Platform {
    /// This machine.
    pub fn host() -> Result<Self> {
        let os = match std::env::consts::OS {
            "macos" => "darwin",
            os @ "linux" => os,
            other => bail!("etcd is not built for {other} here, only for Linux and macOS"),
        };
        let arch = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => bail!("etcd is not built for {other} here, only for x86_64 and aarch64"),
        };
        Ok(Self { os, arch })
    }

    /// What the command builds for, instead of this machine.
    pub fn aim(self, go: &mut Command) {
        go.env("GOOS", self.os).env("GOARCH", self.arch);
    }
}

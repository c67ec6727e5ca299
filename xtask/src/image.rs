//! `cargo xtask image`: the programs that go into images. Putting an image together of them is the lab's own work
//! (`etcd-labctl image build`), since an installed lab does it too; this lays them where the lab looks.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::etcd::{self, Platform, place};
use crate::repo;

/// The proxy between members, as Cargo knows it, and its name among the lab's programs.
const PROXY: &str = "link-proxy";
const PROXY_SIDECAR: &str = "etcd-lab-link-proxy";

/// Lays the programs for each platform.
pub fn run(platforms: &[&str]) -> Result<()> {
    let host = Platform::host()?;
    let mut wanted = platforms.iter().map(|name| named(name)).collect::<Result<Vec<_>>>()?;
    if wanted.is_empty() {
        wanted.push(Platform { os: "linux", ..host });
    }
    for platform in wanted {
        let triple = triple(platform, host);
        let mut programs = if platform == host {
            // The app's own sidecars are for this platform too.
            etcd::run()?;
            Vec::new()
        } else {
            etcd::programs(platform, &triple)?
        };
        // The bundle takes it from here by a name that is the same everywhere, and so without a target.
        let name =
            if platform == host { PROXY_SIDECAR.to_owned() } else { format!("{PROXY_SIDECAR}-{triple}") };
        programs.push((proxy(&triple)?, name));
        place::sidecars(&programs, &repo::image_programs(), &triple)?;
    }
    Ok(())
}

/// `linux/amd64` as Docker writes it.
fn named(name: &str) -> Result<Platform> {
    match name {
        "linux/amd64" => Ok(Platform { os: "linux", arch: "amd64" }),
        "linux/arm64" => Ok(Platform { os: "linux", arch: "arm64" }),
        other => bail!("images are made for linux/amd64 and linux/arm64, not for {other:?}"),
    }
}

/// What Rust builds the platform's programs for. This machine's own target needs nothing to be installed; for others
/// there is musl, which Rust brings along whole.
fn triple(platform: Platform, host: Platform) -> String {
    if platform == host {
        return repo::HOST_TRIPLE.to_owned();
    }
    let arch = if platform.arch == "arm64" { "aarch64" } else { "x86_64" };
    format!("{arch}-unknown-linux-musl")
}

/// Builds the proxy so that it runs in an image where nothing else is: static, whatever the target's C library.
fn proxy(triple: &str) -> Result<PathBuf> {
    get_target(triple)?;
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    // Flags from outside would take the place of those that are given here.
    build.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS").stdin(Stdio::null());
    build.current_dir(repo::root()).args(["build", "--quiet", "--release", "--package", "lab-faults"]);
    build.args(["--bin", PROXY, "--target", triple]);
    build.args(["--config", &format!(r#"target.{triple}.rustflags=["-Ctarget-feature=+crt-static"]"#)]);
    if triple != repo::HOST_TRIPLE {
        build.args(["--config", &format!(r#"target.{triple}.linker="rust-lld""#)]);
    }
    let folder =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repo::root().join("target"), PathBuf::from);
    let built = folder.join(triple).join("release").join(PROXY);
    if !built.is_file() {
        println!("building {PROXY} for {triple} (a minute or two, once)");
    }
    let status = build.status().context("cannot run cargo")?;
    if !status.success() {
        bail!("building {PROXY} failed ({status}); what went wrong is printed above");
    }
    Ok(built)
}

/// Gets Rust's standard library for a target, if it isn't there.
fn get_target(triple: &str) -> Result<()> {
    let asked = Command::new("rustc").args(["--print", "target-libdir", "--target", triple]).output();
    let folder = asked.context("cannot run rustc")?.stdout;
    if PathBuf::from(String::from_utf8_lossy(&folder).trim()).is_dir() {
        return Ok(());
    }
    let added = Command::new("rustup").args(["target", "add", triple]).stdin(Stdio::null()).status();
    let added =
        added.with_context(|| format!("Rust's library for {triple} is missing, and there is no rustup"))?;
    if !added.success() {
        bail!("rustup could not get Rust's library for {triple}; what went wrong is printed above");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_platforms_are_built_on_musl() {
        let host = Platform { os: "linux", arch: "amd64" };
        let mac = Platform { os: "darwin", arch: "arm64" };
        let [amd, arm] =
            ["linux/amd64", "linux/arm64"].map(|name| named(name).expect("a platform of images"));
        assert_eq!(triple(amd, host), repo::HOST_TRIPLE);
        assert_eq!(triple(arm, host), "aarch64-unknown-linux-musl");
        assert_eq!(
            [triple(amd, mac), triple(arm, mac)],
            ["x86_64", "aarch64"].map(|a| format!("{a}-unknown-linux-musl"))
        );
        assert!(named("linux/riscv64").is_err() && named("darwin/arm64").is_err());
    }
}

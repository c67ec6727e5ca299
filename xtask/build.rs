//! Hands the host's target triple, which Cargo tells only to build scripts, to the task runner.

fn main() {
    let triple = std::env::var("TARGET").expect("Cargo sets TARGET for build scripts");
    println!("cargo:rustc-env=HOST_TRIPLE={triple}");
    println!("cargo:rerun-if-changed=build.rs");
}

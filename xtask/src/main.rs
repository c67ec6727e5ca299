//! Build steps that are more than one command, run as `cargo xtask NAME`. One module a step; where things are in the
//! checkout is [`repo`]'s business.

mod etcd;
mod image;
mod licence_files;
mod licences;
mod repo;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask STEP

  etcd       build etcd, etcdctl, benchmark and bridge with the lab's failpoint, as the app's sidecars
  image      build the programs that go into images, for [linux/amd64] [linux/arm64], else for this machine's processor
  licences   check the licences of all dependencies, write the notices of what is bundled";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["etcd"] => etcd::run(),
        ["image", platforms @ ..] => image::run(platforms),
        ["licences"] => licences::run(),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // `{:#}` is the chain of causes on one line; a backtrace would tell a person nothing more.
            eprintln!("cargo xtask {}: {error:#}", arguments.join(" "));
            ExitCode::FAILURE
        }
    }
}

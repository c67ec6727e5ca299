//! The Docker runtime on a real engine: starting, acting on members, stopping, rolling back, and leaving nothing behind
//! however the lab ends. Has a `main` of its own, as this program is also the watcher of the clusters that it starts,
//! the lab that is killed, and the one whose engine is stopped.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

#[path = "docker/at_work.rs"]
mod at_work;
#[path = "docker/ends.rs"]
mod ends;
#[path = "docker/lab.rs"]
mod lab;
#[path = "docker/lost_engine.rs"]
mod lost_engine;
#[path = "docker/starts.rs"]
mod starts;

use std::process::ExitCode;

use lab_cluster::docker::{Engine, run_if_watcher};
use libtest_mimic::{Arguments, Trial};

/// One test: its name, and what it does with an engine.
type Test = (&'static str, fn(Engine));

fn main() -> ExitCode {
    if let Some(code) = run_if_watcher() {
        return code;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [ends::HOLD, folder, after_kill] => return ends::hold(folder, after_kill),
        [lost_engine::ALONE, folder] => return lost_engine::alone(folder),
        _ => {}
    }
    let engine = lab::run(Engine::connect());
    if let (Err(error), true) =
        (&engine, std::env::var_os("ETCD_LAB_DOCKER").is_some_and(|wish| wish == "required"))
    {
        eprintln!("ETCD_LAB_DOCKER=required: {error}");
        return ExitCode::FAILURE;
    }
    if let Err(error) = &engine {
        println!("skipped: {error}");
    }
    let tests = [starts::TESTS, at_work::TESTS, ends::TESTS, lost_engine::TESTS].concat();
    let trials = tests.into_iter().map(|(name, test)| {
        let engine = engine.clone();
        let ignored = engine.is_err();
        let trial = Trial::test(name, move || {
            test(engine.map_err(|error| error.to_string())?);
            Ok(())
        });
        trial.with_ignored_flag(ignored)
    });
    let mut arguments = Arguments::from_args();
    // Three members each: more clusters at a time than this make each other slow.
    arguments.test_threads = arguments.test_threads.or(Some(2));
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

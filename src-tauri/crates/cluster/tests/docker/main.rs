//! The Docker runtime on a real engine: starting, acting on members, stopping, rolling back, and leaving nothing behind
//! however the lab ends. Has a `main` of its own, as this program is also the watcher of the clusters that it starts,
//! the lab that is killed, and the one whose engine is stopped.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

mod at_work;
mod ends;
#[path = "../engine/mod.rs"]
mod engine;
#[path = "../engine/image.rs"]
mod image;
mod lab;
mod lost_engine;
mod observers;
#[path = "../stand_ins/mod.rs"]
mod stand_ins;
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
        [lost_engine::ALONE, what, home] => return lost_engine::alone(what, home),
        _ => {}
    }
    let engine = lab::run(engine::engine());
    let tests = [starts::TESTS, at_work::TESTS, ends::TESTS, lost_engine::TESTS, observers::TESTS].concat();
    let trials = tests.into_iter().map(|(name, test)| {
        let engine = engine.clone();
        let skipped = engine.is_none();
        let trial = Trial::test(name, move || {
            test(engine.ok_or("there is no engine")?);
            Ok(())
        });
        trial.with_ignored_flag(skipped)
    });
    let mut arguments = Arguments::from_args();
    // Three members each: more clusters at a time than this make each other slow.
    arguments.test_threads = arguments.test_threads.or(Some(2));
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

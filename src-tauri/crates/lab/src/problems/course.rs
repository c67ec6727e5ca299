//! What a person is told when a scenario can't be begun, or a step of it can't go on.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::Problem;

/// What mends a step that can't go on.
const SET_AGAIN: &str = "Set the stage again: the step begins anew on a fresh cluster.";

/// A cluster that was stopped while a scenario was played on it.
pub fn stopped_meanwhile() -> Problem {
    Problem::new("stopped-meanwhile", "The cluster was stopped while the scenario was played.", SET_AGAIN)
}

/// A member that ended while a step was under way; `exit` is what was told of it then.
pub fn step_lost_member(member: &str, exit: Option<&Problem>) -> Problem {
    let sentence = exit.map_or_else(|| format!("{member} ended by itself."), |exit| exit.sentence.clone());
    let problem = Problem::new("step-lost-member", sentence, SET_AGAIN);
    match exit {
        Some(exit) => problem.detail(&exit.code).member(member, exit.log.clone()),
        None => problem.member(member, Vec::new()),
    }
}

/// An engine that went while a step was under way; `lost` is what was told of it then.
pub fn step_lost_engine(lost: &Problem) -> Problem {
    Problem::new(
        "step-lost-engine",
        lost.sentence.clone(),
        "Start the engine again, then set the stage again: the step begins anew on a fresh cluster.",
    )
    .detail(&lost.detail)
}

/// A load that ended or failed though the step needs it.
pub fn step_lost_load(name: &str, failure: Option<&Problem>) -> Problem {
    match failure {
        Some(failure) => {
            Problem::new("step-lost-load", format!("The load {name} failed: {}", failure.sentence), SET_AGAIN)
                .detail(&failure.detail)
        }
        None => Problem::new(
            "step-lost-load",
            format!("The load {name} has ended, and the step is judged by what it measures."),
            SET_AGAIN,
        ),
    }
}

/// A machine that slept while a step was under way.
pub fn step_slept(seconds: u64) -> Problem {
    Problem::new(
        "step-slept",
        format!(
            "This machine slept for {seconds} s, or its clock was set: what is measured across that says nothing."
        ),
        SET_AGAIN,
    )
}

/// Members whose metrics could not be read for a while.
pub fn step_blind(seconds: u64) -> Problem {
    Problem::new(
        "step-blind",
        format!("No metrics were read for {seconds} s, so nothing can be judged."),
        SET_AGAIN,
    )
}

/// A fresh cluster of which some member is not well.
pub fn not_well(within: Duration) -> Problem {
    Problem::new(
        "not-well",
        format!("The fresh cluster was not healthy within {} s.", within.as_secs()),
        "Set the stage again; a busy machine is the usual cause.",
    )
}

/// A role that nobody can be given.
pub fn nobody_for(role: &str) -> Problem {
    Problem::new(
        "nobody-for-role",
        format!("No member can be the {role} one of this step: no leader is known."),
        SET_AGAIN,
    )
}

/// An action whose members aren't known.
pub fn nobody_meant() -> Problem {
    Problem::new(
        "nobody-meant",
        "The step's action is for members that can't be told now: no leader is known.",
        SET_AGAIN,
    )
}

/// A load that was waited for and goes on.
pub fn load_goes_on(name: &str, within_s: u32) -> Problem {
    Problem::new("load-goes-on", format!("The load {name} has not ended within {within_s} s."), SET_AGAIN)
}

/// Something that was waited for and did not come about.
pub fn never_so(that: &str, within_s: u32, says: &str) -> Problem {
    Problem::new(
        "never-so",
        format!("This was waited for in vain for {within_s} s: {that}. {says}"),
        SET_AGAIN,
    )
}

/// A value that was to be remembered and could not be measured.
pub fn nothing_to_remember(name: &str, over_s: u32) -> Problem {
    Problem::new(
        "nothing-to-remember",
        format!("There was nothing to measure for {over_s} s that could be kept as {name}."),
        SET_AGAIN,
    )
}

/// A scenario that doesn't exist.
pub fn no_such_scenario(id: &str, known: &[&str]) -> Problem {
    Problem::new(
        "no-such-scenario",
        format!("There is no scenario {id}."),
        format!("Choose one of: {}.", known.join(", ")),
    )
}

/// A step that doesn't exist.
pub fn no_such_step(scenario: &str, id: &str, known: &[&str]) -> Problem {
    Problem::new(
        "no-such-step",
        format!("{scenario} has no step {id}."),
        format!("Choose one of: {}.", known.join(", ")),
    )
}

/// Something that needs a scenario under way was asked without one.
pub fn no_course() -> Problem {
    Problem::new("no-course", "No scenario is under way.", "Begin one first.")
}

/// Something was asked of a step that it isn't ready for.
pub fn not_now(sentence: &str, next: &str) -> Problem {
    Problem::new("not-now", sentence, next)
}

/// A file of progress that could not be read.
pub fn progress_set_aside(aside: &Path, reason: &str) -> Problem {
    let name = aside.file_name().unwrap_or_default().to_string_lossy();
    Problem::new(
        "progress-set-aside",
        format!("What was kept of your progress could not be read. It was set aside as {name}, and a new file begun."),
        format!("Look at {} if you want it back.", aside.display()),
    )
    .detail(reason)
}

/// Progress that can't be written.
pub fn progress_unwritten(file: &Path, error: &io::Error) -> Problem {
    let what = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "there is no room left for it",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "its folder may not be written"
        }
        _ => "its file can't be written",
    };
    Problem::new(
        "progress-unwritten",
        format!("Your progress is not being kept: {what}. The scenario goes on all the same."),
        format!(
            "Mend what is wrong with {}; what could not be kept is kept with the next step.",
            file.display()
        ),
    )
    .detail(error)
}

/// Progress that another program holds.
pub fn progress_locked(lock: &Path) -> Problem {
    Problem::new(
        "progress-locked",
        "Your progress is not being kept: another program holds its file. The scenario goes on all the same.",
        format!("End or continue the program that holds {}.", lock.display()),
    )
}

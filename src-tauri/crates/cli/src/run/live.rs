//! The log of a play while it goes on.

use lab::api::{
    ActionView, CheckView, CourseView, LoadState, LoadView, MeasuredView, Problem, StepView, Workload,
};
use lab_dashboards::{Unit, format_value};

use super::plain;
use super::report::Outcome;
use crate::say;

/// Tells what happens, unless it is to be silent.
pub struct Live {
    silent: bool,
    doing: String,
}

impl Live {
    /// Nothing was told yet.
    pub fn new(silent: bool) -> Self {
        Self { silent, doing: String::new() }
    }

    fn line(&self, text: impl std::fmt::Display) {
        if !self.silent {
            say::line(text);
        }
    }

    /// A scenario begins.
    pub fn scenario(&self, view: &CourseView) {
        self.line(format_args!("\n{}\n{}", view.title, "═".repeat(view.title.chars().count())));
    }

    /// The stage is being set.
    pub fn doing(&mut self, doing: &str) {
        if doing != self.doing {
            self.line(format_args!("   … {doing}"));
            doing.clone_into(&mut self.doing);
        }
    }

    /// A step's stage is set.
    pub fn step(&self, step: &StepView) {
        self.line(format_args!("\n{}. {}", step.number, step.title));
        plain::lines(&step.text, "   ").iter().for_each(|line| self.line(line));
        for role in &step.roles {
            self.line(format_args!("   ({}: {})", role.role, role.member));
        }
        if let Some(prediction) = &step.prediction {
            plain::lines(&format!("? {}", prediction.question), "   ")
                .iter()
                .for_each(|line| self.line(line));
            for choice in &prediction.choices {
                self.line(format_args!("     - {choice}"));
            }
        }
    }

    /// What is done now.
    pub fn actions(&self, actions: &[ActionView]) {
        for action in actions {
            self.line(format_args!("   → {}", action.text));
            for command in &action.commands {
                self.line(format_args!("     $ {command}"));
            }
        }
    }

    /// A second went by.
    pub fn second(&self, step: &StepView, seconds: String, loads: &[&LoadView]) {
        let running = loads.iter().filter(|load| load.state == LoadState::Running);
        let parts = running.filter_map(|load| load_now(load)).chain(step.checks.iter().filter_map(check_now));
        self.line(format_args!("   {seconds} {}", parts.collect::<Vec<_>>().join(" | ")));
    }

    /// A step was judged.
    pub fn judged(&self, step: &StepView) {
        // Only now is it the claim; before, it said what the step is about.
        self.line(format_args!("   {}", step.title));
        for check in &step.checks {
            let mark = if check.met { Outcome::Met } else { Outcome::Missed }.mark();
            self.line(format_args!("   {mark} {}", check.that));
            plain::lines(&check.says, "     ").iter().for_each(|line| self.line(line));
        }
    }

    /// A step can't go on.
    pub fn broken(&self, problem: &Problem) {
        self.line(format_args!("   ✗ {}\n     code {}", problem.sentence, problem.code));
        for line in problem.log.iter().rev().take(3).rev() {
            self.line(format_args!("     | {line}"));
        }
    }
}

fn load_now(load: &LoadView) -> Option<String> {
    let now = load.now.as_ref()?;
    let kind = match load.spec.workload {
        Workload::Put { .. } => "put",
        Workload::Range { .. } => "range",
    };
    let mut text = format!("{kind} {}", format_value(&Unit::PerSecond, now.rate, None));
    if let Some(p99) = now.p99_s {
        text += &format!(", p99 {}", format_value(&Unit::Seconds, p99, None));
    }
    if now.error_rate > 0.0 {
        text += &format!(", errors {}", format_value(&Unit::PerSecond, now.error_rate, None));
    }
    Some(text)
}

fn check_now(check: &CheckView) -> Option<String> {
    if check.says.is_empty() {
        return None;
    }
    let one = |measured: &MeasuredView| match measured.subject.as_str() {
        "" => measured.text.clone(),
        subject => format!("{subject} {}", measured.text),
    };
    let measured: Vec<String> = check.measured.iter().map(one).collect();
    let measured = if measured.is_empty() { "–".into() } else { measured.join(", ") };
    let mark = if check.met { Outcome::Met } else { Outcome::Missed }.mark();
    Some(format!("{mark} {measured} ({})", check.wanted))
}

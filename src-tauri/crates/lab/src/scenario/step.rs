//! Steps: from the file to the model, in the order in which a person goes through them, so that each part is checked
//! against what is known by then.

use serde_saphyr::Spanned;

use super::action::{actions, remembered};
use super::condition::{check, condition, measure};
use super::model::{Answers, Binding, Choice, Prediction, Step, StepText};
use super::raw::{LevelFile, PredictFile, Scale, StepFile, WatchFile};
use super::scope::Scope;
use super::text::Surroundings;
use crate::api::LevelView;

/// Reads a step; `text` reads its Markdown file.
pub fn step(
    scope: &mut Scope<'_>,
    raw: &Spanned<StepFile>,
    text: impl FnOnce(&Surroundings<'_>) -> StepText,
) -> Step {
    let file = &raw.value;
    scope.begin_step();
    let stage = actions(scope, &file.stage);
    let bind = bindings(scope, file);
    let requires = file.requires.iter().filter_map(|one| condition(scope, one)).collect();
    let asked = file.predict.as_ref().map(|predict| question(scope, predict));
    let before = scope.names();

    let (done, to_be_found) = match (&file.actions, &file.solve) {
        (Some(_), Some(solve)) => {
            scope.mistakes.add(raw, "a step has `do`, or `solve` when the person is to find it, not both");
            (solve, true)
        }
        (Some(actions), None) => (actions, false),
        (None, Some(solve)) => (solve, true),
        (None, None) => (&Vec::new(), false),
    };
    let done = actions(scope, done);
    let check = check(scope, &file.check);
    let mut remember = Vec::new();
    for (name, raw) in &file.remember {
        let measured = measure(scope, raw, raw.value.measure());
        let name = Spanned { value: name.clone(), referenced: raw.referenced, defined: raw.defined };
        remember.extend(remembered(scope, &name, measured, raw.value.unit.as_ref(), raw));
    }
    let predict = file
        .predict
        .as_ref()
        .zip(asked)
        .and_then(|(predict, question)| Some(Prediction { question, answers: answers(scope, predict)? }));
    let after = scope.names();
    let cleanup = actions(scope, &file.cleanup);

    let WatchFile { panels, diagram, arrows } = &file.watch;
    let panels = panels.iter().filter_map(|panel| scope.panel(panel)).collect();
    let count = arrow_count(scope, &file.watch);
    let around = Surroundings { terms: &scope.known.terms, arrows: count, before: &before, after: &after };
    Step {
        id: file.id.value.clone(),
        topic: file.topic.clone(),
        text: text(&around),
        stage,
        bind,
        requires,
        predict,
        actions: done,
        to_be_found,
        panels,
        diagram: diagram.as_ref().map(|diagram| diagram.value.clone()),
        arrows: arrows.iter().map(|arrow| arrow.value).collect(),
        check,
        remember,
        cleanup,
    }
}

fn bindings(scope: &mut Scope<'_>, file: &StepFile) -> Vec<Binding> {
    let mut bindings = Vec::new();
    for (role, who) in &file.bind {
        let bound = scope.who(who);
        if scope.remembered.contains(role) {
            scope.mistakes.add(who, format!("@{role} is a remembered value already"));
        }
        if scope.new_name(who, role) {
            bindings.push(Binding { role: role.clone(), who: bound });
        }
    }
    // All at once: one can't lean on another of the same step.
    scope.roles.extend(bindings.iter().map(|binding| binding.role.clone()));
    bindings
}

/// What is shown before the step: the question and its choices.
fn question(scope: &mut Scope<'_>, predict: &Spanned<PredictFile>) -> String {
    let PredictFile { question, choices, level } = &predict.value;
    for choice in choices {
        scope.text(&choice.value.text);
    }
    match (choices.as_slice(), level) {
        ([], Some(_)) => {}
        ([], None) | ([_, ..], Some(_)) => {
            scope.mistakes.add(predict, "a question has `choices`, or a `level`")
        }
        ([_], None) => scope.mistakes.add(predict, "one choice is none"),
        (choices, None) => {
            let right = choices.iter().filter(|choice| choice.value.right).count();
            if right != 1 {
                scope.mistakes.add(predict, format!("one choice is right, not {right}"));
            }
        }
    }
    scope.text(question)
}

/// What is shown, or measured, after it.
fn answers(scope: &mut Scope<'_>, predict: &Spanned<PredictFile>) -> Option<Answers> {
    let PredictFile { choices, level, .. } = &predict.value;
    if let Some(level) = level {
        return level_answer(scope, level);
    }
    let choices = choices.iter().map(|choice| Choice {
        text: choice.value.text.value.trim().to_owned(),
        right: choice.value.right,
        reply: scope.text(&choice.value.reply),
    });
    Some(Answers::Choices(choices.collect()))
}

fn level_answer(scope: &mut Scope<'_>, raw: &Spanned<LevelFile>) -> Option<Answers> {
    let LevelFile { panel, min, max, scale, unit, factor, actual } = &raw.value;
    let watched = scope.panel(panel);
    let unit = scope.unit(unit);
    let logarithmic = *scale == Scale::Log;
    if !(min < max && max.is_finite() && min.is_finite()) {
        scope.mistakes.add(raw, "`min` must be less than `max`");
    }
    if logarithmic && *min <= 0.0 {
        scope.mistakes.add(raw, "a logarithmic scale begins above 0");
    }
    if !(*factor > 1.0 && factor.is_finite()) {
        scope.mistakes.add(raw, "`factor` is more than 1");
    }
    if let Some(watched) = &watched
        && unit.as_ref().is_some_and(|unit| *unit != watched.unit)
    {
        let of_panel = watched.unit.grafana_id();
        scope.mistakes.add(raw, format!("the level is drawn on a panel whose unit is {of_panel:?}"));
    }
    let actual = measure(scope, actual, actual.value.measure());
    Some(Answers::Level {
        level: LevelView {
            panel: watched?.panel,
            min: *min,
            max: *max,
            logarithmic,
            unit: unit?.grafana_id().to_owned(),
        },
        factor: *factor,
        actual: actual?,
    })
}

/// How many arrows the step's diagram has, if it has one.
fn arrow_count(scope: &mut Scope<'_>, watch: &WatchFile) -> Option<usize> {
    let Some(id) = &watch.diagram else {
        if let Some(arrow) = watch.arrows.first() {
            scope.mistakes.add(arrow, "arrows are those of a diagram: say which");
        }
        return None;
    };
    let Some(diagram) = scope.known.diagrams.iter().find(|diagram| diagram.id == id.value) else {
        let all: Vec<&str> = scope.known.diagrams.iter().map(|diagram| diagram.id.as_str()).collect();
        scope.mistakes.add(id, format!("there is no diagram {:?}, but {}", id.value, all.join(", ")));
        return None;
    };
    let count = diagram.steps.len();
    for arrow in &watch.arrows {
        if !(1..=count).contains(&(arrow.value as usize)) {
            scope
                .mistakes
                .add(arrow, format!("diagram {} has arrows 1 to {count}, not {}", id.value, arrow.value));
        }
    }
    Some(count)
}

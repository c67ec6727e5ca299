//! A scenario that a person goes through: where they are, what they are asked, what is measured. Plain data, with
//! every number and name filled in, complete enough to draw the stage from.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{PanelRef, Ports, Problem, RuntimeKind};

/// How long and how large a scenario is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub enum Profile {
    /// The same effect in a minute or two, for a laptop and for tests.
    #[default]
    Quick,
    /// The numbers of the talk.
    Talk,
}

/// A scenario, as a list shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct ScenarioView {
    /// Id, such as `slow-disk`.
    pub id: String,
    /// Its number, as in the folder's name.
    pub number: u32,
    /// Title.
    pub title: String,
    /// What it is about, a sentence or two.
    pub about: String,
    /// Minutes it takes in profile quick, about.
    pub quick_minutes: u32,
    /// Minutes it takes in profile talk, about.
    pub talk_minutes: u32,
    /// Its steps, in order, and how far the person got.
    pub steps: Vec<StepSummary>,
}

/// A step, as a list shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct StepSummary {
    /// Id, unique in its scenario.
    pub id: String,
    /// What it is about; once it was met, the claim it teaches.
    pub title: String,
    /// What became of it, if anything.
    pub record: Option<StepRecord>,
}

/// What became of a step when a person last met its check; while they never have, when they last missed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct StepRecord {
    /// Whether its check was met.
    pub met: bool,
    /// Whether the lab solved it for the person.
    pub solved: bool,
    /// What the person predicted, in words.
    pub predicted: Option<String>,
    /// Whether that was right.
    pub right: Option<bool>,
    /// What was measured, a sentence a check.
    pub measured: Vec<String>,
    /// Profile it was played in.
    pub profile: Profile,
    /// etcd's version.
    pub etcd_version: String,
    /// Milliseconds since the Unix epoch.
    pub at_ms: i64,
}

/// What an action works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub enum ActionKind {
    /// Loads are started and stopped.
    Loads,
    /// Failpoints are set and cleared.
    Failpoints,
    /// Links are shaped and healed.
    Links,
    /// The database is compacted, emptied, defragmented; alarms are disarmed.
    Operations,
}

/// How a scenario is begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct CourseOptions {
    /// Scenario.
    pub scenario: String,
    /// Step to begin at; the first when absent.
    pub step: Option<String>,
    /// How large.
    pub profile: Profile,
    /// What runs the members.
    #[serde(default)]
    pub runtime: RuntimeKind,
    /// etcd's version; the lab's default when absent.
    pub etcd_version: Option<String>,
    /// Where members listen.
    pub ports: Ports,
    /// Whether what becomes of its steps is kept as the person's progress.
    pub recorded: bool,
    /// Play the steps without their actions of this kind, to see that the checks notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub without: Option<ActionKind>,
}

/// What a person expects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export_to = "lab.ts")]
pub enum Guess {
    /// One of the choices, from 0.
    Choice {
        /// Which.
        choice: u32,
    },
    /// A level on the chart, in its unit.
    Level {
        /// The level.
        level: f64,
    },
    /// The person would rather not say.
    Pass,
}

/// A scenario under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct CourseView {
    /// How it was begun.
    pub options: CourseOptions,
    /// Its title.
    pub title: String,
    /// All its steps; the present one is `step.number - 1`.
    pub steps: Vec<StepSummary>,
    /// The present step.
    pub step: StepView,
    /// Whether all steps are behind: the last one was left by `nextStep`.
    pub finished: bool,
    /// Why progress isn't being kept, if it isn't though it should be.
    pub progress_problem: Option<Problem>,
}

/// Where a step is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "name", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export_to = "lab.ts")]
pub enum StepPhase {
    /// The cluster is brought into the state that the step needs.
    Setting {
        /// What is being done now, a few words.
        doing: String,
    },
    /// The person is asked what they expect.
    Predict,
    /// It is on the person: "Do it", or by hand. The checks are judged meanwhile.
    Act,
    /// The actions are carried out, or were: the checks are waited for.
    Watching {
        /// Seconds since the actions were done; 0 while they are carried out.
        elapsed_s: u32,
        /// Seconds within which the checks should be met.
        within_s: u32,
    },
    /// All checks were met. It stays so.
    Met,
    /// The checks were not met in time. They are judged on: it may yet become `met`.
    Missed,
    /// It can't go on: what happened, and that the stage can be set again (`restartStep`).
    Broken {
        /// What happened.
        problem: Problem,
    },
}

/// The present step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct StepView {
    /// Id.
    pub id: String,
    /// From 1.
    pub number: u32,
    /// What it is about; once its checks were judged, the claim it teaches.
    pub title: String,
    /// The text, Markdown.
    pub text: String,
    /// Where it is.
    pub phase: StepPhase,
    /// What must hold before it can begin; empty or all met once the stage is set.
    pub requires: Vec<CheckView>,
    /// What is asked before; absent when nothing is.
    pub prediction: Option<PredictionView>,
    /// What is done: by "Do it" or by the person.
    pub actions: Vec<ActionView>,
    /// Whether the person is to find the actions: they are in `actions` only once `solveStep` was asked for.
    pub to_be_found: bool,
    /// Whether the lab solved it.
    pub solved: bool,
    /// Panels to look at.
    pub panels: Vec<PanelRef>,
    /// Diagram to look at.
    pub diagram: Option<String>,
    /// Its arrows that the text speaks of, from 1.
    pub arrows: Vec<u32>,
    /// The checks.
    pub checks: Vec<CheckView>,
    /// A hint, Markdown, once asked for.
    pub hint: Option<String>,
    /// Whether there is a hint.
    pub has_hint: bool,
    /// Why it is so, Markdown; once the checks were judged, met or missed.
    pub why: Option<String>,
    /// Members that the text gives a role, such as the slow one.
    pub roles: Vec<RoleView>,
}

/// A member with a role in the scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct RoleView {
    /// Role, such as `slow`.
    pub role: String,
    /// Member.
    pub member: String,
}

/// A question and what was answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct PredictionView {
    /// The question.
    pub question: String,
    /// Choices; empty when a level is asked for.
    pub choices: Vec<String>,
    /// Where a level is drawn, when one is asked for.
    pub level: Option<LevelView>,
    /// What the person said.
    pub guess: Option<Guess>,
    /// How that compares with what happened; once the step is met.
    pub verdict: Option<VerdictView>,
}

/// A chart on which a level is drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct LevelView {
    /// Panel.
    pub panel: PanelRef,
    /// Lowest level that can be drawn, in `unit`; above 0 on a logarithmic scale.
    pub min: f64,
    /// Highest.
    pub max: f64,
    /// Whether the scale is logarithmic.
    pub logarithmic: bool,
    /// Grafana's unit id.
    pub unit: String,
}

/// How a prediction turned out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct VerdictView {
    /// Whether it was right; absent when the person passed, or nothing could be measured.
    pub right: Option<bool>,
    /// The choice that is right, from 0, when there were choices.
    pub right_choice: Option<u32>,
    /// What was measured, in the unit of the level, when a level was asked for.
    pub measured: Option<f64>,
    /// What to say to it.
    pub says: String,
}

/// Where on the screen a person does by hand what an action does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub enum Control {
    /// The card of the put load.
    PutLoad,
    /// The card of the range load.
    RangeLoad,
    /// The failpoints' control.
    Failpoints,
    /// The links' control.
    Links,
    /// Compaction, deletion, defragmentation and alarms.
    Operations,
    /// There is none: the lab does it.
    None,
}

/// How far an action is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "name", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export_to = "lab.ts")]
pub enum ActionState {
    /// Not begun.
    Waiting,
    /// Being carried out.
    Running,
    /// Carried out.
    Done,
    /// It could not be carried out.
    Failed {
        /// Why.
        problem: Problem,
    },
}

/// Something that is done to the cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct ActionView {
    /// What it does, a few words.
    pub text: String,
    /// As a person could type it, with real ports, a line a command; empty when there is nothing to type.
    pub commands: Vec<String>,
    /// Where to do it by hand.
    pub control: Control,
    /// How far it is.
    pub state: ActionState,
}

/// One value that a check looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct MeasuredView {
    /// Member or series; empty when there is only one value.
    pub subject: String,
    /// In the check's unit; absent when there is none.
    pub value: Option<f64>,
    /// The value with its unit, as text.
    pub text: String,
    /// Whether it is as wanted.
    pub ok: bool,
}

/// A check, as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct CheckView {
    /// What is looked at: "p99 fsync of every member is at least 100 ms".
    pub that: String,
    /// Whether it holds now.
    pub met: bool,
    /// What was measured last.
    pub measured: Vec<MeasuredView>,
    /// What is wanted: "≥ 100 ms".
    pub wanted: String,
    /// What was measured and why it follows, or what it means that it doesn't; built from the data. Empty until
    /// judged.
    pub says: String,
    /// Seconds for which it has held without a break.
    pub held_s: u32,
    /// Seconds for which it must hold.
    pub hold_s: u32,
    /// The PromQL it asks, when it asks that.
    pub query: Option<String>,
}

/// A term, explained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct TermView {
    /// Id, by which texts name it: `[fsync](term:fsync)`.
    pub id: String,
    /// The term.
    pub term: String,
    /// Other spellings, for a search.
    pub also: Vec<String>,
    /// What it means, Markdown.
    pub text: String,
    /// Metrics that tell of it.
    pub metrics: Vec<MetricView>,
    /// Where to read on.
    pub links: Vec<LinkTo>,
}

/// A place to read on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export_to = "lab.ts")]
pub struct LinkTo {
    /// What is there.
    pub text: String,
    /// Address.
    pub url: String,
}

/// A metric family, as the running members expose it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct MetricView {
    /// Name.
    pub name: String,
    /// Whether the running members expose it; absent while none runs.
    pub exposed: Option<bool>,
    /// `counter`, `gauge`, `histogram` or `summary`, as `/metrics` says; empty while unknown.
    pub kind: String,
    /// etcd's own help text; empty while unknown.
    pub help: String,
    /// Unit, from the name's suffix; empty when it has none.
    pub unit: String,
    /// Upper bounds of a histogram's buckets, ascending, in `unit`, without the infinite one.
    pub buckets: Vec<f64>,
}

/// What a mark on the charts is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub enum MarkKind {
    /// A fault set, changed or healed.
    Fault,
    /// A compaction, defragmentation, deletion or disarming.
    Operation,
    /// A step of a scenario.
    Step,
}

/// A moment that charts show as a labelled vertical line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct Mark {
    /// Ascending.
    pub id: u64,
    /// Seconds since the Unix epoch.
    pub at_s: f64,
    /// What it is about.
    pub kind: MarkKind,
    /// A few words.
    pub text: String,
}

//! Sequence diagrams as data: who speaks to whom inside a member, and which metric, if any, measures it.
//!
//! The diagrams are written in `src-tauri/scenarios/diagrams/*.yaml`; [`read`] takes one in and refuses what would
//! mislead, [`builtin`] gives those of the lab. An arrow without a metric of its own says so and why: nothing is
//! estimated. Refuses to know what the metrics' values are and how a diagram is drawn.

mod file;
mod mermaid;

pub use file::{Placed, read};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A sequence diagram.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export_to = "lab.ts")]
pub struct Diagram {
    /// Id, such as `puts`.
    pub id: String,
    /// Title.
    pub title: String,
    /// What it shows, a sentence or two.
    pub about: String,
    /// From left to right.
    pub lanes: Vec<Lane>,
    /// From top to bottom; numbered from 1 by their place.
    pub steps: Vec<Step>,
    /// The same as Mermaid text, for a wiki or an issue: lanes and arrows, without metrics.
    pub mermaid: String,
}

/// The lab's diagrams, in their order.
pub fn builtin() -> &'static [Diagram] {
    &crate::content::builtin().diagrams
}

/// A component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export_to = "lab.ts")]
pub struct Lane {
    /// Id, such as `wal.WAL`.
    pub id: String,
    /// Short title on the diagram, such as `WAL`.
    pub title: String,
    /// Group it is drawn in, such as `Raft`; lanes of a group stand side by side.
    pub group: String,
    /// What it is, a sentence.
    pub about: String,
}

/// How a step goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub enum StepKind {
    /// A call; the caller waits.
    Call,
    /// A message over a channel; the sender goes on.
    Message,
    /// The answer to a call.
    Return,
    /// Something a component does by itself.
    Within,
}

/// One arrow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export_to = "lab.ts")]
pub struct Step {
    /// Lane it leaves.
    pub from: String,
    /// Lane it reaches; the same for a step within a lane.
    pub to: String,
    /// What stands on it.
    pub label: String,
    /// How it goes.
    pub kind: StepKind,
    /// What happens there, a sentence or two.
    pub about: String,
    /// Where in etcd's source, one a version in which it differs.
    pub source: Vec<SourcePlace>,
    /// What measures it.
    pub measure: Measure,
}

/// A place in etcd's source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(export_to = "lab.ts")]
pub struct SourcePlace {
    /// etcd's release line, such as `3.5`.
    pub etcd: String,
    /// File in etcd's repository.
    pub file: String,
    /// Function.
    pub function: String,
}

/// What a metric tells of an arrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub enum MetricKind {
    /// A duration, in seconds.
    Latency,
    /// How often, a second.
    Rate,
    /// How many now.
    Gauge,
}

/// Whether something measures an arrow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "by", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
#[ts(export_to = "lab.ts")]
pub enum Measure {
    /// A metric of etcd's does.
    Metric {
        /// Metric family.
        name: String,
        /// PromQL, one value a member (label `instance`).
        query: String,
        /// Grafana's unit id.
        unit: String,
        /// Which statistic, such as `p99` or `a second`.
        statistic: String,
        /// What it tells.
        kind: MetricKind,
        /// Whether it competes for "where the time goes": a duration that what the diagram shows has to wait for,
        /// and that doesn't contain another such one.
        hot: bool,
        /// What it means here, a sentence.
        means: String,
    },
    /// Nothing in etcd does, and nothing is made up.
    Nothing {
        /// Why, a sentence.
        why: String,
    },
}

//! The lab's state as others see it: plain data, complete enough to draw every screen from.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{
    CourseView, FaultsView, ImageWork, LoadSpec, Mark, ObserversView, Problem, RuntimeKind, ShownCommand,
    TopologyName,
};

/// What is waited for while a cluster starts, one line a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct WaitingFor {
    /// Member.
    pub member: String,
    /// Whether it answers its health check.
    pub healthy: bool,
    /// Whether it knows a leader.
    pub has_leader: bool,
}

/// Where the cluster is in its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "name", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export_to = "lab.ts")]
pub enum Phase {
    /// There is none.
    Stopped,
    /// Members are started; not all are healthy yet.
    Starting {
        /// Since when, milliseconds since the Unix epoch.
        since_ms: i64,
        /// What is done before members can be started, such as building their image.
        preparing: Option<String>,
        /// What is waited for.
        waiting: Vec<WaitingFor>,
    },
    /// Every member was healthy and a leader known when this began.
    Running {
        /// Since when, milliseconds since the Unix epoch.
        since_ms: i64,
    },
    /// Members are being stopped.
    Stopping,
    /// It did not start; nothing of it is left running.
    Failed {
        /// Why.
        problem: Problem,
    },
}

/// How a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub enum MemberState {
    /// Its process runs and it hasn't answered yet.
    Starting,
    /// It answers and knows a leader.
    Healthy,
    /// It answers and knows no leader.
    NoLeader,
    /// Its process runs and it doesn't answer.
    Unreachable,
    /// It is held: it has its connections and does nothing.
    Paused,
    /// Its process ended.
    Exited,
}

/// One member, as it says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct MemberView {
    /// Name, such as `etcd-1`.
    pub name: String,
    /// Place in the topology, from 0: its colour everywhere.
    pub index: u32,
    /// How it is.
    pub state: MemberState,
    /// Member id in hex, as etcdctl prints it; empty until known.
    pub id: String,
    /// Whether it is the leader.
    pub leader: bool,
    /// Whether it is a learner.
    pub learner: bool,
    /// Raft term.
    pub term: u64,
    /// Raft index it has committed.
    pub raft_index: u64,
    /// Raft index it has applied.
    pub raft_applied_index: u64,
    /// Size of its database file, bytes.
    pub db_size_bytes: u64,
    /// Of which in use, bytes.
    pub db_in_use_bytes: u64,
    /// Process id, of a native member.
    pub pid: Option<u32>,
    /// Id of its container, shortened as Docker does it, of a member in Docker.
    pub container: Option<String>,
    /// `http://127.0.0.1:2379`.
    pub client_url: String,
    /// `http://127.0.0.1:2380`.
    pub peer_url: String,
    /// `http://127.0.0.1:11180`.
    pub gofail_url: String,
    /// Last time it answered, milliseconds since the Unix epoch; 0 for never.
    pub answered_ms: i64,
}

/// An alarm of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct AlarmView {
    /// Member that raised it.
    pub member: String,
    /// `NOSPACE` or `CORRUPT`.
    pub kind: String,
}

/// The cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct ClusterView {
    /// What runs the members.
    pub runtime: RuntimeKind,
    /// How members speak with each other.
    pub topology: TopologyName,
    /// etcd's version.
    pub etcd_version: String,
    /// The image that members run from, in Docker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub image: Option<String>,
    /// Backend quota in bytes.
    pub quota_bytes: u64,
    /// Heartbeat interval, milliseconds.
    pub heartbeat_ms: u32,
    /// Election time-out, milliseconds.
    pub election_ms: u32,
    /// Members in the order of the topology.
    pub members: Vec<MemberView>,
    /// Alarms raised now.
    pub alarms: Vec<AlarmView>,
}

/// Errors of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct ErrorCount {
    /// gRPC code, such as `Unavailable`.
    pub code: String,
    /// The server's or the client's message: etcd sends several errors as code Unknown, only this tells them apart.
    pub message: String,
    /// How many.
    pub count: u64,
}

/// What a load got from one member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct MemberLoad {
    /// Member.
    pub member: String,
    /// Answers in the last second.
    pub rate: f64,
    /// Of those, median latency in seconds; absent when there were none.
    pub p50_s: Option<f64>,
    /// 90th percentile, seconds.
    pub p90_s: Option<f64>,
    /// 99th percentile, seconds.
    pub p99_s: Option<f64>,
    /// Answers since it began.
    pub done: u64,
    /// Errors since it began.
    pub errors: u64,
}

/// One second of a load. Percentiles are of that second's answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct LoadPoint {
    /// Seconds since the Unix epoch.
    pub at_s: f64,
    /// Answers a second.
    pub rate: f64,
    /// Errors a second.
    pub error_rate: f64,
    /// Median latency in seconds; absent when nothing was answered.
    pub p50_s: Option<f64>,
    /// 90th percentile, seconds.
    pub p90_s: Option<f64>,
    /// 99th percentile, seconds.
    pub p99_s: Option<f64>,
    /// Longest, seconds.
    pub max_s: Option<f64>,
}

/// Where a load is in its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "name", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export_to = "lab.ts")]
pub enum LoadState {
    /// It runs.
    Running,
    /// It was told to stop.
    Stopping,
    /// All its requests are answered, or it was stopped.
    Ended,
    /// It could not go on.
    Failed {
        /// Why.
        problem: Problem,
    },
}

/// A load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct LoadView {
    /// Id, from 1.
    pub id: u32,
    /// What was asked.
    pub spec: LoadSpec,
    /// The line a person could type for it.
    pub command: String,
    /// Where it is.
    pub state: LoadState,
    /// When it began, milliseconds since the Unix epoch.
    pub started_ms: i64,
    /// Seconds since it began.
    pub elapsed_s: f64,
    /// Answers so far.
    pub done: u64,
    /// The last second.
    pub now: Option<LoadPoint>,
    /// Of the whole run: percentiles so far, rate as the mean.
    pub overall: Option<LoadPoint>,
    /// The last seconds, oldest first; only in a snapshot.
    pub history: Vec<LoadPoint>,
    /// By member.
    pub members: Vec<MemberLoad>,
    /// By code and message, most first.
    pub errors: Vec<ErrorCount>,
}

/// What this lab is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct LabInfo {
    /// Id of this run, on everything the lab makes.
    pub id: String,
    /// The program's version.
    pub version: String,
    /// Its folder.
    pub folder: String,
    /// etcd versions that can be started, newest last.
    pub etcd_versions: Vec<String>,
    /// The one started when none is asked for.
    pub default_etcd_version: String,
    /// Where Prometheus' HTTP API is served, if it is.
    pub serve: Option<String>,
    /// Process that holds the lab.
    pub pid: u32,
    /// `app` or `terminal`.
    pub host: String,
}

/// The whole state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct Snapshot {
    /// The lab.
    pub lab: LabInfo,
    /// Where the cluster is in its life.
    pub phase: Phase,
    /// The cluster, while there is one.
    pub cluster: Option<ClusterView>,
    /// Loads, oldest first.
    pub loads: Vec<LoadView>,
    /// Faults in effect.
    pub faults: FaultsView,
    /// The last marks, oldest first.
    pub marks: Vec<Mark>,
    /// The scenario under way.
    pub course: Option<Box<CourseView>>,
    /// Work on an image that is under way.
    pub image_work: Option<ImageWork>,
    /// Prometheus and Grafana beside the cluster.
    pub observers: ObserversView,
    /// The last commands, oldest first.
    pub shown: Vec<ShownCommand>,
    /// The last thing that went wrong by itself and was not dismissed.
    pub problem: Option<Problem>,
}

/// How a panel is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub enum PanelKind {
    /// Lines over time.
    TimeSeries,
    /// One big value.
    Stat,
}

/// One query of a panel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct TargetView {
    /// PromQL as it is evaluated.
    pub expr: String,
    /// Legend template.
    pub legend: String,
}

/// A text that stands for a value, such as "Yes" for 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct MappingView {
    /// The value.
    pub value: f64,
    /// The text.
    pub text: String,
}

/// A panel, less its data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct PanelView {
    /// Id in the dashboard.
    pub id: u32,
    /// Title.
    pub title: String,
    /// What it shows and what is normal.
    pub description: String,
    /// How it is drawn.
    pub kind: PanelKind,
    /// Grafana's unit id: `s`, `ms`, `bytes`, `Bps`, `ops`, `percentunit`, `short`, `none`.
    pub unit: String,
    /// Lower end of the axis, if fixed.
    pub min: Option<f64>,
    /// Upper end of the axis, if fixed.
    pub max: Option<f64>,
    /// Texts shown in place of values.
    pub mappings: Vec<MappingView>,
    /// Values at which a dashed line is drawn: what is normal lies below.
    pub thresholds: Vec<f64>,
    /// Queries.
    pub targets: Vec<TargetView>,
}

/// A row of panels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct RowView {
    /// Title; empty for panels before the first row.
    pub title: String,
    /// Panels in reading order.
    pub panels: Vec<PanelView>,
}

/// A dashboard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct DashboardView {
    /// Grafana's uid.
    pub uid: String,
    /// Title.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// Rows.
    pub rows: Vec<RowView>,
}

/// One finding of the doctor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct DoctorLine {
    /// Whether it is as it should be.
    pub ok: bool,
    /// Whether the lab can do without.
    pub optional: bool,
    /// What was looked at.
    pub what: String,
    /// What was found.
    pub found: String,
    /// The command or the step that mends it; empty when there is nothing to mend.
    pub mend: String,
}

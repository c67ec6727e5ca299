//! What can be asked of a lab, and its answers.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{
    AlarmView, CourseOptions, DashboardView, DockerView, DoctorLine, Guess, LinkShape, LinkTo,
    MemberFailpoint, Problem, ScenarioView, Snapshot, TermView,
};
use crate::diagram::Diagram;

/// Where members listen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub enum Ports {
    /// Those of the topology file: 2379, 22379, 32379 and so on.
    #[default]
    Topology,
    /// Free ones, found at start.
    Auto,
}

/// Which of the lab's topologies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
#[ts(export_to = "lab.ts")]
pub enum TopologyName {
    /// Members speak with each other directly: `compose/etcd.yaml`.
    #[default]
    Etcd,
    /// Members speak with each other through a proxy that can delay and cut each link: `compose/etcd-bridge.yaml`.
    EtcdBridge,
}

/// What runs the members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub enum RuntimeKind {
    /// They are child processes of the program that holds the lab.
    #[default]
    Native,
    /// They are containers of a Docker engine.
    Docker,
}

impl std::fmt::Display for RuntimeKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Native => "native",
            Self::Docker => "docker",
        })
    }
}

/// What becomes of the containers when the program that holds the lab is killed. Child processes always end with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub enum AfterKill {
    /// They are removed within seconds.
    #[default]
    Remove,
    /// They run on, and the next start goes on with them.
    Adopt,
}

/// How a cluster is started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export_to = "lab.ts")]
pub struct StartOptions {
    /// What runs the members.
    pub runtime: RuntimeKind,
    /// What becomes of containers when the program is killed.
    pub after_kill: AfterKill,
    /// etcd's version, such as `3.5.9`; the lab's default when absent.
    pub etcd_version: Option<String>,
    /// Members, and how they speak with each other.
    pub topology: TopologyName,
    /// Where members listen.
    pub ports: Ports,
    /// Go on with the data of the last run instead of a fresh start.
    pub keep_data: bool,
    /// Backend quota in bytes; etcd's default (2 GiB) when absent.
    pub quota_bytes: Option<u64>,
    /// Folder for data and logs; the lab's own when absent.
    #[ts(type = "string | null")]
    pub data_dir: Option<PathBuf>,
}

/// What can be done to a member's process or container. Starting it again is [`Command::RestartMember`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub enum MemberAction {
    /// Ask it to end, and wait.
    Stop,
    /// End it at once.
    Kill,
    /// Hold it: it keeps its connections and does nothing.
    Pause,
    /// Let it go on.
    Resume,
}

/// What a load does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export_to = "lab.ts")]
pub enum Workload {
    /// Puts.
    Put {
        /// Bytes of a key.
        key_size: u32,
        /// Bytes of a value.
        val_size: u32,
        /// Number of different keys.
        key_space_size: u64,
        /// Keys in order instead of at random.
        sequential_keys: bool,
        /// Seconds between compactions; none when absent.
        compact_interval_s: Option<u32>,
        /// Revisions kept by each compaction.
        compact_index_delta: u64,
    },
    /// Ranges.
    Range {
        /// First key.
        key: String,
        /// End of the range, exclusive; one key when absent.
        range_end: Option<String>,
        /// Read from the member asked, without a quorum.
        serializable: bool,
    },
}

/// A load, as etcd's `benchmark` would be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct LoadSpec {
    /// What is done.
    pub workload: Workload,
    /// Requests at a time.
    pub clients: u32,
    /// Connections, given out to members in turn.
    pub conns: u32,
    /// Requests in all.
    pub total: u64,
    /// Requests a second; as fast as possible when absent.
    pub rate: Option<u32>,
}

/// One panel of one dashboard.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct PanelRef {
    /// Dashboard's uid.
    pub dashboard: String,
    /// Panel's id in it.
    pub panel: u32,
}

/// What a listener wants drawn; a new set replaces the old.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export_to = "lab.ts")]
pub struct WatchSet {
    /// Panels.
    pub panels: Vec<PanelRef>,
    /// Ids of diagrams.
    pub diagrams: Vec<String>,
    /// How far charts look back, in seconds.
    pub range_s: u32,
    /// Points a line has at most.
    pub max_points: u32,
}

/// A request to the lab. Each is answered by one [`Reply`] or a [`Problem`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export_to = "lab.ts")]
pub enum Command {
    /// The whole state. Answer: `snapshot`.
    Snapshot,
    /// Start the cluster; progress comes as events, the answer once it is ready. Answer: `done`.
    Start {
        /// How.
        options: StartOptions,
    },
    /// Stop loads and cluster. Answer: `done`.
    Stop,
    /// Stop one member and start it again with its data. Answer: `done`.
    RestartMember {
        /// Its name.
        member: String,
    },
    /// Do something to one member's process or container. Answer: `done`.
    ActOnMember {
        /// Its name.
        member: String,
        /// What.
        action: MemberAction,
    },
    /// The Docker engine and its images. Answer: `docker`.
    Docker,
    /// Build the image that members run from. Progress comes as events. Answer: `done` once it is there.
    BuildImage {
        /// etcd's version; the lab's default when absent.
        etcd_version: Option<String>,
    },
    /// Write images to one file, for a place without network. Answer: `done` once it is written.
    SaveImages {
        /// etcd's versions; all that are there when empty.
        etcd_versions: Vec<String>,
        /// The file, an archive as `docker save` makes it.
        #[ts(type = "string")]
        file: PathBuf,
    },
    /// Read images from such a file. Answer: `done` once they are there.
    LoadImages {
        /// The file.
        #[ts(type = "string")]
        file: PathBuf,
    },
    /// Run Prometheus and Grafana beside the cluster, in Docker. Answer: `done` once both answer.
    StartObservers,
    /// Stop and remove them. Answer: `done`.
    StopObservers,
    /// Start a load. Answer: `load`.
    StartLoad {
        /// Which.
        spec: LoadSpec,
    },
    /// End a load; its result stays. Answer: `done`.
    StopLoad {
        /// Its id.
        id: u32,
    },
    /// Forget an ended load. Answer: `done`.
    ForgetLoad {
        /// Its id.
        id: u32,
    },
    /// Say what is to be drawn for this listener. Answer: `done`, then frames as events.
    Watch {
        /// Panels and diagrams.
        set: WatchSet,
    },
    /// The end of a member's log. Answer: `log`.
    Log {
        /// Member.
        member: String,
        /// Lines at most.
        lines: u32,
    },
    /// Write one key. Answer: `revision`.
    Put {
        /// Key.
        key: String,
        /// Value.
        value: String,
    },
    /// Read one key. Answer: `value`.
    Get {
        /// Key.
        key: String,
    },
    /// Compact at a revision, the present one when absent. Answer: `revision`.
    Compact {
        /// Revision.
        revision: Option<i64>,
    },
    /// Defragment one member's database. Answer: `done`.
    Defragment {
        /// Member.
        member: String,
    },
    /// Alarms raised now. Answer: `alarms`.
    Alarms,
    /// Disarm every alarm. Answer: `alarms`, those that were disarmed.
    Disarm,
    /// Delete one key, or all that begin with it. Answer: `deleted`.
    Delete {
        /// Key, or prefix; the empty prefix is every key.
        key: String,
        /// Whether `key` is a prefix.
        prefix: bool,
    },
    /// Every failpoint of every member, set or not. Answer: `failpoints`.
    Failpoints,
    /// Set a failpoint. Answer: `done`.
    SetFailpoint {
        /// Members; all when empty.
        members: Vec<String>,
        /// Failpoint, such as `walBeforeFdatasync`.
        failpoint: String,
        /// Term, such as `sleep(100)`.
        term: String,
        /// Clear it after so many seconds; never when absent.
        for_s: Option<u32>,
    },
    /// Clear failpoints. Answer: `done`.
    ClearFailpoints {
        /// Members; all when empty.
        members: Vec<String>,
        /// Failpoint; all that are set when absent.
        failpoint: Option<String>,
    },
    /// Say what is done to the bytes of some links, each from a member of `from` to another of `to`. Answer: `done`.
    SetLinks {
        /// Members that send; all when empty.
        from: Vec<String>,
        /// Members that receive; all when empty.
        to: Vec<String>,
        /// What is done to them, in place of what was.
        shape: LinkShape,
    },
    /// Let all links pass everything at once, as it comes. Answer: `done`.
    HealLinks,
    /// The scenarios, and how far the person got. Answer: `scenarios`.
    Scenarios,
    /// Begin a scenario, at its first step or another: a fresh cluster is started and brought into the state that
    /// the step needs. What is under way makes room. Answer: `done` at once; the rest is told as events.
    BeginScenario {
        /// Which, and how.
        options: CourseOptions,
    },
    /// Say what the person expects. Answer: `done`.
    Predict {
        /// What.
        guess: Guess,
    },
    /// Carry out the present step's actions. Answer: `done` at once.
    DoStep,
    /// Show the hint. Answer: `done`.
    ShowHint,
    /// Show the actions that the person was to find, and carry them out. Answer: `done` at once.
    SolveStep,
    /// Go on to the next step, or to the end. Answer: `done` at once.
    NextStep,
    /// Set the stage for the present step again, with a fresh cluster, and ask again. Answer: `done` at once.
    RestartStep,
    /// Leave the scenario: its faults are cleared and its loads stopped, the cluster stays. Answer: `done`.
    LeaveScenario,
    /// Forget the person's progress in one scenario, or in all. Answer: `done`.
    ForgetProgress {
        /// Scenario; all when absent.
        scenario: Option<String>,
    },
    /// The terms, with their metrics as the running members expose them. Answer: `glossary`.
    Glossary,
    /// Evaluate PromQL at one time, now when absent. Answer: `query`.
    Query {
        /// Expression.
        expr: String,
        /// Seconds since the Unix epoch.
        time_s: Option<f64>,
    },
    /// Evaluate PromQL over a range. Answer: `query`.
    QueryRange {
        /// Expression.
        expr: String,
        /// Seconds since the Unix epoch.
        start_s: f64,
        /// Seconds since the Unix epoch.
        end_s: f64,
        /// Seconds.
        step_s: f64,
    },
    /// The dashboards and their panels. Answer: `dashboards`.
    Dashboards,
    /// The sequence diagrams. Answer: `diagrams`.
    Diagrams,
    /// What is missing on this machine. Answer: `doctor`.
    Doctor,
    /// The command a person could type for a load that isn't started. Answer: `text`.
    LoadCommand {
        /// Which load.
        spec: LoadSpec,
    },
    /// Take back a problem that the person has read. Answer: `done`.
    DismissProblem,
    /// Stop everything and end the program that holds the lab. Answer: `done`.
    Shutdown,
}

/// The lab's answer to one command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export_to = "lab.ts")]
pub enum Reply {
    /// It is done; there is nothing more to tell.
    Done,
    /// The whole state.
    Snapshot {
        /// The state.
        snapshot: Box<Snapshot>,
    },
    /// A load that was started.
    Load {
        /// Its id.
        id: u32,
    },
    /// Lines of a log, oldest first.
    Log {
        /// The lines.
        lines: Vec<String>,
        /// The file they are from.
        file: String,
    },
    /// A revision: of the put, or the one compacted at.
    Revision {
        /// The revision.
        revision: i64,
    },
    /// A key's value.
    Value {
        /// The value as text; absent when the key doesn't exist.
        value: Option<String>,
        /// The store's revision when it was read.
        revision: i64,
    },
    /// Alarms.
    Alarms {
        /// One a member and kind.
        alarms: Vec<AlarmView>,
    },
    /// Keys were deleted.
    Deleted {
        /// How many.
        deleted: i64,
        /// The store's revision afterwards.
        revision: i64,
    },
    /// Failpoints.
    Failpoints {
        /// One a member and failpoint, in the order of the members, then by name.
        failpoints: Vec<MemberFailpoint>,
    },
    /// Scenarios.
    Scenarios {
        /// In the order of their numbers.
        scenarios: Vec<ScenarioView>,
    },
    /// Terms.
    Glossary {
        /// By name.
        terms: Vec<TermView>,
        /// What the lab builds on and where its knowledge is from.
        references: Vec<LinkTo>,
    },
    /// Docker.
    Docker {
        /// Engine and images.
        docker: Box<DockerView>,
    },
    /// An answer of the evaluator.
    Query {
        /// Prometheus' HTTP JSON `data` object.
        #[ts(type = "unknown")]
        data: serde_json::Value,
        /// Prometheus' warnings.
        warnings: Vec<String>,
    },
    /// The dashboards.
    Dashboards {
        /// In the order of the rail.
        dashboards: Vec<DashboardView>,
    },
    /// The diagrams.
    Diagrams {
        /// In the order of the talk.
        diagrams: Vec<Diagram>,
    },
    /// Findings of the doctor.
    Doctor {
        /// One line a matter.
        lines: Vec<DoctorLine>,
    },
    /// A text.
    Text {
        /// The text.
        text: String,
    },
    /// It could not be done.
    Problem {
        /// Why, and what next.
        problem: Problem,
    },
}

//! What a lab tells by itself.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{
    ClusterView, CourseView, FaultsView, Frame, ImageWork, LoadView, Mark, ObserversView, Phase, Problem,
};

/// Which program a shown command is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
#[ts(export_to = "lab.ts")]
pub enum CommandKind {
    /// etcd's own command line.
    Etcdctl,
    /// Docker's command line.
    Docker,
    /// HTTP by hand.
    Curl,
    /// The lab's own command line.
    EtcdLabctl,
}

/// Something the lab did, as the command a person could have typed for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct ShownCommand {
    /// Ascending; tells two equal commands apart.
    pub id: u64,
    /// Milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// Program.
    pub kind: CommandKind,
    /// The whole line, with the real ports.
    pub text: String,
    /// What it was for, a few words.
    pub why: String,
}

/// Everything that crosses to a listener without being asked. Closed: a new kind of news is a new variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export_to = "lab.ts")]
pub enum Event {
    /// The cluster began to start, is ready, stopped or failed.
    Phase {
        /// The new phase.
        phase: Phase,
    },
    /// What the members say of themselves, once a second.
    Cluster {
        /// All of it.
        cluster: ClusterView,
    },
    /// A load began, went on for a second, or ended.
    Load {
        /// All of it, less its history: that grows by `load.now`.
        load: Box<LoadView>,
    },
    /// A load was forgotten.
    LoadForgotten {
        /// Its id.
        id: u32,
    },
    /// Faults were set, changed or healed, or were reached: what is in effect now.
    Faults {
        /// All of them.
        faults: FaultsView,
    },
    /// Something happened that charts mark.
    Mark {
        /// What.
        mark: Mark,
    },
    /// A scenario began, went on, or was left.
    Course {
        /// Where it is; absent when there is none any more.
        course: Option<Box<CourseView>>,
    },
    /// Work on an image began, went on, or ended.
    ImageWork {
        /// How far it is; absent when none is under way any more.
        work: Option<ImageWork>,
    },
    /// Prometheus and Grafana were started or stopped, or failed.
    Observers {
        /// How they are.
        observers: ObserversView,
    },
    /// A command was carried out.
    Shown {
        /// As a person would type it.
        command: ShownCommand,
    },
    /// Every watched panel and diagram, anew, after a round of scrapes.
    Frame {
        /// What to draw.
        frame: Frame,
    },
    /// Something went wrong by itself: a member died, the disk is full.
    Problem {
        /// What, and what next.
        problem: Problem,
    },
    /// What had gone wrong is mended or was dismissed: there is no problem any more.
    ProblemOver,
    /// The listener fell behind and missed events: ask for the snapshot.
    Lagged,
    /// The lab is ending; nothing comes after this.
    Ended,
}

//! What Docker brings along: the engine, the images that members run from, and Prometheus and Grafana beside them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Problem;

/// The engine that answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct EngineView {
    /// Where it listens, such as `unix:///var/run/docker.sock`.
    pub endpoint: String,
    /// Who made it, such as `Docker Engine` or `Podman Engine`.
    pub product: String,
    /// Its version.
    pub version: String,
    /// API version that is spoken with it, such as `1.41`.
    pub api_version: String,
    /// What its containers run on, such as `linux/amd64`.
    pub platform: String,
}

/// An image that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct PresentImage {
    /// The engine's id for it.
    pub id: String,
    /// Bytes.
    pub size_bytes: u64,
    /// Whether it holds the programs that this lab would put into it today; absent when the lab has none to compare.
    pub current: Option<bool>,
}

/// The image of one etcd version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct ImageView {
    /// etcd's version, such as `3.5.9`.
    pub etcd_version: String,
    /// Name and tag.
    pub reference: String,
    /// The image, if the engine has it.
    pub present: Option<PresentImage>,
    /// Whether this lab has the programs to build it from, for the engine's platform.
    pub buildable: bool,
}

/// Docker, as the lab finds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct DockerView {
    /// The engine; absent when none can be used.
    pub engine: Option<EngineView>,
    /// Why none can be used, and what mends it.
    pub problem: Option<Problem>,
    /// One an etcd version of the lab, oldest first; empty without an engine.
    pub images: Vec<ImageView>,
}

/// What is done with an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub enum ImageWorkKind {
    /// It is built from the lab's programs.
    Build,
    /// It is written to a file.
    Save,
    /// It is read from a file.
    Load,
    /// It is fetched from a registry.
    Pull,
}

/// Work on an image that is under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct ImageWork {
    /// What is done.
    pub kind: ImageWorkKind,
    /// The image, or the file it is read from.
    pub subject: String,
    /// What the engine says it is at.
    pub step: String,
    /// How much of it is done, 0 to 1; absent where nobody knows.
    pub done: Option<f64>,
}

/// Prometheus and Grafana beside the cluster, as containers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "name", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export_to = "lab.ts")]
pub enum ObserversView {
    /// They don't run.
    #[default]
    Off,
    /// They are on their way up.
    Starting {
        /// What is done now.
        doing: String,
    },
    /// Both answer.
    On {
        /// `http://127.0.0.1:9090`.
        prometheus_url: String,
        /// `http://127.0.0.1:3000`.
        grafana_url: String,
        /// Who logs in to Grafana.
        user: String,
        /// With which password.
        password: String,
    },
    /// They could not be started; nothing of them runs.
    Failed {
        /// Why, and what next.
        problem: Problem,
    },
}

//! The images that members run from: which the engine has, building them from the lab's programs, and carrying them to
//! places without a network as one file. Refuses to know which versions there are; that is for whoever asks.

mod archive;
mod build;
mod parts;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use bollard::errors::Error as ApiError;
use bollard::models::CreateImageInfo;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures::TryStreamExt;

use super::{Engine, EngineInfo, refusal};
use crate::native::Target;
use crate::{ClusterError, Topology};

pub use archive::{load, save};
pub use build::build;
pub use parts::Parts;

/// Label of an image with a digest of what it was built from.
const INPUTS_LABEL: &str = "metrics-lab.inputs";

/// What goes wrong with images.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// A program that belongs into the image is not there, or not for the image's platform.
    #[error(transparent)]
    Program(ClusterError),
    /// The engine has no such image.
    #[error("the engine has no image {0}")]
    Absent(String),
    /// The engine's disk is full.
    #[error("the disk of the engine is full: {0}")]
    EngineDiskFull(String),
    /// The engine could not be asked any more.
    #[error("the engine went away: {0}")]
    EngineLost(String),
    /// A registry could not be reached, or doesn't have the image.
    #[error("{reference} could not be fetched: {reason}")]
    NotFetched {
        /// The image.
        reference: String,
        /// What the engine says.
        reason: String,
    },
    /// A file holds no image.
    #[error("{} is not an archive of images: {reason}", .path.display())]
    NotAnArchive {
        /// The file.
        path: PathBuf,
        /// What the engine says.
        reason: String,
    },
    /// A file can't be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The engine said no to something else.
    #[error("the engine says: {0}")]
    Refused(String),
}

impl From<ApiError> for ImageError {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::DockerResponseServerError { message, .. }
            | ApiError::DockerStreamError { error: message } => {
                if refusal::is_full(&message) {
                    Self::EngineDiskFull(message)
                } else {
                    Self::Refused(message)
                }
            }
            ApiError::IOError { .. }
            | ApiError::HyperResponseError { .. }
            | ApiError::HyperLegacyError { .. }
            | ApiError::RequestTimeoutError => Self::EngineLost(super::engine::last_cause(&error)),
            other => Self::Refused(other.to_string()),
        }
    }
}

/// How far work on an image is.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageProgress {
    /// What is done now, in the engine's words where it has some.
    pub step: String,
    /// How much of all is done, 0 to 1; absent where nobody knows.
    pub done: Option<f64>,
}

/// Hears about progress.
pub type OnImageProgress<'a> = dyn Fn(ImageProgress) + Send + Sync + 'a;

/// What an image runs on. Members run on Linux, whatever the engine's host does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// `linux/amd64`.
    Amd64,
    /// `linux/arm64`.
    Arm64,
}

impl Platform {
    /// What the engine runs without emulation; nothing when etcd is not built for it here.
    pub fn of(engine: &EngineInfo) -> Option<Self> {
        format!("{}/{}", engine.os, engine.arch).parse().ok()
    }

    /// The processor, as Docker names it.
    pub fn arch(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// What programs for it are built for.
    pub fn target(self) -> Target {
        let arch = match self {
            Self::Amd64 => "x86_64",
            Self::Arm64 => "aarch64",
        };
        Target { os: "linux", arch }
    }
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "linux/{}", self.arch())
    }
}

impl std::str::FromStr for Platform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = [Self::Amd64, Self::Arm64];
        let of_that_name = known.into_iter().find(|platform| platform.to_string() == text);
        of_that_name.ok_or_else(|| format!("{text:?} is none of linux/amd64, linux/arm64"))
    }
}

/// The name of a version's image: the topology's, with that version as its tag.
pub fn reference(topology: &Topology, version: &str) -> String {
    let image = topology.members.first().map_or("", |member| member.image.as_str());
    let name = image.rsplit_once(':').map_or(image, |(name, _)| name);
    format!("{name}:v{version}")
}

/// The name under which an engine keeps an image that it can't run without emulation: beside its own, which the lab
/// goes on using. Where it belongs, [`load`] gives it its proper name.
pub fn foreign_reference(reference: &str, platform: Platform) -> String {
    format!("{reference}-{}", platform.arch())
}

/// An image that the engine has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentImage {
    /// The engine's id for it.
    pub id: String,
    /// Bytes.
    pub size_bytes: u64,
    /// What it runs on, such as `linux/amd64`.
    pub platform: String,
    /// A digest of what it was built from, to be compared with [`Parts::inputs`]; absent when it isn't of the lab's making.
    pub inputs: Option<String>,
}

/// The image of that name, if the engine has it.
///
/// # Errors
/// When the engine doesn't answer.
pub async fn look(engine: &Engine, reference: &str) -> Result<Option<PresentImage>, ImageError> {
    let image = match engine.client().inspect_image(reference).await {
        Ok(image) => image,
        Err(error) if refusal::is_absent(&error) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let labels = image.config.and_then(|config| config.labels).unwrap_or_default();
    Ok(Some(PresentImage {
        id: image.id.unwrap_or_default(),
        size_bytes: image.size.and_then(|bytes| bytes.try_into().ok()).unwrap_or(0),
        platform: format!("{}/{}", image.os.unwrap_or_default(), image.architecture.unwrap_or_default()),
        inputs: labels.get(INPUTS_LABEL).cloned(),
    }))
}

/// Fetches an image from its registry.
///
/// # Errors
/// When it can't be had there, or the engine can't keep it.
pub async fn pull(
    engine: &Engine,
    reference: &str,
    progress: &OnImageProgress<'_>,
) -> Result<(), ImageError> {
    let options = CreateImageOptionsBuilder::new().from_image(reference).build();
    let mut layers = Layers::default();
    let fetched = engine.client().create_image(Some(options), None, None).try_for_each(|info| {
        progress(layers.heard(info));
        std::future::ready(Ok(()))
    });
    fetched.await.map_err(|error| match ImageError::from(error) {
        ImageError::Refused(reason) => ImageError::NotFetched { reference: reference.to_owned(), reason },
        other => other,
    })
}

/// Runs what reads or writes whole images on a thread where it keeps nobody waiting.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ImageError> + Send + 'static,
) -> Result<T, ImageError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
}

/// What a pull has told of each layer so far: bytes that are there, bytes in all.
#[derive(Default)]
struct Layers(BTreeMap<String, (i64, i64)>);

impl Layers {
    /// Layers become known one by one. Each is told of while it is downloaded and again while it is unpacked; the
    /// download is what takes long, so that is what is counted.
    fn heard(&mut self, info: CreateImageInfo) -> ImageProgress {
        let step = info.status.unwrap_or_default();
        if let Some(layer) = info.id {
            match (step.as_str(), info.progress_detail) {
                ("Downloading", Some(detail)) => {
                    self.0.insert(layer, (detail.current.unwrap_or(0), detail.total.unwrap_or(0)));
                }
                ("Download complete", _) => {
                    self.0.entry(layer).and_modify(|(current, total)| *current = *total);
                }
                _ => {}
            }
        }
        let (current, total) = self.0.values().fold((0, 0), |sum, layer| (sum.0 + layer.0, sum.1 + layer.1));
        ImageProgress { step, done: (total > 0).then(|| current as f64 / total as f64) }
    }
}

#[cfg(test)]
mod tests {
    use bollard::models::ProgressDetail;

    use super::*;

    #[test]
    fn an_image_is_named_as_the_topology_names_it() {
        let topology = Topology::etcd().unwrap();
        let name = reference(&topology, "3.7.3");
        assert_eq!(name, "etcd-metrics-lab/etcd:v3.7.3");
        assert_eq!(reference(&topology, topology.etcd_version()), topology.members[0].image);
        assert_eq!(foreign_reference(&name, Platform::Arm64), "etcd-metrics-lab/etcd:v3.7.3-arm64");
    }

    #[test]
    fn platforms_are_written_as_docker_writes_them() {
        for platform in [Platform::Amd64, Platform::Arm64] {
            assert_eq!(platform.to_string().parse(), Ok(platform));
        }
        assert!(
            "linux/riscv64".parse::<Platform>().unwrap_err().contains("none of linux/amd64, linux/arm64")
        );
    }

    #[test]
    fn a_full_disk_of_the_engines_is_told_from_other_refusals() {
        let said = |text: &str| ImageError::from(ApiError::DockerStreamError { error: text.into() });
        let full = said("write /etcd: no space left on device");
        assert!(matches!(full, ImageError::EngineDiskFull(_)), "{full}");
        let refused = said("unknown instruction: FRON");
        assert!(matches!(refused, ImageError::Refused(_)), "{refused}");
    }

    #[test]
    fn a_pull_is_as_far_as_its_known_layers_are() {
        let said = |id: &str, status: &str, bytes: Option<(i64, i64)>| CreateImageInfo {
            id: Some(id.into()),
            status: Some(status.into()),
            progress_detail: bytes
                .map(|(current, total)| ProgressDetail { current: Some(current), total: Some(total) }),
            ..Default::default()
        };
        let mut layers = Layers::default();
        let heard = [
            said("3.1", "Pulling from prom/prometheus", None),
            said("a", "Downloading", Some((10, 100))),
            said("b", "Downloading", Some((0, 300))),
            said("a", "Download complete", None),
            said("a", "Extracting", Some((1, 100))),
            said("b", "Download complete", None),
        ];
        let done: Vec<Option<f64>> = heard.map(|info| layers.heard(info).done).into();
        assert_eq!(done, [None, Some(0.1), Some(0.025), Some(0.25), Some(0.25), Some(1.0)]);
    }
}

//! The Docker engine and its images as the lab shows and uses them: which there is, whether the image of a version holds
//! what this lab would put into it, and building it where it doesn't. What runs from an image is the session's business.

use std::path::Path;

use lab_cluster::Topology;
use lab_cluster::docker::image::{self, ImageError, ImageProgress, Parts, Platform};
use lab_cluster::docker::leftovers::{self, Leftover};
use lab_cluster::docker::{Engine, EngineInfo};
use lab_cluster::native::Binaries;

use crate::api::{DockerView, EngineView, ImageView, ImageWork, ImageWorkKind, PresentImage, Problem};
use crate::{home, problems};

/// Is told how far work on an image is.
pub type OnImageWork<'a> = dyn Fn(ImageWork) + Send + Sync + 'a;

/// The engine that docker's own programs would use from here.
///
/// # Errors
/// When there is none, or it can't be used.
pub async fn engine() -> Result<Engine, Problem> {
    Engine::connect().await.map_err(|error| problems::engine(&error))
}

/// Where images are made and kept: an engine, and the lab's programs.
pub struct Images<'a> {
    engine: &'a Engine,
    binaries: &'a Binaries,
    topology: &'a Topology,
    /// What the images run on, where that isn't what the engine runs on.
    foreign: Option<Platform>,
}

impl<'a> Images<'a> {
    /// Images of `topology`'s members in `engine`, from the programs in `binaries`.
    pub fn new(engine: &'a Engine, binaries: &'a Binaries, topology: &'a Topology) -> Self {
        Self { engine, binaries, topology, foreign: None }
    }

    /// The same for machines of that platform, to be carried there.
    pub fn on(self, platform: Platform) -> Self {
        let foreign = Some(platform).filter(|_| Platform::of(self.engine.info()) != Some(platform));
        Self { foreign, ..self }
    }

    /// Sees to it that the image of a version is there, and holds what this lab would put into it where it has the
    /// programs. An image that the lab did not make is taken as it is. Answers whether one was built.
    ///
    /// # Errors
    /// When it is absent and can't be built.
    pub async fn ensure(&self, version: &str, told: &OnImageWork<'_>) -> Result<bool, Problem> {
        let reference = self.reference(version);
        let failed = |error| problems::image(&reference, error);
        match (image::look(self.engine, &reference).await.map_err(failed)?, self.parts(version)) {
            (Some(_), Err(_)) => Ok(false),
            (Some(there), Ok(parts)) if is_current(&there, &parts).await.map_err(failed)? => Ok(false),
            (_, Ok(parts)) => self.build_from(&parts, &reference, told).await.map(|()| true),
            (None, Err(error)) => Err(problems::image_absent(&reference, error)),
        }
    }

    /// Builds the image of a version, also where there is one.
    ///
    /// # Errors
    /// When its programs are not there, or the engine can't build it.
    pub async fn build(&self, version: &str, told: &OnImageWork<'_>) -> Result<(), Problem> {
        let reference = self.reference(version);
        let parts = self.parts(version).map_err(|error| problems::image_absent(&reference, error))?;
        self.build_from(&parts, &reference, told).await
    }

    async fn build_from(
        &self,
        parts: &Parts,
        reference: &str,
        told: &OnImageWork<'_>,
    ) -> Result<(), Problem> {
        let progress = telling(ImageWorkKind::Build, reference, told);
        let built = image::build(self.engine, parts, reference, &progress).await;
        built.map_err(|error| problems::image(reference, error))
    }

    /// Writes the images of these versions to one file; of all that are there when none is named.
    ///
    /// # Errors
    /// When one is absent, or the file can't be written.
    pub async fn save(
        &self,
        versions: &[String],
        file: &Path,
        told: &OnImageWork<'_>,
    ) -> Result<(), Problem> {
        let references = match versions {
            [] => self.there().await?,
            named => named.iter().map(|version| self.reference(version)).collect(),
        };
        let subject = references.join(", ");
        if references.is_empty() {
            return Err(problems::no_images());
        }
        let progress = telling(ImageWorkKind::Save, &subject, told);
        let saved = image::save(self.engine, &references, file, &progress).await;
        saved.map_err(|error| problems::image(&subject, error))
    }

    /// Reads images from such a file, and answers their names.
    ///
    /// # Errors
    /// When it can't be read or holds none.
    pub async fn load(&self, file: &Path, told: &OnImageWork<'_>) -> Result<Vec<String>, Problem> {
        let subject = file.display().to_string();
        let progress = telling(ImageWorkKind::Load, &subject, told);
        let loaded = image::load(self.engine, file, &progress).await;
        loaded.map_err(|error| problems::image(&subject, error))
    }

    /// Names of those that the engine has.
    async fn there(&self) -> Result<Vec<String>, Problem> {
        let mut there = Vec::new();
        for version in self.versions() {
            let reference = self.reference(&version);
            let found = image::look(self.engine, &reference).await;
            if found.map_err(|error| problems::image(&reference, error))?.is_some() {
                there.push(reference);
            }
        }
        Ok(there)
    }

    /// The lab's versions, oldest first.
    pub fn versions(&self) -> Vec<String> {
        versions(self.binaries, self.topology)
    }

    /// Name and tag of a version's image.
    pub fn reference(&self, version: &str) -> String {
        let reference = image::reference(self.topology, version);
        match self.foreign {
            Some(platform) => image::foreign_reference(&reference, platform),
            None => reference,
        }
    }

    /// What the image of a version is made of.
    fn parts(&self, version: &str) -> Result<Parts, ImageError> {
        let info = self.engine.info();
        let platform = self
            .foreign
            .or_else(|| Platform::of(info))
            .ok_or_else(|| ImageError::Refused(format!("etcd is not built for {}", platform(info))))?;
        Parts::find(self.binaries, version, platform)
    }

    async fn view(&self, version: String) -> Result<ImageView, ImageError> {
        let reference = self.reference(&version);
        let parts = self.parts(&version).ok();
        let present = match image::look(self.engine, &reference).await? {
            Some(there) => {
                let current = match &parts {
                    Some(parts) => Some(is_current(&there, parts).await?),
                    None => None,
                };
                Some(PresentImage { id: there.id, size_bytes: there.size_bytes, current })
            }
            None => None,
        };
        Ok(ImageView { etcd_version: version, reference, present, buildable: parts.is_some() })
    }
}

/// The engine and its images, as they are now.
pub async fn view(binaries: &Binaries, topology: &Topology) -> DockerView {
    let without = |problem| DockerView { engine: None, problem: Some(problem), images: Vec::new() };
    let engine = match engine().await {
        Ok(engine) => engine,
        Err(problem) => return without(problem),
    };
    let images = Images::new(&engine, binaries, topology);
    let mut views = Vec::new();
    for version in images.versions() {
        let reference = image::reference(topology, &version);
        match images.view(version).await {
            Ok(view) => views.push(view),
            Err(error) => return without(problems::image(&reference, error)),
        }
    }
    DockerView { engine: Some(engine_view(engine.info())), problem: None, images: views }
}

/// What labs that are dead left in the engine; nothing where there is no engine.
///
/// # Errors
/// When the engine doesn't tell.
pub async fn leftovers(base: &Path) -> Result<Vec<Leftover>, Problem> {
    match Engine::connect().await {
        Ok(engine) => find_leftovers(&engine, base).await,
        Err(_) => Ok(Vec::new()),
    }
}

async fn find_leftovers(engine: &Engine, base: &Path) -> Result<Vec<Leftover>, Problem> {
    leftovers::find(engine, &home::labs(base)).await.map_err(problems::cluster)
}

/// Removes what labs that are dead left in the engine; only of the lab with that id, where one is given. Nothing was left
/// where there is no engine.
///
/// # Errors
/// When the engine doesn't remove something.
pub async fn remove_leftovers(base: &Path, id: Option<&str>) -> Result<Vec<Leftover>, Problem> {
    let Ok(engine) = Engine::connect().await else { return Ok(Vec::new()) };
    let mut found = find_leftovers(&engine, base).await?;
    found.retain(|leftover| id.is_none_or(|id| leftover.lab_id == id));
    for leftover in &found {
        leftovers::remove(&engine, leftover).await.map_err(problems::cluster)?;
    }
    Ok(found)
}

/// Whether an image holds what would be put into it; one that bears no word of what it holds is as its maker wanted it.
async fn is_current(there: &image::PresentImage, parts: &Parts) -> Result<bool, ImageError> {
    match &there.inputs {
        Some(inputs) => Ok(*inputs == parts.inputs().await?),
        None => Ok(true),
    }
}

/// Versions that there are programs of, and the one that is started when none is asked for.
fn versions(binaries: &Binaries, topology: &Topology) -> Vec<String> {
    let mut versions = binaries.versions();
    let default = topology.etcd_version();
    if !versions.iter().any(|version| version == default) {
        versions.push(default.to_owned());
    }
    versions
}

fn telling<'a>(
    kind: ImageWorkKind,
    subject: &'a str,
    told: &'a OnImageWork<'_>,
) -> impl Fn(ImageProgress) + Send + Sync + 'a {
    move |progress| {
        told(ImageWork { kind, subject: subject.to_owned(), step: progress.step, done: progress.done });
    }
}

fn engine_view(info: &EngineInfo) -> EngineView {
    EngineView {
        endpoint: info.endpoint.clone(),
        product: info.product.clone(),
        version: info.version.clone(),
        api_version: info.api_version.clone(),
        platform: platform(info),
    }
}

fn platform(info: &EngineInfo) -> String {
    format!("{}/{}", info.os, info.arch)
}

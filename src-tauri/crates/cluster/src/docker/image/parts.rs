//! What an image is made of: the lab's programs for its platform, and the `Dockerfile` that puts them together.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::{ImageError, Platform, beside};
use crate::ClusterError;
use crate::native::{Binaries, Program};

/// Files that come along with the lab's own program, under their names in the build's context.
const FILES: [(&str, &str); 3] = [
    (DOCKERFILE, include_str!("../../../../../../compose/etcd-image/Dockerfile")),
    ("LICENSE", include_str!("../../../../../../LICENSE")),
    ("NOTICE", include_str!("../../../../../../NOTICE")),
];

/// Name of the build's instructions in its context.
const DOCKERFILE: &str = "Dockerfile";

/// Programs, and their names in the image. The tools were left out of newer etcds' published modules, and those of an
/// older version do.
const PROGRAMS: [(&str, Program); 5] = [
    ("etcd", Program::Etcd),
    ("etcdctl", Program::Etcdctl),
    ("benchmark", Program::Benchmark),
    ("bridge", Program::Bridge),
    ("link-proxy", Program::LinkProxy),
];

/// All that goes into one image.
#[derive(Clone, Debug)]
pub struct Parts {
    version: String,
    platform: Platform,
    programs: Vec<(&'static str, PathBuf)>,
}

impl Parts {
    /// Finds the programs of an etcd version for a platform.
    ///
    /// # Errors
    /// When one of them is not there, or not for that platform.
    pub fn find(binaries: &Binaries, version: &str, platform: Platform) -> Result<Self, ImageError> {
        let version_of = |program| match program {
            Program::Etcd | Program::Etcdctl | Program::LinkProxy => version.to_owned(),
            Program::Benchmark | Program::Bridge => {
                let mut there = binaries.versions_of(program);
                let newest = there.pop().filter(|_| !there.iter().any(|one| one == version));
                newest.unwrap_or_else(|| version.to_owned())
            }
        };
        let find = |(name, program)| {
            Ok((name, binaries.find_for(platform.target(), program, &version_of(program))?))
        };
        let programs = PROGRAMS.into_iter().map(find).collect::<Result<_, ClusterError>>();
        let programs = programs.map_err(ImageError::Program)?;
        Ok(Self { version: version.to_owned(), platform, programs })
    }

    /// etcd's version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What the programs are built for.
    pub fn platform(&self) -> Platform {
        self.platform
    }

    /// A digest of everything that makes the image what it is. Reads all programs, some 70 MB.
    ///
    /// # Errors
    /// When a program can't be read.
    pub async fn inputs(&self) -> Result<String, ImageError> {
        let parts = self.clone();
        beside(move || parts.digest()).await
    }

    fn digest(&self) -> Result<String, ImageError> {
        let mut hash = Sha256::new();
        let texts = FILES.iter().flat_map(|(name, text)| [*name, *text]);
        for field in [&self.version, self.platform.arch()].into_iter().chain(texts) {
            hash.update(field);
            hash.update([0]);
        }
        for (name, path) in &self.programs {
            hash.update(name);
            hash.update([0]);
            let copied = File::open(path).and_then(|mut file| io::copy(&mut file, &mut hash));
            copied.map_err(|source| ImageError::File { path: path.clone(), source })?;
        }
        Ok(hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect())
    }

    /// What the `Dockerfile` asks for by `ARG`.
    pub(super) fn arguments(&self, inputs: &str) -> HashMap<String, String> {
        [("ETCD_VERSION", self.version.as_str()), ("INPUTS", inputs)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    /// The build's context: a tar archive. The same parts make the same bytes, so that the engine's own cache works.
    pub(super) async fn context(&self) -> Result<Vec<u8>, ImageError> {
        let parts = self.clone();
        beside(move || parts.archive()).await
    }

    fn archive(&self) -> Result<Vec<u8>, ImageError> {
        let mut archive = tar::Builder::new(Vec::new());
        let in_memory = |source| ImageError::File { path: DOCKERFILE.into(), source };
        for (name, text) in FILES {
            let mut header = header(text.len() as u64, 0o644);
            archive.append_data(&mut header, name, text.as_bytes()).map_err(in_memory)?;
        }
        for (name, path) in &self.programs {
            let append = |archive: &mut tar::Builder<Vec<u8>>| {
                let file = File::open(path)?;
                let mut header = header(file.metadata()?.len(), 0o755);
                archive.append_data(&mut header, format!("bin/{name}"), file)
            };
            append(&mut archive).map_err(|source| ImageError::File { path: path.clone(), source })?;
        }
        archive.into_inner().map_err(in_memory)
    }
}

fn header(bytes: u64, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(mode);
    header
}

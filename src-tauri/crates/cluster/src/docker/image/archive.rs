//! Images as one file, as `docker save` writes it and `docker load` reads it.

use std::collections::BTreeMap;
use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bollard::body_try_stream;
use bollard::models::BuildInfo;
use bollard::query_parameters::{ImportImageOptionsBuilder, RemoveImageOptions, TagImageOptionsBuilder};
use bytes::{Bytes, BytesMut};
use futures::{Stream, TryStreamExt, stream};
use tokio::io::AsyncReadExt;

use super::{ImageError, ImageProgress, OnImageProgress, Platform, beside, look};
use crate::docker::Engine;

/// How a file is cut up on its way to the engine, bytes.
const CHUNK: usize = 256 * 1024;

/// Writes images to one file. It bears its name when it is whole: what could not be finished is removed.
///
/// # Errors
/// When an image is absent, the file can't be written, or the engine goes away.
pub async fn save(
    engine: &Engine,
    references: &[String],
    path: &Path,
    progress: &OnImageProgress<'_>,
) -> Result<(), ImageError> {
    let failed = |source| ImageError::File { path: path.to_owned(), source };
    let mut total = 0;
    for reference in references {
        let image = look(engine, reference).await?.ok_or_else(|| ImageError::Absent(reference.clone()))?;
        total += image.size_bytes;
    }
    if path.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // As any new file: who may read it is the umask's business.
    let unfinished = tempfile::Builder::new()
        .prefix(".etcd-lab-images-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder);
    let mut file = unfinished.map_err(failed)?;
    let step = format!("writing {}", path.display());
    let names: Vec<&str> = references.iter().map(String::as_str).collect();
    let mut written = 0;
    let mut chunks = engine.client().export_images(&names);
    while let Some(chunk) = chunks.try_next().await? {
        file.write_all(&chunk).map_err(failed)?;
        written += chunk.len() as u64;
        progress(ImageProgress { step: step.clone(), done: Some(share(written, total)) });
    }
    let target = path.to_owned();
    beside(move || {
        let whole = file.as_file().sync_all().and_then(|()| Ok(file.persist(&target)?));
        whole.map(drop).map_err(|source| ImageError::File { path: target, source })
    })
    .await
}

/// Reads images from a file, and returns their names.
///
/// # Errors
/// When the file can't be read or holds no image, or the engine can't keep it.
pub async fn load(
    engine: &Engine,
    path: &Path,
    progress: &OnImageProgress<'_>,
) -> Result<Vec<String>, ImageError> {
    let failed = |source| ImageError::File { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let data = file.metadata().map_err(failed)?;
    if !data.is_file() {
        return Err(failed(io::ErrorKind::InvalidInput.into()));
    }
    let no_archive = |reason| ImageError::NotAnArchive { path: path.to_owned(), reason };
    progress(ImageProgress { step: "reading the file".into(), done: None });
    let options = ImportImageOptionsBuilder::new().build();
    let mut told = engine.client().import_image(options, body_try_stream(chunks(file)), None);
    let (mut layers, mut loaded) = (BTreeMap::new(), Vec::new());
    loop {
        match told.try_next().await.map_err(ImageError::from) {
            Ok(Some(info)) => {
                loaded.extend(loaded_name(&info).map(str::to_owned));
                let layer = info.id.zip(info.progress_detail.and_then(|detail| detail.current));
                if let Some((layer, bytes)) = layer {
                    layers.insert(layer, u64::try_from(bytes).unwrap_or(0));
                    let step = info.status.unwrap_or_default();
                    let done = share(layers.values().sum(), data.len());
                    progress(ImageProgress { step, done: Some(done) });
                }
            }
            Ok(None) => break,
            Err(ImageError::Refused(reason)) => return Err(no_archive(reason)),
            Err(error) => return Err(error),
        }
    }
    if loaded.is_empty() {
        return Err(no_archive("no image with a name is in it".into()));
    }
    for reference in &mut loaded {
        if let Some(proper) = proper_name(reference, Platform::of(engine.info())) {
            rename(engine, reference, &proper).await?;
            *reference = proper;
        }
    }
    Ok(loaded)
}

/// The name in the engine's `Loaded image: etcd-metrics-lab/etcd:v3.5.9`.
fn loaded_name(info: &BuildInfo) -> Option<&str> {
    info.stream.as_deref()?.strip_prefix("Loaded image: ").map(str::trim_end)
}

/// The name that an image built elsewhere for this platform goes by here, if it bears
/// [another one](super::foreign_reference).
fn proper_name(reference: &str, platform: Option<Platform>) -> Option<String> {
    let name = reference.strip_suffix(platform?.arch())?.strip_suffix('-')?;
    (name.contains(':')).then(|| name.to_owned())
}

async fn rename(engine: &Engine, from: &str, to: &str) -> Result<(), ImageError> {
    let (repo, tag) = to.rsplit_once(':').unwrap_or((to, "latest"));
    let options = TagImageOptionsBuilder::new().repo(repo).tag(tag).build();
    engine.client().tag_image(from, Some(options)).await?;
    // One of two names is taken away; the image stays.
    engine.client().remove_image(from, None::<RemoveImageOptions>, None).await?;
    Ok(())
}

/// The file's content, piece by piece.
fn chunks(file: File) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::try_unfold(tokio::fs::File::from_std(file), |mut file| async {
        let mut chunk = BytesMut::with_capacity(CHUNK);
        let read = file.read_buf(&mut chunk).await?;
        Ok((read > 0).then(|| (chunk.freeze(), file)))
    })
}

/// How much of the whole a part is. Archives are a little larger than what is in them.
fn share(part: u64, whole: u64) -> f64 {
    (part as f64 / whole.max(1) as f64).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_from_elsewhere_gets_its_proper_name_where_it_belongs() {
        let named = |reference: &str| proper_name(reference, Some(Platform::Arm64));
        assert_eq!(named("lab/etcd:v3.5.9-arm64").as_deref(), Some("lab/etcd:v3.5.9"));
        for other in ["lab/etcd:v3.5.9", "lab/etcd:v3.5.9-amd64", "lab-arm64"] {
            assert_eq!(named(other), None, "{other}");
        }
        assert_eq!(proper_name("lab/etcd:v3.5.9-arm64", None), None);
    }

    #[test]
    fn names_are_heard_and_bare_ids_are_not() {
        let said = |line: &str| BuildInfo { stream: Some(line.into()), ..Default::default() };
        assert_eq!(loaded_name(&said("Loaded image: lab/etcd:v3.5.9\n")), Some("lab/etcd:v3.5.9"));
        assert_eq!(loaded_name(&said("Loaded image ID: sha256:01\n")), None);
    }
}

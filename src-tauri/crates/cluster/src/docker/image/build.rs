//! Building an image from the lab's programs.

use bollard::body_full;
use bollard::models::BuildInfo;
use bollard::query_parameters::{BuildImageOptionsBuilder, RemoveImageOptions};
use bytes::Bytes;
use futures::TryStreamExt;

use super::{ImageError, ImageProgress, OnImageProgress, Parts, look};
use crate::docker::Engine;

/// Builds an image and gives it that name; the image of the lab's that bore it before goes, unless somebody uses it.
///
/// # Errors
/// When a program can't be read, or the engine can't build or keep the image.
pub async fn build(
    engine: &Engine,
    parts: &Parts,
    reference: &str,
    progress: &OnImageProgress<'_>,
) -> Result<(), ImageError> {
    progress(ImageProgress { step: "reading the programs".into(), done: None });
    let before = look(engine, reference).await?;
    let inputs = parts.inputs().await?;
    let context = Bytes::from(parts.context().await?);
    let options = BuildImageOptionsBuilder::new()
        .t(reference)
        .platform(&parts.platform().to_string())
        .buildargs(&parts.arguments(&inputs))
        .rm(true)
        .forcerm(true)
        .build();
    progress(ImageProgress { step: "handing the programs to the engine".into(), done: None });
    let told = engine.client().build_image(options, None, Some(body_full(context))).try_for_each(|info| {
        step(info).map(progress);
        std::future::ready(Ok(()))
    });
    told.await?;
    // One that the lab did not make stays, without its name.
    let before = before.filter(|before| before.inputs.is_some());
    if let (Some(before), Some(built)) = (before, look(engine, reference).await?)
        && before.id != built.id
    {
        // Without force the engine refuses while there is a container of it, or another name for it.
        let _ = engine.client().remove_image(&before.id, None::<RemoveImageOptions>, None).await;
    }
    Ok(())
}

/// `Step 3/9 : COPY bin/ /usr/local/bin/` as progress; what else the engine says is for its own people.
fn step(info: BuildInfo) -> Option<ImageProgress> {
    let line = info.stream?;
    let (number, what) = line.trim().split_once(':')?;
    let (_, fraction) = number.split_once(' ').filter(|(word, _)| word.eq_ignore_ascii_case("step"))?;
    let (step, steps) = fraction.trim().split_once('/')?;
    let (step, steps): (f64, f64) = (step.parse().ok()?, steps.parse().ok()?);
    // Of a LABEL with many lines, the first is enough.
    let what = what.trim().split("  ").next().unwrap_or_default();
    // It is told when the step begins.
    Some(ImageProgress { step: what.to_owned(), done: Some((step - 1.0) / steps) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_heard_among_the_rest() {
        let heard = |line: &str| step(BuildInfo { stream: Some(line.into()), ..Default::default() });
        let copy = |done| Some(ImageProgress { step: "COPY bin/ /usr/local/bin/".into(), done: Some(done) });
        assert_eq!(heard("Step 5/10 : COPY bin/ /usr/local/bin/\n"), copy(0.4));
        // As Podman says it.
        assert_eq!(heard("STEP 1/2: COPY bin/ /usr/local/bin/\n"), copy(0.0));
        let label = heard("Step 1/1 : LABEL a=1       b=2\n").map(|progress| progress.step);
        assert_eq!(label.as_deref(), Some("LABEL a=1"));
        for other in [" ---> Using cache\n", "Successfully built 0123456789ab\n", "Step by step: on", "\n"] {
            assert_eq!(heard(other), None, "{other:?}");
        }
    }
}

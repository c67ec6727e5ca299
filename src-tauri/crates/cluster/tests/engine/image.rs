//! The image that members run from.

use lab_cluster::Topology;
use lab_cluster::docker::Engine;
use lab_cluster::docker::image::{self, Parts, Platform};
use lab_cluster::native::Binaries;

/// Its name, after it is built from the lab's programs if the engine doesn't have it.
pub async fn needed(engine: &Engine, topology: &Topology, version: &str) -> String {
    let reference = image::reference(topology, version);
    if image::look(engine, &reference).await.unwrap().is_none() {
        let platform = Platform::of(engine.info()).unwrap();
        let parts = Parts::find(&Binaries::standard(), version, platform).unwrap();
        image::build(engine, &parts, &reference, &|_| {}).await.unwrap();
    }
    reference
}

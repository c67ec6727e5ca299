//! Whether tests that need a Docker engine can have one.

use lab_cluster::docker::Engine;

/// The engine that answers. Where none does, says so, and a test is to end there; `ETCD_LAB_DOCKER=required` makes it
/// fail instead.
pub async fn engine() -> Option<Engine> {
    match Engine::connect().await {
        Ok(engine) => Some(engine),
        Err(error) if std::env::var_os("ETCD_LAB_DOCKER").is_some_and(|wish| wish == "required") => {
            panic!("ETCD_LAB_DOCKER=required: {error}")
        }
        Err(error) => {
            println!("skipped: {error}");
            None
        }
    }
}

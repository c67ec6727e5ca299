//! Whether tests that need an engine can have one.

use lab_cluster::docker::Engine;

/// Whether there is an engine; says why not.
pub fn is_there() -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match runtime.block_on(Engine::connect()) {
        Ok(_) => true,
        Err(error) if std::env::var_os("ETCD_LAB_DOCKER").is_some_and(|wish| wish == "required") => {
            panic!("ETCD_LAB_DOCKER=required: {error}")
        }
        Err(error) => {
            println!("skipped: {error}");
            false
        }
    }
}

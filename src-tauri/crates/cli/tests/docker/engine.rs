//! Whether tests that need an engine can have one.

#[path = "../../../cluster/tests/engine/mod.rs"]
mod found;

/// Whether there is an engine; says why not.
pub fn is_there() -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(found::engine()).is_some()
}

//! Where things are in the checkout.

use std::path::{Path, PathBuf};

/// The target triple of the machine this runs on, such as `x86_64-unknown-linux-gnu`.
pub const HOST_TRIPLE: &str = env!("HOST_TRIPLE");

/// The checkout's top folder, as Cargo tells it when it starts this program: a `target` folder that was moved or copied
/// here holds a program that was compiled for another checkout.
pub fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or(env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).parent().unwrap_or(Path::new(".")).to_owned()
}

/// One Go module an etcd version, and the program that puts the failpoint in.
pub fn etcd_image() -> PathBuf {
    root().join("compose/etcd-image")
}

/// Built etcd binaries, one folder a version, host and content of the inputs. Not in git.
pub fn etcd_cache() -> PathBuf {
    root().join(".cache/etcd")
}

/// Where Tauri looks for the programs it bundles (`externalBin`). Not in git.
pub fn sidecars() -> PathBuf {
    root().join("src-tauri/binaries")
}

/// Programs that go into images and are nobody's sidecars here: the proxy between members, and all programs for other
/// platforms. Not in git.
pub fn image_programs() -> PathBuf {
    root().join(".cache/image")
}

/// Licence notices of everything bundled, for the bundle. Not in git.
pub fn notices() -> PathBuf {
    root().join("src-tauri/gen/THIRD_PARTY_LICENCES.txt")
}

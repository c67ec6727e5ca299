//! Scenarios, terms and diagrams are embedded (`src/content.rs`). Cargo sees by itself when one of these files is
//! changed, but not when one is added: that takes a look at the folder.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../../scenarios");
}

//! What the papers and lock files say is true: paths exist, and nothing names the machine it was made on.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What stands between backquotes and looks like a path of this repository.
fn paths(text: &str) -> Vec<&str> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| {
            code.contains('/')
                && !code.contains([' ', '*', '<', ':', '$'])
                && !code.starts_with(['/', '.', '~'])
                && !code.starts_with("target/")
        })
        .collect()
}

#[test]
fn every_path_that_the_papers_name_exists() {
    let mut checked = 0;
    for paper in ["ARCHITECTURE.md", "README.md", "CONTRIBUTING.md"] {
        for path in paths(&read(paper)) {
            assert!(root().join(path).exists(), "{paper} names {path}, which isn't there");
            checked += 1;
        }
    }
    assert!(checked > 30, "only {checked} paths were found: is this test still looking at them?");
}

#[test]
fn every_picture_of_the_readme_exists() {
    let readme = read("README.md");
    let pictures: Vec<&str> = readme
        .split("](")
        .skip(1)
        .chain(readme.split("src=\"").skip(1))
        .filter_map(|rest| rest.split([')', '"']).next())
        .filter(|link| link.ends_with(".png"))
        .collect();
    assert!(!pictures.is_empty());
    for picture in pictures {
        assert!(root().join(picture).exists(), "README.md shows {picture}, which isn't there");
    }
}

#[test]
fn lock_files_carry_no_download_addresses() {
    assert!(!read("ui/package-lock.json").contains("\"resolved\""));
    let cargo = read("Cargo.lock");
    let other = cargo.lines().find(|line| line.starts_with("source = ") && !line.contains("registry+"));
    assert_eq!(other, None);
}

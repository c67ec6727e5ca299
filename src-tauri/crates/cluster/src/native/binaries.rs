//! Finding the lab's own etcd binaries, and telling whether this machine can run them.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::ClusterError;

/// A program the lab brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The server, with failpoints.
    Etcd,
    /// Its command line.
    Etcdctl,
    /// etcd's own load generator.
    Benchmark,
}

impl Program {
    /// What the file's name begins with. Names of our own, as a package manager's `etcd` may be installed too.
    fn stem(self) -> &'static str {
        match self {
            Self::Etcd => "etcd-lab-etcd",
            Self::Etcdctl => "etcd-lab-etcdctl",
            Self::Benchmark => "etcd-lab-benchmark",
        }
    }
}

/// The folders in which the lab's programs are looked for.
#[derive(Clone, Debug)]
pub struct Binaries {
    folders: Vec<PathBuf>,
}

impl Binaries {
    /// Looks in the given folders, in this order.
    pub fn in_folders(folders: Vec<PathBuf>) -> Self {
        Self { folders }
    }

    /// `$ETCD_LAB_BINARIES`, the folder of the running program (where an installed app has them), and, for a
    /// program run from a checkout, the folder in which `make etcd` leaves them.
    pub fn standard() -> Self {
        let mut folders: Vec<PathBuf> =
            std::env::var_os("ETCD_LAB_BINARIES").map(PathBuf::from).into_iter().collect();
        if let Ok(program) = std::env::current_exe() {
            folders.extend(program.parent().map(Path::to_owned));
            folders.extend(
                program.ancestors().map(|dir| dir.join("src-tauri/binaries")).find(|dir| dir.is_dir()),
            );
        }
        Self { folders }
    }

    /// Where the program of that version is.
    ///
    /// # Errors
    /// When it is in none of the folders, can't be executed, or is built for another machine.
    pub fn find(&self, program: Program, version: &str) -> Result<PathBuf, ClusterError> {
        let name = format!("{}-{version}", program.stem());
        // As a Tauri sidecar the file bears the target's name; installed, it doesn't.
        let for_target = format!("{name}-{}-", std::env::consts::ARCH);
        let mut other_target = None;
        for folder in &self.folders {
            let plain = folder.join(&name);
            if plain.is_file() {
                return usable(plain);
            }
            for (file, path) in files(folder) {
                if file.starts_with(&for_target) {
                    return usable(path);
                }
                if file.strip_prefix(&name).is_some_and(|rest| rest.starts_with('-')) {
                    other_target = Some(path);
                }
            }
        }
        match other_target {
            Some(path) => usable(path),
            None => Err(ClusterError::BinaryMissing { name, looked_in: self.folders.clone() }),
        }
    }

    /// The etcd versions found, oldest first.
    pub fn versions(&self) -> Vec<String> {
        let prefix = format!("{}-", Program::Etcd.stem());
        let mut versions: Vec<(Vec<u32>, String)> = self
            .folders
            .iter()
            .flat_map(|folder| files(folder))
            .filter_map(|(file, _)| {
                let version = file.strip_prefix(&prefix)?.split('-').next()?.to_owned();
                let numbers = version.split('.').map(str::parse).collect::<Result<Vec<u32>, _>>().ok()?;
                Some((numbers, version))
            })
            .collect();
        versions.sort();
        versions.dedup();
        versions.into_iter().map(|(_, version)| version).collect()
    }
}

fn files(folder: &Path) -> impl Iterator<Item = (String, PathBuf)> + use<> {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
}

fn usable(path: PathBuf) -> Result<PathBuf, ClusterError> {
    match unusable_because(&path) {
        None => Ok(path),
        Some(reason) => Err(ClusterError::BinaryUnusable { path, reason }),
    }
}

fn unusable_because(path: &Path) -> Option<String> {
    let mut head = Vec::new();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => return Some(format!("it can't be read ({error})")),
    };
    if file.metadata().is_ok_and(|data| data.permissions().mode() & 0o111 == 0) {
        return Some("it is not marked as executable".into());
    }
    if let Err(error) = file.take(20).read_to_end(&mut head) {
        return Some(format!("it can't be read ({error})"));
    }
    let here = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    match built_for(&head) {
        Some(target) if target == here => None,
        Some(target) => Some(format!("it is built for {target}, this machine is {here}")),
        None => Some("it is not a program".into()),
    }
}

/// `linux x86_64` and the like, from the first bytes of an executable (ELF's `e_machine`, Mach-O's `cputype`).
fn built_for(head: &[u8]) -> Option<&'static str> {
    match head {
        [0x7f, b'E', b'L', b'F', rest @ ..] => Some(match rest.get(14..16)? {
            [0x3e, 0x00] => "linux x86_64",
            [0xb7, 0x00] => "linux aarch64",
            _ => "another kind of processor",
        }),
        [0xcf, 0xfa, 0xed, 0xfe, cpu @ ..] => Some(match cpu.get(..4)? {
            [0x07, 0x00, 0x00, 0x01] => "macos x86_64",
            [0x0c, 0x00, 0x00, 0x01] => "macos aarch64",
            _ => "another kind of processor",
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(folder: &Path, name: &str, head: &[u8], mode: u32) {
        let path = folder.join(name);
        std::fs::write(&path, head).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn elf(machine: u8) -> Vec<u8> {
        let mut head = vec![0x7f, b'E', b'L', b'F'];
        head.resize(20, 0);
        head[18] = machine;
        head
    }

    #[test]
    fn a_program_that_cannot_run_is_told_from_one_that_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        let binaries = Binaries::in_folders(vec![dir.path().into()]);
        let told = |version| binaries.find(Program::Etcd, version).unwrap_err().to_string();
        assert!(told("1.0.0").starts_with("the program etcd-lab-etcd-1.0.0 is not in /"));
        program(dir.path(), "etcd-lab-etcd-2.0.0", b"#!/bin/sh", 0o755);
        assert!(told("2.0.0").ends_with("it is not a program"));
        program(dir.path(), "etcd-lab-etcd-3.0.0", &elf(0x3e), 0o644);
        assert!(told("3.0.0").ends_with("it is not marked as executable"));
        program(dir.path(), "etcd-lab-etcd-4.0.0-sparc-unknown-linux-gnu", &elf(0x02), 0o755);
        assert!(told("4.0.0").contains("it is built for another kind of processor, this machine is "));
    }

    #[test]
    fn versions_are_ordered_as_numbers() {
        let dir = tempfile::tempdir().unwrap();
        for name in
            ["etcd-lab-etcd-3.10.0", "etcd-lab-etcd-3.7.3-x86_64-unknown-linux-gnu", "etcd-lab-etcdctl-9.9.9"]
        {
            program(dir.path(), name, b"", 0o755);
        }
        assert_eq!(Binaries::in_folders(vec![dir.path().into()]).versions(), ["3.7.3", "3.10.0"]);
    }
}

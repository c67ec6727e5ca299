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
    /// etcd's own way to disturb connections.
    Bridge,
    /// The lab's proxy between members that run in containers.
    LinkProxy,
}

impl Program {
    /// What the file's name begins with. Names of our own, as a package manager's `etcd` may be installed too.
    fn stem(self) -> &'static str {
        match self {
            Self::Etcd => "etcd-lab-etcd",
            Self::Etcdctl => "etcd-lab-etcdctl",
            Self::Benchmark => "etcd-lab-benchmark",
            Self::Bridge => "etcd-lab-bridge",
            Self::LinkProxy => "etcd-lab-link-proxy",
        }
    }

    /// The file's name without what it is built for. The proxy is the lab's own and has no version beside its.
    fn file_name(self, version: &str) -> String {
        match self {
            Self::LinkProxy => self.stem().into(),
            _ => format!("{}-{version}", self.stem()),
        }
    }
}

/// What a program runs on, as [`std::env::consts`] names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// `linux` or `macos`.
    pub os: &'static str,
    /// `x86_64` or `aarch64`.
    pub arch: &'static str,
}

impl Target {
    /// This machine.
    pub const HERE: Self = Self { os: std::env::consts::OS, arch: std::env::consts::ARCH };
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.os, self.arch)
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
    /// program run from a checkout, the folders in which `make etcd` and `make image` leave them.
    pub fn standard() -> Self {
        let mut folders: Vec<PathBuf> =
            std::env::var_os("ETCD_LAB_BINARIES").map(PathBuf::from).into_iter().collect();
        if let Ok(program) = std::env::current_exe() {
            folders.extend(program.parent().map(Path::to_owned));
            for of_checkout in ["src-tauri/binaries", ".cache/image"] {
                folders.extend(program.ancestors().map(|dir| dir.join(of_checkout)).find(|dir| dir.is_dir()));
            }
        }
        Self { folders }
    }

    /// Where the program of that version is.
    ///
    /// # Errors
    /// When it is in none of the folders, can't be executed, or is built for another machine.
    pub fn find(&self, program: Program, version: &str) -> Result<PathBuf, ClusterError> {
        self.find_for(Target::HERE, program, version)
    }

    /// As [`Self::find`], to be run on a target that may be another than this machine.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub fn find_for(&self, target: Target, program: Program, version: &str) -> Result<PathBuf, ClusterError> {
        let name = program.file_name(version);
        let mut unusable = None;
        for folder in &self.folders {
            // As a Tauri sidecar the file bears the target's name; installed, it doesn't.
            let mut paths: Vec<PathBuf> = files(folder)
                .filter(|(file, _)| file.strip_prefix(&name).is_some_and(is_target_suffix))
                .map(|(_, path)| path)
                .collect();
            paths.sort();
            for path in paths {
                match unusable_because(&path, target) {
                    None => return Ok(path),
                    Some(reason) => {
                        unusable.get_or_insert(ClusterError::BinaryUnusable { path, reason });
                    }
                }
            }
        }
        let missing = || ClusterError::BinaryMissing { name, looked_in: self.folders.clone() };
        Err(unusable.unwrap_or_else(missing))
    }

    /// The etcd versions found, oldest first.
    pub fn versions(&self) -> Vec<String> {
        self.versions_of(Program::Etcd)
    }

    /// The versions found of a program, oldest first.
    pub fn versions_of(&self, program: Program) -> Vec<String> {
        let prefix = format!("{}-", program.stem());
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

/// Whether what follows a program's name is nothing or `-` and a target, and not `.unfinished` or the like.
fn is_target_suffix(rest: &str) -> bool {
    rest.is_empty() || (rest.starts_with('-') && !rest.contains('.'))
}

fn files(folder: &Path) -> impl Iterator<Item = (String, PathBuf)> + use<> {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
}

fn unusable_because(path: &Path, target: Target) -> Option<String> {
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
    let machine = if target == Target::HERE { "this machine is" } else { "wanted is one for" };
    match built_for(&head) {
        Some(built) if built == target.to_string() => None,
        Some(built) => Some(format!("it is built for {built}, {machine} {target}")),
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
    fn a_program_is_found_by_what_it_is_built_for() {
        let dir = tempfile::tempdir().unwrap();
        let (first, second) = (dir.path().join("first"), dir.path().join("second"));
        let binaries = Binaries::in_folders(vec![first.clone(), second.clone()]);
        for folder in [&first, &second] {
            std::fs::create_dir(folder).unwrap();
        }
        let mut mac = vec![0xcf, 0xfa, 0xed, 0xfe, 0x0c, 0, 0, 1];
        mac.resize(20, 0);
        program(&first, "etcd-lab-etcd-3.5.9", &mac, 0o755);
        program(&first, "etcd-lab-link-proxy-x86_64-unknown-linux-gnu", &elf(0x3e), 0o755);
        program(&second, "etcd-lab-etcd-3.5.9-aarch64-unknown-linux-musl", &elf(0xb7), 0o755);
        program(&second, "etcd-lab-etcd-3.5.9-aarch64-unknown-linux-musl.unfinished", &elf(0xb7), 0o755);

        let find = |arch, what| {
            let found = binaries.find_for(Target { os: "linux", arch }, what, "3.5.9");
            found.map(|path| path.strip_prefix(dir.path()).unwrap().display().to_string())
        };
        assert_eq!(
            find("aarch64", Program::Etcd).unwrap(),
            "second/etcd-lab-etcd-3.5.9-aarch64-unknown-linux-musl"
        );
        assert_eq!(
            find("x86_64", Program::LinkProxy).unwrap(),
            "first/etcd-lab-link-proxy-x86_64-unknown-linux-gnu"
        );
        let refused = find("x86_64", Program::Etcd).unwrap_err().to_string();
        assert!(refused.contains("it is built for macos aarch64, "), "{refused}");
        assert!(matches!(find("x86_64", Program::Bridge), Err(ClusterError::BinaryMissing { .. })));
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

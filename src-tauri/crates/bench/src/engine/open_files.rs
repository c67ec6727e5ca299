//! Room for as many connections as a load asks for: each is an open file, and shells allow 1,024 as a rule.

use rlimit::Resource;

use crate::BenchError;

/// Files that the rest of the program may open meanwhile.
const SPARE: u64 = 64;

/// Raises the limit of this process if `conns` more connections need it.
pub(super) fn make_room(conns: u32) -> Result<(), BenchError> {
    let (soft, hard) = Resource::NOFILE.get().map_err(BenchError::OpenFileLimit)?;
    let needed = open_now() + u64::from(conns) + SPARE;
    match raise_to(needed, soft, hard) {
        Raise::Enough => Ok(()),
        // macOS refuses what is above its own bound even when the hard limit says "unlimited"; the crate knows it.
        Raise::To(limit) => match rlimit::increase_nofile_limit(limit) {
            Ok(reached) if reached >= needed => Ok(()),
            Ok(reached) => Err(BenchError::TooFewFiles { conns, needed, limit: reached }),
            Err(error) => Err(BenchError::OpenFileLimit(error)),
        },
        Raise::Beyond => Err(BenchError::TooFewFiles { conns, needed, limit: hard }),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Raise {
    Enough,
    To(u64),
    Beyond,
}

fn raise_to(needed: u64, soft: u64, hard: u64) -> Raise {
    match (needed <= soft, needed <= hard) {
        (true, _) => Raise::Enough,
        (false, true) => Raise::To(needed),
        (false, false) => Raise::Beyond,
    }
}

/// Files open in this process; the three standard ones where the system doesn't list them.
fn open_now() -> u64 {
    std::fs::read_dir("/dev/fd").map_or(3, |files| files.count() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raised_only_as_needed_and_never_beyond_the_hard_limit() {
        assert_eq!(raise_to(100, 1_024, 4_096), Raise::Enough);
        assert_eq!(raise_to(1_100, 1_024, 4_096), Raise::To(1_100));
        assert_eq!(raise_to(5_000, 1_024, 4_096), Raise::Beyond);
    }

    #[test]
    fn this_process_has_open_files() {
        assert!(open_now() >= 3);
    }
}

//! Members that a lab left behind. On Linux the kernel sees to it that there are none, elsewhere the
//! supervisor does; this is for the day when one of them did not, and touches only what bears the lab's id.

use crate::Node;
use crate::runtime::LAB_ID;

/// Ends those of the nodes' processes that still run and have `lab_id` in their environment; returns how many
/// that were. Where the environment of a process can't be read (outside Linux), none is touched.
pub fn end_leftovers(nodes: &[Node], lab_id: &str) -> usize {
    let mark = format!("{LAB_ID}={lab_id}");
    let ours = |pid: u32| {
        std::fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|environment| environment.split(|byte| *byte == 0).any(|line| line == mark.as_bytes()))
    };
    nodes
        .iter()
        .filter_map(|node| node.pid)
        .filter(|pid| ours(*pid))
        .filter_map(|pid| rustix::process::Pid::from_raw(i32::try_from(pid).ok()?))
        .filter(|pid| rustix::process::kill_process(*pid, rustix::process::Signal::KILL).is_ok())
        .count()
}

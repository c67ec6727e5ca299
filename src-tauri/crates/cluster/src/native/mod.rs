//! Members as child processes of the lab. The only place that starts such a process; none outlives the
//! program, however it ends (see [`process`](self::process)).

mod arguments;
mod binaries;
mod data_ports;
mod leftovers;
mod process;
mod runtime;
mod supervise;

pub use crate::ports::{PortChoice, ports_taken};
pub use binaries::{Binaries, Program, Target};
pub use leftovers::end_leftovers;
pub use process::Launch;
pub use runtime::{NativeConfig, NativeRuntime};
pub use supervise::{SUPERVISE_ARGUMENT, run_if_supervisor};

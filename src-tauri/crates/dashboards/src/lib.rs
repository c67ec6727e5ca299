//! Grafana dashboards without Grafana: reads their JSON, asks their queries of a store, and hands out lines with
//! names and units. The files in `grafana/dashboards` are the only place where the lab's panels are written, so
//! that the window and Grafana show the same.
//!
//! Refuses to know how lines are drawn, where samples come from, and what the metrics mean.

mod builtin;
mod evaluate;
mod grafana;
mod legend;
mod lint;
mod model;
mod read;
mod reads;
mod unit;
mod variables;

pub use builtin::{BUILTIN_FILES, builtin};
pub use evaluate::{Frames, Line, PanelQueries, TargetError, TargetProblem, Window, evaluate};
pub use legend::{AUTO_LEGEND, distinguish, legend};
pub use lint::{Finding, lint};
pub use model::{
    Dashboard, GridPos, Mapping, Panel, PanelKind, Reduce, Row, Target, Threshold, Variable, VariableKind,
};
pub use read::{ReadError, read};
pub use reads::{LOOKBACK_MS, Reads, reads};
pub use unit::{Unit, format_value};
pub use variables::{Scope, substitute};

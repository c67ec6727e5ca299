//! What is drawn: evaluated panels and diagrams, ready for a chart. Times are seconds, as uPlot wants them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{PanelRef, Problem};

/// One line of a chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct SeriesFrame {
    /// As the panel's legend names it.
    pub name: String,
    /// The member it is of, which gives it its colour.
    pub member: Option<String>,
    /// All labels.
    pub labels: BTreeMap<String, String>,
    /// Index of the target (query) it came from.
    pub target: u32,
    /// One a time of the frame; a gap is `null`. Infinite values and NaN are gaps too.
    pub values: Vec<Option<f64>>,
}

/// One panel, evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct PanelFrame {
    /// Which.
    pub panel: PanelRef,
    /// Its lines, those of one member in the same place each time.
    pub series: Vec<SeriesFrame>,
    /// Why there is nothing, if the query failed.
    pub problem: Option<Problem>,
}

/// The value of one arrow at one member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct ArrowValue {
    /// Member.
    pub member: String,
    /// Now, in the unit of the arrow's metric; `null` when there is none.
    pub value: Option<f64>,
    /// The last minute, a value a second, oldest first.
    pub recent: Vec<Option<f64>>,
}

/// The measured values of one arrow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct ArrowFrame {
    /// Step's number in the diagram, from 1.
    pub step: u32,
    /// One a member that has the metric.
    pub values: Vec<ArrowValue>,
}

/// The measured values of one diagram; arrows without a metric are not in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct DiagramFrame {
    /// Diagram's id.
    pub diagram: String,
    /// One a step that has a metric.
    pub arrows: Vec<ArrowFrame>,
}

/// Everything a listener watches, at one time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct Frame {
    /// Time of the scrape round it speaks of, seconds since the Unix epoch.
    pub at_s: f64,
    /// Seconds since the Unix epoch, the same for all panels.
    pub times: Vec<f64>,
    /// Panels.
    pub panels: Vec<PanelFrame>,
    /// Diagrams.
    pub diagrams: Vec<DiagramFrame>,
}

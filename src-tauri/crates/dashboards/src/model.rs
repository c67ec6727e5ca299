//! What a dashboard is, once read: rows of panels, each with queries, a unit and a place.

use crate::legend;
use crate::unit::{Unit, format_value};

/// A dashboard.
#[derive(Clone, Debug, PartialEq)]
pub struct Dashboard {
    /// Grafana's uid, which links rely on; may be empty in a person's own file.
    pub uid: String,
    /// Title.
    pub title: String,
    /// What it is for; may be empty.
    pub description: String,
    /// How often Grafana asks anew, as written (`5s`).
    pub refresh: Option<String>,
    /// Start of the default range, as written (`now-15m`).
    pub from: String,
    /// Its variables, in order.
    pub variables: Vec<Variable>,
    /// Its rows, in reading order.
    pub rows: Vec<Row>,
}

impl Dashboard {
    /// All panels in reading order.
    pub fn panels(&self) -> impl Iterator<Item = &Panel> {
        self.rows.iter().flat_map(|row| &row.panels)
    }
}

/// Panels under one heading.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Heading; empty for panels before the first heading.
    pub title: String,
    /// Panels in reading order.
    pub panels: Vec<Panel>,
}

/// How a panel shows its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PanelKind {
    /// Lines over time.
    TimeSeries,
    /// One big value a series.
    Stat,
    /// Anything else, under Grafana's name for it. It is kept so that a person can be told what is missing.
    Unsupported(String),
}

/// Where a panel stands on Grafana's grid of 24 columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GridPos {
    /// Column of the left edge, from 0.
    pub x: u32,
    /// Grid row of the upper edge, from 0.
    pub y: u32,
    /// Columns.
    pub w: u32,
    /// Grid rows.
    pub h: u32,
}

/// A panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Id in the dashboard; 0 when the file gives none.
    pub id: u32,
    /// Title.
    pub title: String,
    /// What it shows and what is normal; may be empty.
    pub description: String,
    /// How it shows it.
    pub kind: PanelKind,
    /// Its place.
    pub grid: GridPos,
    /// Unit of its values.
    pub unit: Unit,
    /// Lower end of the axis, if fixed.
    pub min: Option<f64>,
    /// Upper end of the axis, if fixed.
    pub max: Option<f64>,
    /// Digits after the point, if fixed.
    pub decimals: Option<u8>,
    /// Where values change colour, ascending; the first has no value and is the base.
    pub thresholds: Vec<Threshold>,
    /// Whether thresholds are drawn as lines.
    pub threshold_lines: bool,
    /// Texts that replace values.
    pub mappings: Vec<Mapping>,
    /// How a stat makes one value of a series.
    pub reduce: Reduce,
    /// Its queries, hidden ones included.
    pub targets: Vec<Target>,
}

impl Panel {
    /// `value` as a person reads it: its mapping's text if it has one, else digits and unit.
    pub fn text(&self, value: f64) -> String {
        match self.mappings.iter().find(|mapping| mapping.value == value) {
            Some(mapping) => mapping.text.clone(),
            None => format_value(&self.unit, value, self.decimals),
        }
    }
}

/// A value from which on another colour applies.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// From here on; `None` is the base.
    pub value: Option<f64>,
    /// Colour as Grafana writes it: a name of its palette or `#rrggbb`.
    pub color: String,
}

/// A text that stands for a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    /// The value.
    pub value: f64,
    /// The text.
    pub text: String,
    /// Colour as Grafana writes it.
    pub color: Option<String>,
}

/// How a series becomes one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reduce {
    /// The last value that is there; also what any calculation unknown here becomes.
    #[default]
    LastNotNull,
    /// The value of the last time, if it is there.
    Last,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// The mean.
    Mean,
    /// The sum.
    Sum,
}

impl Reduce {
    /// One value of `values`, gaps left out; `None` when nothing is left.
    pub fn apply(self, values: &[Option<f64>]) -> Option<f64> {
        let present = || values.iter().flatten().copied();
        match self {
            Self::LastNotNull => present().next_back(),
            Self::Last => values.last().copied().flatten(),
            Self::Min => present().reduce(f64::min),
            Self::Max => present().reduce(f64::max),
            Self::Mean => present().next().map(|_| present().sum::<f64>() / present().count() as f64),
            Self::Sum => present().next().map(|_| present().sum()),
        }
    }
}

/// One query of a panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its letter.
    pub ref_id: String,
    /// PromQL as written, variables included.
    pub expr: String,
    /// Legend template as written; see [`legend::legend`].
    pub legend_format: String,
    /// Whether it is left out.
    pub hidden: bool,
    /// Whether it asks for one time only.
    pub instant: bool,
}

impl Target {
    /// The name of a series of this target among no others.
    pub fn legend(&self, labels: &lab_metrics::Labels) -> String {
        legend::legend(&self.legend_format, labels, &self.expr)
    }
}

/// What kind of variable it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableKind {
    /// Chooses a data source; its text is the plugin's id, such as `prometheus`.
    DataSource(String),
    /// A duration.
    Interval,
    /// Anything else that has a value: custom, constant, text box, query.
    Other,
}

/// A dashboard's variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Name, without `$`.
    pub name: String,
    /// Kind.
    pub kind: VariableKind,
    /// Whether more than one value can be chosen, which makes it a regular expression in queries.
    pub multi: bool,
    /// What "All" stands for, if written.
    pub all_value: Option<String>,
    /// Chosen values.
    pub values: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_reduced_without_its_gaps() {
        let values = [Some(3.0), None, Some(1.0), Some(2.0), None];
        let cases = [
            (Reduce::LastNotNull, Some(2.0)),
            (Reduce::Last, None),
            (Reduce::Min, Some(1.0)),
            (Reduce::Max, Some(3.0)),
            (Reduce::Mean, Some(2.0)),
            (Reduce::Sum, Some(6.0)),
        ];
        for (reduce, expected) in cases {
            assert_eq!(reduce.apply(&values), expected, "{reduce:?}");
            assert_eq!(reduce.apply(&[None]), None, "{reduce:?}");
        }
    }
}

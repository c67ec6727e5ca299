//! Release lines of etcd that the lab runs. What differs between them is written once for each: where in the source an
//! arrow is, what a metric is called, what a scenario says.

/// A release line of etcd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReleaseLine {
    /// 3.5.
    V3_5,
    /// 3.7.
    V3_7,
}

impl ReleaseLine {
    /// Both, oldest first.
    pub const ALL: [Self; 2] = [Self::V3_5, Self::V3_7];

    /// As it is written: `3.5`.
    pub fn name(self) -> &'static str {
        match self {
            Self::V3_5 => "3.5",
            Self::V3_7 => "3.7",
        }
    }

    /// The line of a version such as `3.5.9`. What is newer than 3.5 counts to the newer line.
    pub fn of_version(version: &str) -> Self {
        match version.strip_prefix("3.5") {
            Some(rest) if rest.is_empty() || rest.starts_with(['.', '-', '+']) => Self::V3_5,
            _ => Self::V3_7,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_belongs_to_a_line() {
        for (version, line) in [("3.5.9", "3.5"), ("3.5", "3.5"), ("3.7.3", "3.7"), ("3.50.0", "3.7")] {
            assert_eq!(ReleaseLine::of_version(version).name(), line, "{version}");
        }
    }
}

//! Sums, means, variances and quantiles, each in the order of operations that Prometheus uses: answers are compared
//! with its to nine digits, also where values cancel.

use std::cmp::Ordering;

/// A sum that carries the rounding error along (Kahan, with Neumaier's improvement).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KahanSum {
    sum: f64,
    compensation: f64,
}

impl KahanSum {
    pub fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        // An infinite sum has no error to speak of, only a NaN.
        if sum.is_infinite() {
            self.compensation = 0.0;
        } else if self.sum.abs() >= value.abs() {
            self.compensation += (self.sum - sum) + value;
        } else {
            self.compensation += (value - sum) + self.sum;
        }
        self.sum = sum;
    }

    pub fn total(self) -> f64 {
        if self.sum.is_infinite() { self.sum } else { self.sum + self.compensation }
    }

    fn scaled(self, factor: f64) -> Self {
        Self { sum: self.sum * factor, compensation: self.compensation * factor }
    }
}

/// The mean as Prometheus 3 takes it: of the sum, as long as that does not overflow.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mean {
    count: f64,
    sum: KahanSum,
    /// Whether `sum` has become the mean itself.
    incremental: bool,
}

impl Mean {
    pub fn of(values: impl Iterator<Item = f64>) -> f64 {
        let mut mean = Self::default();
        values.for_each(|value| mean.add(value));
        mean.value()
    }

    pub fn add(&mut self, value: f64) {
        self.count += 1.0;
        if !self.incremental {
            let mut sum = self.sum;
            sum.add(value);
            if self.count == 1.0 || !sum.sum.is_infinite() {
                self.sum = sum;
                return;
            }
            self.incremental = true;
            self.sum = self.sum.scaled(1.0 / (self.count - 1.0));
        }
        let weight = (self.count - 1.0) / self.count;
        self.sum = self.sum.scaled(weight);
        self.sum.add(value / self.count);
    }

    pub fn value(self) -> f64 {
        if self.incremental {
            self.sum.sum + self.sum.compensation
        } else {
            self.sum.sum / self.count + self.sum.compensation / self.count
        }
    }
}

/// The mean as `avg_over_time` of Prometheus 2.42 takes it: adjusted by each value, with compensation.
pub(crate) struct RunningMean;

impl RunningMean {
    pub fn of(values: impl Iterator<Item = f64>) -> f64 {
        let (mut mean, mut count) = (KahanSum::default(), 0.0);
        for value in values {
            count += 1.0;
            let same_infinity = value.is_infinite() && (mean.sum > 0.0) == (value > 0.0);
            if mean.sum.is_infinite() && (same_infinity || value.is_finite()) {
                continue;
            }
            mean.add(value / count - mean.sum / count);
        }
        mean.total()
    }
}

/// The population variance by Welford's recurrence, with compensation.
pub(crate) struct Variance;

impl Variance {
    pub fn of(values: impl Iterator<Item = f64>) -> f64 {
        let (mut count, mut mean, mut squares) = (0.0, KahanSum::default(), KahanSum::default());
        for value in values {
            count += 1.0;
            let delta = value - (mean.sum + mean.compensation);
            mean.add(delta / count);
            squares.add(delta * (value - (mean.sum + mean.compensation)));
        }
        (squares.sum + squares.compensation) / count
    }
}

/// The `q`-quantile of `values`, which get sorted; between two of them, by their weighted mean. NaN comes first.
pub(crate) fn quantile(q: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    values.sort_unstable_by(|a, b| {
        a.partial_cmp(b).unwrap_or_else(|| match (a.is_nan(), b.is_nan()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            _ => Ordering::Greater,
        })
    });
    let last = values.len() - 1;
    let rank = q * last as f64;
    let lower = (rank.floor() as usize).min(last);
    let upper = (lower + 1).min(last);
    let weight = rank - rank.floor();
    values[lower] * (1.0 - weight) + values[upper] * weight
}

/// Least squares through points of seconds and values: slope, and value at the time that counts as zero.
pub(crate) fn linear_regression(points: impl Iterator<Item = (f64, f64)> + Clone) -> (f64, f64) {
    let Some((_, first_y)) = points.clone().next() else { return (f64::NAN, f64::NAN) };
    if points.clone().all(|(_, y)| y == first_y) {
        return if first_y.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, first_y) };
    }
    let (mut n, mut sum_x, mut sum_y) = (0.0, KahanSum::default(), KahanSum::default());
    let (mut sum_xy, mut sum_xx) = (KahanSum::default(), KahanSum::default());
    for (x, y) in points {
        n += 1.0;
        sum_x.add(x);
        sum_y.add(y);
        sum_xy.add(x * y);
        sum_xx.add(x * x);
    }
    let plain = |sum: KahanSum| sum.sum + sum.compensation;
    let (sum_x, sum_y, sum_xy, sum_xx) = (plain(sum_x), plain(sum_y), plain(sum_xy), plain(sum_xx));
    let covariance = sum_xy - sum_x * sum_y / n;
    let variance = sum_xx - sum_x * sum_x / n;
    let slope = covariance / variance;
    (slope, sum_y / n - slope * sum_x / n)
}

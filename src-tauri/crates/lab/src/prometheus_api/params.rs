//! Parameters: from the query string and, in a POST, from the form, whose word counts more. Times and durations
//! as Prometheus reads them.

use std::time::Duration;

use axum::extract::{Form, FromRequest, Query, Request};
use axum::http::{Method, header};
use lab_metrics::Matcher;

use super::reply::ApiError;
use super::selector;

/// Times further from the epoch than this are refused; some 285,000 years, and sums of a few stay in bounds.
const MAX_MS: i64 = 1 << 53;

/// A request's parameters; a name may occur more than once.
#[derive(Debug, Default)]
pub(super) struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequest<S> for Params {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bad =
            |error: &dyn std::fmt::Display| ApiError::bad_data(format!("error parsing form values: {error}"));
        let Query(in_url) =
            Query::<Vec<(String, String)>>::try_from_uri(request.uri()).map_err(|error| bad(&error))?;
        let form = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let form = form.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let mut pairs = Vec::new();
        if request.method() == Method::POST && form {
            let Form(in_body) = Form::from_request(request, state).await.map_err(|error| bad(&error))?;
            pairs = in_body;
        }
        pairs.extend(in_url);
        Ok(Self(pairs))
    }
}

impl Params {
    /// The first value of `name`; an empty one counts as none, as in Prometheus.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .filter(|v| !v.is_empty())
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The query text; an absent one is empty, and its parser says so.
    pub fn query(&self) -> &str {
        self.get("query").unwrap_or_default()
    }

    /// A time in milliseconds since the Unix epoch.
    pub fn time_ms(&self, name: &str) -> Result<Option<i64>, ApiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let time = parse_time_ms(text).ok_or_else(|| {
            ApiError::bad_parameter(name, format_args!("cannot parse {text:?} to a valid timestamp"))
        })?;
        Ok(Some(time))
    }

    /// A time that must be there.
    pub fn required_time_ms(&self, name: &str) -> Result<i64, ApiError> {
        self.time_ms(name)?
            .ok_or_else(|| ApiError::bad_parameter(name, "cannot parse \"\" to a valid timestamp"))
    }

    /// A duration in milliseconds, possibly not above zero.
    pub fn duration_ms(&self, name: &str) -> Result<Option<i64>, ApiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let duration = parse_duration_ms(text).ok_or_else(|| {
            ApiError::bad_parameter(name, format_args!("cannot parse {text:?} to a valid duration"))
        })?;
        Ok(Some(duration))
    }

    /// A step that must be there.
    pub fn step_ms(&self) -> Result<i64, ApiError> {
        self.duration_ms("step")?
            .ok_or_else(|| ApiError::bad_parameter("step", "cannot parse \"\" to a valid duration"))
    }

    /// The smaller of `limit` and what `timeout` asks for.
    pub fn timeout(&self, limit: Duration) -> Result<Duration, ApiError> {
        let asked = self.duration_ms("timeout")?;
        Ok(asked.map_or(limit, |ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0)).min(limit)))
    }

    /// A number of entries at most; 0 and none mean no limit.
    pub fn limit(&self, name: &str) -> Result<usize, ApiError> {
        let Some(text) = self.get(name) else { return Ok(usize::MAX) };
        match text.parse::<i64>() {
            Ok(limit) if limit > 0 => Ok(usize::try_from(limit).unwrap_or(usize::MAX)),
            Ok(_) => Ok(usize::MAX),
            Err(_) => Err(ApiError::bad_parameter(name, "not a number")),
        }
    }

    /// The series selectors given as `match[]`; a series is meant when it meets any of them.
    pub fn matchers(&self) -> Result<Vec<Vec<Matcher>>, ApiError> {
        self.all("match[]").map(selector::parse).collect()
    }

    /// `start` and `end`; without them, everything.
    pub fn range_ms(&self) -> Result<(i64, i64), ApiError> {
        let start_ms = self.time_ms("start")?.unwrap_or(-MAX_MS);
        let end_ms = self.time_ms("end")?.unwrap_or(MAX_MS);
        if end_ms < start_ms {
            return Err(ApiError::bad_parameter("end", "end timestamp must not be before start timestamp"));
        }
        Ok((start_ms, end_ms))
    }
}

/// Seconds since the Unix epoch with a fraction, or RFC 3339.
fn parse_time_ms(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return millis(seconds);
    }
    let time_ms = text.parse::<jiff::Timestamp>().ok()?.as_millisecond();
    (time_ms.abs() <= MAX_MS).then_some(time_ms)
}

/// Seconds with a fraction, or PromQL's notation (`1h30m`).
fn parse_duration_ms(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return millis(seconds);
    }
    let duration = promql_parser::util::parse_duration(text).ok()?;
    i64::try_from(duration.as_millis()).ok().filter(|ms| *ms <= MAX_MS)
}

fn millis(seconds: f64) -> Option<i64> {
    let ms = (seconds * 1000.0).round();
    (ms.abs() <= MAX_MS as f64).then_some(ms as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let table = [
            ("1700000000", Some(1_700_000_000_000)),
            ("1700000000.123", Some(1_700_000_000_123)),
            ("-1.5", Some(-1500)),
            ("1e3", Some(1_000_000)),
            ("2023-11-14T22:13:20Z", Some(1_700_000_000_000)),
            ("2023-11-14T23:13:20.123456+01:00", Some(1_700_000_000_123)),
            ("2023-11-14", None),
            ("now", None),
            ("NaN", None),
            ("inf", None),
            ("1e300", None),
        ];
        for (text, expected) in table {
            assert_eq!(parse_time_ms(text), expected, "{text}");
        }
    }

    #[test]
    fn durations() {
        let table = [
            ("15", Some(15_000)),
            ("0.25", Some(250)),
            ("0", Some(0)),
            ("-1", Some(-1000)),
            ("1h30m", Some(5_400_000)),
            ("250ms", Some(250)),
            ("1m1h", None),
            ("m", None),
            ("NaN", None),
            ("1e300", None),
            ("-inf", None),
        ];
        for (text, expected) in table {
            assert_eq!(parse_duration_ms(text), expected, "{text}");
        }
    }
}

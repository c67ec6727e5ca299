//! Times as JSON has them: milliseconds, with a fraction where there is one.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub(super) fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    // From whole nanoseconds, so that 57 ms are 57 and not 57.00000000000001.
    (time.as_nanos() as f64 / 1e6).serialize(to)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let ms = f64::deserialize(from)?;
    Duration::try_from_secs_f64(ms / 1e3)
        .map_err(|_| de::Error::custom(format!("{ms:e} is no number of milliseconds that can pass")))
}

/// The same for a time that may be absent.
pub(super) mod maybe {
    use super::{Deserialize, Deserializer, Duration, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Millis(#[serde(with = "super")] Duration);

    pub(in crate::link) fn serialize<S: Serializer>(
        time: &Option<Duration>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(Millis).serialize(to)
    }

    pub(in crate::link) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<Millis>::deserialize(from)?.map(|millis| millis.0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Shape;
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_looks_like_what_was_meant() {
        for (nanos, ms) in [
            (0, "0.0"),
            (57_000_000, "57.0"),
            (1_500_000, "1.5"),
            (1, "1e-6"),
            (60_000_000_001, "60000.000001"),
        ] {
            let shape = Shape { delay: Duration::from_nanos(nanos), ..Shape::default() };
            let json = serde_json::to_string(&shape).unwrap();
            assert!(json.starts_with(&format!("{{\"delayMs\":{ms},")), "{json}");
            assert_eq!(serde_json::from_str::<Shape>(&json).unwrap(), shape);
        }
    }

    #[test]
    fn no_time_is_read_that_can_not_pass() {
        for (ms, said) in [("-1", "-1e0"), ("1e300", "1e300")] {
            let error =
                serde_json::from_str::<Shape>(&format!("{{\"jitterMs\":{ms}}}")).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{said} is no number of milliseconds")), "{error}");
        }
    }
}

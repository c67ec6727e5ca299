//! A load as the lab's language says it, as the load generator wants it.

use std::time::Duration;

use lab_bench::{BenchSpec, Compact, Consistency, Put, Range};

use crate::api::{LoadSpec, Workload};

/// `spec` on the members at `endpoints` (`host:port`).
pub fn bench_spec(spec: &LoadSpec, endpoints: Vec<String>) -> BenchSpec {
    let workload = match &spec.workload {
        Workload::Put {
            key_size,
            val_size,
            key_space_size,
            sequential_keys,
            compact_interval_s,
            compact_index_delta,
        } => lab_bench::Workload::Put(Put {
            key_size: *key_size,
            val_size: *val_size,
            key_space_size: *key_space_size,
            sequential_keys: *sequential_keys,
            compact: compact_interval_s.map(|seconds| Compact {
                interval: Duration::from_secs(seconds.into()),
                index_delta: *compact_index_delta,
            }),
        }),
        Workload::Range { key, range_end, serializable } => lab_bench::Workload::Range(Range {
            key: key.clone(),
            range_end: range_end.clone(),
            consistency: if *serializable { Consistency::Serializable } else { Consistency::Linearizable },
        }),
    };
    BenchSpec {
        conns: spec.conns,
        clients: spec.clients,
        total: Some(spec.total),
        rate: spec.rate,
        ..BenchSpec::new(endpoints, workload)
    }
}

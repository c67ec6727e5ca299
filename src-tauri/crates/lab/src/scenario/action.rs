//! Actions: from the file to the model.

use lab_bench::{Compact, Put};
use lab_faults::{Shape, Term};
use serde_saphyr::Spanned;

use super::model::{Action, Measure, Remember};
use super::raw::{ActionFile, LinkFile, LoadFile, LoadKind, Text};
use super::scope::Scope;
use super::{bound, condition, names};
use crate::api::{LinkShape, LoadSpec, TopologyName, Workload};
use crate::bench_spec::bench_spec;

/// Reads actions in the order in which they are carried out; those that can't be read are left out.
pub fn actions(scope: &mut Scope<'_>, raw: &[Spanned<ActionFile>]) -> Vec<Action> {
    raw.iter().filter_map(|one| action(scope, one)).collect()
}

fn action(scope: &mut Scope<'_>, raw: &Spanned<ActionFile>) -> Option<Action> {
    let line = raw.referenced.line();
    Some(match &raw.value {
        ActionFile::Load(load) => {
            let spec = load_spec(scope, load);
            scope.loads.insert(load.name.value.clone());
            Action::Load { name: load.name.value.clone(), spec }
        }
        ActionFile::StopLoad(name) => {
            scope.check_load(name);
            Action::StopLoad(name.value.clone())
        }
        ActionFile::WaitLoad(wait) => {
            scope.check_load(&wait.name);
            Action::WaitLoad { name: wait.name.value.clone(), within_s: wait.within }
        }
        ActionFile::Failpoint(failpoint) => {
            check_term(scope, &failpoint.term);
            let members = scope.whom(line, &failpoint.members);
            scope.failpoints.insert(failpoint.name.value.clone());
            Action::Failpoint {
                members,
                name: failpoint.name.value.clone(),
                term: failpoint.term.value.clone(),
            }
        }
        ActionFile::ClearFailpoint(failpoint) => Action::ClearFailpoint {
            members: scope.whom(line, &failpoint.members),
            name: failpoint.name.clone(),
        },
        ActionFile::Link(link) => {
            let shape = link_shape(scope, raw, link);
            let (from, to) = (scope.whom(line, &link.from), scope.whom(line, &link.to));
            Action::Link { from, to, both: link.both, shape: shape? }
        }
        ActionFile::HealLinks(_) => Action::HealLinks,
        ActionFile::Compact(_) => Action::Compact,
        ActionFile::Delete(delete) => Action::Delete { prefix: delete.prefix.clone() },
        ActionFile::Defragment(defragment) => Action::Defragment {
            members: scope.whom(line, &defragment.members),
            background: defragment.background,
        },
        ActionFile::Disarm(_) => Action::Disarm,
        ActionFile::Until(check) => Action::Until(condition::check(scope, check)),
        ActionFile::Remember(remember) => {
            if remember.over == 0 {
                scope.mistakes.add(&remember.name, "the mean is taken over 1 second at least");
            }
            let measure = condition::measure(scope, raw, remember.measure());
            let remembered = remembered(scope, &remember.name, measure, remember.unit.as_ref(), raw);
            Action::Remember { remember: remembered?, over_s: remember.over }
        }
    })
}

/// The term parses once its names are filled in, with something that could be one.
fn check_term(scope: &mut Scope<'_>, term: &Text) {
    scope.check_names(term);
    let filled = names::replace(&term.value, |_| "1");
    if let Err(error) = filled.parse::<Term>() {
        scope.mistakes.add(term, format!("the term is not understood: {error}"));
    }
}

/// A value that is kept under a name, from here on.
pub fn remembered<T>(
    scope: &mut Scope<'_>,
    name: &Text,
    measure: Option<Measure>,
    unit: Option<&Text>,
    at: &Spanned<T>,
) -> Option<Remember> {
    let unit = measure.as_ref().and_then(|measure| condition::unit(scope, at, unit, measure));
    let name_of = &name.value;
    if scope.new_name(name, name_of) {
        if scope.roles.contains(name_of) {
            scope.mistakes.add(name, format!("@{name_of} is a role already"));
        }
        scope.remembered.insert(name_of.clone());
    }
    Some(Remember { name: name_of.clone(), measure: measure?, unit: unit? })
}

fn load_spec(scope: &mut Scope<'_>, raw: &LoadFile) -> LoadSpec {
    let (of_puts, of_ranges) = (
        [
            ("keySize", raw.key_size.is_some()),
            ("valSize", raw.val_size.is_some()),
            ("keySpaceSize", raw.key_space_size.is_some()),
            ("sequentialKeys", raw.sequential_keys.is_some()),
            ("compactIntervalS", raw.compact_interval_s.is_some()),
            ("compactIndexDelta", raw.compact_index_delta.is_some()),
        ],
        [
            ("key", raw.key.is_some()),
            ("rangeEnd", raw.range_end.is_some()),
            ("serializable", raw.serializable.is_some()),
        ],
    );
    let (foreign, kind): (&[(&str, bool)], &str) = match raw.kind.value {
        LoadKind::Put => (&of_ranges, "put"),
        LoadKind::Range => (&of_puts, "range"),
    };
    for (field, _) in foreign.iter().filter(|(_, given)| *given) {
        scope.mistakes.add(&raw.kind, format!("a load of kind {kind} has no {field}"));
    }
    let usual = Put::default();
    let workload = match raw.kind.value {
        LoadKind::Put => Workload::Put {
            key_size: raw.key_size.unwrap_or(usual.key_size),
            val_size: raw.val_size.unwrap_or(usual.val_size),
            key_space_size: raw.key_space_size.unwrap_or(usual.key_space_size),
            sequential_keys: raw.sequential_keys.unwrap_or(usual.sequential_keys),
            compact_interval_s: raw.compact_interval_s,
            compact_index_delta: raw.compact_index_delta.unwrap_or(Compact::DEFAULT_INDEX_DELTA),
        },
        LoadKind::Range => {
            if raw.key.is_none() {
                scope.mistakes.add(&raw.kind, "a load of kind range has a key");
            }
            Workload::Range {
                key: raw.key.clone().unwrap_or_default(),
                range_end: raw.range_end.clone(),
                serializable: raw.serializable.unwrap_or_default(),
            }
        }
    };
    let spec =
        LoadSpec { workload, clients: raw.clients, conns: raw.conns, total: raw.total, rate: raw.rate };
    // What the load generator would refuse while the scenario is played is refused here.
    let keyless = raw.kind.value == LoadKind::Range && raw.key.is_none();
    if let Err(error) = bench_spec(&spec, vec!["127.0.0.1:2379".into()]).validate()
        && !keyless
    {
        let field = camel_case(error.flag);
        scope.mistakes.add(&raw.kind, format!("{field}: {}", error.sentence));
    }
    spec
}

fn link_shape(scope: &mut Scope<'_>, at: &Spanned<ActionFile>, raw: &LinkFile) -> Option<LinkShape> {
    if scope.topology != TopologyName::EtcdBridge {
        scope.mistakes.add(at, "links can be shaped on the topology etcd-bridge only");
    }
    let bandwidth = raw.bandwidth.as_ref().map(|bandwidth| {
        bound::bytes(&bandwidth.value).map_err(|reason| scope.mistakes.add(bandwidth, reason)).ok()
    });
    let shape = LinkShape {
        delay_ms: raw.delay_ms,
        jitter_ms: raw.jitter_ms,
        bandwidth_bytes_s: match bandwidth {
            Some(read) => Some(read?),
            None => None,
        },
        cut: raw.cut,
    };
    // As with loads: what would be refused while the scenario is played.
    if let Err(error) = Shape::from(shape).check() {
        scope.mistakes.add(at, error.to_string());
    }
    Some(shape)
}

/// `--key-size` as it is written here: `keySize`.
fn camel_case(flag: &str) -> String {
    let mut words = flag.trim_start_matches('-').split('-');
    let first = words.next().unwrap_or_default().to_ascii_lowercase();
    words.fold(first, |so_far, word| {
        let (initial, rest) = word.split_at(1.min(word.len()));
        so_far + &initial.to_ascii_uppercase() + rest
    })
}

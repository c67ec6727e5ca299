//! From labels to series. For each label value there is a list of its series in order of labels, so that a
//! selection takes the shortest list that can hold all answers, filters it, and needs no sorting.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::series::Series;
use super::{ResolveError, SeriesId};
use crate::model::{Labels, MatchOp, Matcher};

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    series: Option<Series>,
}

/// Series by id, by labels, and by label value.
#[derive(Debug, Default)]
pub(super) struct Index {
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_labels: BTreeMap<Labels, u32>,
    by_value: HashMap<Arc<str>, BTreeMap<Arc<str>, Vec<u32>>>,
}

impl Index {
    pub fn len(&self) -> usize {
        self.by_labels.len()
    }

    pub fn find(&self, labels: &Labels) -> Option<SeriesId> {
        let slot = *self.by_labels.get(labels)?;
        Some(SeriesId { slot, generation: self.slots.get(slot as usize)?.generation })
    }

    pub fn get_mut(&mut self, id: SeriesId) -> Option<&mut Series> {
        let slot = self.slots.get_mut(id.slot as usize)?;
        if slot.generation == id.generation { slot.series.as_mut() } else { None }
    }

    /// The series with these labels, made where there is none.
    pub fn resolve(&mut self, labels: &Labels, limit: usize) -> Result<SeriesId, ResolveError> {
        if let Some(id) = self.find(labels) {
            return Ok(id);
        }
        if labels.is_empty() {
            return Err(ResolveError::NoLabels);
        }
        if self.len() >= limit.min(u32::MAX as usize) {
            return Err(ResolveError::TooManySeries { limit });
        }
        let labels = self.interned(labels);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            (self.slots.len() - 1) as u32
        });
        for (name, value) in labels.shared() {
            let list = self.by_value.entry(name.clone()).or_default().entry(value.clone()).or_default();
            let at = position(&self.slots, list, &labels);
            list.insert(at, slot);
        }
        self.by_labels.insert(labels.clone(), slot);
        let entry = &mut self.slots[slot as usize];
        entry.series = Some(Series::new(labels));
        Ok(SeriesId { slot, generation: entry.generation })
    }

    /// Asks every series whether it is over, and forgets those that are.
    pub fn remove_where(&mut self, mut is_over: impl FnMut(&mut Series) -> bool) {
        for slot in 0..self.slots.len() {
            if self.slots[slot].series.as_mut().is_some_and(&mut is_over) {
                self.remove(slot as u32);
            }
        }
    }

    fn remove(&mut self, slot: u32) {
        let Some(labels) = self.slots[slot as usize].series.as_ref().map(|series| series.labels.clone())
        else {
            return;
        };
        for (name, value) in labels.shared() {
            let Some(values) = self.by_value.get_mut(name) else { continue };
            if let Some(list) = values.get_mut(value) {
                let at = position(&self.slots, list, &labels);
                if list.get(at) == Some(&slot) {
                    list.remove(at);
                }
                if list.is_empty() {
                    values.remove(value);
                }
            }
            if values.is_empty() {
                self.by_value.remove(name);
            }
        }
        self.by_labels.remove(&labels);
        let entry = &mut self.slots[slot as usize];
        entry.series = None;
        // A slot whose generations are used up is left empty: an id must never mean two series.
        if let Some(next) = entry.generation.checked_add(1) {
            entry.generation = next;
            self.free.push(slot);
        }
    }

    /// Every series, in order of labels.
    pub fn all(&self) -> impl Iterator<Item = &Series> {
        self.by_labels.values().filter_map(|slot| self.series(*slot))
    }

    /// The series that meet all `matchers`, in order of labels.
    pub fn select(&self, matchers: &[Matcher]) -> Vec<&Series> {
        let meets = |series: &&Series| matchers.iter().all(|m| m.matches(series.labels.get(&m.name)));
        let equal = matchers.iter().filter(|m| matches!(m.op, MatchOp::Equal) && !m.value.is_empty());
        let lists = equal.map(|m| self.by_value.get(m.name.as_str())?.get(m.value.as_str()));
        let shortest = lists.min_by_key(|list| list.map_or(0, Vec::len));
        if let Some(shortest) = shortest {
            return shortest
                .into_iter()
                .flatten()
                .filter_map(|slot| self.series(*slot))
                .filter(meets)
                .collect();
        }
        // A condition that an absent label doesn't meet: the series of all values that meet it.
        if let Some(matcher) = matchers.iter().find(|m| !m.matches("")) {
            let values = self.by_value.get(matcher.name.as_str()).into_iter().flatten();
            let slots = values.filter(|(value, _)| matcher.matches(value)).flat_map(|(_, list)| list);
            let mut found: Vec<_> = slots.filter_map(|slot| self.series(*slot)).filter(meets).collect();
            found.sort_by(|a, b| a.labels.cmp(&b.labels));
            return found;
        }
        self.all().filter(meets).collect()
    }

    /// Bytes of labels and lists, estimated from their sizes.
    pub fn label_bytes(&self) -> usize {
        const PAIR: usize = 2 * size_of::<Arc<str>>();
        const COUNTERS: usize = 2 * size_of::<usize>();
        let series: usize = self.all().map(|series| 2 * COUNTERS + series.labels.len() * PAIR).sum();
        let values: usize = self
            .by_value
            .values()
            .flatten()
            .map(|(value, list)| {
                PAIR + COUNTERS + value.len() + size_of::<Vec<u32>>() + list.capacity() * size_of::<u32>()
            })
            .sum();
        let names: usize = self.by_value.keys().map(|name| PAIR + COUNTERS + name.len()).sum();
        series + values + names + self.slots.capacity() * size_of::<u32>()
    }

    fn series(&self, slot: u32) -> Option<&Series> {
        self.slots.get(slot as usize)?.series.as_ref()
    }

    /// The same labels, their names and values shared with those of other series.
    fn interned(&self, labels: &Labels) -> Labels {
        labels.map_shared(|name, value| match self.by_value.get_key_value(name) {
            Some((name, values)) => {
                let value = values.get_key_value(value).map_or(value, |(value, _)| value);
                (name.clone(), value.clone())
            }
            None => (name.clone(), value.clone()),
        })
    }
}

/// Where `labels` stand, or would stand, in a list.
fn position(slots: &[Slot], list: &[u32], labels: &Labels) -> usize {
    list.partition_point(|slot| {
        slots
            .get(*slot as usize)
            .and_then(|slot| slot.series.as_ref())
            .is_some_and(|series| series.labels < *labels)
    })
}

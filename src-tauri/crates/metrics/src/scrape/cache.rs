//! What a target exposed before, by the text it exposed it with. A steady target repeats its series in the same
//! order, so most look-ups are one comparison with the series that came next last time.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::Labels;
use crate::store::SeriesId;

/// A series that a target has exposed.
#[derive(Debug)]
pub(super) struct Entry {
    text: Arc<str>,
    pub labels: Labels,
    /// None until the series is in the store.
    pub id: Option<SeriesId>,
    /// Whether its newest sample still counts, so that it needs a staleness marker when the series goes.
    pub live: bool,
    /// Last scrape that exposed it.
    seen: u64,
}

/// Position of an [`Entry`] in its [`SeriesCache`].
pub(super) type EntryAt = usize;

#[derive(Debug, Default)]
pub(super) struct SeriesCache {
    entries: Vec<Option<Entry>>,
    free: Vec<EntryAt>,
    by_text: HashMap<Arc<str>, EntryAt>,
    /// Entries in the order of the scrape before, and of this one so far.
    previous: Vec<EntryAt>,
    current: Vec<EntryAt>,
    scrape: u64,
}

impl SeriesCache {
    /// Begins the next scrape.
    pub fn begin(&mut self) {
        self.scrape += 1;
        self.current.clear();
    }

    /// The entry for `text`, which `labels` makes where the text is new.
    pub fn look_up<E>(
        &mut self,
        text: &str,
        labels: impl FnOnce() -> Result<Labels, E>,
    ) -> Result<EntryAt, E> {
        let expected = self.previous.get(self.current.len()).copied();
        let expected = expected.filter(|at| self.get(*at).is_some_and(|entry| *entry.text == *text));
        let at = match expected.or_else(|| self.by_text.get(text).copied()) {
            Some(at) => at,
            None => self.insert(text, labels()?),
        };
        self.current.push(at);
        let scrape = self.scrape;
        if let Some(entry) = self.get_mut(at) {
            entry.seen = scrape;
        }
        Ok(at)
    }

    pub fn get(&self, at: EntryAt) -> Option<&Entry> {
        self.entries.get(at)?.as_ref()
    }

    pub fn get_mut(&mut self, at: EntryAt) -> Option<&mut Entry> {
        self.entries.get_mut(at)?.as_mut()
    }

    /// The entry of the series `id`, if the target still exposes it. Walks over all: for what seldom happens.
    pub fn with_id(&mut self, id: SeriesId) -> Option<&mut Entry> {
        self.entries.iter_mut().flatten().find(|entry| entry.id == Some(id))
    }

    /// Ends a scrape that succeeded: forgets what it did not expose, and yields which of that was live.
    pub fn finish(&mut self) -> Vec<SeriesId> {
        std::mem::swap(&mut self.previous, &mut self.current);
        // After a scrape of the same series nothing can be missing.
        if self.by_text.len() == self.previous.len() && self.previous == self.current {
            return Vec::new();
        }
        let mut gone = Vec::new();
        for at in 0..self.entries.len() {
            if let Some(entry) = self.entries[at].take_if(|entry| entry.seen != self.scrape) {
                self.by_text.remove(&entry.text);
                self.free.push(at);
                gone.extend(entry.id.filter(|_| entry.live));
            }
        }
        gone
    }

    /// Ends a scrape that failed: keeps every entry that is in the store, and yields those that were live.
    pub fn fail(&mut self) -> Vec<SeriesId> {
        let mut ended = Vec::new();
        for at in 0..self.entries.len() {
            if let Some(entry) = self.entries[at].take_if(|entry| entry.id.is_none()) {
                self.by_text.remove(&entry.text);
                self.free.push(at);
            } else if let Some(entry) = &mut self.entries[at]
                && std::mem::take(&mut entry.live)
            {
                ended.extend(entry.id);
            }
        }
        ended
    }

    fn insert(&mut self, text: &str, labels: Labels) -> EntryAt {
        let text: Arc<str> = text.into();
        let entry = Entry { text: text.clone(), labels, id: None, live: false, seen: self.scrape };
        let at = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            self.entries.len() - 1
        });
        self.entries[at] = Some(entry);
        self.by_text.insert(text, at);
        at
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::store::{MemoryStore, Storage};

    /// Plays a scrape of these series and yields how many of them were new.
    fn expose(cache: &mut SeriesCache, store: &MemoryStore, texts: &[&str]) -> usize {
        cache.begin();
        let mut added = 0;
        for text in texts {
            let labels = Labels::from_pairs([("l", *text)]);
            let Ok(at) = cache.look_up(text, || Ok::<_, Infallible>(labels.clone()));
            let entry = cache.get_mut(at).unwrap();
            added += usize::from(entry.id.is_none());
            entry.id = Some(store.resolve(&entry.labels).unwrap());
            entry.live = true;
        }
        added
    }

    #[test]
    fn what_is_gone_is_told_once() {
        let (mut cache, store) = (SeriesCache::default(), MemoryStore::default());
        let id = |text| store.resolve(&Labels::from_pairs([("l", text)])).unwrap();
        assert_eq!(expose(&mut cache, &store, &["a", "b", "c"]), 3);
        assert_eq!(cache.finish(), []);
        assert_eq!(expose(&mut cache, &store, &["c", "a"]), 0);
        assert_eq!(cache.finish(), [id("b")]);
        assert_eq!(expose(&mut cache, &store, &["c", "a"]), 0);
        assert_eq!(cache.finish(), []);
        assert_eq!(expose(&mut cache, &store, &["d", "a"]), 1);
        assert_eq!(cache.finish(), [id("c")]);
        assert_eq!(expose(&mut cache, &store, &["a", "a"]), 0);
        assert_eq!(cache.finish(), [id("d")]);
        assert_eq!(cache.by_text.len(), 1);
    }

    #[test]
    fn a_failure_ends_all_and_forgets_only_what_never_was_stored() {
        let (mut cache, store) = (SeriesCache::default(), MemoryStore::default());
        expose(&mut cache, &store, &["a", "b"]);
        cache.finish();
        cache.begin();
        let Ok(_) = cache.look_up("new", || Ok::<_, Infallible>(Labels::default()));
        assert_eq!(cache.fail().len(), 2);
        assert_eq!(cache.fail(), []);
        assert_eq!(expose(&mut cache, &store, &["b", "new"]), 1);
        assert_eq!(cache.finish(), []);
    }
}

//! One series: its chunks, and which samples it takes.

use std::collections::VecDeque;

use super::chunk::{Chunk, ChunkBuilder};
use crate::model::{Labels, Sample};

/// Why a sample was not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rejected {
    Repeated,
    Duplicate,
    OutOfOrder,
}

#[derive(Debug)]
pub(super) struct Series {
    pub labels: Labels,
    sealed: VecDeque<Chunk>,
    head: Option<ChunkBuilder>,
}

impl Series {
    pub fn new(labels: Labels) -> Self {
        Self { labels, sealed: VecDeque::new(), head: None }
    }

    pub fn append(&mut self, sample: Sample) -> Result<(), Rejected> {
        let Some(head) = &mut self.head else {
            self.head = Some(ChunkBuilder::new(sample));
            return Ok(());
        };
        let last = head.last();
        if sample.t_ms < last.t_ms {
            return Err(Rejected::OutOfOrder);
        }
        if sample.t_ms == last.t_ms {
            let same = sample.value.to_bits() == last.value.to_bits();
            return Err(if same { Rejected::Repeated } else { Rejected::Duplicate });
        }
        if head.is_full() {
            self.sealed.push_back(head.snapshot());
            *head = ChunkBuilder::new(sample);
        } else {
            head.push(sample);
        }
        Ok(())
    }

    /// The chunks that may hold samples in `start_ms..=end_ms`, in order of time, to be decoded later.
    pub fn chunks(&self, start_ms: i64, end_ms: i64) -> Vec<Chunk> {
        let from = self.sealed.partition_point(|chunk| chunk.last_ms < start_ms);
        let sealed = self.sealed.iter().skip(from).take_while(|chunk| chunk.first_ms <= end_ms).cloned();
        let head =
            self.head.iter().filter(|head| head.overlaps(start_ms, end_ms)).map(ChunkBuilder::snapshot);
        sealed.chain(head).collect()
    }

    /// Whether [`Self::chunks`] would yield any.
    pub fn overlaps(&self, start_ms: i64, end_ms: i64) -> bool {
        self.head.as_ref().is_some_and(|head| head.overlaps(start_ms, end_ms))
            || self.sealed.iter().any(|chunk| chunk.overlaps(start_ms, end_ms))
    }

    /// Lets go of every chunk whose samples all are older than `before_ms`; whether nothing is left.
    pub fn expire(&mut self, before_ms: i64) -> bool {
        while self.sealed.front().is_some_and(|chunk| chunk.last_ms < before_ms) {
            self.sealed.pop_front();
        }
        self.head.take_if(|head| head.last().t_ms < before_ms);
        self.head.is_none() && self.sealed.is_empty()
    }

    /// Samples held.
    pub fn samples(&self) -> u64 {
        let sealed: u64 = self.sealed.iter().map(|chunk| u64::from(chunk.count)).sum();
        sealed + self.head.as_ref().map_or(0, |head| u64::from(head.count()))
    }

    /// Bytes that the samples take, and what holds them.
    pub fn sample_bytes(&self) -> usize {
        let spare = (self.sealed.capacity() - self.sealed.len()) * size_of::<Chunk>();
        let sealed: usize = self.sealed.iter().map(Chunk::bytes).sum();
        let head = self.head.as_ref().map_or(0, ChunkBuilder::heap_bytes);
        size_of::<Self>() - size_of::<Labels>() + spare + sealed + head
    }
}

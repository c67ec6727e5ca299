//! A run of samples in few bits, after Pelkonen et al., "Gorilla" (VLDB 2015): times as the change of their
//! difference, values as what differs from the one before. A steady scrape of an unmoved value costs two bits.
//!
//! The widths of the time classes are chosen for millisecond times at scrape intervals from 100 ms to 1 min.

use std::sync::Arc;

use super::bits::{BitReader, BitWriter};
use crate::model::Sample;

/// Samples a chunk holds before the next is begun: two minutes at the lab's one second. More would save little
/// and cost a short window the decoding of what it doesn't want.
pub(super) const CHUNK_SAMPLES: u16 = 120;

/// Widths in bits of the change of the time difference, by class; a class is told by as many ones as its
/// position, and a zero.
const TIME_WIDTHS: [u32; 4] = [0, 7, 12, 20];

/// A run of samples that no longer grows. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub first_ms: i64,
    pub last_ms: i64,
    pub count: u16,
    bits: Arc<[u8]>,
}

impl Chunk {
    /// Decodes the samples in `start_ms..=end_ms` to the end of `out`.
    pub fn decode(&self, start_ms: i64, end_ms: i64, out: &mut Vec<Sample>) {
        let mut reader = BitReader::new(&self.bits);
        let mut t_ms = self.first_ms;
        let mut difference = 0_i64;
        let mut value = reader.read(64);
        let mut window = Window::default();
        for position in 0..self.count {
            if position > 0 {
                difference = difference.wrapping_add(read_time(&mut reader));
                t_ms = t_ms.wrapping_add(difference);
                value ^= read_change(&mut reader, &mut window);
            }
            if t_ms > end_ms {
                return;
            }
            if t_ms >= start_ms {
                out.push(Sample { t_ms, value: f64::from_bits(value) });
            }
        }
    }

    /// Whether a sample may lie in `start_ms..=end_ms`.
    pub fn overlaps(&self, start_ms: i64, end_ms: i64) -> bool {
        self.first_ms <= end_ms && self.last_ms >= start_ms
    }

    /// Bytes held, the chunk itself included.
    pub fn bytes(&self) -> usize {
        // An `Arc` keeps two counters beside what it points to.
        size_of::<Self>() + 2 * size_of::<usize>() + self.bits.len()
    }
}

/// A chunk that grows.
#[derive(Clone, Debug)]
pub(super) struct ChunkBuilder {
    first_ms: i64,
    last_ms: i64,
    last_bits: u64,
    difference: i64,
    count: u16,
    window: Window,
    writer: BitWriter,
}

impl ChunkBuilder {
    pub fn new(first: Sample) -> Self {
        let mut writer = BitWriter::default();
        writer.push(first.value.to_bits(), 64);
        Self {
            first_ms: first.t_ms,
            last_ms: first.t_ms,
            last_bits: first.value.to_bits(),
            difference: 0,
            count: 1,
            window: Window::default(),
            writer,
        }
    }

    /// Appends a sample; that it is later than the last is the caller's to see to.
    pub fn push(&mut self, sample: Sample) {
        let difference = sample.t_ms.wrapping_sub(self.last_ms);
        write_time(&mut self.writer, difference.wrapping_sub(self.difference));
        write_change(&mut self.writer, &mut self.window, sample.value.to_bits() ^ self.last_bits);
        self.difference = difference;
        self.last_ms = sample.t_ms;
        self.last_bits = sample.value.to_bits();
        self.count += 1;
    }

    pub fn is_full(&self) -> bool {
        self.count >= CHUNK_SAMPLES
    }

    pub fn count(&self) -> u16 {
        self.count
    }

    pub fn last(&self) -> Sample {
        Sample { t_ms: self.last_ms, value: f64::from_bits(self.last_bits) }
    }

    pub fn overlaps(&self, start_ms: i64, end_ms: i64) -> bool {
        self.first_ms <= end_ms && self.last_ms >= start_ms
    }

    /// The chunk as it is now.
    pub fn snapshot(&self) -> Chunk {
        Chunk {
            first_ms: self.first_ms,
            last_ms: self.last_ms,
            count: self.count,
            bits: self.writer.bytes().into(),
        }
    }

    /// Bytes held outside of the builder itself.
    pub fn heap_bytes(&self) -> usize {
        self.writer.capacity()
    }
}

/// The bits that changed last time: the next change often fits the same place.
#[derive(Clone, Copy, Debug)]
struct Window {
    leading: u32,
    width: u32,
}

impl Default for Window {
    /// Fits nothing, so that the first change writes its own.
    fn default() -> Self {
        Self { leading: 64, width: 0 }
    }
}

impl Window {
    fn shift(self) -> u32 {
        64 - self.leading - self.width
    }

    fn holds(self, change: u64) -> bool {
        self.width > 0 && change.leading_zeros() >= self.leading && change.trailing_zeros() >= self.shift()
    }
}

fn write_time(writer: &mut BitWriter, change: i64) {
    for (class, width) in TIME_WIDTHS.into_iter().enumerate() {
        let fits = match width {
            0 => change == 0,
            _ => (-(1_i64 << (width - 1))..1 << (width - 1)).contains(&change),
        };
        if fits {
            let class = class as u32;
            writer.push((1 << (class + 1)) - 2, class + 1);
            writer.push(change as u64, width);
            return;
        }
    }
    writer.push(0b1111, 4);
    writer.push(change as u64, 64);
}

#[inline]
fn read_time(reader: &mut BitReader<'_>) -> i64 {
    let class = (!(reader.peek(4) << 60)).leading_zeros().min(4);
    if class == 4 {
        reader.skip(4);
        return reader.read(64) as i64;
    }
    reader.skip(class + 1);
    match TIME_WIDTHS[class as usize] {
        0 => 0,
        width => ((reader.read(width) << (64 - width)) as i64) >> (64 - width),
    }
}

/// Bits that tell how many zeros lead a change, and so the most of them that can be told.
const LEADING_BITS: u32 = 5;
const LEADING_MAX: u32 = (1 << LEADING_BITS) - 1;

fn write_change(writer: &mut BitWriter, window: &mut Window, change: u64) {
    if change == 0 {
        return writer.push(0, 1);
    }
    if window.holds(change) {
        writer.push(0b10, 2);
    } else {
        let leading = change.leading_zeros().min(LEADING_MAX);
        *window = Window { leading, width: 64 - leading - change.trailing_zeros() };
        writer.push(0b11, 2);
        writer.push(u64::from(leading), LEADING_BITS);
        // A width of 64 doesn't fit six bits, a width of 0 doesn't occur.
        writer.push(u64::from(window.width - 1), 6);
    }
    writer.push(change >> window.shift(), window.width);
}

#[inline]
fn read_change(reader: &mut BitReader<'_>, window: &mut Window) -> u64 {
    match reader.peek(2) {
        0b00 | 0b01 => {
            reader.skip(1);
            return 0;
        }
        0b10 => reader.skip(2),
        _ => {
            reader.skip(2);
            let leading = reader.read(LEADING_BITS) as u32;
            let width = reader.read(6) as u32 + 1;
            *window = Window { leading, width: width.min(64 - leading) };
        }
    }
    match window.width {
        0 => 0,
        width => reader.read(width) << window.shift(),
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::model::stale_marker;

    fn round_trip(samples: &[Sample]) -> usize {
        let mut builder = ChunkBuilder::new(samples[0]);
        for sample in &samples[1..] {
            builder.push(*sample);
        }
        assert_eq!(builder.last().t_ms, samples[samples.len() - 1].t_ms);
        let chunk = builder.snapshot();
        let mut decoded = Vec::new();
        chunk.decode(i64::MIN, i64::MAX, &mut decoded);
        let bits =
            |samples: &[Sample]| -> Vec<_> { samples.iter().map(|s| (s.t_ms, s.value.to_bits())).collect() };
        assert_eq!(bits(&decoded), bits(samples));
        chunk.bits.len()
    }

    #[test]
    fn a_steady_value_costs_two_bits() {
        let samples: Vec<_> =
            (0..120).map(|i| Sample { t_ms: 1_700_000_000_000 + i * 1000, value: 42.0 }).collect();
        // 64 bits of the value, the first difference in 4 + 12 + 1 or fewer, then two bits a sample.
        assert!(round_trip(&samples) <= 8 + 3 + 30);
    }

    #[test]
    fn values_whose_bits_matter() {
        let values = [
            0.0,
            -0.0,
            1.0,
            f64::NAN,
            stale_marker(),
            f64::from_bits(0x7ff8_0000_0000_0001),
            f64::from_bits(0xfff8_dead_beef_0001),
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MIN_POSITIVE,
            f64::from_bits(1),
            f64::MAX,
            f64::MIN,
            0.1,
        ];
        let pairs = values.iter().flat_map(|a| values.iter().flat_map(move |b| [*a, *b]));
        let samples: Vec<_> = pairs.zip(0..).map(|(value, t_ms)| Sample { t_ms, value }).collect();
        round_trip(&samples);
    }

    #[test]
    fn times_at_the_edge_of_each_class() {
        let mut changes = vec![0_i64];
        for width in [7, 12, 20] {
            let edge = 1_i64 << (width - 1);
            changes.extend([edge - 1, -edge, edge, -edge - 1]);
        }
        let (mut t_ms, mut difference) = (0_i64, 1 << 22);
        let mut samples = vec![Sample { t_ms, value: 1.0 }];
        for change in changes {
            difference += change;
            t_ms += difference;
            samples.push(Sample { t_ms, value: 1.0 });
        }
        round_trip(&samples);
        let far = [i64::MIN, -1, 0, 1, i64::MAX];
        round_trip(&far.map(|t_ms| Sample { t_ms, value: 1.0 }));
    }

    #[test]
    fn any_samples_come_back() {
        let seed = 0x60_51_11_a5;
        println!("seed {seed:#x}");
        let mut random = SmallRng::seed_from_u64(seed);
        for _ in 0..2000 {
            let mut t_ms = random.random_range(-1_000_000..2_000_000_000_000_i64);
            let mut value = 0.0;
            let (jitter, style) = (random.random_range(0..5), random.random_range(0..5));
            let samples: Vec<_> = (0..random.random_range(1..=CHUNK_SAMPLES))
                .map(|_| {
                    t_ms += 1 + random.random_range(0..=10_i64.pow(jitter * 2));
                    value = match style {
                        0 => value,
                        1 => value + f64::from(random.random_range(0..1000_u32)),
                        2 => random.random::<f64>(),
                        3 => f64::from_bits(random.random()),
                        _ if random.random_range(0..4) == 0 => stale_marker(),
                        _ => f64::from(random.random::<u8>()),
                    };
                    Sample { t_ms, value }
                })
                .collect();
            round_trip(&samples);
        }
    }

    #[test]
    fn only_the_asked_for_range_is_decoded() {
        let mut builder = ChunkBuilder::new(Sample { t_ms: 10, value: 0.0 });
        (2..=10).for_each(|i| builder.push(Sample { t_ms: i * 10, value: i as f64 }));
        let chunk = builder.snapshot();
        let times = |start, end| {
            let mut out = Vec::new();
            chunk.decode(start, end, &mut out);
            out.iter().map(|s| s.t_ms).collect::<Vec<_>>()
        };
        assert_eq!(times(30, 50), [30, 40, 50]);
        assert_eq!(times(31, 49), [40]);
        assert_eq!(times(101, 200), [0; 0]);
    }
}

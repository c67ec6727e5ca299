//! Bits in bytes, most significant first. The reader yields zeros past the end rather than panic.

/// Appends bits to a growing run of bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// Unused low bits of the last byte.
    free: u32,
}

impl BitWriter {
    /// Appends the lowest `count` bits of `value`; `count` is at most 64.
    pub fn push(&mut self, value: u64, mut count: u32) {
        while count > 0 {
            if self.free == 0 {
                self.bytes.push(0);
                self.free = 8;
            }
            let taken = count.min(self.free);
            let part = (value >> (count - taken)) & ((1 << taken) - 1);
            if let Some(last) = self.bytes.last_mut() {
                *last |= (part << (self.free - taken)) as u8;
            }
            self.free -= taken;
            count -= taken;
        }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}

/// Reads what a [`BitWriter`] wrote.
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    /// Position of the next bit.
    at: usize,
}

impl<'a> BitReader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next 64 bits at byte granularity less up to 7: at least 57 of the high bits are valid.
    #[inline]
    fn window(&self) -> u64 {
        let rest = self.bytes.get(self.at / 8..).unwrap_or_default();
        let word = match rest.first_chunk::<8>() {
            Some(chunk) => u64::from_be_bytes(*chunk),
            None => {
                let mut padded = [0; 8];
                padded[..rest.len()].copy_from_slice(rest);
                u64::from_be_bytes(padded)
            }
        };
        word << (self.at % 8)
    }

    /// Next bits without consuming them, `1..=57`.
    #[inline]
    pub fn peek(&self, count: u32) -> u64 {
        self.window() >> (64 - count)
    }

    #[inline]
    pub fn skip(&mut self, count: u32) {
        self.at += count as usize;
    }

    /// The next bits, `1..=64`.
    #[inline]
    pub fn read(&mut self, count: u32) -> u64 {
        if count > 57 {
            let high = self.read(32);
            return (high << (count - 32)) | self.read(count - 32);
        }
        let bits = self.peek(count);
        self.skip(count);
        bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_at_every_offset_comes_back() {
        for offset in 0..8 {
            let mut writer = BitWriter::default();
            writer.push(0, offset);
            for count in 1..=64 {
                writer.push(0xa5c3_96e1_f00f_8d27, count);
            }
            let mut reader = BitReader::new(writer.bytes());
            reader.skip(offset);
            for count in 1..=64 {
                assert_eq!(
                    reader.read(count),
                    0xa5c3_96e1_f00f_8d27 & (u64::MAX >> (64 - count)),
                    "{offset} {count}"
                );
            }
        }
    }

    #[test]
    fn past_the_end_there_are_zeros() {
        let mut reader = BitReader::new(&[0xff]);
        assert_eq!(reader.read(64), 0xff << 56);
        assert_eq!(reader.read(64), 0);
    }
}

//! Which key request number `i` writes.
//!
//! As in etcd's tool (`tools/benchmark/cmd/put.go`) the key's number stands at its front as Go's
//! `binary.PutVarint` writes it, and zeros follow. Unlike there, the rest of the key really is zeros each time:
//! etcd's tool writes all keys into one buffer, so that after the first round its short numbers keep the last
//! bytes of longer ones, and a key space of 100,000 holds up to 8,192 keys more.

use rand::{Rng, RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

/// The number of a key is a signed 64-bit one in etcd's tool.
pub(crate) const LARGEST_KEY_SPACE: u64 = i64::MAX as u64;

/// Longest varint of 64 bits.
const LONGEST_VARINT: usize = 10;

/// Chooses keys by the number of the request, without memory of the requests before.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    space: u64,
    order: Order,
}

#[derive(Clone, Debug)]
enum Order {
    Sequential,
    Random { salt: u64 },
}

impl Keys {
    pub fn new(space: u64, sequential: bool, seed: u64) -> Self {
        let order = if sequential {
            Order::Sequential
        } else {
            Order::Random { salt: Xoshiro256PlusPlus::seed_from_u64(seed).next_u64() }
        };
        Self { space, order }
    }

    /// Writes the key of request `cycle` over `key`, which must have `bytes_needed` of the key space.
    pub fn write(&self, cycle: u64, key: &mut [u8]) {
        let number = match self.order {
            Order::Sequential => cycle % self.space,
            Order::Random { salt } => {
                Xoshiro256PlusPlus::seed_from_u64(salt ^ cycle).random_range(0..self.space)
            }
        };
        let (varint, length) = varint(number);
        key[..length].copy_from_slice(&varint[..length]);
        key[length..].fill(0);
    }
}

/// Bytes that the largest number of a key space takes.
pub(crate) fn bytes_needed(space: u64) -> u32 {
    varint(space.saturating_sub(1)).1 as u32
}

/// Go's signed varint of a number that isn't negative: zigzag, then seven bits a byte, lowest first
/// (Go, `encoding/binary/varint.go`).
fn varint(number: u64) -> ([u8; LONGEST_VARINT], usize) {
    let mut bytes = [0; LONGEST_VARINT];
    let mut rest = number << 1;
    let mut length = 0;
    while rest >= 0x80 {
        bytes[length] = rest as u8 | 0x80;
        rest >>= 7;
        length += 1;
    }
    bytes[length] = rest as u8;
    (bytes, length + 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn key(keys: &Keys, cycle: u64) -> [u8; 8] {
        let mut key = [0xff; 8];
        keys.write(cycle, &mut key);
        key
    }

    /// Expected bytes by running Go's `binary.PutVarint` on an empty buffer.
    #[test]
    fn sequential_keys_are_those_of_etcds_tool() {
        let keys = Keys::new(100_000, true, 0);
        for (cycle, expected) in [
            (0, [0x00, 0, 0, 0, 0, 0, 0, 0]),
            (1, [0x02, 0, 0, 0, 0, 0, 0, 0]),
            (63, [0x7e, 0, 0, 0, 0, 0, 0, 0]),
            (64, [0x80, 0x01, 0, 0, 0, 0, 0, 0]),
            (8_191, [0xfe, 0x7f, 0, 0, 0, 0, 0, 0]),
            (8_192, [0x80, 0x80, 0x01, 0, 0, 0, 0, 0]),
            (99_999, [0xbe, 0x9a, 0x0c, 0, 0, 0, 0, 0]),
            (100_000, [0x00, 0, 0, 0, 0, 0, 0, 0]),
            (199_999, [0xbe, 0x9a, 0x0c, 0, 0, 0, 0, 0]),
        ] {
            assert_eq!(key(&keys, cycle), expected, "request {cycle}");
        }
    }

    #[test]
    fn a_key_space_holds_as_many_keys_as_it_says() {
        let keys = Keys::new(1_000, true, 0);
        let distinct: BTreeSet<_> = (0..5_000).map(|cycle| key(&keys, cycle)).collect();
        assert_eq!(distinct.len(), 1_000);
    }

    #[test]
    fn random_keys_follow_from_seed_and_request_and_cover_the_space() {
        let (one, same, other) =
            (Keys::new(100, false, 7), Keys::new(100, false, 7), Keys::new(100, false, 8));
        let drawn = |keys: &Keys| (0..1_000).map(|cycle| key(keys, cycle)).collect::<Vec<_>>();
        assert_eq!(drawn(&one), drawn(&same));
        assert_ne!(drawn(&one), drawn(&other));
        assert_eq!(drawn(&one).into_iter().collect::<BTreeSet<_>>().len(), 100);
    }

    #[test]
    fn bytes_needed_by_key_space() {
        for (space, bytes) in [(1, 1), (64, 1), (65, 2), (8_193, 3), (100_000, 3), (LARGEST_KEY_SPACE, 10)] {
            assert_eq!(bytes_needed(space), bytes, "{space}");
        }
    }
}

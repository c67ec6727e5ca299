//! Requests as bytes on the wire, by their number.

pub(crate) mod keys;
pub(crate) mod proto;

use bytes::{BufMut, Bytes, BytesMut};
use rand::{Rng, SeedableRng, rngs::Xoshiro256PlusPlus};

use crate::{Consistency, Put, Range, Workload};
use keys::Keys;

/// Makes the requests of a workload. Everything that is the same in all of them is encoded once.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    /// gRPC method, `/service/method`.
    pub method: &'static str,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    /// The same bytes each time.
    Fixed(Bytes),
    /// A message with a hole of `key_size` bytes at `key_at`.
    Keyed { template: Bytes, key_at: usize, key_size: usize, keys: Keys },
}

impl Requests {
    pub fn new(workload: &Workload, seed: u64) -> Self {
        match workload {
            Workload::Put(put) => Self::put(put, seed),
            Workload::Range(range) => Self::range(range),
        }
    }

    fn put(put: &Put, seed: u64) -> Self {
        // As in etcd's tool one random value is written by all puts: it can't be compressed, and costs nothing.
        let mut value = vec![0; put.val_size as usize];
        Xoshiro256PlusPlus::seed_from_u64(seed).fill_bytes(&mut value);
        let key_size = put.key_size as usize;
        let mut message = BytesMut::new();
        let key_at = proto::put_request(&mut message, &vec![0; key_size], &value);
        let body = Body::Keyed {
            template: framed(&message),
            key_at: FRAME_HEADER + key_at,
            key_size,
            keys: Keys::new(put.key_space_size, put.sequential_keys, seed),
        };
        Self { method: "/etcdserverpb.KV/Put", body }
    }

    fn range(range: &Range) -> Self {
        let mut message = BytesMut::new();
        proto::range_request(
            &mut message,
            range.key.as_bytes(),
            range.range_end.as_deref().unwrap_or_default().as_bytes(),
            range.consistency == Consistency::Serializable,
        );
        Self { method: "/etcdserverpb.KV/Range", body: Body::Fixed(framed(&message)) }
    }

    /// The gRPC message of request `cycle`, with its frame.
    pub fn body(&self, cycle: u64) -> Bytes {
        match &self.body {
            Body::Fixed(bytes) => bytes.clone(),
            Body::Keyed { template, key_at, key_size, keys } => {
                let mut message = BytesMut::from(&template[..]);
                keys.write(cycle, &mut message[*key_at..*key_at + *key_size]);
                message.freeze()
            }
        }
    }
}

/// Flag and length that stand before each gRPC message (grpc, `doc/PROTOCOL-HTTP2.md`).
pub(crate) const FRAME_HEADER: usize = 5;

/// A message with its gRPC frame, not compressed.
pub(crate) fn framed(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(FRAME_HEADER + message.len());
    framed.put_u8(0);
    // `validate` bounds what goes into a message to far below 4 GiB.
    framed.put_u32(message.len() as u32);
    framed.put_slice(message);
    framed.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn puts_differ_by_their_key_only() {
        let put =
            Put { key_size: 4, val_size: 3, key_space_size: 100, sequential_keys: true, ..Put::default() };
        let requests = Requests::new(&Workload::Put(put), 0);
        let (first, second) = (requests.body(0), requests.body(1));
        assert_eq!(&first[..7], [0, 0, 0, 0, 11, 0x0a, 4]);
        assert_eq!((&first[7..11], &second[7..11]), (&[0, 0, 0, 0][..], &[2, 0, 0, 0][..]));
        assert_eq!(&first[11..13], [0x12, 3]);
        assert_eq!((first.len(), &first[11..]), (16, &second[11..]));
    }

    #[test]
    fn a_range_of_one_key_has_no_end() {
        let range = |consistency| {
            let range = Range { key: "/".into(), range_end: None, consistency };
            Requests::new(&Workload::Range(range), 0).body(7)
        };
        assert_eq!(&range(Consistency::Linearizable)[..], [0, 0, 0, 0, 3, 0x0a, 1, b'/']);
        assert_eq!(&range(Consistency::Serializable)[..], [0, 0, 0, 0, 5, 0x0a, 1, b'/', 0x38, 1]);
    }
}

//! The few messages of etcd's API that a load speaks, written by hand so that a request can be encoded once and
//! its key be put in later. Field numbers from etcd, `api/etcdserverpb/rpc.proto`.

use bytes::{Buf, BufMut, BytesMut};

const VARINT: u8 = 0;
const DELIMITED: u8 = 2;

/// `PutRequest`. Returns where the key's bytes stand.
pub(crate) fn put_request(to: &mut BytesMut, key: &[u8], value: &[u8]) -> usize {
    bytes_field(to, 1, key);
    let key_at = to.len() - key.len();
    bytes_field(to, 2, value);
    key_at
}

/// `RangeRequest`.
pub(crate) fn range_request(to: &mut BytesMut, key: &[u8], range_end: &[u8], serializable: bool) {
    bytes_field(to, 1, key);
    if !range_end.is_empty() {
        bytes_field(to, 2, range_end);
    }
    if serializable {
        varint_field(to, 7, 1);
    }
}

/// `CompactionRequest`.
pub(crate) fn compaction_request(to: &mut BytesMut, revision: i64) {
    varint_field(to, 1, revision as u64);
}

/// The revision in the header of any of etcd's responses. `None` when the bytes are no such message.
pub(crate) fn revision(response: &[u8]) -> Option<i64> {
    let header = field(response, 1)?;
    let Field::Bytes(header) = header else { return None };
    match field(header, 3)? {
        Field::Varint(revision) => i64::try_from(revision).ok(),
        Field::Bytes(_) => None,
    }
}

fn bytes_field(to: &mut BytesMut, number: u8, bytes: &[u8]) {
    to.put_u8(number << 3 | DELIMITED);
    varint(to, bytes.len() as u64);
    to.put_slice(bytes);
}

fn varint_field(to: &mut BytesMut, number: u8, value: u64) {
    to.put_u8(number << 3 | VARINT);
    varint(to, value);
}

fn varint(to: &mut BytesMut, mut value: u64) {
    while value >= 0x80 {
        to.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    to.put_u8(value as u8);
}

enum Field<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
}

/// The first field `number` of a message.
fn field(mut message: &[u8], number: u64) -> Option<Field<'_>> {
    while message.has_remaining() {
        let tag = read_varint(&mut message)?;
        let found = match tag & 7 {
            0 => Field::Varint(read_varint(&mut message)?),
            2 => {
                let length = usize::try_from(read_varint(&mut message)?).ok()?;
                let (bytes, rest) = message.split_at_checked(length)?;
                message = rest;
                Field::Bytes(bytes)
            }
            1 => {
                message = message.get(8..)?;
                continue;
            }
            5 => {
                message = message.get(4..)?;
                continue;
            }
            _ => return None,
        };
        if tag >> 3 == number {
            return Some(found);
        }
    }
    None
}

fn read_varint(from: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = from.try_get_u8().ok()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revision_of_a_response() {
        // header { cluster_id: 5, member_id: 300, revision: 1234 }, kvs: [b"x"]
        let header = [0x08, 5, 0x10, 0xac, 0x02, 0x18, 0xd2, 0x09];
        let mut response = vec![0x0a, header.len() as u8];
        response.extend(header);
        response.extend([0x12, 1, b'x']);
        assert_eq!(revision(&response), Some(1234));
    }

    #[test]
    fn what_is_no_response_has_no_revision() {
        for bytes in [&[][..], &[0x0a], &[0x0a, 9, 1], &[0x0a, 0], &[0xff; 20], &[0x0b], &[0x08, 1]] {
            assert_eq!(revision(bytes), None, "{bytes:x?}");
        }
    }

    #[test]
    fn a_compaction_names_its_revision() {
        let mut message = BytesMut::new();
        compaction_request(&mut message, 1234);
        assert_eq!(&message[..], [0x08, 0xd2, 0x09]);
    }
}

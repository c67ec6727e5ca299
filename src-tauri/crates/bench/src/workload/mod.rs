//! Requests as bytes on the wire, by their number.

pub(crate) mod keys;

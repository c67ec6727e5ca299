//! Loads on real clusters.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

mod lab;
mod load;
mod trouble;

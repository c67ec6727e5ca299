//! `etcd-labctl` with members in Docker, on the engine of this machine: a lab in one terminal, commands in another, and
//! nothing left in the engine however it ends. Where there is no engine, each test says so and does nothing;
//! `ETCD_LAB_DOCKER=required` makes it fail then. Needs the binaries that `make etcd` builds.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

mod engine;
mod lab;
mod life;
mod lost_engine;
mod refused;
mod scenario;

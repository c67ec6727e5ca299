#!/usr/bin/env bash
# verify.sh quick | all | more: `make check`, `make test` and `make test-all`.
#
# Every Cargo command takes the whole workspace with the same features, so that nothing is compiled twice: clippy checks
# what the build then compiles, and the tests in the window run the program that the build made.
# shellcheck source=scripts/phases.sh
. "$(dirname "$0")/phases.sh"

case ${1:-} in
  quick) all=false more=false ;;
  all) all=true more=false ;;
  more) all=true more=true ;;
  *) echo "usage: verify.sh quick | all | more" >&2; exit 2 ;;
esac

phase "tools and packages"
scripts/tools.sh node
if $all; then
  scripts/packages.sh build window test
  PATH=$PATH:$PWD/.cache/prometheus/usr/bin
else
  scripts/packages.sh build window
fi

window_parts

phase "UI: lint, types, unit tests, build"
npm --prefix ui run --silent lint
npm --prefix ui run --silent check
npm --prefix ui run --silent test
npm --prefix ui run --silent build

phase "Go: format, vet, tests"
unformatted=$(gofmt -l compose/etcd-image)
[ -z "$unformatted" ] || { printf 'not formatted by gofmt:\n%s\n' "$unformatted" >&2; exit 1; }
go -C compose/etcd-image vet ./...
if $all; then tested=./...; else tested=./mark; fi
go -C compose/etcd-image test -count=1 "$tested"

phase "Rust: format, clippy"
cargo fmt --all --check
cargo clippy --workspace --all-targets -- -D warnings

phase "scenarios, terms and diagrams; dashboards"
cargo build --workspace --bin etcd-labctl
target/debug/etcd-labctl scenario check src-tauri/scenarios
target/debug/etcd-labctl dashboards check grafana/dashboards/*.json

if ! $all; then
  phase "Rust: unit tests"
  cargo test --quiet --workspace --lib --bins
  phases_done "everything passed"
  exit
fi

phase "shell: shellcheck"
shellcheck --external-sources scripts/*.sh .ci/run

phase "Prometheus: configuration, alerts and their tests"
(
  cd prometheus
  promtool check config prometheus.yml swarm.yml
  promtool check rules --lint=all --lint-fatal rules/*.yml
  promtool test rules tests/*.yml
) >/dev/null

phase "Rust: build"
cargo build --workspace --all-targets

phase "Docker: an engine, and the images on it"
if scripts/docker.sh; then
  trap 'scripts/docker.sh stop' EXIT
  # From here on a test that finds no engine fails.
  export ETCD_LAB_DOCKER=required
  cargo xtask image
  target/debug/etcd-labctl image build
elif $more; then
  echo "make test-all needs one" >&2
  exit 1
else
  echo "So the tests on Docker are left out."
fi

phase "Rust: all tests"
cargo test --quiet --workspace

if $more; then
  phase "scenarios: on the newest etcd, and each without what it is about"
  cargo test --quiet --package etcd-labctl --test scenarios -- --ignored --nocapture
fi

phase "licences of what is bundled"
cargo xtask licences

if [ "$(uname)" = Darwin ]; then
  phase "left out: the tests in the real window (macOS has no WebDriver for its WebKit)"
else
  phase "tests in the real window"
  with_screen npm --prefix ui run --silent e2e
fi
phases_done "everything passed"

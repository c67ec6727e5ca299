# shellcheck shell=bash
# Sourced by the longer scripts: headings that say where the time goes, and the steps that several scripts share.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

phase_name=
phase_started=0

# phase NAME: prints the heading of what comes, with the seconds that the phase before it took.
phase() {
  local took=
  [ -z "$phase_name" ] || took=" ($phase_name: $((SECONDS - phase_started)) s)"
  printf '== %s%s\n' "$1" "$took"
  phase_name=$1
  phase_started=$SECONDS
}

# phases_done SENTENCE: the last line.
phases_done() {
  phase "$1"
  printf '== %s s in all\n' "$SECONDS"
}

# What the window is built from besides Rust: etcd as sidecars, and the UI's files.
window_parts() {
  phase "etcd and the UI's modules"
  # Side by side: one waits for the network while the other computes.
  make --no-print-directory ui-modules &
  local npm=$! built=0
  cargo xtask etcd || built=$?
  wait "$npm"
  return "$built"
}

# with_screen COMMAND…: on a display of its own, as large as the largest picture.
with_screen() {
  xvfb-run --auto-servernum --server-args "-screen 0 1920x1080x24" "$@"
}

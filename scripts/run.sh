#!/usr/bin/env bash
# run.sh window | pictures: builds the app and opens its window, or takes pictures of it.
# shellcheck source=scripts/phases.sh
. "$(dirname "$0")/phases.sh"

case ${1:-} in
  window) groups=(build window) ;;
  pictures) groups=(build window test pictures) ;;
  *) echo "usage: run.sh window | pictures" >&2; exit 2 ;;
esac

if [ "$1" = window ] && [ "$(uname)" = Linux ] && [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
  echo "There is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set): playing scenario 0 in the terminal."
  exec make --no-print-directory lab
fi

phase "tools and packages"
scripts/tools.sh node
scripts/packages.sh "${groups[@]}"

window_parts

phase "UI: build"
npm --prefix ui run --silent build

phase "app: build (some minutes the first time)"
# One command for both, so that what they share is compiled once.
cargo build --package etcd-lab --package etcd-labctl
target/debug/etcd-labctl scenario check src-tauri/scenarios

if [ "$1" = window ]; then
  phase "etcd Metrics Lab"
  exec target/debug/etcd-lab
fi
phase "pictures"
with_screen npm --prefix ui run --silent pictures
# They are committed each time that a screen changes. A screen has few colours, so a palette loses nothing that is seen.
# 98: the quality asked for can't be had; 99: nothing was to be gained. Both leave the picture as it is.
for picture in docs/pictures/*.png; do
  pngquant --quality=85-100 --strip --ext .png --force --skip-if-larger "$picture" || [ $? -ge 98 ]
done
phases_done "the pictures are in docs/pictures"

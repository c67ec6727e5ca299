#!/usr/bin/env bash
# Installs the operating system's packages that are missing: packages.sh GROUP…, with the groups
#   build      to compile what runs in a terminal
#   window     to compile and show the window
#   test       to run all tests, the one in the real window included
#   pictures   to make its pictures small
#   docker     to run a Docker engine, and Compose files on it
#   stand-ins  what the images of stand-ins.sh are made of
# At once when nothing is missing. Debian and Ubuntu by apt; macOS by Homebrew (untried); elsewhere it names them.
set -euo pipefail
cd "$(dirname "$0")/.."

debian=() homebrew=() modules=() programs=()
for group in "$@"; do
  case $group in
    build)
      debian+=(build-essential pkg-config protobuf-compiler libprotobuf-dev)
      homebrew+=(protobuf pkgconf)
      programs+=(cc pkg-config protoc)
      ;;
    window)
      debian+=(libwebkit2gtk-4.1-dev file fonts-dejavu-core)
      modules+=(webkit2gtk-4.1)
      ;;
    test)
      debian+=(xvfb xauth webkit2gtk-driver shellcheck)
      homebrew+=(shellcheck prometheus)
      programs+=(xvfb-run WebKitWebDriver shellcheck prometheus promtool)
      ;;
    pictures)
      debian+=(pngquant)
      homebrew+=(pngquant)
      programs+=(pngquant)
      ;;
    docker)
      debian+=(docker.io iptables iproute2 docker-compose)
      homebrew+=(docker docker-compose colima)
      programs+=(docker dockerd iptables ip docker-compose)
      ;;
    stand-ins)
      programs+=(prometheus busybox)
      ;;
    *) echo "packages.sh: unknown group $group" >&2; exit 2 ;;
  esac
done

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "Installing packages needs root and there is no sudo: run this once as root: make setup" >&2
    exit 1
  fi
}

# Waits for another apt instead of failing beside it.
apt() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@"
}

# unpack PACKAGE FOLDER PROGRAM: unpacks a package into .cache/FOLDER unless its program is there. So it is with packages
# that would do something to the whole machine where tests want only a program.
unpack() {
  local package=$1 cache=.cache/$2 program=$3 unfinished download
  if [ -x "$cache/$program" ]; then return; fi
  mkdir -p .cache
  unfinished=$(mktemp -d "$cache-unfinished.XXXXXX")
  download=(apt-get -qq -o APT::Sandbox::User="$(id -un)" download "$package")
  # An image may come with apt's lists emptied; with all packages installed, nothing has filled them yet.
  if ! (cd "$unfinished" && "${download[@]}" 2>/dev/null); then
    apt update || echo "apt-get update failed; going on with what apt knows" >&2
    (cd "$unfinished" && "${download[@]}")
  fi
  dpkg-deb -x "$unfinished/$package"_*.deb "$unfinished/tree"
  rm -rf "$cache"
  mv "$unfinished/tree" "$cache"
  rm -r "$unfinished"
}

install_debian() {
  local package missing=()
  for package in "${debian[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${missing[*]}"
    # A repository out of reach need not be the one that has what is missing.
    apt update || echo "apt-get update failed; going on with what apt knows" >&2
    apt install -y --no-install-recommends "${missing[@]}" >/dev/null
  fi
  # It would start a Prometheus for the whole machine.
  if [[ " $* " == *" test "* || " $* " == *" stand-ins "* ]] &&
    ! { command -v prometheus && command -v promtool; } >/dev/null; then
    unpack prometheus prometheus usr/bin/promtool
  fi
  # It would take the place of the system's own.
  if [[ " $* " == *" stand-ins "* ]]; then unpack busybox-static busybox bin/busybox; fi
}

name_what_is_missing() {
  local missing=() wanted
  for wanted in "${programs[@]}"; do
    command -v "$wanted" >/dev/null || missing+=("$wanted")
  done
  for wanted in "${modules[@]}"; do
    pkg-config --exists "$wanted" 2>/dev/null || missing+=("$wanted (development files)")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    printf 'Missing: %s\n' "$(printf '%s, ' "${missing[@]}" | sed 's/, $//')" >&2
    echo "Please install them with this system's package manager. Debian calls them: ${debian[*]}" >&2
    exit 1
  fi
}

if [ "$(uname)" = Darwin ]; then
  [ ${#homebrew[@]} = 0 ] || brew list --versions "${homebrew[@]}" >/dev/null || brew install "${homebrew[@]}"
elif command -v dpkg-query apt-get >/dev/null; then
  install_debian "$@"
else
  name_what_is_missing
fi

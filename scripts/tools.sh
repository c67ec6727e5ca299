#!/usr/bin/env bash
# tools.sh [node]: are Rust and Go (and Node.js) there, and new enough? They are a person's own choice to install, so
# they are named, not fetched. The wanted versions are read where each is pinned.
set -euo pipefail
cd "$(dirname "$0")/.."

rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
go=$(sed -n 's/^go //p' compose/etcd-image/go.mod)
node=$(sed -n 's/.*"node": ">=\(.*\)".*/\1/p' ui/package.json)

if [ "$(uname)" = Darwin ]; then
  get_go="brew install go"
  get_node="brew install node"
else
  arch=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
  get_go="curl -fL https://go.dev/dl/go$go.linux-$arch.tar.gz | sudo tar -C /usr/local -xz   (then put /usr/local/go/bin on the PATH)"
  get_node="curl -fL https://raw.githubusercontent.com/nvm-sh/nvm/v0.40.3/install.sh | bash && . ~/.nvm/nvm.sh && nvm install 22"
fi

missing=0
# want NAME WANTED FOUND COMMAND: says what to do unless FOUND is at least WANTED.
want() {
  [ "$(printf '%s\n%s\n' "$2" "$3" | sort -V | head -n 1)" = "$2" ] && return
  missing=1
  printf '%s %s or newer is needed, found %s. Get it with:\n    %s\n' "$1" "$2" "${3:-none}" "$4" >&2
}
version_of() {
  { "$@" 2>/dev/null || true; } | grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1 || true
}

if command -v rustup >/dev/null; then
  get_rust="rustup update stable"
else
  get_rust="curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
fi
want Rust "$rust" "$(version_of rustc --version)" "$get_rust"
want Cargo "$rust" "$(version_of cargo --version)" "$get_rust"
want Go "$go" "$(version_of go env GOVERSION)" "$get_go"
if [ "${1:-}" = node ]; then
  want Node.js "$node" "$(version_of node --version)" "$get_node"
  want npm 9 "$(version_of npm --version)" "$get_node"
fi
exit "$missing"

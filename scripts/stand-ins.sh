#!/usr/bin/env bash
# Images that stand in for those of compose/metrics.yaml where no registry can be reached, for tests: Prometheus is
# Debian's, an older one; Grafana is a web server that shows the files it was given and has nothing of Grafana but its
# address of health.
#   stand-ins.sh make     makes those whose name the engine doesn't know, and prints which
#   stand-ins.sh remove   removes those that this made, and nothing else
set -euo pipefail
cd "$(dirname "$0")/.."

label=etcd-metrics-lab.stand-in

# image SERVICE: what compose/metrics.yaml pins.
image() {
  grep -oE "image: .*/$1:.*" compose/metrics.yaml | cut -d' ' -f2
}

# put PROGRAM TREE: copies a program into the tree's bin, and the shared libraries that it wants to their places.
put() {
  mkdir -p "$2/bin"
  cp "$1" "$2/bin/"
  { ldd "$1" 2>/dev/null || true; } | sed -n 's,^[^/]*\(/[^ ]*\).*,\1,p' | xargs -r cp -L --parents -t "$2"
}

# import_as REFERENCE TREE CHANGE…: an image of that tree, owned by nobody, with the lines of a Dockerfile that say how it
# runs.
import_as() {
  local reference=$1 tree=$2 change changes=(--change "LABEL $label=true")
  shift 2
  for change in "$@"; do changes+=(--change "$change"); done
  tar -C "$tree" --owner=65534 --group=65534 -c . | docker import "${changes[@]}" - "$reference" >/dev/null
  echo "$reference"
}

# As in the images that are stood in for: users without rights, and Prometheus' wish for a volume that it may write to.
make_prometheus() {
  mkdir -m 0775 "$1/prometheus"
  put "$(PATH=$PATH:.cache/prometheus/usr/bin command -v prometheus)" "$1"
  import_as "$2" "$1" 'ENTRYPOINT ["prometheus"]' 'USER nobody' 'VOLUME /prometheus' 'WORKDIR /prometheus'
}

make_grafana() {
  mkdir -p "$1/api"
  echo '{"database":"ok","version":"none, this stands in for Grafana"}' >"$1/api/health"
  import_as "$2" "$1" 'ENTRYPOINT ["busybox", "httpd", "-f", "-p", "3000", "-h", "/"]' 'USER 472:0'
}

make() {
  local service reference tree
  for service in prometheus grafana; do
    reference=$(image "$service")
    if docker image inspect "$reference" >/dev/null 2>&1; then continue; fi
    scripts/packages.sh stand-ins >&2
    tree=$(mktemp -d)
    put "$(PATH=.cache/busybox/bin:$PATH command -v busybox)" "$tree"
    ln -s busybox "$tree/bin/wget"
    mkdir -p "$tree/etc"
    echo 'nobody:x:65534:65534::/:' >"$tree/etc/passwd"
    "make_$service" "$tree" "$reference"
    rm -r "$tree"
  done
}

remove() {
  docker images --quiet --filter "label=$label" | sort -u | xargs -r docker rmi --force >/dev/null
}

case ${1:-} in
  make) make ;;
  remove) remove ;;
  *) echo "usage: stand-ins.sh make | remove" >&2; exit 2 ;;
esac

#!/usr/bin/env bash
# docker.sh [start | stop]
#   start  makes sure that a Docker engine answers. It takes the one that docker's own programs find; where there is none,
#          as root on Debian and Ubuntu it installs what is missing and starts one. Exit code 1, with the reason, when none
#          can be had.
#   stop   ends the engine that this started, if it did.
set -euo pipefail
cd "$(dirname "$0")/.."

# Seconds that an engine which was started here gets until it answers.
limit=60
log=.cache/dockerd.log
started=.cache/dockerd.pid

give_up() {
  printf 'No Docker engine answers: %s\n' "$1" >&2
  exit 1
}
answers() {
  command -v docker >/dev/null && timeout 10 docker version >/dev/null 2>&1
}
# What docker says instead of answering.
reason() {
  timeout 10 docker version 2>&1 >/dev/null | tail -n 1
}

stop() {
  local pid
  [ -f $started ] || return 0
  pid=$(<$started)
  # The number may be another program's by now.
  if [ "$(ps -o comm= -p "$pid")" = dockerd ]; then
    kill "$pid"
    timeout "$limit" tail --pid="$pid" -f /dev/null || echo "dockerd (process $pid) doesn't end" >&2
  fi
  rm -f $started
}

case ${1:-start} in
  start) ;;
  stop) stop; exit ;;
  *) echo "usage: docker.sh [start | stop]" >&2; exit 2 ;;
esac

if answers; then exit; fi
if [ -n "${DOCKER_HOST:-}${DOCKER_CONTEXT:-}" ]; then
  give_up "the one that DOCKER_HOST or DOCKER_CONTEXT names doesn't ($(reason))"
fi
if [ "$(uname)" != Linux ]; then
  give_up "open Docker Desktop, or run: colima start"
fi
# It may run and not be for everybody, or hang; a second one beside it would damage its files.
if pgrep -x dockerd >/dev/null; then
  give_up "dockerd runs and says: $(reason)"
fi
if [ "$(id -u)" != 0 ]; then
  give_up "only root can start one; run: sudo $0   (and, to use it: sudo usermod -aG docker $(id -un))"
fi

scripts/packages.sh docker
command -v dockerd >/dev/null || give_up "the program dockerd is not there after its package was installed"

mkdir -p .cache
echo "starting dockerd (its log: $log)"
# In a session of its own, so that Ctrl-C in this terminal doesn't end it.
setsid dockerd >"$log" 2>&1 </dev/null &
dockerd=$!
echo "$dockerd" >$started
for ((waited = 0; waited < limit; waited++)); do
  if answers; then exit; fi
  kill -0 "$dockerd" 2>/dev/null || give_up "dockerd ended: $(tail -n 1 "$log")"
  sleep 1
done
stop
give_up "dockerd did not within $limit s: $(tail -n 1 "$log")"

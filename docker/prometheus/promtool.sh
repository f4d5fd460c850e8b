#!/usr/bin/env bash
# Runs promtool: the one on PATH, or Debian's, unpacked into .tools (no root needed, nothing is installed).
set -euo pipefail
tools="$(cd "$(dirname "$0")/../.." && pwd)/.tools/prometheus"

fetch() {
    command -v apt-get dpkg-deb >/dev/null || {
        echo "promtool is not on PATH, and this is no Debian to fetch it from; install Prometheus" >&2
        return 1
    }
    mkdir -p "$tools/lists/partial" "$tools/cache/archives/partial"
    cd "$tools"
    # Package lists of its own where the system has none, as in a container image.
    apt-get -qq download prometheus 2>/dev/null || {
        local own=(-o "Dir::State::Lists=$tools/lists" -o "Dir::Cache=$tools/cache")
        apt-get -qq "${own[@]}" update
        apt-get -qq "${own[@]}" download prometheus
    }
    dpkg-deb -x prometheus_*.deb .
    rm -rf prometheus_*.deb lists cache
}

if ! command -v promtool >/dev/null; then
    [ -x "$tools/usr/bin/promtool" ] || (fetch)
    PATH="$tools/usr/bin:$PATH"
fi
exec promtool "$@"

#!/usr/bin/env bash
# Runs a target on one input, with a backtrace: `repeat.sh TARGET FILE`. `just fuzz` must have been built before.
set -euo pipefail
file=$(realpath "$2")
cd "$(dirname "$0")"
host=$(rustc -vV | sed -n 's/^host: //p')
ANZEN_FUZZ_TARGET="$1" RUST_BACKTRACE=1 "${CARGO_TARGET_DIR:-../../target}/fuzz/$host/release/anzen-fuzz" "$file"

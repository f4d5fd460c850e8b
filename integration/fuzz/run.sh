#!/usr/bin/env bash
# Fuzzes the parsers of remote input: `run.sh [TARGET...] [--seconds N]`, all of them for 60 seconds each by default. See
# ARCHITECTURE.md, Fuzzing.
set -euo pipefail
cd "$(dirname "$0")"

seconds=60
targets=()
while [ $# -gt 0 ]; do
    case "$1" in
        --seconds) seconds="${2:?--seconds needs a number}"; shift 2 ;;
        -*) echo "usage: just fuzz [TARGET...] [--seconds N]" >&2; exit 2 ;;
        *) targets+=("$1"); shift ;;
    esac
done
if [ ${#targets[@]} = 0 ]; then
    targets=($(ls corpus))
fi
if ! command -v "${CXX:-c++}" >/dev/null; then
    echo "libFuzzer is compiled from C++: install a compiler (on Debian: apt-get install g++)" >&2
    exit 1
fi

# Coverage is LLVM's own, which stable Rust passes on; cargo-fuzz and nightly Rust are not needed. With --target, build
# scripts are compiled without it.
host=$(rustc -vV | sed -n 's/^host: //p')
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
coverage="$coverage -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
out=${CARGO_TARGET_DIR:-../../target}/fuzz
RUSTFLAGS="$coverage" cargo build --locked --release --quiet --target "$host" --target-dir "$out"

failed=()
for target in "${targets[@]}"; do
    if [ ! -d "corpus/$target" ]; then
        echo "there is no target $target; there are: $(ls corpus | tr '\n' ' ')" >&2
        exit 2
    fi
    echo "==> $target, $seconds s"
    # What libFuzzer finds new goes into the first folder; what is kept is only read.
    mkdir -p "$out/found/$target" "$out/failures/$target"
    log="$out/failures/$target/log"
    if ANZEN_FUZZ_TARGET="$target" "$out/$host/release/anzen-fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -max_len=16384 -print_final_stats=1 -artifact_prefix="$out/failures/$target/" "$out/found/$target" "corpus/$target" \
        >"$log" 2>&1; then
        sed -n 's/^stat::number_of_executed_units: */    inputs: /p' "$log"
        grep -E '^#[0-9]+\s+DONE' "$log" | sed 's/^#[0-9]*\s*DONE\s*/    /'
    else
        failed+=("$target")
        grep -aE 'panicked at|^thread|bytes of memory|ERROR: libFuzzer|Test unit written' -A1 "$log" | head -12 || true
        echo "    all of it: $log"
    fi
done
if [ ${#failed[@]} -gt 0 ]; then
    echo "failed: ${failed[*]}. Repeat one input: just fuzz-repeat TARGET FILE; keep it: integration/fuzz/corpus/TARGET/" >&2
    exit 1
fi

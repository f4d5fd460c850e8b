# Everything that a person runs. Where `just` is not installed: `npx -y rust-just RECIPE`.

set shell := ["bash", "-euo", "pipefail", "-c"]

just := quote(just_executable())
tools := justfile_directory() / ".tools"
deny_version := "0.20.2"
machete_version := "0.9.2"

[private]
default:
    @{{ just }} --list

# Install what the contracts need from npm, unless it is there
setup:
    @cmp -s contracts/package-lock.json contracts/node_modules/.installed || { \
        npm ci --no-audit --no-fund --prefix contracts \
        && cp contracts/package-lock.json contracts/node_modules/.installed; }

# Compile everything
build: setup
    cargo build --locked --workspace --all-targets

# Run a local network: chain, contracts, operators, aggregator (`--bus nats --aggregators 2`: several; `just run-local --help`)
run-local *ARGS: _program
    @case " {{ ARGS }} " in *" --bus nats "*|*" --bus=nats "*) {{ just }} _nats-server;; esac
    @"${CARGO_TARGET_DIR:-target}/debug/anzen" local run {{ ARGS }}

# Set up operator number N of the running local network and run it in this terminal
spawn-operator N *ARGS: _program
    @"${CARGO_TARGET_DIR:-target}/debug/anzen" local spawn-operator {{ N }} {{ ARGS }}

_program: setup
    @cargo build --locked --bin anzen

# Run all tests: contracts; alert rules; Rust units, properties and the simulation; end to end on a real chain
test: test-contracts test-alerts _nats-server
    PATH="$PATH:{{ tools }}/usr/sbin" cargo test --locked --workspace

# Run the fast tests only: Rust units and properties
test-unit: setup
    cargo test --locked --workspace --lib --bins

# Run the contracts' tests, against EigenLayer's real bytecode; gas is as in contracts/snapshots (`forge test` there measures anew)
test-contracts: setup
    cargo run --locked --quiet --example export_eigenlayer
    cd contracts && FORGE_SNAPSHOT_CHECK=true node_modules/.bin/forge test

# Watch two thirds of the stake sign a false value on a local network, and lose it to a challenger (a minute)
dispute: _program
    @cargo run --locked --quiet --example dispute

# Simulate seeds: crashes, partitions, reorgs, liars (`just sim --seeds 1000 --first-seed 1`; `just sim --help`)
sim *ARGS: setup
    @cargo run --locked --quiet --example sim -- {{ ARGS }}

# Kill, fork and flood a local network's real processes (`just chaos [kill|reorg|flood] --kills 20 --tasks 200 --seed 1`)
chaos *ARGS: setup
    @case " {{ ARGS }} " in *" --bus nats "*|*" --bus=nats "*) {{ just }} _nats-server;; esac
    @cargo build --locked --quiet --bin anzen --example chaos
    @"${CARGO_TARGET_DIR:-target}/debug/examples/chaos" {{ ARGS }}

# Test Prometheus' configuration and alert rules
test-alerts:
    cd docker/prometheus && ./promtool.sh check config prometheus.yml && ./promtool.sh test rules alerts_test.yml

# Fuzz the parsers of what others send: all targets, or those named, 60 seconds each or `--seconds N` (ARCHITECTURE.md, Fuzzing)
fuzz *ARGS: setup
    @integration/fuzz/run.sh {{ ARGS }}

# Run a fuzz target on one input, with a backtrace
fuzz-repeat TARGET FILE:
    @integration/fuzz/repeat.sh {{ TARGET }} {{ FILE }}

# Make Grafana's dashboards from docker/grafana/sources
dashboards:
    cargo run --locked --quiet --example dashboards

# Prove compose.yaml on a Docker engine; where none runs, root on Debian gets one for the time being
docker-test *ARGS: setup
    cargo run --locked --quiet --example docker-test -- {{ ARGS }}

# Check formatting, lints, documentation, licences and unused dependencies; offline once its tools are there
check: setup _check-tools && _check-offline
    cargo fetch --locked

_check-offline:
    cargo fmt --all --check
    cargo fmt --check --manifest-path integration/fuzz/Cargo.toml
    cd contracts && node_modules/.bin/forge fmt --check
    cargo clippy --offline --locked --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --offline --locked --workspace --no-deps --document-private-items
    {{ tools }}/bin/cargo-deny --offline --locked check --hide-inclusion-graph licenses bans sources
    {{ tools }}/bin/cargo-machete

# What the bus is tested on: the system's, or Debian's package, unpacked in .tools.
_nats-server:
    @PATH="$PATH:{{ tools }}/usr/sbin"; command -v nats-server > /dev/null \
        || integration/debian.sh own {{ tools }} nats-server

# What comes from crates.io and is no part of the product: built once, kept in .tools.
_check-tools:
    @{{ tools }}/bin/cargo-deny --version 2>/dev/null | grep -q ' {{ deny_version }}$' \
        || cargo install --locked --debug --root {{ tools }} cargo-deny@{{ deny_version }}
    @{{ tools }}/bin/cargo-machete --version 2>/dev/null | grep -q '{{ machete_version }}$' \
        || cargo install --locked --debug --root {{ tools }} cargo-machete@{{ machete_version }}

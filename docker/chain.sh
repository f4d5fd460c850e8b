#!/bin/bash
# anvil, and a chain that outlives it, in the working directory: `chain.sh SECONDS ARGUMENT...`, a block every so many seconds.
#
# anvil's own --state is not enough. Every process begins with a block 0 of its own, its dump has those of all processes before
# it, and whichever is read last is the chain's: a chain that is another one by chance. A dump that coincides with a block may
# have the block's effects without the block, and is written over the one before.
set -euo pipefail

seconds=$1
shift
ready=${TMPDIR:-/tmp}/ready
rm -f "$ready"

# Writes the chain to disk, and leaves it without new blocks.
save() {
    cast rpc evm_setIntervalMining 0 > /dev/null || return
    # For a block that is being made.
    sleep 0.2
    # It comes compressed, as hexadecimal digits in quotes; gunzip knows when some are missing.
    cast rpc anvil_dumpState | tr -d '"\n' | tail -c +3 | tr a-f A-F | basenc --base16 --decode | gunzip > next.json \
        && sync next.json && mv next.json state.json
}

stop() {
    trap '' TERM INT
    local code=0
    if [ -e "$ready" ]; then save || code=1; fi
    kill "$anvil" && wait "$anvil" || true
    exit "$code"
}

# What makes block 0 the same each time, and another one than that of other chains. anvil's clock begins there, too.
[ -s genesis ] || date +%s > genesis
arguments=(--timestamp "$(cat genesis)" --no-mining)
[ ! -e state.json ] || arguments+=(--load-state state.json)
anvil "${arguments[@]}" "$@" &
anvil=$!
trap stop TERM INT

until cast chain-id > /dev/null 2>&1; do
    kill -0 "$anvil"
    sleep 0.1
done
now=$(date +%s)
last=$(cast block latest --field timestamp)
cast rpc evm_setTime $((now > last ? now : last)) > /dev/null
cast rpc evm_setIntervalMining "$seconds" > /dev/null
touch "$ready"

pause=10
while true; do
    sleep "$pause" &
    wait -n "$anvil" $! || exit
    # Not during a deployment, which has each transaction mined at once.
    interval=$(cast rpc anvil_getIntervalMining) || continue
    [ "$interval" != null ] || continue
    begun=${EPOCHREALTIME//[!0-9]/}
    save || echo "chain.sh: the chain could not be written to disk" >&2
    until automine=$(cast rpc anvil_getAutomine) \
        && { [ "$automine" = true ] || cast rpc evm_setIntervalMining "$interval" > /dev/null; }; do
        echo "chain.sh: no block can be made; trying again" >&2
        kill -0 "$anvil"
        sleep 1
    done
    # Blocks are to be made nine tenths of the time. A chain of a day takes seconds to write.
    pause=$(((${EPOCHREALTIME//[!0-9]/} - begun) * 9 / 1000000))
    [ "$pause" -gt 10 ] || pause=10
done

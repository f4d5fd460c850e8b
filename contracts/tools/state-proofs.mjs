#!/usr/bin/env node
// Writes test/vectors/proofs.json: headers, and proofs of accounts and slots that are there and that are not, as anvil makes
// them over tries of 20,000 accounts and 3,000 slots. The same each time.
//
//   node tools/state-proofs.mjs
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { decode, encode } from "./rlp.mjs";

const CONTRACTS = join(dirname(fileURLToPath(import.meta.url)), "..");
const OUTPUT = join(CONTRACTS, "test", "vectors", "proofs.json");
const GENESIS = 1_700_000_000;
const ACCOUNTS = 20_000;
const SLOTS = 3_000;
const BATCH = 500;
const HARDFORKS = ["berlin", "london", "shanghai", "cancun", "prague", "osaka"];
// The hashes of these slots share nine nibbles, as no others below 515,151 do: their leaves are short enough to stand in
// their parent if the values are. (Found by trying.)
const INLINE_SLOTS = [247_476, 515_151];

// What the header of a block is made of, in order; each fork appended to it.
const HEADER_FIELDS = [
  ..."parentHash sha3Uncles miner stateRoot transactionsRoot receiptsRoot logsBloom".split(" "),
  ..."difficulty number gasLimit gasUsed timestamp extraData mixHash nonce".split(" "),
  ..."baseFeePerGas withdrawalsRoot blobGasUsed excessBlobGas parentBeaconBlockRoot requestsHash".split(" "),
];
const INTEGERS = new Set(
  "difficulty number gasLimit gasUsed timestamp baseFeePerGas blobGasUsed excessBlobGas".split(" "),
);

const hex = (value, bytes) => "0x" + BigInt(value).toString(16).padStart(2 * bytes, "0");
const word = (value) => hex(value, 32);
const user = (index) => hex(0x1000_0000 + index, 20);
const contract = (index) => hex(0xc0de_0000 + index, 20);

/** Runs `work` with the JSON-RPC of an anvil of its own. */
async function withAnvil(options, work) {
  const anvil = spawn(
    join(CONTRACTS, "node_modules", ".bin", "anvil"),
    ["--port", "0", "--no-mining", "--timestamp", String(GENESIS), ...options],
    { detached: true, stdio: ["ignore", "pipe", "inherit"] },
  );
  try {
    return await work(rpc(await listening(anvil)));
  } finally {
    process.kill(-anvil.pid);
  }
}

async function listening(anvil) {
  for await (const line of createInterface({ input: anvil.stdout })) {
    const match = /Listening on (\S+)/.exec(line);
    if (match) return `http://${match[1]}`;
  }
  throw new Error("anvil ended before it listened");
}

/** `call(method, ...params)`, and `call.batch([[method, ...params], ...])`. */
function rpc(url) {
  const batch = async (calls) => {
    const body = calls.map(([method, ...params], id) => ({ jsonrpc: "2.0", id, method, params }));
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const answers = await response.json();
    return answers.sort((a, b) => a.id - b.id).map(({ result, error }) => {
      if (error) throw new Error(error.message);
      return result;
    });
  };
  const call = async (...one) => (await batch([one]))[0];
  call.batch = async (calls) => {
    const results = [];
    for (let i = 0; i < calls.length; i += BATCH) results.push(...(await batch(calls.slice(i, i + BATCH))));
    return results;
  };
  return call;
}

/** The next block, at a time that does not depend on how long this takes. */
async function mine(call) {
  await call("evm_setNextBlockTimestamp", GENESIS + 12);
  await call("evm_mine");
}

/** The latest block's header, encoded, and what it should be decoded to. */
async function header(call) {
  const block = await call("eth_getBlockByNumber", "latest", false);
  const fields = HEADER_FIELDS.filter((name) => block[name] !== undefined && block[name] !== null);
  const encoded = encode(fields.map((name) => (INTEGERS.has(name) ? integer(block[name]) : block[name])));
  const hash = await call("web3_sha3", encoded);
  if (hash !== block.hash) throw new Error(`the header's hash is ${hash}, the block's is ${block.hash}`);
  return {
    encoded,
    fields: fields.length,
    hash,
    number: Number(block.number),
    stateRoot: block.stateRoot,
    timestamp: Number(block.timestamp),
  };
}

/** RLP has no leading zeros, and zero is the empty string. */
function integer(quantity) {
  const digits = BigInt(quantity).toString(16);
  return digits === "0" ? "0x" : "0x" + (digits.length % 2 ? "0" : "") + digits;
}

/** The nodes that are named by their hashes: what a prover hands to the contract. */
const named = (proof) => proof.filter((node) => node.length >= 2 + 2 * 32);

/** How the key's way ends, of which the last node and whether the key is there tell. */
function ending(proof, present) {
  if (proof.length === 0) return "emptyTrie";
  const last = decode(proof.at(-1));
  if (last.length === 17) return present ? "inlineLeaf" : "emptyChild";
  const leaf = parseInt(last[0][2], 16) >= 2;
  if (leaf && last[1] === "0x80") return "leafOfZero";
  if (present) return leaf ? "leaf" : "inlineLeaf";
  return leaf ? "otherLeaf" : "extension";
}

/** What `eth_getProof` has to say about `account` and `slots`, named. */
async function prove(call, name, account, slots = []) {
  const answer = await call("eth_getProof", account, slots.map(word), "latest");
  const proof = named(answer.accountProof);
  const present = answer.codeHash !== word(0) && (BigInt(answer.balance) > 0n || answer.storageProof.length > 0);
  return {
    account,
    ending: ending(proof, present),
    name,
    proof,
    slots: answer.storageProof.map((slot, i) => ({
      ending: ending(named(slot.proof), BigInt(slot.value) !== 0n),
      proof: named(slot.proof),
      slot: word(slots[i]),
      value: word(slot.value),
    })),
    storageRoot: answer.storageHash,
  };
}

/** The first of `candidates` for each of the endings `wanted`. */
async function search(wanted, candidates, proofOf) {
  const found = new Map();
  for (const candidate of candidates) {
    const { ending } = await proofOf(candidate);
    if (wanted.includes(ending) && !found.has(ending)) found.set(ending, candidate);
    if (found.size === wanted.length) return wanted.map((name) => found.get(name));
  }
  throw new Error(`of ${wanted} there is only ${[...found.keys()]}`);
}

function* from(first, count = 10_000) {
  for (let i = first; i < first + count; ++i) yield i;
}

async function fill(call) {
  const calls = [];
  for (const i of from(0, ACCOUNTS)) calls.push(["anvil_setBalance", user(i), hex(i + 1, 1).replace(/^0x0+/, "0x")]);
  for (const i of from(0, 6)) calls.push(["anvil_setCode", contract(i), "0x60006000fd"]);
  const store = (i, slot, value) => calls.push(["anvil_setStorageAt", contract(i), word(slot), word(value)]);
  for (const i of from(0, SLOTS)) store(0, i, (BigInt(i) + 1n) ** 20n % 2n ** 256n);
  store(1, 0, 7);
  for (const slot of INLINE_SLOTS) store(2, slot, slot % 100);
  for (const slot of [0, 1, 2, 3, ...INLINE_SLOTS]) store(3, slot, 5);
  // Written and cleared: anvil keeps a leaf of zero, where other clients keep nothing.
  store(4, 0, 1);
  store(4, 0, 0);
  await call.batch(calls);
  await mine(call);
}

async function proofs(call) {
  await fill(call);
  const slotEnding = async (slot) => (await prove(call, "", contract(0), [slot])).slots[0];
  const accountEnding = (index) => prove(call, "", user(index));
  const absence = ["emptyChild", "otherLeaf", "extension"];
  const zeros = await search(absence, from(1_000_000), slotEnding);
  const absent = await search(absence, from(ACCOUNTS), accountEnding);
  const accounts = [
    await prove(call, "user", user(17)),
    await prove(call, "manySlots", contract(0), [0, 1, 2_999, ...zeros]),
    await prove(call, "oneSlot", contract(1), [0, 1]),
    await prove(call, "inlineSlots", contract(2), [...INLINE_SLOTS, 0]),
    await prove(call, "inlineSlotsAmongOthers", contract(3), [...INLINE_SLOTS, 0, 9]),
    await prove(call, "clearedSlot", contract(4), [0]),
    await prove(call, "noSlots", contract(5), [0]),
  ];
  for (const i of [0, 1, 2]) accounts.push(await prove(call, `absent: ${absence[i]}`, user(absent[i]), []));
  return accounts;
}

const headers = [];
for (const hardfork of HARDFORKS) {
  headers.push({
    hardfork,
    ...(await withAnvil(["--hardfork", hardfork], async (call) => {
      await mine(call);
      return header(call);
    })),
  });
}
const { accounts, block } = await withAnvil([], async (call) => ({
  accounts: await proofs(call),
  block: await header(call),
}));
writeFileSync(OUTPUT, JSON.stringify({ accounts, block, headers }, null, 1) + "\n");

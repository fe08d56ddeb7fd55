/**
 * Made data for the programs that measure the policy: the demo's policy with limits that suit a batch every ten minutes, a
 * book of a hundred destinations, any number of earlier batches, and a batch of a hundred outputs. Equal every time.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseYaml } from '../dist/adapters/source-text.js';
import { encodeAddress } from '../dist/domain/address.js';
import { trustedHex } from '../dist/domain/bytes.js';
import { parseTime } from '../dist/domain/time.js';
import { loadPolicy } from '../dist/policy/load.js';

const HOUR = 3600;
const DAY = 24 * HOUR;
/** A Wednesday within the demo policy's hours. */
export const NOW = parseTime('2026-06-03T12:00:00Z');
const TIP = 3_000_000;
const OUTPUTS = 100;
const EVERY = 600;
const BTC = 100_000_000n;

const POLICY = new URL('../examples/demo/policy.yaml', import.meta.url);
const DESTINATIONS = 100;
/** Earlier batches go to these; the batch that is judged pays the others too. */
const BUSY = 30;
/** The last ones of the book are in it for 5 days. */
const YOUNG = 5;
const UNCONFIRMED = 5;

const hash = (text) => createHash('sha256').update(text).digest('hex');
const script = (name) => trustedHex(`0014${hash(name).slice(0, 40)}`);

/** Numbers below a bound, the same ones in every run (mulberry32). */
function numbers(seed) {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

/** Room for a batch every ten minutes and a hundred outputs, in the policy's own text. */
const ROOMY = [
  ['outputs_per_batch: 50', 'outputs_per_batch: 120'],
  ['batches_24h: 6', 'batches_24h: 1000'],
  [
    '"1h": "12000000000", "24h": "20000000000", "7d": "50000000000"',
    '"1h": "100000000000", "24h": "2000000000000", "7d": "20000000000000"',
  ],
  ['{ "144": "20000000000" }', '{ "144": "2000000000000" }'],
  ['signed_unconfirmed: "15000000000"', 'signed_unconfirmed: "100000000000"'],
  ['default_cap_24h: "8000000000"', 'default_cap_24h: "800000000000"'],
  ['max_24h: "4000000"', 'max_24h: "400000000"'],
];

/** The same policy, with limits that the earlier batches have used up long ago. */
const TIGHT = [
  ['outputs_per_batch: 50', 'outputs_per_batch: 120'],
  ['signed_unconfirmed: "15000000000"', 'signed_unconfirmed: "100000000000"'],
  ['each_24h: "500000000", all_24h: "1000000000"', 'each_24h: "500000", all_24h: "2000000"'],
];

function policyOf(changes) {
  const text = changes.reduce(
    (before, [from, to]) => {
      if (!before.includes(from)) throw new Error(`the demo's policy no longer says ${from}`);
      return before.replace(from, to);
    },
    readFileSync(POLICY, 'utf8'),
  );
  const node = parseYaml(text, 'policy.yaml');
  if (!node.ok) throw new Error(JSON.stringify(node.error));
  const policy = loadPolicy(node.value, 'policy.yaml');
  if (!policy.ok) throw new Error(JSON.stringify(policy.error));
  return policy.value;
}

/** No approval of the made journal is signed, so no signature can be asked for a touch; its snapshots may be old. */
const UNSIGNED = [
  ...ROOMY,
  [', touch_required: true', ''],
  ['chain_snapshot_max_age: "2h"', 'chain_snapshot_max_age: "48h"'],
];

export const roomyPolicy = policyOf(ROOMY);
export const tightPolicy = policyOf(TIGHT);
export const unsignedPolicy = policyOf(UNSIGNED);

export const book = Array.from({ length: DESTINATIONS }, (_, index) => {
  const young = index >= DESTINATIONS - YOUNG;
  const hex = `0014${hash(`destination ${index}`).slice(0, 40)}`;
  return { id: `customer-${index}`, label: `Customer ${index}`, script: hex, since: NOW - (young ? 5 : 4000) * DAY };
});

/** Earlier batches, one every ten minutes up to an hour ago, of 1 to 5 outputs, and a few that are not confirmed yet. */
export function earlierBatches(count) {
  const below = numbers(count);
  return Array.from({ length: count }, (_, index) => {
    const back = count - index;
    const at = NOW - HOUR - back * EVERY;
    const outputs = Array.from({ length: 1 + below(5) }, () => ({
      // As from a journal: every row holds a text of its own.
      script: Buffer.from(book[below(BUSY)].script).toString('latin1'),
      amount: BigInt(1_000_000 + below(100_000_000)),
    }));
    const fee = BigInt(1_000 + below(20_000));
    return {
      batch: `b-${index}`,
      spend: outputs.reduce((sum, { amount }) => sum + amount, fee),
      fee,
      outputs,
      inputs: Array.from(
        { length: 1 + below(3) },
        (_, input) => `${(index * 7919).toString(16).padStart(64, '0')}:${input}`,
      ),
      reservedAt: at - HOUR,
      confirmed: back > UNCONFIRMED ? { at, height: TIP - 6 - back } : null,
    };
  });
}

const NOT_OURS = { own: false, problem: null };
const own = (branch, index) => ({ own: true, origin: { branch, index }, claimed: true });

/** A batch of a hundred outputs of 0.01 BTC from twenty coins, with one change output, and the quorum that it needs. */
export function hundredOutputs(policy, spends) {
  const paid = Array.from({ length: OUTPUTS }, (_, index) => ({
    value: BTC / 100n + BigInt(index),
    script: trustedHex(book[index % DESTINATIONS].script),
    kind: 'p2wpkh',
    own: NOT_OURS,
    isChange: false,
  }));
  const change = { value: 3n * BTC, script: script('change 42'), kind: 'p2wpkh', own: own(1, 42), isChange: true };
  const outputs = [...paid, change].map((output, index) => ({
    index,
    address: encodeAddress(output.script, policy.document.wallet.network),
    ...output,
  }));
  const fee = 100_000n;
  const external = paid.reduce((sum, { value }) => sum + value, 0n);
  const each = (external + change.value + fee) / 20n;
  const rest = external + change.value + fee - each * 19n;
  const inputs = Array.from({ length: 20 }, (_, index) => {
    const value = index === 0 ? rest : each;
    return {
      index,
      outpoint: { txid: hash(`unspent ${index}`), vout: 0 },
      sequence: 0xfffffffd,
      value,
      script: script(`receive ${index}`),
      proof: 'proven',
      sighashType: null,
      presigned: false,
      foreignFields: [],
      origin: { branch: 0, index },
      coin: { confirmations: 100, coinbase: false, value, leftOnScript: 0 },
      frozen: null,
      sources: { scripts: [], untold: 0 },
    };
  });
  return {
    policy,
    now: NOW,
    facts: {
      psbtSha256: 'ab'.repeat(32),
      vault: policy.document.wallet,
      version: 2,
      locktime: TIP,
      malformed: null,
      inputs,
      outputs,
      fee,
      external,
      spend: external + fee,
      vsize: 4_800n,
    },
    requests: paid.map(({ script: to, value }, index) => ({
      id: `r-${index}`,
      address: outputs[index].address,
      script: to,
      amount: value,
    })),
    state: {
      spends,
      destinations: new Map(book.map((entry) => [entry.script, entry])),
      confirmedBalance: 5_000n * BTC,
      tip: { height: TIP, medianTimePast: NOW - HOUR },
      snapshotAt: NOW - 600,
      lastEntryAt: NOW - 60,
      usedChange: new Set(),
      lastUsedChange: 41,
      screening: new Map(),
      initiator: 'dave',
      approvals: ['alice', 'bob', 'carol', 'erin'].map((person) => ({
        person,
        at: NOW - 600,
        validUntil: NOW + 3 * HOUR,
        touch: true,
      })),
      reusedRequests: [],
    },
  };
}

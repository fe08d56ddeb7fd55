import { decodeAddress } from '../../src/domain/address.js';
import { sha256Hex, toHex, trustedHex } from '../../src/domain/bytes.js';
import { parseBtc, type Sats } from '../../src/domain/sats.js';
import { parseTime, type UnixSeconds } from '../../src/domain/time.js';
import type { DestinationAge, LoadedPolicy, PolicyDocument } from '../../src/policy/types.js';

// The policy and the address book that all cases start from. Cases change what they are about and nothing else.

export const HOUR = 3600;
export const DAY = 24 * HOUR;

export function at(text: string): UnixSeconds {
  const time = parseTime(text);
  if (time === null) throw new Error(`no time: ${text}`);
  return time;
}

/** A Monday. */
export const NOW = at('2026-06-01T12:00:00Z');
export const TIP = 950_000;

export function btc(text: string): Sats {
  const sats = parseBtc(text);
  if (!sats.ok) throw new Error(sats.error.message);
  return sats.value;
}

/** Keys made from sha256("countersign policy fixture"): they protect nothing. */
export const DESCRIPTOR =
  'wpkh([ebf57e6a/84h/0h/0h]xpub6C497re4fytw8AS58uSayXJyedGN7KwpEAxWY9A32ND1S3ZWF8BQZ1ia3kzw6K1RytwyyWYmBimqzka6mBVBpsPUtLrqN5LN6mWhY1KAATS/<0;1>/*)#7h0wzkgf';

// ---------------------------------------------------------------- the book

export const ADDRESSES = {
  A: 'bc1qrjqln9462l3yg4uk93nhheyw75kp2jmagz3djn',
  B: '36S7fkdDmtGLStagu5qRVxhcYodeook7eY',
  C: 'bc1qjgmkkjf9el7pqq2h9gv27tlvvx0338dcjn49x9ck5hwd3zk8d4ksfflgv2',
  D: 'bc1pfjwmv8ad4cdkq9tw4742kc5yw89cxjdtenkkf7hawvqasu2tyh0s9lquva',
  E: '1HaPjweoDS3b6pcj7ijBdvvsD5AmQjy9Mf',
  F: 'bc1qcuy7xqxfqs5hzj7ej6mv65spmuvf6ht9umc6ry',
  X: 'bc1qnqycgnx30p9rka7ldaguae3gsfz2222cffyekw',
  /** Valid, made by solving the checksum: shares the first 17 and the last 18 characters with A. */
  A_LOOK: 'bc1qrjqln9462l3ygy5peumkheyw75kp2jmagz3djn',
  A_PKH: '13bjdBza8Km3tBZvH7hTpWwwwJBsHqwhfN',
  A_SH: '32oPTNkrVrEE51se2Tkjmduazex2qVWfZo',
  A_TR: 'bc1prknn470j407e6gyc3pfn3v6u7jpyf8w4f7hx0xvxctxls26ahnps5zczg0',
} as const;

export function scriptOf(address: string): Uint8Array {
  const destination = decodeAddress(address, 'main');
  if (!destination.ok) throw new Error(destination.error.message);
  return destination.value.script;
}

/** P2WPKH scripts out of nothing: nobody's. */
export function someScript(name: string): Uint8Array {
  return trustedHex(`0014${sha256Hex(name).slice(0, 40)}`);
}

export function entry(id: string, script: Uint8Array, since: UnixSeconds): [string, DestinationAge] {
  const hex = toHex(script);
  return [hex, { id, label: `label of ${id}`, script: hex, since }];
}

/** Where "used" amounts went, so that they fill no case's own destination. */
export const ELSEWHERE = someScript('elsewhere');

export const BOOK: ReadonlyMap<string, DestinationAge> = new Map([
  entry('warm-1', scriptOf(ADDRESSES.A), NOW - 400 * DAY),
  entry('settle', scriptOf(ADDRESSES.B), NOW - 400 * DAY),
  entry('custodian', scriptOf(ADDRESSES.C), NOW - 400 * DAY),
  entry('warm-2', scriptOf(ADDRESSES.D), NOW - 400 * DAY),
  entry('legacy', scriptOf(ADDRESSES.E), NOW - 400 * DAY),
  entry('new', scriptOf(ADDRESSES.F), NOW - 5 * DAY),
  entry('elsewhere', ELSEWHERE, NOW - 400 * DAY),
]);

// ---------------------------------------------------------------- the policy

export const P0: PolicyDocument = {
  schema: 'countersign.policy/1',
  engine: '>=1 <2',
  wallet: {
    id: 'cold-btc-1',
    network: 'main',
    descriptor: DESCRIPTOR,
    device: { kinds: ['nanos', 'nanosp'], app: 'Bitcoin', minAppVersion: '2.2.0' },
  },
  version: 7,
  prev: null,
  effectiveAt: at('2026-05-01T08:00:00Z'),
  expiresAt: at('2026-12-01T00:00:00Z'),
  roles: new Map([
    ['officers', people('alice', 'bob', 'carol', 'dave')],
    ['compliance', people('erin')],
    ['auditors', people('frank', 'grace')],
  ]),
  changeControl: { sign: { from: ['auditors'], m: 2 }, looseningNotice: 72 * HOUR },
  destinations: {
    default: 'deny',
    cooldown: 72 * HOUR,
    young: { untilAge: 30 * DAY, each24h: btc('5'), all24h: btc('10') },
    bookSign: { from: ['officers', 'compliance'], m: 2, include: 'compliance' },
    scriptTypes: ['p2pkh', 'p2sh', 'p2wpkh', 'p2wsh', 'p2tr'],
    defaultCap24h: btc('80'),
    caps24h: new Map([
      ['warm-1', btc('150')],
      ['elsewhere', null],
    ]),
  },
  limits: {
    batch: btc('100'),
    output: btc('50'),
    rolling: { '1h': btc('120'), '24h': btc('200'), '7d': btc('500') },
    rollingBlocks: new Map(),
    signedUnconfirmed: btc('150'),
    batches24h: 6,
    outputsPerBatch: 50,
    reserveFloor: btc('1000'),
  },
  fees: {
    maxRate: 300_000n,
    minRate: 1000n,
    maxAbs: 1_000_000n,
    maxBpOfExternal: 50,
    bpAppliesAbove: 10_000n,
    max24h: 4_000_000n,
  },
  approvals: {
    tierBasis: 'max_of_batch_and_rolling_24h',
    initiatorMayApprove: false,
    validFor: 4 * HOUR,
    tiers: [
      { upTo: btc('10'), from: ['officers'], m: 2, touchRequired: false },
      { upTo: btc('50'), from: ['officers'], m: 3, touchRequired: false },
      { upTo: null, from: ['officers', 'compliance'], m: 4, include: 'compliance', touchRequired: false },
    ],
  },
  inputs: {
    prevtx: 'required_before_taproot',
    minConfirmations: 6,
    minValue: 10_000n,
    foreign: 'deny',
    forcedReuse: 'quarantine',
    max: 200,
  },
  change: { maxOutputs: 1, branch: 1, maxGap: 20, reuse: 'deny' },
  transaction: {
    sighash: 'all',
    locktime: 'height_up_to_tip',
    versions: [1, 2],
    opReturn: 'deny',
    selfReceive: 'deny',
  },
  hours: { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: 7 * HOUR, to: 19 * HOUR, closedDates: ['2026-12-25'] },
  screening: { lists: [], onHit: 'deny', inputsHops: 0 },
  clock: { maxBack: 120, maxAheadOfMtp: 3 * HOUR, chainSnapshotMaxAge: 2 * HOUR },
  halt: {
    raise: { from: ['officers', 'compliance', 'auditors'], m: 1 },
    resume: { from: ['officers', 'compliance'], m: 3, include: 'compliance', notBefore: 24 * HOUR },
    auto: [],
  },
  log: { origin: 'cold-btc-1.log.example', witnesses: { m: 0, keys: [] } },
};

function people(...names: string[]): ReadonlyMap<string, readonly string[]> {
  return new Map(names.map((name) => [name, [`ssh-ed25519 ${name}`]]));
}

/** Changes to sections of the policy; a section keeps its other fields. */
export type PolicyChange = { readonly [K in keyof PolicyDocument]?: Partial<PolicyDocument[K]> | PolicyDocument[K] };

export function loaded(change: PolicyChange = {}): LoadedPolicy {
  const document = { ...P0 } as Record<string, unknown>;
  for (const [key, value] of Object.entries(change)) {
    const before = document[key];
    document[key] = isSection(before) && isSection(value) ? { ...before, ...value } : value;
  }
  return {
    document: document as unknown as PolicyDocument,
    digest: `sha256:${'7'.repeat(64)}`,
    file: 'policies/cold.yaml',
    where: (field) => ({ file: 'policies/cold.yaml', line: 1 + field.length }),
  };
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !(value instanceof Map) && !Array.isArray(value);
}

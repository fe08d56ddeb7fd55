import { decodeAddress, encodeAddress } from '../../src/domain/address.js';
import { sha256Hex, toHex, trustedHex } from '../../src/domain/bytes.js';
import type { WithdrawalRequest } from '../../src/domain/request.js';
import { parseBtc, type Sats, sumSats } from '../../src/domain/sats.js';
import { scriptKind } from '../../src/domain/script.js';
import { parseTime, type UnixSeconds } from '../../src/domain/time.js';
import { evaluate } from '../../src/policy/evaluate.js';
import type {
  Approval,
  DestinationAge,
  EvaluationInput,
  Facts,
  InputFact,
  LoadedPolicy,
  OutputFact,
  PolicyDocument,
  PolicyState,
  SpendRecord,
  Verdict,
} from '../../src/policy/types.js';
import type { OwnProof } from '../../src/vault/types.js';

// The policy, address book and state that all cases start from. Cases change what they are about and nothing else.

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
const ELSEWHERE = someScript('elsewhere');

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

// ---------------------------------------------------------------- facts

/** An amount for an address, or for a script. */
export type Pay = readonly [to: keyof typeof ADDRESSES | Uint8Array, sats: Sats];

export const pay = (to: Pay[0], amount: string): Pay => [to, btc(amount)];

export interface BatchChange {
  readonly pay?: readonly Pay[];
  readonly fee?: Sats;
  readonly vsize?: bigint;
  readonly change?: readonly OutputFact[];
  /** Laid over the inputs, one by one; the first carries the value of the batch. */
  readonly inputs?: readonly Partial<InputFact>[];
  /** Further outputs that are no change and that nobody asked for. */
  readonly extra?: readonly OutputFact[];
  readonly requests?: readonly WithdrawalRequest[];
  readonly facts?: Partial<Facts>;
}

const NOT_OURS: OwnProof = { own: false, problem: null };

export function output(script: Uint8Array, value: Sats, own: OwnProof = NOT_OURS, index = 0): OutputFact {
  const isChange = own.own && own.origin.branch === 1;
  return { index, value, script, kind: scriptKind(script), address: encodeAddress(script, 'main'), own, isChange };
}

export function change(value: Sats, index = 42, claimed = true): OutputFact {
  return output(someScript(`change ${index}`), value, { own: true, origin: { branch: 1, index }, claimed });
}

export const txid = (name: string): string => sha256Hex(`transaction ${name}`);
export const outpoint = (name: string): string => `${txid(name)}:0`;

export function input(value: Sats, more: Partial<InputFact> = {}, name = 'coin'): InputFact {
  return {
    index: 0,
    outpoint: { txid: txid(name), vout: 0 },
    sequence: 0xfffffffd,
    value,
    script: someScript(`receive ${name}`),
    proof: 'proven',
    sighashType: null,
    presigned: false,
    foreignFields: [],
    origin: { branch: 0, index: 3 },
    coin: { confirmations: 100, coinbase: false, value: more.value ?? value, leftOnScript: 0 },
    frozen: null,
    ...more,
  };
}

export interface Batch {
  readonly facts: Facts;
  readonly requests: readonly WithdrawalRequest[];
}

export function batch(options: BatchChange = {}): Batch {
  const payments = options.pay ?? [pay('A', '1')];
  const paid = payments.map(([to, value]) => output(typeof to === 'string' ? scriptOf(ADDRESSES[to]) : to, value));
  const changes = options.change ?? [];
  const extra = options.extra ?? [];
  const outputs = [...paid, ...extra, ...changes].map((fact, index) => ({ ...fact, index }));
  const fee = options.fee ?? 100_000n;
  const laid = options.inputs ?? [{}];
  const given = sumSats(laid.slice(1).map(({ value = 0n }) => value));
  const first = sumSats(outputs.map(({ value }) => value)) + fee - given;
  const inputs = laid.map((more, index) => ({
    ...input(index === 0 ? first : (more.value ?? 0n), more, `coin ${index}`),
    index,
  }));
  return {
    facts: factsOf(inputs, outputs, { vsize: options.vsize ?? 400n, ...options.facts }),
    requests: options.requests ?? requestsFor(paid),
  };
}

/** The sums that facts are made of, as facts.ts makes them. */
export function factsOf(
  inputs: readonly InputFact[],
  outputs: readonly OutputFact[],
  more: Partial<Facts> = {},
): Facts {
  const sum = (items: readonly { readonly value: Sats }[]): Sats => sumSats(items.map(({ value }) => value));
  const changed = sum(outputs.filter(({ isChange }) => isChange));
  return {
    psbtSha256: 'ab'.repeat(32),
    vault: { id: 'cold-btc-1', network: 'main', descriptor: DESCRIPTOR },
    version: 2,
    locktime: TIP,
    malformed: null,
    inputs,
    outputs,
    fee: sum(inputs) - sum(outputs),
    external: sum(outputs) - changed,
    spend: sum(inputs.filter(({ origin }) => origin !== null)) - changed,
    vsize: 400n,
    ...more,
  };
}

export function requestsFor(outputs: readonly OutputFact[]): WithdrawalRequest[] {
  return outputs.map(({ script, address, value }, index) => ({
    id: `r-${index}`,
    address: address ?? toHex(script),
    script,
    amount: value,
  }));
}

// ---------------------------------------------------------------- state

let spendCount = 0;

export interface SpendChange {
  /** Seconds before now at which it was confirmed; 2 h unless given. */
  readonly ago?: number;
  readonly unconfirmed?: boolean;
  /** Names of coins; equal names conflict. */
  readonly inputs?: readonly string[];
  readonly fee?: Sats;
  readonly to?: Pay[0];
  readonly height?: number;
}

/** An earlier batch that took `amount`, its fee (0 unless given) included. */
export function spent(amount: Sats, options: SpendChange = {}): SpendRecord {
  spendCount += 1;
  const { ago = 2 * HOUR, fee = 0n, to = ELSEWHERE } = options;
  const script = toHex(typeof to === 'string' ? scriptOf(ADDRESSES[to]) : to);
  return {
    batch: `batch-${spendCount}`,
    spend: amount,
    fee,
    outputs: [{ script, amount: amount - fee }],
    inputs: (options.inputs ?? [`earlier ${spendCount}`]).map(outpoint),
    reservedAt: NOW - ago,
    confirmed: options.unconfirmed === true ? null : { at: NOW - ago, height: options.height ?? TIP - 10 },
  };
}

export function approvedBy(...names: string[]): Approval[] {
  return names.map((person) => ({ person, at: NOW - 600, validUntil: NOW + 3 * HOUR, touch: true }));
}

/** A quorum that completes every tier. */
export const FULL_QUORUM = approvedBy('alice', 'bob', 'carol', 'erin');

export function stateOf(change: Partial<PolicyState> = {}): PolicyState {
  return {
    spends: [],
    destinations: BOOK,
    confirmedBalance: btc('5000'),
    tip: { height: TIP, medianTimePast: NOW - HOUR },
    snapshotAt: NOW - 600,
    lastEntryAt: NOW - 60,
    usedChange: new Set(),
    lastUsedChange: 41,
    initiator: 'ivan',
    approvals: FULL_QUORUM,
    reusedRequests: [],
    ...change,
  };
}

// ---------------------------------------------------------------- judging

export interface Case {
  readonly policy?: PolicyChange;
  readonly batch?: BatchChange;
  readonly state?: Partial<PolicyState>;
  readonly now?: UnixSeconds;
}

export function inputOf({ policy, batch: changes, state, now = NOW }: Case): EvaluationInput {
  return { policy: loaded(policy), ...batch(changes), state: stateOf(state), now };
}

export function judge(c: Case): Verdict {
  return evaluate(inputOf(c));
}

export function codes(verdict: Verdict, outcome: 'deny' | 'need' | 'warn' | 'pass'): string[] {
  return [...new Set(verdict.findings.filter((finding) => finding.outcome === outcome).map(({ code }) => code))];
}

/** "ALLOW", or the decision with the codes that brought it about: "DENY LIMIT_24H". Warnings follow after "WARN". */
export function summary(verdict: Verdict): string {
  const reasons = verdict.decision === 'DENY' ? codes(verdict, 'deny') : codes(verdict, 'need');
  const warnings = codes(verdict, 'warn');
  return [verdict.decision, ...reasons, ...(warnings.length === 0 ? [] : ['WARN', ...warnings])].join(' ');
}

export function findingOf(verdict: Verdict, code: string, subject?: string) {
  const found = verdict.findings.find(
    (finding) => finding.code === code && (subject === undefined || finding.subject === subject),
  );
  if (found === undefined) throw new Error(`no finding ${code} ${subject ?? ''} in ${summary(verdict)}`);
  return found;
}

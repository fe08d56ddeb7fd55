import { encodeAddress } from '../../src/domain/address.js';
import type { BatchKind } from '../../src/domain/batch-kind.js';
import { sha256Hex, toHex } from '../../src/domain/bytes.js';
import type { WithdrawalRequest } from '../../src/domain/request.js';
import { type Sats, sumSats } from '../../src/domain/sats.js';
import { scriptKind } from '../../src/domain/script.js';
import type { UnixSeconds } from '../../src/domain/time.js';
import { NO_COUNTERPARTIES } from '../../src/policy/counterparties.js';
import { evaluate } from '../../src/policy/evaluate.js';
import type {
  Approval,
  EvaluationInput,
  Facts,
  InputFact,
  OutputFact,
  PolicyState,
  SpendRecord,
  Verdict,
} from '../../src/policy/types.js';
import { NO_SOURCES } from '../../src/psbt/sources.js';
import type { OwnProof } from '../../src/vault/types.js';
import {
  ADDRESSES,
  BOOK,
  btc,
  DESCRIPTOR,
  ELSEWHERE,
  HOUR,
  loaded,
  NOW,
  type PolicyChange,
  scriptOf,
  someScript,
  TIP,
} from './fixture-policy.js';

export * from './fixture-policy.js';

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
    sources: NO_SOURCES,
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
    counterparties: NO_COUNTERPARTIES,
    confirmedBalance: btc('5000'),
    tip: { height: TIP, medianTimePast: NOW - HOUR },
    snapshotAt: NOW - 600,
    lastEntryAt: NOW - 60,
    usedChange: new Set(),
    lastUsedChange: 41,
    initiator: 'ivan',
    approvals: FULL_QUORUM,
    reusedRequests: [],
    screening: new Map(),
    halts: [],
    objections: [],
    ...change,
  };
}

// ---------------------------------------------------------------- judging

export interface Case {
  readonly policy?: PolicyChange;
  readonly batch?: BatchChange;
  readonly kind?: BatchKind;
  readonly state?: Partial<PolicyState>;
  readonly now?: UnixSeconds;
}

export function inputOf({ policy, kind = 'withdrawal', batch: changes, state, now = NOW }: Case): EvaluationInput {
  return { policy: loaded(policy), kind, ...batch(changes), state: stateOf(state), now };
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

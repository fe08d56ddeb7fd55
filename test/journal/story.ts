import { sha256Hex, utf8 } from '../../src/domain/bytes.js';
import type { EntryBody, OutputRecord } from '../../src/journal/entries.js';

/** Bytes of a blob that a test needs no meaning of, and their hash. */
export const bytesOf = (name: string): Uint8Array => utf8(`blob ${name}`);
export const hashOf = (name: string): string => sha256Hex(bytesOf(name));

export const POLICY = sha256Hex('policy');
export const SCRIPT = `0014${'ab'.repeat(20)}`;
export const CHANGE = `0014${'cd'.repeat(20)}`;
export const outpoint = (n: number): string => `${n.toString(16).padStart(64, '0')}:0`;

/** What can be appended at any time, and says what it is told. */
export const frozen = (reason: string): EntryBody => ({
  kind: 'coin.frozen',
  outpoint: outpoint(99),
  reason,
  by: 'alice',
});

export interface BatchOptions {
  readonly inputs?: readonly string[];
  readonly requests?: readonly string[];
  readonly amount?: string;
  readonly fee?: string;
  readonly replaces?: string;
  readonly childOf?: string;
  readonly batchKind?: 'consolidation' | 'cancellation' | 'child';
}

const outputs = (amount: string): OutputRecord[] => [
  { script: SCRIPT, amount },
  { script: CHANGE, amount: '5000', change: 3 },
];

/** The entries in the life of a batch, each legal where the one before it was the last. */
export const story = {
  opened: (): EntryBody => ({
    kind: 'journal.opened',
    schema: 'countersign.journal/1',
    network: 'regtest',
    nonce: '11'.repeat(32),
  }),
  /** Version 1 is signed by its own people, every other one under version 1. */
  policy: (version = 1, digest = POLICY, effectiveAt = '2026-06-01T08:00:00Z'): EntryBody => ({
    kind: 'policy.activated',
    digest,
    version,
    document: hashOf('policy'),
    effectiveAt,
    ...(version === 1 ? {} : { under: POLICY }),
    signatures: [{ person: 'frank', signature: 'armoured' }],
  }),
  planned: (
    batch: string,
    { inputs, requests, amount = '90000', fee = '1000', replaces, childOf, batchKind }: BatchOptions = {},
  ): EntryBody => ({
    kind: 'batch.planned',
    batch,
    ...(batchKind === undefined ? {} : { batchKind }),
    ...(replaces === undefined ? {} : { replaces }),
    ...(childOf === undefined ? {} : { childOf }),
    psbt: hashOf(`${batch} psbt`),
    plan: hashOf(`${batch} plan`),
    requests: (batchKind === undefined ? (requests ?? [`${batch}-r`]) : []).map((id) => ({
      id,
      address: 'bcrt1q',
      script: SCRIPT,
      amount,
    })),
    inputs: inputs ?? [`${sha256Hex(batch)}:0`],
    outputs: batchKind === undefined ? outputs(amount) : outputs(amount).slice(1),
    spend: ((batchKind === undefined ? BigInt(amount) : 0n) + BigInt(fee)).toString(),
    fee,
    initiator: 'alice',
    parts: [batch],
  }),
  verdict: (
    batch: string,
    decision: 'ALLOW' | 'NEED' | 'DENY' = 'ALLOW',
    stage: 'plan' | 'sign' = 'sign',
    policy = POLICY,
  ): EntryBody => ({
    kind: 'batch.verdict',
    batch,
    stage,
    psbt: hashOf(`${batch} psbt`),
    policy,
    decision,
    codes: [],
    verdict: hashOf(`${batch} verdict`),
  }),
  approved: (batch: string, person: string, validUntil = '2026-06-02T12:00:00Z'): EntryBody => ({
    kind: 'batch.approved',
    batch,
    person,
    statement: hashOf(`${batch} ${person}`),
    signature: 'armoured',
    validUntil,
  }),
  reserved: (
    batch: string,
    approvers: readonly string[] = [],
    amount = '90000',
    { fee = '1000', batchKind }: Pick<BatchOptions, 'fee' | 'batchKind'> = {},
  ): EntryBody => ({
    kind: 'batch.reserved',
    batch,
    psbt: hashOf(`${batch} psbt`),
    spend: ((batchKind === undefined ? BigInt(amount) : 0n) + BigInt(fee)).toString(),
    fee,
    outputs: batchKind === undefined ? outputs(amount) : outputs(amount).slice(1),
    approvers,
  }),
  sent: (batch: string, approvers: readonly string[] = []): EntryBody => ({
    kind: 'batch.sent',
    batch,
    psbt: hashOf(`${batch} psbt`),
    device: { app: 'Bitcoin Test', version: '2.2.7', fingerprint: 'f5acc2fd' },
    approvers,
  }),
  exported: (batch: string, approvers: readonly string[] = []): EntryBody => ({
    kind: 'batch.exported',
    batch,
    psbt: hashOf(`${batch} psbt`),
    approvers,
  }),
  partial: (batch: string, signer = 'f5acc2fd'): EntryBody => ({
    kind: 'batch.partial',
    batch,
    psbt: hashOf(`${batch} psbt`),
    signer,
    part: hashOf(`${batch} part`),
    signatures: 1,
    source: 'device',
  }),
  declined: (batch: string): EntryBody => ({
    kind: 'batch.declined',
    batch,
    fault: 'E_DEVICE_REFUSED',
    reason: 'the second person refused',
  }),
  released: (batch: string): EntryBody => ({
    kind: 'batch.released',
    batch,
    fault: 'E_DEVICE_REFUSED',
    reason: 'the person at the device refused',
  }),
  unknown: (batch: string): EntryBody => ({
    kind: 'batch.unknown',
    batch,
    fault: 'E_DEVICE_GONE',
    reason: 'the device was unplugged',
  }),
  signed: (batch: string): EntryBody => ({
    kind: 'batch.signed',
    batch,
    psbt: hashOf(`${batch} psbt`),
    signedPsbt: hashOf(`${batch} signed`),
    transaction: hashOf(`${batch} transaction`),
    txid: sha256Hex(`${batch} txid`),
    signatures: 1,
  }),
  broadcast: (batch: string): EntryBody => ({
    kind: 'batch.broadcast',
    batch,
    txid: sha256Hex(`${batch} txid`),
    to: ['core http://127.0.0.1:8332'],
  }),
  unconfirmed: (batch: string): EntryBody => ({
    kind: 'batch.unconfirmed',
    batch,
    txid: sha256Hex(`${batch} txid`),
    reason: 'its coin is unspent again',
  }),
  confirmed: (batch: string, time = '2026-06-01T13:00:00Z'): EntryBody => ({
    kind: 'batch.confirmed',
    batch,
    txid: sha256Hex(`${batch} txid`),
    height: 950_000,
    time,
  }),
  replaced: (batch: string, by: string): EntryBody => ({ kind: 'batch.replaced', batch, by }),
  conflicted: (batch: string, spent = `${sha256Hex(batch)}:0`): EntryBody => ({
    kind: 'batch.conflicted',
    batch,
    txid: sha256Hex('foreign'),
    outpoint: spent,
    height: 950_000,
  }),
  unsettled: (batch: string): EntryBody => ({ kind: 'batch.unsettled', batch, reason: 'the chain was reorganised' }),
  vault: (id = 'cold'): EntryBody => ({ kind: 'vault.imported', vault: id, network: 'regtest', descriptor: 'd' }),
  registered: (fingerprint: string, hmac = '22'.repeat(32), name = 'cold'): EntryBody => ({
    kind: 'device.registered',
    fingerprint,
    name,
    policy: hashOf('wallet policy'),
    hmac,
    app: 'Bitcoin Test',
    version: '2.2.7',
  }),
  rejected: (batch: string, person: string): EntryBody => ({
    kind: 'batch.rejected',
    batch,
    person,
    reason: 'nobody asked for it',
    statement: hashOf(`${batch} ${person} no`),
    signature: 'armoured',
  }),
  withdrawn: (batch: string, person: string): EntryBody => ({
    kind: 'batch.withdrawn',
    batch,
    person,
    statement: hashOf(`${batch} ${person} back`),
    signature: 'armoured',
  }),
  halted: (scope = 'all', statement = 'halt'): EntryBody => ({
    kind: 'halt.raised',
    scope,
    reason: 'looked into',
    source: 'person',
    person: 'alice',
    statement: hashOf(statement),
    signature: 'armoured',
  }),
  unverified: (statement?: string): EntryBody => ({
    kind: 'halt.raised',
    scope: 'all',
    reason: 'looked into',
    source: 'unverified',
    problem: 'nobody signed it',
    ...(statement === undefined ? {} : { statement: hashOf(statement) }),
  }),
  automatic: (trigger: string, evidence = 'evidence'): EntryBody => ({
    kind: 'halt.raised',
    scope: 'all',
    reason: 'found',
    source: 'automatic',
    trigger,
    evidence: hashOf(evidence),
  }),
  agreed: (halt: string, person: string, validUntil = '2026-06-02T12:00:00Z', statement = person): EntryBody => ({
    kind: 'halt.resume-approved',
    halt,
    person,
    statement: hashOf(`${halt} ${statement}`),
    signature: 'armoured',
    validUntil,
  }),
  resumed: (halt: string, approvers: readonly string[], policy = POLICY): EntryBody => ({
    kind: 'halt.resumed',
    halt,
    policy,
    approvers,
  }),
  frozen: (): EntryBody => frozen('looked into'),
  abandoned: (batch: string): EntryBody => ({ kind: 'batch.abandoned', batch, reason: 'not needed', by: 'alice' }),
};

/** Names of the blobs that these entries rest on: what a journal must keep with them. */
export const blobNames = (batch: string): string[] =>
  ['psbt', 'plan', 'verdict', 'part', 'signed', 'transaction', 'alice', 'bob', 'carol'].map(
    (name) => `${batch} ${name}`,
  );

import * as v from 'valibot';
import { canonicalJson, isCanonicalText, type Json } from '../domain/canonical-json.js';
import { type Fault, fail } from '../domain/fault.js';
import { parseHaltScope } from '../domain/halt-scope.js';
import { NETWORKS } from '../domain/network.js';
import { ok, type Result } from '../domain/result.js';
import { MAX_SATS } from '../domain/sats.js';
import { parseTime } from '../domain/time.js';
import type { EntryBody, EntryKind } from './entries.js';

// Lone surrogates have no UTF-8, so no canonical form (RFC 8785, section 3.2.2.2).
const text = v.pipe(v.string(), v.maxLength(20_000), v.regex(/^\P{Cs}*$/u));
const name = v.pipe(v.string(), v.regex(/^[A-Za-z0-9._:-]{1,128}$/));
const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const script = v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{2}){1,10000}$/));
const fingerprint = v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/));
const amount = v.pipe(
  v.string(),
  v.regex(/^(?:0|[1-9][0-9]{0,15})$/),
  v.check((digits) => BigInt(digits) <= MAX_SATS, 'more than 21,000,000 BTC'),
);
const time = v.pipe(
  v.string(),
  v.check((value) => parseTime(value) !== null, 'not a time in the form 2026-06-01T12:00:00Z'),
);
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const outpoint = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}:(?:0|[1-9][0-9]{0,9})$/));
const network = v.picklist(NETWORKS);
const distinct = <T extends v.GenericSchema<unknown, string>>(item: T) =>
  v.pipe(
    v.array(item),
    v.check((list) => new Set(list).size === list.length, 'an item stands twice'),
  );

const outputs = v.pipe(v.array(v.strictObject({ script, amount, change: v.exactOptional(count) })), v.minLength(1));
const request = v.strictObject({
  id: name,
  address: text,
  script,
  amount,
  feePayer: v.exactOptional(v.literal('payee')),
  destination: v.exactOptional(name),
  index: v.exactOptional(count),
  label: v.exactOptional(text),
  reference: v.exactOptional(text),
});
const requests = v.pipe(
  v.array(request),
  v.check((list) => new Set(list.map(({ id }) => id)).size === list.length, 'a request stands twice'),
);
const signatures = v.pipe(
  v.array(v.strictObject({ person: name, signature: text })),
  v.minLength(1),
  v.check((list) => new Set(list.map(({ person }) => person)).size === list.length, 'a person stands twice'),
);

const HALT = {
  kind: v.literal('halt.raised'),
  scope: v.pipe(
    v.string(),
    v.check((value) => parseHaltScope(value).ok, 'not the scope of a halt'),
  ),
  reason: text,
};

/** One schema a kind: what is stored is exactly this, nothing less and nothing beside it. */
const KINDS = {
  'journal.opened': v.strictObject({
    kind: v.literal('journal.opened'),
    schema: v.literal('countersign.journal/1'),
    network,
    nonce: hash,
  }),
  'journal.moved': v.strictObject({ kind: v.literal('journal.moved'), to: text }),
  'vault.imported': v.strictObject({ kind: v.literal('vault.imported'), vault: name, network, descriptor: text }),
  'policy.activated': v.strictObject({
    kind: v.literal('policy.activated'),
    digest: hash,
    version: count,
    document: hash,
    effectiveAt: time,
    under: v.exactOptional(hash),
    signatures,
  }),
  'book.changed': v.strictObject({
    kind: v.literal('book.changed'),
    digest: hash,
    version: count,
    document: hash,
    under: hash,
    signatures,
    added: v.array(
      v.union([
        v.strictObject({ id: name, script, label: text }),
        v.strictObject({ id: name, descriptor: text, maxIndex: count, label: text }),
      ]),
    ),
    removed: v.array(
      v.union([v.strictObject({ id: name, script }), v.strictObject({ id: name, descriptor: text, maxIndex: count })]),
    ),
    proven: v.exactOptional(v.pipe(distinct(name), v.minLength(1))),
    narrowed: v.exactOptional(v.pipe(v.array(v.strictObject({ id: name, maxIndex: count })), v.minLength(1))),
  }),
  'coins.imported': v.strictObject({
    kind: v.literal('coins.imported'),
    snapshot: hash,
    height: count,
    hash,
    medianTimePast: count,
    coins: count,
    total: amount,
    deposits: v.exactOptional(v.strictObject({ coins: v.pipe(count, v.minValue(1)), total: amount })),
    signer: v.exactOptional(v.strictObject({ name, signature: text })),
  }),
  'device.registered': v.strictObject({
    kind: v.literal('device.registered'),
    fingerprint,
    name,
    policy: hash,
    hmac: hash,
    app: text,
    version: text,
  }),
  'screening.imported': v.strictObject({
    kind: v.literal('screening.imported'),
    list: name,
    document: hash,
    set: hash,
    issuedAt: time,
    expiresAt: v.exactOptional(time),
    issuer: v.exactOptional(text),
    scripts: v.pipe(count, v.minValue(1)),
    unusable: count,
    under: hash,
    pin: v.strictObject({ person: name, signature: text }),
    before: v.exactOptional(hash),
    removed: count,
    searched: count,
    own: distinct(script),
  }),
  'coin.frozen': v.strictObject({ kind: v.literal('coin.frozen'), outpoint, reason: text, by: text }),
  'coin.unfrozen': v.strictObject({ kind: v.literal('coin.unfrozen'), outpoint, reason: text, by: text }),
  'batch.planned': v.strictObject({
    kind: v.literal('batch.planned'),
    batch: name,
    batchKind: v.exactOptional(v.picklist(['consolidation', 'cancellation', 'child'])),
    psbt: hash,
    plan: hash,
    requests,
    inputs: v.pipe(distinct(outpoint), v.minLength(1)),
    outputs,
    spend: amount,
    fee: amount,
    initiator: text,
    parts: distinct(name),
    replaces: v.exactOptional(name),
    childOf: v.exactOptional(name),
  }),
  'batch.verdict': v.strictObject({
    kind: v.literal('batch.verdict'),
    batch: name,
    stage: v.picklist(['plan', 'sign']),
    psbt: hash,
    policy: hash,
    decision: v.picklist(['ALLOW', 'NEED', 'DENY']),
    codes: v.array(name),
    verdict: hash,
  }),
  'batch.approved': v.strictObject({
    kind: v.literal('batch.approved'),
    batch: name,
    person: text,
    statement: hash,
    signature: text,
    validUntil: time,
  }),
  'batch.reserved': v.strictObject({
    kind: v.literal('batch.reserved'),
    batch: name,
    psbt: hash,
    spend: amount,
    fee: amount,
    outputs,
    approvers: distinct(text),
  }),
  'batch.sent': v.strictObject({
    kind: v.literal('batch.sent'),
    batch: name,
    psbt: hash,
    device: v.strictObject({ app: text, version: text, fingerprint }),
    approvers: distinct(text),
  }),
  'batch.exported': v.strictObject({
    kind: v.literal('batch.exported'),
    batch: name,
    psbt: hash,
    approvers: distinct(text),
  }),
  'batch.partial': v.strictObject({
    kind: v.literal('batch.partial'),
    batch: name,
    psbt: hash,
    signer: fingerprint,
    part: hash,
    signatures: v.pipe(count, v.minValue(1)),
    source: v.picklist(['device', 'file']),
  }),
  'batch.declined': v.strictObject({ kind: v.literal('batch.declined'), batch: name, fault: text, reason: text }),
  'batch.released': v.strictObject({ kind: v.literal('batch.released'), batch: name, fault: text, reason: text }),
  'batch.unknown': v.strictObject({ kind: v.literal('batch.unknown'), batch: name, fault: text, reason: text }),
  'batch.signed': v.strictObject({
    kind: v.literal('batch.signed'),
    batch: name,
    psbt: hash,
    signedPsbt: hash,
    transaction: hash,
    txid: hash,
    signatures: v.pipe(count, v.minValue(1)),
  }),
  'batch.confirmed': v.strictObject({
    kind: v.literal('batch.confirmed'),
    batch: name,
    txid: hash,
    height: count,
    time,
  }),
  'batch.broadcast': v.strictObject({
    kind: v.literal('batch.broadcast'),
    batch: name,
    txid: hash,
    to: v.pipe(distinct(text), v.minLength(1)),
  }),
  'batch.unconfirmed': v.strictObject({ kind: v.literal('batch.unconfirmed'), batch: name, txid: hash, reason: text }),
  'batch.replaced': v.strictObject({ kind: v.literal('batch.replaced'), batch: name, by: name }),
  'batch.conflicted': v.strictObject({
    kind: v.literal('batch.conflicted'),
    batch: name,
    txid: hash,
    outpoint,
    height: count,
  }),
  'batch.unsettled': v.strictObject({ kind: v.literal('batch.unsettled'), batch: name, reason: text }),
  'batch.abandoned': v.strictObject({ kind: v.literal('batch.abandoned'), batch: name, reason: text, by: text }),
  'batch.rejected': v.strictObject({
    kind: v.literal('batch.rejected'),
    batch: name,
    person: name,
    reason: text,
    statement: hash,
    signature: text,
  }),
  'batch.withdrawn': v.strictObject({
    kind: v.literal('batch.withdrawn'),
    batch: name,
    person: name,
    statement: hash,
    signature: text,
  }),
  'halt.raised': v.variant('source', [
    v.strictObject({ ...HALT, source: v.literal('person'), person: name, statement: hash, signature: text }),
    v.strictObject({
      ...HALT,
      source: v.literal('unverified'),
      problem: text,
      statement: v.exactOptional(hash),
      signature: v.exactOptional(hash),
    }),
    v.strictObject({ ...HALT, source: v.literal('automatic'), trigger: name, evidence: hash }),
  ]),
  'halt.resume-approved': v.strictObject({
    kind: v.literal('halt.resume-approved'),
    halt: name,
    person: name,
    statement: hash,
    signature: text,
    validUntil: time,
  }),
  'halt.resumed': v.strictObject({
    kind: v.literal('halt.resumed'),
    halt: name,
    policy: hash,
    approvers: v.pipe(distinct(name), v.minLength(1)),
  }),
} satisfies { readonly [K in EntryKind]: v.GenericSchema<unknown, Extract<EntryBody, { kind: K }>> };

export const ENTRY_KINDS = Object.keys(KINDS) as readonly EntryKind[];

/**
 * The body of an entry, checked as it comes from a file. E_JOURNAL_SCHEMA where this program does not know its kind,
 * E_JOURNAL_TAMPERED where it does and the fields are not what was ever written.
 */
export function checkBody(value: unknown): Result<EntryBody, Fault> {
  const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;
  if (typeof kind !== 'string') return fail('E_JOURNAL_TAMPERED', 'its body has no kind');
  const known = ENTRY_KINDS.find((one) => one === kind);
  if (known === undefined) {
    return fail('E_JOURNAL_SCHEMA', `its kind ${JSON.stringify(kind.slice(0, 40))} is unknown to this version`, {
      remedy: 'read the journal with the version of countersign that wrote it; if none is newer, it was tampered with',
    });
  }
  const schema: v.GenericSchema<unknown, EntryBody> = KINDS[known];
  const parsed = v.safeParse(schema, value, { abortEarly: true });
  if (parsed.success) return ok(parsed.output);
  const [issue] = parsed.issues;
  return fail(
    'E_JOURNAL_TAMPERED',
    `its ${known} is malformed at ${v.getDotPath(issue) ?? 'the top'}: ${issue.message}`,
  );
}

/** The canonical JSON of a body (RFC 8785): what is hashed, and what is stored. */
export function bodyText(body: EntryBody): string {
  // An interface of plain data is not assignable to an index signature, though it is one: every field above is Json.
  return canonicalJson(body as unknown as Json);
}

/**
 * Reads the stored text of a body. Only the canonical text is taken (RFC 8785): duplicate keys, other spellings of a
 * number and stray spaces would let one entry be read in two ways.
 */
export function decodeBody(stored: string): Result<EntryBody, Fault> {
  let value: Json;
  try {
    value = JSON.parse(stored);
  } catch {
    return fail('E_JOURNAL_TAMPERED', 'its body is not JSON');
  }
  const body = checkBody(value);
  if (!body.ok) return body;
  if (isCanonicalText(stored, value)) return body;
  return fail('E_JOURNAL_TAMPERED', 'its body is not written in canonical form');
}

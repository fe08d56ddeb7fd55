import { type Hex, sha256Hex } from '../domain/bytes.js';
import { canonicalJson, type Json } from '../domain/canonical-json.js';
import { type Fault, fail } from '../domain/fault.js';
import { ownValue, parsedJson } from '../domain/json-difference.js';
import { err, ok, type Result } from '../domain/result.js';
import { parseTime } from '../domain/time.js';
import { entryOfRecord } from './chain.js';
import { parseHash } from './checkpoint.js';
import type { Entry } from './entries.js';
import type { Hash } from './merkle.js';

/** Part of a journal, with the proof that it is part of what a checkpoint says. */
export interface Evidence {
  /** The period that it is about, UTC; `to` is not in it. */
  readonly from: string;
  readonly to: string;
  /** The signed note, whole. */
  readonly checkpoint: string;
  /** In the order of the journal: those of the period, and those before it without which they cannot be judged. */
  readonly entries: readonly Entry[];
  /** The roots of what lies between them (multi-proof.ts). */
  readonly proof: readonly Hash[];
  /** The documents that the entries name, by their hash. */
  readonly blobs: ReadonlyMap<Hex, Uint8Array>;
}

const SCHEMA = 'countersign.evidence/1';

/** One line of canonical JSON. `records` are the canonical texts under the leaves: {at, body, prev, seq}. */
export function formatEvidence(evidence: Evidence, recordOf: (entry: Entry) => Uint8Array): string {
  const blobs: Record<string, Json> = {};
  for (const [name, bytes] of evidence.blobs) blobs[name] = Buffer.from(bytes).toString('base64');
  return `${canonicalJson({
    schema: SCHEMA,
    from: evidence.from,
    to: evidence.to,
    checkpoint: evidence.checkpoint,
    records: evidence.entries.map((entry) => Buffer.from(recordOf(entry)).toString('utf8')),
    proof: evidence.proof.map((hash) => Buffer.from(hash).toString('base64')),
    blobs,
  })}\n`;
}

const FIELDS = ['blobs', 'checkpoint', 'from', 'proof', 'records', 'schema', 'to'];

/** Reads a bundle; its hashes are computed and compared with nothing yet. E_EVIDENCE_FORM. */
export function parseEvidence(bytes: Uint8Array, file: string): Result<Evidence, Fault> {
  const form = (why: string): Result<never, Fault> =>
    fail('E_EVIDENCE_FORM', `it is no bundle of evidence: ${why}`, {
      where: { file },
      remedy: 'give the file as countersign audit bundle wrote it, unchanged',
    });
  const value = parsedJson(bytes);
  if (ownValue(value, 'schema') !== SCHEMA) return form(`its schema is not ${SCHEMA}`);
  const keys = Object.keys(value ?? {}).sort();
  if (JSON.stringify(keys) !== JSON.stringify(FIELDS)) return form(`its fields are not ${FIELDS.join(', ')}`);
  const from = ownValue(value, 'from');
  const to = ownValue(value, 'to');
  if (typeof from !== 'string' || typeof to !== 'string' || parseTime(from) === null || parseTime(to) === null) {
    return form('its period is not two times');
  }
  const checkpoint = ownValue(value, 'checkpoint');
  if (typeof checkpoint !== 'string') return form('it has no checkpoint');
  const proof: Hash[] = [];
  for (const text of listOf(ownValue(value, 'proof'))) {
    const hash = typeof text === 'string' ? parseHash(text) : null;
    if (hash === null) return form('a hash of its proof is none');
    proof.push(hash);
  }
  const entries: Entry[] = [];
  for (const text of listOf(ownValue(value, 'records'))) {
    const entry = typeof text === 'string' ? entryOfRecord(text) : null;
    if (entry === null) return form(`record ${entries.length} is no entry`);
    if (!entry.ok) return err({ ...entry.error, where: { file } });
    entries.push(entry.value);
  }
  const blobs = blobsOf(ownValue(value, 'blobs'));
  if (blobs === null) return form('a document of it has other bytes than its name says');
  return ok({ from, to, checkpoint, entries, proof, blobs });
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function blobsOf(value: unknown): ReadonlyMap<Hex, Uint8Array> | null {
  if (typeof value !== 'object' || value === null) return null;
  const blobs = new Map<Hex, Uint8Array>();
  for (const [name, text] of Object.entries(value)) {
    const bytes = typeof text === 'string' ? new Uint8Array(Buffer.from(text, 'base64')) : null;
    if (bytes === null || sha256Hex(bytes) !== name) return null;
    blobs.set(name, bytes);
  }
  return blobs;
}

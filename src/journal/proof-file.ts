import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { parseHash, wholeSize } from './checkpoint.js';
import type { Hash } from './merkle.js';

/** An inclusion proof with the checkpoint that it leads to (c2sp.org/tlog-proof). */
export interface InclusionFile {
  readonly kind: 'inclusion';
  readonly index: number;
  readonly proof: readonly Hash[];
  /** The record itself: canonical JSON of {at, body, prev, seq}. The format leaves its `extra` to the application. */
  readonly record: Uint8Array | null;
  /** The note, whole and unread. */
  readonly checkpoint: string;
}

/** A consistency proof from an older size with the newer checkpoint: what a witness is asked with (c2sp.org/tlog-witness). */
export interface ConsistencyFile {
  readonly kind: 'consistency';
  readonly old: number;
  readonly proof: readonly Hash[];
  readonly checkpoint: string;
}

const HEADER = 'c2sp.org/tlog-proof@v1';
/** No tree of up to 2^63 leaves needs more (c2sp.org/tlog-witness). */
const MOST_HASHES = 63;
const MOST_BYTES = 64_000_000;

export function formatInclusion({ index, proof, record, checkpoint }: InclusionFile): string {
  const extra = record === null ? [] : [`extra ${Buffer.from(record).toString('base64')}`];
  return [HEADER, ...extra, `index ${index}`, ...proof.map(base64), '', checkpoint].join('\n');
}

export function formatConsistency({ old, proof, checkpoint }: ConsistencyFile): string {
  return [`old ${old}`, ...proof.map(base64), '', checkpoint].join('\n');
}

const base64 = (hash: Hash): string => Buffer.from(hash).toString('base64');

/** What a file of one of the two kinds holds; null where it is neither, and may be a plain checkpoint. E_PROOF_FORM. */
export function parseProofFile(bytes: Uint8Array, file: string): Result<InclusionFile | ConsistencyFile | null, Fault> {
  if (bytes.length > MOST_BYTES) return form(file, `it is larger than ${MOST_BYTES} bytes`);
  const content = Buffer.from(bytes).toString('utf8');
  const isInclusion = content.startsWith(`${HEADER}\n`);
  if (!isInclusion && !/^old [0-9]+\n/.test(content)) return ok(null);
  const end = content.indexOf('\n\n');
  if (end < 0) return form(file, 'no empty line stands before its checkpoint');
  const lines = content.slice(0, end).split('\n');
  const checkpoint = content.slice(end + 2);
  if (isInclusion) lines.shift();
  const extra = isInclusion && lines[0]?.startsWith('extra ') === true ? (lines.shift()?.slice(6) ?? '') : null;
  const record = extra === null ? null : new Uint8Array(Buffer.from(extra, 'base64'));
  if (record !== null && Buffer.from(record).toString('base64') !== extra)
    return form(file, 'its record is not base64');
  const [, word, number = ''] = /^(index|old) (.*)$/.exec(lines.shift() ?? '') ?? [];
  const place = wholeSize(number);
  if (word !== (isInclusion ? 'index' : 'old') || place === null) return form(file, 'its place is not a whole number');
  if (lines.length > MOST_HASHES) return form(file, `it has more than ${MOST_HASHES} hashes`);
  const proof: Hash[] = [];
  for (const line of lines) {
    const hash = parseHash(line);
    if (hash === null) return form(file, `${JSON.stringify(line.slice(0, 60))} is not a hash`);
    proof.push(hash);
  }
  if (isInclusion) return ok({ kind: 'inclusion', index: place, proof, record, checkpoint });
  return ok({ kind: 'consistency', old: place, proof, checkpoint });
}

function form(file: string, why: string): Result<never, Fault> {
  return fail('E_PROOF_FORM', `${file}: not a proof: ${why}`, {
    remedy: 'give the file as countersign audit prove or audit checkpoint --old wrote it, unchanged',
    where: { file },
  });
}

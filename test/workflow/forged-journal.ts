import { expect } from 'vitest';
import { utf8 } from '../../src/domain/bytes.js';
import { ok } from '../../src/domain/result.js';
import type { Entry, EntryBody } from '../../src/journal/entries.js';
import type { Verdict } from '../../src/policy/types.js';
import { canonicalVerdict } from '../../src/policy/verdict.js';
import { reviewBatch } from '../../src/workflow/approve-batch.js';
import type { Assessment } from '../../src/workflow/assess.js';
import type { Desk } from '../../src/workflow/ports.js';
import { outputRecord, verdictEntry } from '../../src/workflow/records.js';
import type { Session } from '../cli/session.js';

type Keep = (bytes: Uint8Array) => string;
export type Body<K extends EntryBody['kind']> = Extract<EntryBody, { kind: K }>;

export async function atDesk<T>(s: Session, work: (desk: Desk) => Promise<T>): Promise<T> {
  const { clock, random, documents, files, ...composition } = await s.composition();
  const opened = await composition.openWorkspace();
  if (!opened.ok) throw new Error(opened.error.message);
  try {
    return await work({ ...opened.value, ports: { clock, random, documents, files } });
  } finally {
    await opened.value.journal.close();
  }
}

/** Appends entries past every check but those of the journal itself, as a program without ours could. */
export async function forge(s: Session, make: (keep: Keep) => readonly EntryBody[]): Promise<number> {
  return atDesk(s, async ({ journal }) => {
    const done = await journal.transact(async (tx) => {
      const written = make((bytes) => tx.keep(bytes)).map((body) => tx.append(body));
      return ok(written[0]?.seq ?? -1);
    });
    if (!done.ok) throw new Error(done.error.message);
    return done.value;
  });
}

export async function entriesOf(s: Session): Promise<readonly Entry[]> {
  return (await s.json(0, 'audit', 'log')).entries;
}

/** The newest entry of a kind. */
export async function newest<K extends EntryBody['kind']>(s: Session, kind: K): Promise<Body<K>> {
  const found = (await entriesOf(s)).map(({ body }) => body).findLast((body) => body.kind === kind);
  if (found === undefined) throw new Error(`there is no ${kind}`);
  return found as Body<K>;
}

export async function blobOf(s: Session, name: string): Promise<Uint8Array> {
  return atDesk(s, async ({ journal }) => {
    const blob = await journal.blob(name);
    if (!blob.ok) throw new Error(blob.error.message);
    return blob.value;
  });
}

/** What an honest program thinks of a batch now. */
export async function assessmentOf(s: Session, id: string): Promise<Assessment> {
  return atDesk(s, async (desk) => {
    const review = await reviewBatch(desk, id);
    if (!review.ok) throw new Error(review.error.message);
    return review.value.assessment;
  });
}

export interface Forgery {
  /** What the verdict that is kept says; the honest one unless it is changed. */
  readonly verdict?: (honest: Verdict) => Verdict | string;
  /** What the entry says of it. */
  readonly entry?: Partial<Body<'batch.verdict'>>;
}

/** A verdict at signing, honest but for what is changed, and what a reservation on it has to say. */
export function forgedVerdict(
  id: string,
  assessment: Assessment,
  { verdict = (honest) => honest, entry }: Forgery = {},
): (keep: Keep) => Body<'batch.verdict'> {
  const said = verdict(assessment.verdict);
  const text = typeof said === 'string' ? said : canonicalVerdict(said);
  return (keep) => {
    const honest = verdictEntry(id, 'sign', assessment, keep(utf8(text))) as Body<'batch.verdict'>;
    return { ...honest, ...entry };
  };
}

export function reservation(id: string, { facts, verdict }: Assessment): Body<'batch.reserved'> {
  return {
    kind: 'batch.reserved',
    batch: id,
    psbt: facts.psbtSha256,
    spend: facts.spend.toString(),
    fee: facts.fee.toString(),
    outputs: facts.outputs.map(outputRecord),
    approvers: [...(verdict.quorum?.approved ?? [])],
  };
}

/** Messages of all findings of `audit verify`, which must end with exit code 13. */
export async function findings(s: Session): Promise<readonly string[]> {
  const { faults } = await s.json(13, 'audit', 'verify');
  for (const { tag, remedy } of faults) {
    expect(tag).toBe('E_JOURNAL_TAMPERED');
    expect(remedy).toMatch(/stop signing/);
  }
  return faults.map(({ message }: { message: string }) => message);
}

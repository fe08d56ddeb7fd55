import { existsSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { fault } from '../../src/domain/fault.js';
import { ok } from '../../src/domain/result.js';
import { A, B, C, cosigner, multisigStage, removeMultisig } from '../cli/multisig-session.js';
import { NOON, type Session } from '../cli/session.js';
import { failingAfterwards } from './failing-journal.js';

afterAll(removeMultisig);

const LOCKED = fault('E_JOURNAL_LOCKED', 'another process is writing to it');
const FULL = fault('E_JOURNAL_IO', 'the disk is full');

async function ready(): Promise<{ s: Session; id: string }> {
  const s = await multisigStage('registered');
  s.now = NOON;
  return { s, id: await s.ready('withdrawals.csv') };
}

/** The same folder with a journal that works, as the next command finds it. */
function mended(s: Session): Session {
  const other = Object.create(s, { composition: { value: Object.getPrototypeOf(s).composition } });
  return other;
}

describe("what a cosigner's device signed is not lost", () => {
  it('where the journal is busy for a while', async () => {
    const { s, id } = await ready();
    failingAfterwards(s, LOCKED, 29, cosigner(A));
    expect(await s.json(0, 'batch', 'sign', id)).toMatchObject({ signed: false, signed_by: [A] });
    expect(await s.stateOf(id)).toBe('PARTIAL');
  });

  it('where the journal fails at the first device: the file has it, and is taken in later', async () => {
    const { s, id } = await ready();
    failingAfterwards(s, FULL, 1000, cosigner(A));
    const { faults, state } = await s.json(1, 'batch', 'sign', id);
    expect(state).toBe('SENT');
    const file = `batches/${id}/partial-${A}.psbt`;
    expect(faults[0].message).toContain(`${A} has signed batch ${id}, but the journal could not keep the signatures`);
    expect(faults[0].message).toContain(file);
    expect(faults[0].remedy).toContain('batch combine');
    const next = mended(s);
    expect(await next.json(0, 'batch', 'combine', id, file)).toMatchObject({ added: [A], signed: false });
    next.signer = () => cosigner(C);
    expect((await next.json(0, 'batch', 'sign', id)).signed).toBe(true);
    await next.expect(0, 'audit', 'verify');
  });

  it('where it fails at the last device: the transaction is in the files, and combining settles the journal', async () => {
    const { s, id } = await ready();
    s.signer = () => cosigner(B);
    await s.expect(0, 'batch', 'sign', id);
    failingAfterwards(s, FULL, 1000, cosigner(A));
    const { faults } = await s.json(1, 'batch', 'sign', id);
    expect(faults[0].message).toMatch(/is signed, txid [0-9a-f]{64}, but the journal could not keep it/);
    expect(faults[0].remedy).toContain(`countersign batch combine ${id}`);
    const signed = `batches/${id}/signed.psbt`;
    expect(existsSync(s.path(signed))).toBe(true);
    const next = mended(s);
    expect(await next.stateOf(id)).toBe('PARTIAL');
    expect(await next.json(0, 'batch', 'combine', id, signed)).toMatchObject({ added: [A], known: [B], signed: true });
    await next.expect(0, 'audit', 'verify');
  });

  it('where its part is kept and the transaction is not: combining without a file completes it', async () => {
    const { s, id } = await ready();
    s.signer = () => cosigner(B);
    await s.expect(0, 'batch', 'sign', id);
    // The first write after the answer is the part, the second the transaction.
    const count = failingAfterwards(s, FULL, 0, cosigner(A));
    const failing = s.composition.bind(s);
    s.composition = async (workspace) => {
      const real = await failing(workspace);
      return {
        ...real,
        openWorkspace: async () => {
          const opened = await real.openWorkspace();
          if (!opened.ok) return opened;
          const { journal } = opened.value;
          const transact: typeof journal.transact = async (work) =>
            count.tries === 1 ? { ok: false, error: FULL } : journal.transact(work);
          const read = journal.read.bind(journal);
          return ok({
            ...opened.value,
            journal: {
              transact,
              read,
              entries: (from?: number) => journal.entries(from),
              written: (from?: number) => journal.written(from),
              blob: (hash: string) => journal.blob(hash),
              blobs: (names) => journal.blobs(names),
              blobNames: () => journal.blobNames(),
              lineRows: () => journal.lineRows(),
              size: () => journal.size(),
              treeHashes: (level: number, from: number, count: number) => journal.treeHashes(level, from, count),
              treeRows: () => journal.treeRows(),
              close: () => journal.close(),
            },
          });
        },
      };
    };
    expect((await s.json(1, 'batch', 'sign', id)).state).toBe('PARTIAL');
    const next = mended(s);
    expect((await next.json(0, 'batch', 'show', id)).batch.signed_by).toEqual([B, A]);
    expect(await next.json(0, 'batch', 'combine', id)).toMatchObject({ added: [], signed: true });
    await next.expect(0, 'audit', 'verify');
  });
});

describe('audit verify', () => {
  it('proves each part again: one under another name, or with signatures of others beside it, is found', async () => {
    const { s, id } = await ready();
    s.signer = () => cosigner(A);
    await s.expect(0, 'batch', 'sign', id);
    const opened = await (await s.composition()).openWorkspace();
    if (!opened.ok) throw new Error(opened.error.message);
    const { journal } = opened.value;
    const read = await journal.read();
    const batch = read.ok ? read.value.batches.get(id) : undefined;
    const [part] = batch?.partials ?? [];
    if (batch === undefined || part === undefined) throw new Error('it was signed in part');
    const { psbt } = batch;
    const kept = await journal.transact(async (tx) => {
      const source = 'file' as const;
      tx.append({ kind: 'batch.partial', batch: id, psbt, signer: B, part: part.part, signatures: 3, source });
      return ok(undefined);
    });
    expect(kept.ok).toBe(true);
    await journal.close();
    const { stderr } = await s.expect(13, 'audit', 'verify');
    expect(stderr).toContain(`its part is signed by ${A}, and it names ${B}`);
  });
});

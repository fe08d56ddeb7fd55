import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BATCH_KINDS } from '../../src/domain/batch-kind.js';
import { MAX_SATS } from '../../src/domain/sats.js';
import { type BatchLine, lineOf, lineText, readLine } from '../../src/journal/batch-line.js';
import { EVERY_LINE, foldedLines, linesOf, selectLines } from '../../src/journal/batch-lines.js';
import { HEAD_ROW, headRow, readHeadRow, readRow, rowOf } from '../../src/journal/line-rows.js';
import { BATCH_STATES } from '../../src/journal/transitions.js';
import { inState } from './ways.js';

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const seconds = fc.integer({ min: 0, max: 4_000_000_000 });
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const anyLine: fc.Arbitrary<BatchLine> = fc.record({
  id: text,
  kind: fc.constantFrom(...BATCH_KINDS),
  state: fc.constantFrom(...BATCH_STATES),
  plannedAt: seconds,
  plannedSeq: fc.maxSafeNat(),
  changedSeq: fc.maxSafeNat(),
  initiator: text,
  requests: fc.nat(),
  spend: fc.bigInt({ min: 0n, max: MAX_SATS }),
  fee: fc.bigInt({ min: 0n, max: MAX_SATS }),
  replaces: orNull(text),
  replacedBy: orNull(text),
  childOf: orNull(text),
  txid: orNull(text),
  reason: orNull(text),
  objection: orNull(fc.record({ kind: fc.constantFrom('rejected' as const, 'withdrawn' as const), person: text })),
  approvals: fc.array(fc.record({ person: text, validUntil: seconds }), { maxLength: 3 }),
});

describe('the line of a batch', () => {
  it('comes back from its text, and from its row', () => {
    fc.assert(
      fc.property(anyLine, (line) => {
        expect(readLine(lineText(line))).toEqual(line);
        expect(readRow(rowOf(line))).toEqual(line);
        for (const other of [{ planned: -5 }, { changed: -5 }, { at: -5 }, { state: 'x' }, { line: '{}' }]) {
          expect(readRow({ ...rowOf(line), ...other })).toBeNull();
        }
      }),
    );
  });

  it('is null of any text that lacks a field, or has one of another type', () => {
    fc.assert(
      fc.property(
        anyLine,
        fc.nat(),
        fc.constantFrom<unknown>(undefined, [], {}, true, 1.5, -1, 'x y'),
        (line, at, other) => {
          const fields = Object.entries(JSON.parse(lineText(line)));
          const [key] = fields[at % fields.length] ?? [''];
          // Any text does for these.
          if (
            typeof other === 'string' &&
            !['kind', 'state', 'plannedAt', 'spend', 'fee', 'plannedSeq', 'changedSeq', 'requests'].includes(key)
          )
            return;
          const isOptional = ['replaces', 'replacedBy', 'childOf', 'txid', 'reason', 'objection', 'approvals'].includes(
            key,
          );
          if (other === undefined && isOptional) return;
          if (Array.isArray(other) && key === 'approvals') return;
          const changed = JSON.stringify(Object.fromEntries([...fields, [key, other]]));
          expect(readLine(changed)).toBeNull();
        },
      ),
      { numRuns: 1000 },
    );
    for (const odd of ['', 'null', '[]', '7', '"x"']) expect(readLine(odd)).toBeNull();
  });

  it.each(BATCH_STATES)('says in %s what its record says', (state) => {
    const batch = inState(state).batches.get('a');
    if (batch === undefined) throw new Error('there is no batch a');
    const line = lineOf(batch);
    expect(line).toMatchObject({
      id: 'a',
      state,
      requests: batch.requests.length,
      spend: batch.spend,
      txid: batch.signed?.txid ?? null,
      reason: batch.reason,
    });
    expect(line.changedSeq).toBeGreaterThanOrEqual(batch.verdict?.seq ?? batch.plannedSeq);
    expect(line.approvals).toEqual(
      state === 'DRAFT' ? batch.approvals.map(({ person, validUntil }) => ({ person, validUntil })) : [],
    );
  });
});

describe('the head row', () => {
  it('comes back from its row, and nothing else does', () => {
    const head = { seq: 7, hash: 'ab'.repeat(32), batches: 2 };
    const row = headRow(head);
    expect([row.planned, readHeadRow(row)]).toEqual([HEAD_ROW, head]);
    for (const other of [
      { changed: 8 },
      { at: 1 },
      { state: 'DRAFT' },
      { line: row.line.replace('"seq":7', '"seq":8') },
      { line: row.line.replace('"seq":7', '"seq":07') },
      { line: `${row.line} ` },
      { line: 'x' },
    ]) {
      expect(readHeadRow({ ...row, ...other })).toBeNull();
    }
  });
});

describe('a selection', () => {
  it('is what a walk through all of them gives', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyLine, { maxLength: 20 }),
        fc.record({
          states: orNull(fc.uniqueArray(fc.constantFrom(...BATCH_STATES))),
          from: orNull(seconds),
          before: orNull(fc.maxSafeNat()),
          last: orNull(fc.nat(25)),
        }),
        async (lines, selection) => {
          const chosen = selectLines(lines, selection);
          const { states, from, before, last } = selection;
          const fits = lines.filter(
            (line) =>
              states?.includes(line.state) !== false &&
              line.plannedAt >= (from ?? 0) &&
              line.plannedSeq < (before ?? Number.POSITIVE_INFINITY),
          );
          expect(chosen).toEqual(fits.slice(fits.length - Math.min(fits.length, last ?? fits.length)));
        },
      ),
    );
    const state = inState('REPLACED');
    const folded = foldedLines(state);
    expect(await folded.select(EVERY_LINE)).toEqual({ ok: true, value: linesOf(state) });
    expect(folded.total).toBe(2);
  });
});

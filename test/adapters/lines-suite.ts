import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fail } from '../../src/domain/fault.js';
import { ok, type Result } from '../../src/domain/result.js';
import { EVERY_LINE, type LineSelection, linesOf, selectLines } from '../../src/journal/batch-lines.js';
import { sealEntry } from '../../src/journal/chain.js';
import type { EntryBody } from '../../src/journal/entries.js';
import { StateBuilder } from '../../src/journal/fold.js';
import { HEAD_ROW, readHeadRow, rowOf } from '../../src/journal/line-rows.js';
import type { Journal } from '../../src/journal/port.js';
import type { JournalState } from '../../src/journal/state.js';
import { BATCH_STATES } from '../../src/journal/transitions.js';
import { everyBody } from '../journal/any-body.js';
import { START } from '../journal/chains.js';
import { bytesOf, story } from '../journal/story.js';
import { BASE } from '../journal/ways.js';
import { append, LIFE, NONCE } from './journal-folder.js';
import type { Places } from './journal-suite.js';

const clock = (): number => START;
const BATCHES = ['a', 'b', 'c', 'd'];

function value<T>(result: Result<T, { readonly message: string }>): T {
  if (result.ok) return result.value;
  throw new Error(result.error.message);
}

/** Everything that the rows of a journal have to be, by the state that its entries fold to. */
export async function expectRows(journal: Pick<Journal, 'read' | 'lineRows'>): Promise<JournalState> {
  const state = value(await journal.read());
  const [head, ...rows] = value(await journal.lineRows()) ?? [];
  expect(rows).toEqual(linesOf(state).map(rowOf));
  const said = head === undefined ? null : readHeadRow(head);
  expect(head?.planned).toBe(HEAD_ROW);
  expect(said?.batches).toBe(state.batches.size);
  expect(said?.seq).toBeGreaterThanOrEqual(state.batchesSeq);
  expect((state.head?.seq ?? 0) - (said?.seq ?? 0)).toBeLessThan(256);
  return state;
}

/** Only those of the entries that are legal one after another, behind the first policy. */
function legal(bodies: readonly EntryBody[]): Set<EntryBody> {
  const builder = new StateBuilder();
  const isTaken = (body: EntryBody): boolean => builder.apply(sealEntry(builder.head, START, body)).ok;
  for (const body of BASE) isTaken(body);
  return new Set(bodies.filter(isTaken));
}

const SELECTIONS: readonly LineSelection[] = [
  EVERY_LINE,
  { ...EVERY_LINE, last: 1 },
  { ...EVERY_LINE, last: 0 },
  { ...EVERY_LINE, states: ['DRAFT', 'SIGNED'] },
  { ...EVERY_LINE, states: [] },
  { ...EVERY_LINE, states: BATCH_STATES, last: 2 },
  { ...EVERY_LINE, from: START },
  { ...EVERY_LINE, from: START + 1 },
  { ...EVERY_LINE, before: 3 },
  { states: ['DRAFT', 'ABANDONED', 'CONFIRMED'], from: START, before: 9, last: 1 },
];

/** The rows that lists are made of, on one kind of place. */
export function linesSuite({ fresh, make, open, lines }: Places): void {
  const create = async (at: string) => value(await make(at, { clock, network: 'regtest', nonce: NONCE }));
  const reopened = async (at: string) => value(await open(at, { clock }));
  const write = (journal: Journal, bodies: readonly EntryBody[]) => append(journal, bodies, BATCHES);

  describe('the rows that lists are made of', () => {
    it('are those of the entries after any of them, however they come, and list as the state does', async () => {
      const pieces = fc.array(fc.array(everyBody, { minLength: 1, maxLength: 6 }), { maxLength: 8 });
      await fc.assert(
        fc.asyncProperty(pieces, fc.boolean(), async (written, refuses) => {
          const at = fresh();
          const [first, second] = [await create(at), await reopened(at)];
          value(await write(first, [story.policy()]));
          const allowed = legal(written.flat());
          for (const [index, piece] of written.entries()) {
            const journal = index % 2 === 0 ? first : second;
            // What is refused, or ends otherwise, leaves the rows as they were.
            if (refuses) {
              await journal.transact(async (tx) => {
                for (const name of ['a psbt', 'a plan']) tx.keep(bytesOf(name));
                tx.append(story.planned('a'));
                return fail('E_DENIED', 'no');
              });
            }
            value(
              await write(
                journal,
                piece.filter((body) => allowed.has(body)),
              ),
            );
            await expectRows(journal);
          }
          const state = await expectRows(first);
          const due = SELECTIONS.map((selection) => selectLines(linesOf(state), selection));
          for (const whole of [0, 5_000]) {
            const listed = await lines(
              at,
              { clock },
              async (batches) => {
                const chosen = [];
                for (const selection of SELECTIONS) chosen.push(value(await batches.select(selection)));
                return ok([batches.total, chosen]);
              },
              whole,
            );
            expect(value(listed)).toEqual([state.batches.size, due]);
          }
          await first.close();
          await second.close();
        }),
        { numRuns: 25 },
      );
    }, 180_000);

    it('follow many entries that are of no batch now and then, and a batch behind them at once', async () => {
      const at = fresh();
      const journal = await create(at);
      value(await write(journal, LIFE));
      const headSeq = async () => {
        const [row] = value(await journal.lineRows()) ?? [];
        return row === undefined ? null : (readHeadRow(row)?.seq ?? null);
      };
      const seqs: unknown[] = [await headSeq()];
      for (const count of [255, 1, 100]) {
        value(await write(journal, Array.from({ length: count }, story.frozen)));
        seqs.push(await headSeq());
        await expectRows(journal);
      }
      value(await write(journal, [story.broadcast('a')]));
      expect([...seqs, await headSeq()]).toEqual([7, 7, 263, 263, 364]);
      expect(value(await lines(at, { clock }, (batches) => batches.select(EVERY_LINE), 0))).toHaveLength(1);
      await journal.close();
    });
  });
}

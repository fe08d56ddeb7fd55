import { type Fault, fail } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import { parseTime } from '../domain/time.js';
import type { Entry } from '../journal/entries.js';
import { StateBuilder } from '../journal/fold.js';
import type { Ground } from '../journal/ground.js';
import type { Journal } from '../journal/port.js';
import type { JournalState } from '../journal/state.js';
import { DocumentAudit, documentFault } from './audit-documents.js';
import { HaltAudit } from './audit-halts.js';
import type { Body } from './audit-problem.js';
import { judgeListAgain } from './audit-screening.js';
import type { Desk } from './ports.js';

type ListBody = Body<'screening.imported'>;

/** How far the ground of a journal is proven, in this process. */
const known = new WeakMap<Journal, ProvenGround>();

/**
 * Whether every policy, book and screening list that a state of the journal rests on was put into force by those who may, and
 * every halt that ended was ended by its quorum after its delay. The fold knows nothing of signatures: whoever can write a row
 * to a shared journal, as every officer's role can, could otherwise put a policy of their own into force, and the next signing
 * would go by it. What was proven before is not proven again, and nothing is read twice: the state has the very entries that
 * were verified with the chain it was folded from. E_JOURNAL_TAMPERED, and the faults of the journal.
 */
export async function proveGround(desk: Desk, state: Pick<JournalState, 'ground'>): Promise<Result<void, Fault>> {
  const proven = known.get(desk.journal) ?? new ProvenGround(desk);
  known.set(desk.journal, proven);
  return proven.goOn(state);
}

class ProvenGround {
  readonly #desk: Desk;
  readonly #documents: DocumentAudit;
  readonly #halts: HaltAudit;
  readonly #builder = new StateBuilder();
  /** The newest list of each id that was not proven yet, in the state before it. Those before it screen nobody any more. */
  readonly #lists = new Map<
    string,
    { readonly entry: Entry; readonly body: ListBody; readonly before: JournalState }
  >();
  readonly #proven = new WeakSet<Ground>();
  /** What was found; nothing behind it is looked at, in this process or by whom it asks again. */
  #found: Fault | null = null;
  #turn: Promise<Result<void, Fault>> = Promise.resolve(ok(undefined));

  constructor(desk: Desk) {
    this.#desk = desk;
    this.#documents = new DocumentAudit(desk);
    this.#halts = new HaltAudit(desk, this.#documents);
  }

  /** One after another: two at once would take the same entry twice. */
  goOn({ ground }: Pick<JournalState, 'ground'>): Promise<Result<void, Fault>> {
    // Even a new journal rests on its opening. A state without any was not folded from one, and nothing may rest on it.
    if (ground === null) throw new Error('a state without an opening has no ground that could be proven');
    this.#turn = this.#turn.then(() => this.#prove(ground));
    return this.#turn;
  }

  async #prove(newest: Ground): Promise<Result<void, Fault>> {
    if (this.#found !== null) return err(this.#found);
    for (const ground of this.#dueUpTo(newest)) {
      const taken = await this.#take(ground.entry);
      if (!taken.ok) return this.#refuse(taken.error);
      this.#proven.add(ground);
    }
    for (const [id, { entry, body, before }] of this.#lists) {
      const judged = await judgeListAgain(this.#desk, before, body, parseTime(entry.at) ?? 0);
      if (!judged.ok) return this.#refuse(documentFault(entry, judged.error));
      this.#lists.delete(id);
    }
    return ok(undefined);
  }

  /**
   * Oldest first. What was proven is the very object, and not whatever has its number: a transaction that was rolled back had
   * one too.
   */
  #dueUpTo(newest: Ground): readonly Ground[] {
    const due: Ground[] = [];
    for (let at: Ground | null = newest; at !== null && !this.#proven.has(at); at = at.before) due.push(at);
    return due.reverse();
  }

  #refuse(fault: Fault): Result<never, Fault> {
    if (fault.tag === 'E_JOURNAL_TAMPERED') this.#found = fault;
    return err(fault);
  }

  async #take(entry: Entry): Promise<Result<void, Fault>> {
    const { body } = entry;
    if (body.kind === 'screening.imported') {
      this.#lists.set(body.list, { entry, body, before: this.#builder.snapshot() });
      return this.#builder.apply(entry);
    }
    const judged = await this.#documents.take(entry);
    if (!judged.ok) return judged;
    if (body.kind === 'halt.resumed') {
      const state = this.#builder.snapshot();
      // A word that cannot be read now is not taken for one that was never given.
      for (const { statement } of state.halts.get(body.halt)?.resumes ?? []) {
        const read = await this.#desk.journal.blob(statement);
        if (!read.ok) return read;
      }
      const problem = await this.#halts.problem(entry, body, state);
      if (problem !== null) {
        return fail('E_JOURNAL_TAMPERED', `entry ${entry.seq} of the journal, ${body.kind}: ${problem}`, {
          remedy: 'stop signing; find out who wrote it, and go on from a copy of the journal from before it',
        });
      }
    }
    return this.#builder.apply(entry);
  }
}

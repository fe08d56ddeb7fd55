import { type Fault, fail } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import { parseTime } from '../domain/time.js';
import type { Entry, EntryKind } from '../journal/entries.js';
import { StateBuilder } from '../journal/fold.js';
import { type Journal, JournalError } from '../journal/port.js';
import type { JournalState } from '../journal/state.js';
import { DocumentAudit, documentFault } from './audit-documents.js';
import { HaltAudit } from './audit-halts.js';
import type { Body } from './audit-problem.js';
import { judgeListAgain } from './audit-screening.js';
import type { Desk } from './ports.js';

type ListBody = Body<'screening.imported'>;

/** The entries on which every decision rests, whatever it is about: who may say what, to whom, and that nothing is halted. */
const GROUND: ReadonlySet<EntryKind> = new Set<EntryKind>([
  'journal.opened',
  'journal.moved',
  'vault.imported',
  'device.registered',
  'policy.activated',
  'book.changed',
  'screening.imported',
  'halt.raised',
  'halt.resume-approved',
  'halt.resumed',
]);

/** How far the ground of a journal is proven, in this process. */
const known = new WeakMap<Journal, Ground>();

/**
 * Whether every policy, book and screening list of a journal was put into force by those who may, and every halt that ended
 * was ended by its quorum after its delay. The fold knows nothing of signatures: whoever can write a row to a shared journal,
 * as every officer's role can, could otherwise put a policy of their own into force, and the next signing would go by it.
 * What was proven before is not proven again. E_JOURNAL_TAMPERED, and the faults of the journal.
 */
export async function proveGround(desk: Desk): Promise<Result<void, Fault>> {
  const ground = known.get(desk.journal) ?? new Ground(desk);
  known.set(desk.journal, ground);
  return ground.goOn();
}

class Ground {
  readonly #desk: Desk;
  readonly #documents: DocumentAudit;
  readonly #halts: HaltAudit;
  readonly #builder = new StateBuilder();
  /** The newest list of each id that was not proven yet, in the state before it. Those before it screen nobody any more. */
  readonly #lists = new Map<
    string,
    { readonly entry: Entry; readonly body: ListBody; readonly before: JournalState }
  >();
  #next = 0;
  /** What was found; nothing behind it is looked at, in this process or by whom it asks again. */
  #found: Fault | null = null;
  #turn: Promise<Result<void, Fault>> = Promise.resolve(ok(undefined));

  constructor(desk: Desk) {
    this.#desk = desk;
    this.#documents = new DocumentAudit(desk);
    this.#halts = new HaltAudit(desk, this.#documents);
  }

  /** One after another: two readers at once would take the same entry twice. */
  goOn(): Promise<Result<void, Fault>> {
    this.#turn = this.#turn.then(() => this.#read());
    return this.#turn;
  }

  async #read(): Promise<Result<void, Fault>> {
    if (this.#found !== null) return err(this.#found);
    try {
      for await (const entry of this.#desk.journal.entries(this.#next)) {
        const taken = GROUND.has(entry.body.kind) ? await this.#take(entry) : ok(undefined);
        if (!taken.ok) return this.#refuse(taken.error);
        this.#next = entry.seq + 1;
      }
      for (const [id, { entry, body, before }] of this.#lists) {
        const judged = await judgeListAgain(this.#desk, before, body, parseTime(entry.at) ?? 0);
        if (!judged.ok) return this.#refuse(documentFault(entry, judged.error));
        this.#lists.delete(id);
      }
      return ok(undefined);
    } catch (error) {
      if (error instanceof JournalError) return err(error.fault);
      throw error;
    }
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

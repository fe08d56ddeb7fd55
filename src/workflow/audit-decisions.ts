import { isDeepStrictEqual } from 'node:util';
import type { Hex } from '../domain/bytes.js';
import { type Fault, fault } from '../domain/fault.js';
import { formatOutpoint } from '../domain/outpoint.js';
import { err, ok, type Result } from '../domain/result.js';
import { formatTime } from '../domain/time.js';
import type { Entry } from '../journal/entries.js';
import type { BatchRecord } from '../journal/state.js';
import type { Facts, LoadedPolicy } from '../policy/types.js';
import { signingKeys } from '../vault/signing-keys.js';
import type { Assessment } from './assess.js';
import { depositsDue } from './audit-deposits.js';
import type { DocumentAudit } from './audit-documents.js';
import { chainProblem, importProblem, partProblem, signingProblem } from './audit-evidence.js';
import { HaltAudit, NO_HALT } from './audit-halts.js';
import { type Body, fieldDifference, type Problem } from './audit-problem.js';
import { approvalProblem, type Examine, objectionProblem, type WordGround } from './audit-words.js';
import { judgeAgain, rulingOf, secondsOf, verdictDifference } from './judge-again.js';
import { Past } from './past.js';
import type { Desk } from './ports.js';
import { outputRecord, verdictEntry } from './records.js';
import { ownOn, readSet } from './screening-lists.js';
import { knownPerson } from './situation.js';

/** Something that cannot be proven from the journal, and that an auditor should ask people about. */
export interface OpenQuestion {
  readonly seq: number;
  readonly at: string;
  /** Null where it is about none. */
  readonly batch: string | null;
  /**
   * `released`: the device's refusal. `unknown`: a signature may exist. `late`: a verdict long before its entry. `halt`: one
   * that nobody verifiable raised.
   */
  readonly about: 'released' | 'unknown' | 'late' | 'halt';
  readonly text: string;
}

/** The snapshot is at fault, and was found at the entry that imported it. */
const NO_COINS = 'it cannot be judged without the coin snapshot of its moment';

/** From judging to writing it takes a command seconds; a plan over very many coins, minutes. */
const LATE = 900;

/**
 * Proves every decision of a journal again, from the journal alone: what was planned, judged, approved, reserved, sent,
 * signed and confirmed. The chain, and that every step is legal, has been verified before.
 */
export class DecisionAudit {
  readonly questions: OpenQuestion[] = [];
  /** Signatures of devices that were verified. */
  signatures = 0;

  readonly #desk: Desk;
  readonly #documents: DocumentAudit;
  readonly #past: Past;
  readonly #halts: HaltAudit;
  readonly #books = new Set<Hex>();
  /** Plans that no verdict has been seen for. */
  readonly #planned = new Map<string, { readonly entry: Entry; readonly body: Body<'batch.planned'> }>();
  /** The newest verdict as it came out again, for the reservation that rests on it. */
  #last: {
    readonly seq: number;
    readonly batch: string;
    readonly stage: string;
    readonly assessment: Assessment;
  } | null = null;

  constructor(desk: Desk, documents: DocumentAudit) {
    this.#desk = desk;
    this.#documents = documents;
    this.#past = new Past(desk, 'snapshot');
    this.#halts = new HaltAudit(desk, documents);
  }

  /**
   * Takes the next entry, which DocumentAudit has taken before. E_JOURNAL_TAMPERED, naming the entry, where what it says
   * does not come out again; the audit can go on behind it.
   */
  async take(entry: Entry): Promise<Result<void, Fault>> {
    const { body } = entry;
    const overdue = this.#halts.overdue(entry);
    const problem = overdue ?? (await this.#problemOf(entry));
    const tipBefore = this.#past.state.coins?.tip ?? null;
    const due = await depositsDue(this.#past, body);
    if (!due.ok) return wrong(entry, due.error.message);
    const applied = this.#past.apply(entry);
    if (!applied.ok) return wrong(entry, applied.error.message);
    if (body.kind === 'book.changed') this.#books.add(body.digest);
    if (problem !== null) return wrong(entry, problem);
    if (body.kind === 'screening.imported') return this.#ownOfList(entry, body);
    if (body.kind !== 'coins.imported') return ok(undefined);
    const snapshot = await this.#past.snapshot();
    if (!snapshot.ok) return wrong(entry, `its snapshot does not hold: ${snapshot.error.message}`);
    const imported = importProblem(snapshot.value.value, body, tipBefore);
    if (imported !== null) return wrong(entry, imported);
    return isDeepStrictEqual(body.deposits, due.value(snapshot.value.value))
      ? ok(undefined)
      : wrong(entry, 'its deposits are not what came in since the snapshot before');
  }

  /** Whether the entry of a list names those scripts of the vault that were on it as far as anybody knew. */
  async #ownOfList(entry: Entry, body: Body<'screening.imported'>): Promise<Result<void, Fault>> {
    const record = this.#past.state.screening.get(body.list);
    if (record === undefined) return wrong(entry, 'its list is not there after it');
    const set = await readSet(this.#desk.journal, record);
    if (!set.ok) return wrong(entry, set.error.message);
    const open = await this.#past.vault();
    if (!open.ok) return wrong(entry, open.error.message);
    const { deriver, coins } = open.value;
    if (isDeepStrictEqual(body.own, ownOn(set.value.scripts, deriver, coins, body.searched))) return ok(undefined);
    return wrong(entry, 'its own is not what the list holds of the vault');
  }

  /** What only the end of the journal shows. */
  end(): readonly Fault[] {
    const unjudged = [...this.#planned.values()].map(({ entry }) =>
      tampering(entry, 'it was planned, and no verdict says what the policy thought of it'),
    );
    const { missing } = this.#halts;
    return missing === null ? unjudged : [...unjudged, tampering(missing, NO_HALT)];
  }

  async #problemOf(entry: Entry): Promise<Problem> {
    const { body } = entry;
    if (body.kind === 'batch.planned') {
      this.#planned.set(body.batch, { entry, body });
      return null;
    }
    if (body.kind === 'halt.raised' && body.source === 'unverified') {
      this.#ask(entry, 'halt', `nobody verifiable raised this halt (${body.problem}): ${body.reason}`);
    }
    if ('halt' in body || body.kind === 'halt.raised') return this.#halts.problem(entry, body, this.#past.state);
    if (!('batch' in body)) return null;
    const batch = this.#past.batch(body.batch);
    if (batch === undefined) return 'nobody planned it';
    switch (body.kind) {
      case 'batch.verdict':
        return this.#verdictProblem(entry, body, batch);
      case 'batch.approved':
        return approvalProblem(this.#ground(), entry, body, batch, (policy) => this.#examine(batch, policy));
      case 'batch.reserved':
        return this.#reservationProblem(entry, body);
      case 'batch.sent':
        return this.#sendingProblem(entry, body);
      case 'batch.exported':
        return this.#exportProblem(entry, body);
      case 'batch.partial': {
        const snapshot = await this.#past.snapshot();
        return snapshot.ok ? partProblem(this.#desk, snapshot.value.deriver, body, batch) : NO_COINS;
      }
      case 'batch.signed': {
        const snapshot = await this.#past.snapshot();
        const problem = snapshot.ok ? await signingProblem(this.#desk, snapshot.value.deriver, body, batch) : NO_COINS;
        if (problem === null) this.signatures += body.signatures;
        return problem;
      }
      case 'batch.confirmed':
      case 'batch.unconfirmed':
      case 'batch.conflicted':
      case 'batch.unsettled': {
        const snapshot = await this.#past.snapshot();
        if (!snapshot.ok) return NO_COINS;
        const { value, deriver } = snapshot.value;
        return chainProblem(this.#desk, deriver, value, body, batch, () => this.#past.batches);
      }
      case 'batch.released':
        if (batch.state === 'SENT') {
          this.#ask(entry, 'released', `the device is said not to have signed (${body.fault}): ${body.reason}`);
        }
        return null;
      case 'batch.unknown':
        this.#ask(entry, 'unknown', `a signature may exist outside this journal (${body.fault}): ${body.reason}`);
        return null;
      case 'batch.declined':
      case 'batch.broadcast':
      case 'batch.abandoned':
      case 'batch.replaced':
        return null;
      case 'batch.rejected':
      case 'batch.withdrawn':
        return objectionProblem(this.#ground(), entry, body, batch);
    }
  }

  #ask({ seq, at, body }: Entry, about: OpenQuestion['about'], text: string): void {
    this.questions.push({ seq, at, batch: 'batch' in body ? body.batch : null, about, text });
  }

  async #verdictProblem(entry: Entry, body: Body<'batch.verdict'>, batch: BatchRecord): Promise<Problem> {
    this.#last = null;
    const judged = await judgeAgain(this.#desk, this.#past, this.#documents, entry, body, batch);
    if (!judged.ok) return judged.error;
    const { judgedAt, policy, assessment } = judged.value;
    const recorded = secondsOf(entry.at);
    this.#halts.verdict(entry, policy, batch.parts);
    this.#last = { seq: entry.seq, batch: batch.id, stage: body.stage, assessment };
    if (judgedAt > recorded + policy.document.clock.maxBack) {
      return `its verdict is of ${formatTime(judgedAt)}, after the entry that keeps it`;
    }
    if (recorded - judgedAt > LATE) {
      this.#ask(entry, 'late', `the verdict is of ${formatTime(judgedAt)}, and was written down at ${entry.at}`);
    }
    return (
      this.#planProblem(batch, policy, assessment.facts) ??
      verdictDifference(judged.value) ??
      fieldDifference(body, verdictEntry(batch.id, body.stage, assessment, body.verdict))
    );
  }

  /** At the first verdict: whether the plan's entry says what its PSBT does, and who planned is somebody. */
  #planProblem({ id }: BatchRecord, policy: LoadedPolicy, facts: Facts): Problem {
    const plan = this.#planned.get(id);
    if (plan === undefined) return null;
    this.#planned.delete(id);
    const difference = fieldDifference(plan.body, {
      inputs: facts.inputs.map(({ outpoint }) => formatOutpoint(outpoint)),
      outputs: facts.outputs.map(outputRecord),
      spend: facts.spend.toString(),
      fee: facts.fee.toString(),
    });
    if (difference !== null) return `its plan (entry ${plan.entry.seq}) is not what its PSBT does: ${difference}`;
    const known = knownPerson({ policy }, plan.body.initiator);
    return known.ok ? null : `its plan (entry ${plan.entry.seq}) was made by somebody else: ${known.error.message}`;
  }

  #ground(): WordGround {
    return { evidence: this.#desk, documents: this.#documents, state: this.#past.state, books: this.#books };
  }

  async #examine(batch: BatchRecord, policy: LoadedPolicy): ReturnType<Examine> {
    const examined = await this.#past.examine(batch, 'sign', policy);
    return examined.ok ? ok({ ...examined.value, vault: examined.value.deriver.vault }) : examined;
  }

  #reservationProblem(entry: Entry, body: Body<'batch.reserved'>): Problem {
    const last = this.#verdictBefore(entry, body.batch);
    if (typeof last === 'string') return `it is reserved ${last}`;
    const { verdict, facts } = last;
    return fieldDifference(body, {
      psbt: facts.psbtSha256,
      spend: facts.spend.toString(),
      fee: facts.fee.toString(),
      outputs: facts.outputs.map(outputRecord),
      approvers: [...(verdict.quorum?.approved ?? [])],
    });
  }

  async #sendingProblem(entry: Entry, body: Body<'batch.sent'>): Promise<Problem> {
    const last = this.#verdictBefore(entry, body.batch);
    if (typeof last === 'string') return `it is sent to a device ${last}`;
    const read = await this.#past.snapshot();
    if (!read.ok) return NO_COINS;
    const own = signingKeys(read.value.deriver.vault).map(({ fingerprint }) => fingerprint);
    if (!own.includes(body.device.fingerprint)) {
      return `it was sent to the device ${body.device.fingerprint}, and the vault belongs to ${own.join(', ')}`;
    }
    return outgoingDifference(last, body);
  }

  #exportProblem(entry: Entry, body: Body<'batch.exported'>): Problem {
    const last = this.#verdictBefore(entry, body.batch);
    return typeof last === 'string' ? `it is handed out ${last}` : outgoingDifference(last, body);
  }

  /** What was judged right before an entry that needs to be allowed, or in words why that allows nothing. */
  #verdictBefore({ seq }: Entry, batch: string): Assessment | string {
    const last = this.#last;
    if (last?.seq !== seq - 1 || last.batch !== batch || last.stage !== 'sign') {
      return 'without a verdict at signing right before it';
    }
    const { verdict } = last.assessment;
    return verdict.decision === 'ALLOW' ? last.assessment : `though the policy says ${rulingOf(verdict)}`;
  }
}

/** What goes out is the PSBT that was judged right before, on the word of those who were counted there. */
function outgoingDifference(
  { verdict, facts }: Assessment,
  body: Body<'batch.sent'> | Body<'batch.exported'>,
): Problem {
  return fieldDifference(body, { psbt: facts.psbtSha256, approvers: [...(verdict.quorum?.approved ?? [])] });
}

function wrong(entry: Entry, problem: string): Result<never, Fault> {
  return err(tampering(entry, problem));
}

function tampering({ seq, body }: Entry, problem: string): Fault {
  const about = 'batch' in body ? `batch ${body.batch}` : body.kind;
  return fault('E_JOURNAL_TAMPERED', `entry ${seq}, ${about}: ${problem}`, { remedy: REMEDY });
}

const REMEDY =
  'stop signing; keep the journal as it is, compare it with copies and heads that were noted elsewhere, and verify with the version of countersign that wrote the entry';

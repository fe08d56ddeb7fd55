import { equalBytes, utf8 } from '../domain/bytes.js';
import { formatHaltScope } from '../domain/halt-scope.js';
import { ownValue, parsedJson } from '../domain/json-difference.js';
import { parseTime, type UnixSeconds } from '../domain/time.js';
import type { Entry, HaltRaised } from '../journal/entries.js';
import { nextDenials, REPEATED_DENIALS } from '../journal/halts.js';
import type { DenialRecord, HaltRecord, JournalState } from '../journal/state.js';
import { judgeResume } from '../policy/resume.js';
import type { LoadedPolicy } from '../policy/types.js';
import type { DocumentAudit } from './audit-documents.js';
import { type Body, fieldDifference, type Problem } from './audit-problem.js';
import { denialEvidence, denialsDue } from './automatic-halt.js';
import { haltSceneOf, policyHalt } from './halt-scene.js';
import type { Archive } from './ports.js';
import { proveRaise } from './raise-halt.js';
import { provenWords, proveResume } from './resume-halt.js';

type HaltEntry = Body<`halt.${string}` & Entry['body']['kind']>;

/** A person's halt is counted by the policy of the moment, which may have been that of a minute before its entry. */
const SETTLING = 60;

/** What may stand between a denial too many and the halt upon it: all of it is written by one transaction. */
const OF_ONE_TRANSACTION: readonly Entry['body']['kind'][] = [
  'batch.planned',
  'batch.verdict',
  'batch.abandoned',
  'batch.released',
];

export const NO_HALT = 'this denial calls for a halt by halt.denials of the policy, and none followed';

/**
 * Judges halts again: who raised them, on what ground they ended, and that denials which call for a halt led to one. A halt
 * that should not be there costs time; one that ended without its quorum and its delay, or never came, may cost the vault.
 */
export class HaltAudit {
  readonly #desk: Archive;
  readonly #documents: DocumentAudit;
  #denials: readonly DenialRecord[] = [];
  /** The denial upon which a halt has to follow. */
  #due: { readonly entry: Entry; readonly evidence: string } | null = null;

  constructor(desk: Archive, documents: DocumentAudit) {
    this.#desk = desk;
    this.#documents = documents;
  }

  /** Before each entry: whether a halt was due that is not there. */
  overdue({ body }: Entry): Problem {
    const due = this.#due;
    if (due === null || OF_ONE_TRANSACTION.includes(body.kind)) return null;
    if (body.kind === 'halt.raised' && body.source === 'automatic' && body.trigger === REPEATED_DENIALS) return null;
    this.#due = null;
    return `behind entry ${due.entry.seq}: ${NO_HALT}`;
  }

  /** A verdict, with the policy that it was given by. */
  verdict(entry: Entry, policy: LoadedPolicy, parts: readonly string[]): void {
    const at = secondsOf(entry.at);
    const before = this.#denials;
    this.#denials = nextDenials(before, entry.body, entry, at, parts);
    const limit = policy.document.halt.denials;
    const due = before === this.#denials ? null : denialsDue(this.#denials, limit, at);
    if (due !== null && limit !== undefined) this.#due = { entry, evidence: denialEvidence(due, limit) };
  }

  /** At the end of the journal, the denial whose halt never came. */
  get missing(): Entry | null {
    return this.#due?.entry ?? null;
  }

  /** An entry of a halt, in the state before it. */
  async problem(entry: Entry, body: HaltEntry, state: JournalState): Promise<Problem> {
    switch (body.kind) {
      case 'halt.raised':
        return this.#raisedProblem(entry, body, state);
      case 'halt.resume-approved':
        return this.#wordProblem(entry, body, state);
      case 'halt.resumed':
        return this.#resumedProblem(entry, body, state);
    }
  }

  async #raisedProblem(entry: Entry, body: HaltRaised, state: JournalState): Promise<Problem> {
    switch (body.source) {
      case 'unverified':
        return null;
      case 'person':
        return this.#personProblem(entry, body, state);
      case 'automatic': {
        const kept = await this.#desk.journal.blob(body.evidence);
        if (!kept.ok) return kept.error.message;
        if (ownValue(parsedJson(kept.value), 'trigger') !== body.trigger) return 'its evidence is of another trigger';
        if (body.trigger !== REPEATED_DENIALS) return null;
        const due = this.#due;
        this.#due = null;
        this.#denials = [];
        return due !== null && equalBytes(kept.value, utf8(due.evidence))
          ? null
          : 'its evidence is not the denials before it, or they are too few';
      }
    }
  }

  async #personProblem(
    entry: Entry,
    body: Extract<HaltRaised, { source: 'person' }>,
    state: JournalState,
  ): Promise<Problem> {
    const statement = await this.#desk.journal.blob(body.statement);
    if (!statement.ok) return statement.error.message;
    const brought = { armored: body.signature, statement: statement.value };
    let problem = '';
    for (const at of [secondsOf(entry.at), secondsOf(entry.at) - SETTLING]) {
      const scene = await haltSceneOf(this.#desk, state, at);
      const proven = scene.ok ? proveRaise(scene.value, brought) : scene;
      if (!proven.ok) {
        problem ||= proven.error.message;
        continue;
      }
      const { person, reason, scope } = proven.value;
      // Everything may be halted where the statement names what nobody knows here.
      const due = { person, reason, ...(body.scope === 'all' ? {} : { scope: formatHaltScope(scope) }) };
      return fieldDifference(body, due);
    }
    return `the halt of ${body.person} is not theirs: ${problem}`;
  }

  async #wordProblem(entry: Entry, body: Body<'halt.resume-approved'>, state: JournalState): Promise<Problem> {
    const about = `the word of ${body.person} for ${body.halt}`;
    const halt = state.halts.get(body.halt);
    if (halt === undefined) return `${about}: no such halt stands`;
    const statement = await this.#desk.journal.blob(body.statement);
    if (!statement.ok) return statement.error.message;
    const at = secondsOf(entry.at);
    const scene = await this.#sceneBy(ownValue(parsedJson(statement.value), 'policy'), state, at);
    if (scene === null) return `${about} came before any policy`;
    const validUntil = secondsOf(body.validUntil);
    const proven = proveResume(scene, halt, { armored: body.signature, statement: statement.value }, validUntil);
    if (!proven.ok) return `${about}: ${proven.error.message}`;
    if (proven.value !== body.person) return `${about} was signed by ${proven.value}`;
    if (validUntil <= at + scene.policy.document.approvals.validFor) return null;
    return `${about} is valid until ${body.validUntil}, for longer than the policy allows`;
  }

  /** The quorum and the delay, counted again: nothing else ends a halt. */
  async #resumedProblem(entry: Entry, body: Body<'halt.resumed'>, state: JournalState): Promise<Problem> {
    const halt: HaltRecord | undefined = state.halts.get(body.halt);
    if (halt === undefined) return `${body.halt} does not stand`;
    const at = secondsOf(entry.at);
    const scene = await this.#sceneBy(`sha256:${body.policy}`, state, at);
    if (scene === null) return `${body.halt} ended before any policy`;
    const words = await provenWords(this.#desk, scene, halt);
    const judgement = judgeResume(policyHalt(halt, scene.state.book), words, scene.policy.document, at);
    if (!judgement.may) return `${halt.id} ended without the quorum, or before the delay, that the policy asks for`;
    return fieldDifference(body, { approvers: judgement.approved });
  }

  async #sceneBy(named: unknown, state: JournalState, at: UnixSeconds) {
    const policy = this.#documents.policyFor(named, at);
    const scene = await haltSceneOf(this.#desk, state, at);
    if (!scene.ok) return null;
    return policy === null ? scene.value : { ...scene.value, policy };
  }
}

function secondsOf(text: string): UnixSeconds {
  const seconds = parseTime(text);
  if (seconds === null) throw new Error(`the entry was not checked: ${text} is not a time`);
  return seconds;
}

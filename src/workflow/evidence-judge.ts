import type { Hex } from '../domain/bytes.js';
import { type Fault, fail, fault } from '../domain/fault.js';
import { jsonDifference } from '../domain/json-difference.js';
import type { Network } from '../domain/network.js';
import { formatOutpoint } from '../domain/outpoint.js';
import { err, ok, type Result } from '../domain/result.js';
import type { Entry } from '../journal/entries.js';
import type { Evidence } from '../journal/evidence-file.js';
import { EMPTY_STATE, StateBuilder } from '../journal/fold.js';
import type { BatchRecord, JournalState } from '../journal/state.js';
import { deriveFacts } from '../policy/facts.js';
import { decodePsbt } from '../psbt/decode.js';
import type { Deriver } from '../vault/types.js';
import type { ApprovalScene } from './approvals.js';
import { DocumentAudit } from './audit-documents.js';
import { partProblem, signingProblem } from './audit-evidence.js';
import { HaltAudit } from './audit-halts.js';
import { type Body, fieldDifference, type Problem } from './audit-problem.js';
import { approvalProblem, objectionProblem, type WordGround } from './audit-words.js';
import { quorumProblem, type SaidVerdict, saidVerdict } from './evidence-quorum.js';
import { secondsOf } from './judge-again.js';
import { vaultOf } from './open-vault.js';
import type { Archive, Documents } from './ports.js';
import { outputRecord } from './records.js';
import { knownPerson } from './situation.js';

type BatchStep = Extract<Entry['body'], { batch: string }>;

/** What the bytes of a planned PSBT say, with the vault that it spends from. */
type Scene = Pick<ApprovalScene, 'vault' | 'decoded' | 'facts'> & { readonly deriver: Deriver };

/** One batch, as far as the bundle tells it. */
export interface ProvenBatch {
  readonly id: string;
  readonly spend: string;
  readonly fee: string;
  readonly initiator: string;
  /** The newest verdict, at a plan or before signing. */
  readonly decision: string | null;
  readonly approvers: readonly string[];
  readonly txid: string | null;
  /** The kind of the newest entry about it. */
  readonly last: string;
}

/** How many of each were proven. */
export interface ProvenWords {
  approvals: number;
  /** Rejections and withdrawals. */
  objections: number;
  /** Of people; those that the program or nobody verifiable raised are quoted. */
  halts: number;
  /** Words for the end of a halt. */
  resumes: number;
  /** Of devices. */
  signatures: number;
}

/** A tip that says nothing: what is asked of facts here does not depend on the chain. */
const NO_TIP = { height: 0, hash: '', medianTimePast: 0 };

/**
 * Judges the entries of a bundle one after another: whatever can be proven without the coins of the vault is, by the very code
 * that proves a journal, and each has to follow from those before it by the journal's own rules.
 */
export class EvidenceJudge {
  readonly proven: ProvenWords = { approvals: 0, objections: 0, halts: 0, resumes: 0, signatures: 0 };
  readonly #archive: Archive;
  readonly #builder = new StateBuilder(EMPTY_STATE);
  readonly #documents: DocumentAudit;
  readonly #halts: HaltAudit;
  readonly #books = new Set<Hex>();
  readonly #scenes = new Map<string, Scene>();
  /** As the newest entry of it says; a snapshot of the whole state for each batch would copy all batches each time. */
  #open: { readonly record: JournalState['vault']; readonly deriver: Deriver } | null = null;
  /** The newest entry about each batch, and what its newest verdict decided. */
  readonly #last = new Map<string, { readonly kind: string; readonly decision: string | null }>();
  #verdict: SaidVerdict | null = null;

  constructor({ blobs }: Evidence, documents: Documents, network: Network) {
    const blob = async (name: string): Promise<Result<Uint8Array, Fault>> => {
      const bytes = blobs.get(name);
      return bytes === undefined ? err(fault('E_EVIDENCE_INVALID', `document ${name} is missing`)) : ok(bytes);
    };
    this.#archive = {
      journal: { blob },
      config: { network, policy: 'the policy', book: 'the book' },
      ports: { documents },
    };
    this.#documents = new DocumentAudit(this.#archive);
    this.#halts = new HaltAudit(this.#archive, this.#documents);
  }

  /** Under policies and books. */
  get documentSignatures(): number {
    return this.#documents.signatures;
  }

  /** Those of `told`, in the order of their plans. */
  batches(told: ReadonlySet<string>): readonly ProvenBatch[] {
    return [...this.#builder.batches.values()]
      .filter(({ id }) => told.has(id))
      .map(({ id, spend, fee, initiator, approvals, signed }) => ({
        id,
        spend: spend.toString(),
        fee: fee.toString(),
        initiator,
        decision: this.#last.get(id)?.decision ?? null,
        approvers: approvals.map(({ person }) => person),
        txid: signed?.txid ?? null,
        last: this.#last.get(id)?.kind ?? '',
      }));
  }

  /** What is wrong with the next entry; null for nothing. */
  async take(entry: Entry): Promise<Problem> {
    const { body } = entry;
    // Which coins are frozen and which lists screen rests on what a bundle does not carry.
    if (body.kind === 'coin.frozen' || body.kind === 'coin.unfrozen' || body.kind === 'screening.imported') return null;
    const held = await this.#documents.take(entry);
    if (!held.ok) return held.error.message;
    const problem = await this.#problemOf(entry);
    if (problem !== null) return problem;
    const applied = this.#builder.apply(entry);
    if (!applied.ok) return applied.error.message;
    if (body.kind === 'book.changed') this.#books.add(body.digest);
    if (body.kind === 'vault.imported') return this.#openVault();
    if (!('batch' in body)) return null;
    const { decision = null } = this.#last.get(body.batch) ?? {};
    this.#last.set(body.batch, {
      kind: body.kind,
      decision: body.kind === 'batch.verdict' ? body.decision : decision,
    });
    return null;
  }

  #openVault(): Problem {
    const state = this.#builder.snapshot();
    const open = vaultOf(state);
    if (!open.ok) return open.error.message;
    this.#open = { record: state.vault, deriver: open.value.deriver };
    return null;
  }

  async #problemOf(entry: Entry): Promise<Problem> {
    const { body } = entry;
    if (body.kind === 'batch.planned') return this.#planProblem(body);
    if ('batch' in body) return this.#stepProblem(entry, body);
    switch (body.kind) {
      case 'halt.raised':
        // Denials that are not of the period, and what else the program saw, are not carried.
        if (body.source !== 'person') return null;
        this.proven.halts += 1;
        return this.#halts.problem(entry, body, this.#builder.snapshot());
      case 'halt.resume-approved':
        this.proven.resumes += 1;
        return this.#halts.problem(entry, body, this.#builder.snapshot());
      case 'halt.resumed':
        return this.#halts.problem(entry, body, this.#builder.snapshot());
      default:
        return null;
    }
  }

  /** The entry of a plan says what its PSBT does. */
  async #planProblem(body: Body<'batch.planned'>): Promise<Problem> {
    const scene = await this.#examine(body);
    if (!scene.ok) return scene.error.message;
    const { facts } = scene.value;
    this.#scenes.set(body.batch, scene.value);
    return fieldDifference(body, {
      inputs: facts.inputs.map(({ outpoint }) => formatOutpoint(outpoint)),
      outputs: facts.outputs.map(outputRecord),
      spend: facts.spend.toString(),
      fee: facts.fee.toString(),
    });
  }

  /** Every output that is called change is derived again; that nobody can lose it beyond the gap is for the verdict. */
  async #examine({ psbt, outputs }: Body<'batch.planned'>): Promise<Result<Scene, Fault>> {
    if (this.#open === null) return fail('E_VAULT_MISSING', 'it was planned before there was a vault');
    const { deriver } = this.#open;
    const { vault } = deriver;
    const bytes = await this.#archive.journal.blob(psbt);
    if (!bytes.ok) return bytes;
    const decoded = decodePsbt(bytes.value);
    if (!decoded.ok) return decoded;
    const furthest = outputs.reduce((most, { change = 0 }) => Math.max(most, change), 0);
    const facts = deriveFacts(decoded.value, {
      deriver,
      coins: new Map(),
      tip: NO_TIP,
      frozen: new Map(),
      gap: { lastUsedChange: furthest, maxGap: 0 },
      sources: null,
    });
    return ok({ vault, deriver, decoded: decoded.value, facts });
  }

  async #stepProblem(entry: Entry, body: Exclude<BatchStep, { kind: 'batch.planned' }>): Promise<Problem> {
    const batch = this.#builder.batch(body.batch);
    const scene = this.#scenes.get(body.batch);
    if (batch === undefined || scene === undefined) return 'the entry that planned its batch is missing';
    switch (body.kind) {
      case 'batch.verdict':
        return this.#verdictProblem(entry, body, batch);
      case 'batch.approved':
        this.proven.approvals += 1;
        return approvalProblem(this.#ground(), entry, body, batch, async () => ok(scene));
      case 'batch.rejected':
      case 'batch.withdrawn':
        this.proven.objections += 1;
        return objectionProblem(this.#ground(), entry, body, batch);
      case 'batch.reserved':
      case 'batch.sent':
      case 'batch.exported':
        return this.#goingProblem(entry, body, batch);
      case 'batch.partial':
        return partProblem(this.#archive, scene.deriver, body, batch);
      case 'batch.signed':
        this.proven.signatures += body.signatures;
        return signingProblem(this.#archive, scene.deriver, body, batch);
      case 'batch.declined':
      case 'batch.released':
      case 'batch.unknown':
      case 'batch.broadcast':
      case 'batch.confirmed':
      case 'batch.unconfirmed':
      case 'batch.replaced':
      case 'batch.conflicted':
      case 'batch.unsettled':
      case 'batch.abandoned':
        return null;
    }
  }

  #ground(): WordGround {
    return {
      evidence: this.#archive,
      documents: this.#documents,
      state: { vault: this.#open?.record ?? null, book: this.#builder.known.book },
      books: this.#books,
    };
  }

  /** A verdict is quoted, but its entry has to say what its document does. */
  async #verdictProblem(entry: Entry, body: Body<'batch.verdict'>, batch: BatchRecord): Promise<Problem> {
    const kept = await this.#archive.journal.blob(body.verdict);
    if (!kept.ok) return kept.error.message;
    const said = saidVerdict(kept.value, entry, body);
    if (typeof said === 'string') return said;
    const stranger = batch.verdict === null ? this.#initiatorProblem(batch, said.policy, entry) : null;
    if (stranger !== null) return stranger;
    this.#verdict = said;
    if (body.decision !== 'ALLOW') return null;
    return fieldDifference(
      { spend: said.spend, fee: said.fee },
      { spend: batch.spend.toString(), fee: batch.fee.toString() },
    );
  }

  /** Who planned is a person of the policy by which the plan was judged, so that the same person cannot approve it as well. */
  #initiatorProblem({ initiator }: BatchRecord, digest: string, { at }: Entry): Problem {
    const policy = this.#documents.policyFor(digest, secondsOf(at));
    if (policy === null) return 'it was judged before any policy was in force';
    const known = knownPerson({ policy }, initiator);
    return known.ok ? null : `its batch was planned by somebody else: ${known.error.message}`;
  }

  /** Whatever is reserved or goes out does so on a verdict right before it, and on the word of enough people. */
  async #goingProblem(
    { seq, at }: Entry,
    body: Body<'batch.reserved' | 'batch.sent' | 'batch.exported'>,
    batch: BatchRecord,
  ): Promise<Problem> {
    const said = this.#verdict;
    if (said === null || said.seq !== seq - 1 || said.batch !== batch.id) return 'no verdict stands right before it';
    const difference = jsonDifference(body.approvers, said.approved, 'approvers');
    if (difference !== null)
      return `${difference.path} is ${difference.found}, and the verdict counts ${difference.due}`;
    return quorumProblem(this.#ground(), batch, said, at);
  }
}

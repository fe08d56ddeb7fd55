import type { Hex } from '../domain/bytes.js';
import { type Fault, fail, fault } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import { quoted } from '../domain/safe-text.js';
import { namedBlobs } from '../journal/blobs.js';
import { type Anchor, verifyChain } from '../journal/chain.js';
import type { Entry, EntryKind, WrittenEntry } from '../journal/entries.js';
import { JournalError } from '../journal/port.js';
import { DecisionAudit, type OpenQuestion } from './audit-decisions.js';
import { DocumentAudit } from './audit-documents.js';
import { LinesAudit } from './audit-lines.js';
import { TreeAudit } from './audit-tree.js';
import type { Desk } from './ports.js';

export interface JournalReport {
  readonly entries: number;
  readonly head: Anchor;
  /** Documents that entries name, each read and hashed. */
  readonly blobs: number;
  /** How many entries of each kind; every one of them was proven again as far as the journal can prove it. */
  readonly kinds: ReadonlyMap<EntryKind, number>;
  /** Signatures under policies and books. */
  readonly documentSignatures: number;
  /** Signatures of devices, each verified for its key and its transaction. */
  readonly signatures: number;
  /** What the journal cannot prove: for an auditor to ask about. */
  readonly questions: readonly OpenQuestion[];
}

/** Behind so many findings nobody reads on; the first ones say where it began. */
const MOST_FINDINGS = 20;

/**
 * The whole journal again from nothing, in one pass: chain, states, every document that an entry names, every policy and
 * book in its place, every decision from the evidence of its moment, what is kept beside the entries (the hashes of the tree, the
 * rows of lists), and that the places noted elsewhere lie on the chain.
 * `progress` hears after each entry how many are done. Faults come in the order of their entries.
 */
export async function verifyJournal(
  desk: Desk,
  noted: readonly Anchor[],
  progress: (done: number) => void = () => undefined,
): Promise<Result<JournalReport, readonly Fault[]>> {
  const lines = await LinesAudit.begin(desk.journal);
  if (!lines.ok) return err([lines.error]);
  const tree = await TreeAudit.begin(desk.journal);
  if (!tree.ok) return err([tree.error]);
  const audit = new JournalAudit(desk, lines.value, tree.value);
  const verified = await readable(() => verifyChain(audit.tap(desk.journal.written(), progress), noted));
  const { findings, decisions, documents } = audit;
  if (audit.ended) return err([...findings]);
  if (!verified.ok) return err([...findings, verified.error]);
  findings.push(...decisions.end());
  findings.push(...tree.value.end().slice(0, MOST_FINDINGS));
  findings.push(...lines.value.end(verified.value.state).slice(0, MOST_FINDINGS));
  if (findings.length > 0) return err([...findings]);
  const stray = await strayBlob(desk, audit.blobs);
  if (!stray.ok) return err([stray.error]);
  const { count, head, state } = verified.value;
  const open = [...state.batches.values()].filter((batch) => batch.state === 'SENT');
  return ok({
    entries: count,
    head,
    blobs: audit.blobs.size,
    kinds: audit.kinds,
    documentSignatures: documents.signatures,
    signatures: decisions.signatures,
    questions: [...decisions.questions, ...audit.unanswered(open.map(({ id }) => id))],
  });
}

/** What iterating the entries throws, where a row cannot be read, as a finding. */
async function readable<T>(verify: () => Promise<Result<T, Fault>>): Promise<Result<T, Fault>> {
  try {
    return await verify();
  } catch (error) {
    if (error instanceof JournalError) return err(error.fault);
    throw error;
  }
}

/** countersign keeps a blob together with the entry that names it, or not at all: any other was put there by other means. */
async function strayBlob(desk: Desk, named: ReadonlySet<Hex>): Promise<Result<void, Fault>> {
  const stored = await desk.journal.blobNames();
  if (!stored.ok) return stored;
  const stray = stored.value.find((name) => !named.has(name));
  if (stray === undefined) return ok(undefined);
  return fail('E_JOURNAL_TAMPERED', `the journal keeps a blob ${quoted(stray)} that no entry names`, {
    remedy: 'stop signing; keep the journal as it is and find out which program wrote to it',
  });
}

class JournalAudit {
  readonly documents: DocumentAudit;
  readonly decisions: DecisionAudit;
  readonly findings: Fault[] = [];
  readonly blobs = new Set<Hex>();
  readonly kinds = new Map<EntryKind, number>();
  /** The entries after some finding were not looked at. */
  ended = false;
  readonly #desk: Desk;
  readonly #lines: LinesAudit;
  readonly #tree: TreeAudit;
  /** When and where each batch was last sent to a device. */
  readonly #sent = new Map<string, Entry>();

  constructor(desk: Desk, lines: LinesAudit, tree: TreeAudit) {
    this.#desk = desk;
    this.#lines = lines;
    this.#tree = tree;
    this.documents = new DocumentAudit(desk);
    this.decisions = new DecisionAudit(desk, this.documents);
  }

  /** Hands entries on to whoever verifies the chain, and judges each once that is done: when the next one is asked for. */
  async *tap(
    entries: AsyncIterable<WrittenEntry>,
    progress: (done: number) => void,
  ): AsyncGenerator<WrittenEntry, void> {
    for await (const next of entries) {
      yield next;
      this.ended = !(await this.#judge(next.entry));
      if (this.ended) return;
      progress(next.entry.seq + 1);
    }
  }

  unanswered(batches: readonly string[]): OpenQuestion[] {
    return batches.flatMap((batch) => {
      const sent = this.#sent.get(batch);
      const text = 'it was sent to the device, and no answer is recorded: a signature may exist outside this journal';
      return sent === undefined ? [] : [{ seq: sent.seq, at: sent.at, batch, about: 'unknown' as const, text }];
    });
  }

  /** Whether there is a point in going on. */
  async #judge(entry: Entry): Promise<boolean> {
    const { body } = entry;
    this.#lines.take(entry);
    for (const finding of this.#tree.take(entry)) if (!this.#found(finding, true)) return false;
    this.kinds.set(body.kind, (this.kinds.get(body.kind) ?? 0) + 1);
    if (body.kind === 'batch.sent') this.#sent.set(body.batch, entry);
    for (const name of namedBlobs(body)) {
      if (this.blobs.has(name)) continue;
      const blob = await this.#desk.journal.blob(name);
      if (!blob.ok) return this.#found({ ...blob.error, message: `entry ${entry.seq}: ${blob.error.message}` }, false);
      this.blobs.add(name);
    }
    // Without the policy of the day nothing behind it can be judged.
    const taken = await this.documents.take(entry);
    if (!taken.ok) return this.#found(taken.error, false);
    const decided = await this.decisions.take(entry);
    return decided.ok || this.#found(decided.error, true);
  }

  #found(finding: Fault, goOn: boolean): boolean {
    this.findings.push(finding);
    if (!goOn || this.findings.length < MOST_FINDINGS) return goOn;
    const message = `stopped after ${MOST_FINDINGS} findings: the entries behind them were not looked at`;
    const remedy = 'stop signing; find out where the first finding comes from, and verify a copy from before it';
    this.findings.push(fault('E_JOURNAL_TAMPERED', message, { remedy }));
    return false;
  }
}

/** A place noted elsewhere: SEQ:HASH, as `audit verify` prints the head. */
export function parseAnchor(text: string): Result<Anchor, Fault> {
  const match = /^(0|[1-9][0-9]{0,14}):([0-9a-f]{64})$/.exec(text);
  if (match?.[2] !== undefined) return ok({ seq: Number(match[1]), hash: match[2] });
  return fail('E_USAGE', `${JSON.stringify(text.slice(0, 90))} is not a head`, {
    remedy: 'give SEQ:HASH, as an earlier audit verify printed it',
  });
}

import { toHex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import { formatTime, type UnixSeconds } from '../domain/time.js';
import type { PayableRecord } from '../journal/entries.js';
import { paysTheSame } from '../journal/fold.js';
import { governingPolicy, newestPolicy } from '../journal/policies.js';
import type { BookAge, JournalState } from '../journal/state.js';
import type { Book } from '../policy/book.js';
import type { BookEntry, LoadedPolicy } from '../policy/types.js';
import { readPolicyRecord } from './active-policy.js';
import { hexDigest, judgeBook, judgePolicy, type PolicyJudgement } from './policy-life.js';
import type { Desk } from './ports.js';
import type { BroughtSignature } from './signatures.js';

/** A document as it was brought: its file, and the signatures that came with it. */
export interface BroughtDocument {
  readonly bytes: Uint8Array;
  readonly file: string;
  readonly signatures: readonly BroughtSignature[];
}

export interface PolicyActivation extends PolicyJudgement {
  readonly policy: LoadedPolicy;
  /** False while the version before it still applies. */
  readonly inForce: boolean;
}

/**
 * Activates a policy, in one durable transaction: it applies from its effective_at on, and the version before it until
 * then. What was spent before keeps counting.
 */
export async function activatePolicy(
  desk: Desk,
  { bytes, file, signatures }: BroughtDocument,
): Promise<Result<PolicyActivation, readonly Fault[]>> {
  const loaded = desk.ports.documents.policy(bytes, file);
  if (!loaded.ok) return loaded;
  const policy = loaded.value;
  const activated = await desk.journal.transact(async (tx) => {
    const { at } = tx;
    const governing = await governor(desk, tx.state, at);
    if (!governing.ok) return governing;
    const { vault } = tx.state;
    const standing = { vault, governing: governing.value, newest: newestPolicy(tx.state), at };
    const judged = judgePolicy(policy, signatures, standing);
    if (!judged.ok) return judged;
    const kept = await isWorkspacePolicy(desk, policy);
    if (!kept.ok) return kept;
    const { version, effectiveAt } = policy.document;
    tx.append({
      kind: 'policy.activated',
      digest: hexDigest(policy.digest),
      version,
      document: tx.keep(bytes),
      effectiveAt: formatTime(effectiveAt),
      ...(governing.value === null ? {} : { under: hexDigest(governing.value.digest) }),
      signatures: judged.value.signatures,
    });
    return ok({ ...judged.value, policy, inForce: effectiveAt <= at });
  });
  return activated.ok ? activated : err([activated.error]);
}

/**
 * Every command compares the policy file of the workspace with the active policy. To activate another one beside it would
 * stop them all with an alarm.
 */
async function isWorkspacePolicy(desk: Desk, policy: LoadedPolicy): Promise<Result<void, Fault>> {
  const { files, documents } = desk.ports;
  const name = desk.config.policy;
  const path = files.inWorkspace(desk.root, name);
  if (!(await files.exists(path))) return ok(undefined);
  const bytes = await files.read(path);
  if (!bytes.ok) return bytes;
  const present = documents.policy(bytes.value, name);
  if (present.ok && present.value.digest === policy.digest) return ok(undefined);
  return fail('E_USAGE', `${name} of this workspace is another policy than ${policy.file}`, {
    where: { file: policy.file },
    remedy: `put the new text into ${name}, and activate that file: every command compares ${name} with the active policy`,
  });
}

export interface BookChange {
  readonly book: Book;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Descriptors that stand for fewer addresses than before, and keep their age. */
  readonly narrowed: readonly string[];
  /** Entries with a proof of control, whose signatures were verified. */
  readonly proven: readonly string[];
  readonly signers: readonly string[];
}

/** Takes in the address book. What is new in it is as old as this entry; what was there keeps its age. */
export async function importBook(
  desk: Desk,
  { bytes, file, signatures }: BroughtDocument,
): Promise<Result<BookChange, readonly Fault[]>> {
  const loaded = desk.ports.documents.book(bytes, file, desk.config.network);
  if (!loaded.ok) return loaded;
  const book = loaded.value;
  const changed = await desk.journal.transact(async (tx) => {
    const { at } = tx;
    const governing = await governor(desk, tx.state, at);
    if (!governing.ok) return governing;
    const { vault, book: newest } = tx.state;
    const judged = judgeBook(book, signatures, { vault, governing: governing.value, newest, at });
    if (!judged.ok) return judged;
    const difference = bookDifference(tx.state.book?.entries, book);
    tx.append({
      kind: 'book.changed',
      digest: hexDigest(book.digest),
      version: book.version,
      document: tx.keep(bytes),
      under: hexDigest(governing.value?.digest ?? ''),
      signatures: judged.value,
      ...difference,
    });
    return ok({
      book,
      added: difference.added.map(({ id }) => id),
      removed: difference.removed.map(({ id }) => id),
      narrowed: (difference.narrowed ?? []).map(({ id }) => id),
      proven: difference.proven ?? [],
      signers: judged.value.map(({ person }) => person),
    });
  });
  return changed.ok ? changed : err([changed.error]);
}

/**
 * What a book adds to the one before and takes from it; an id with another script, another descriptor or more indexes is
 * both. A descriptor with fewer indexes is only narrowed.
 */
export function bookDifference(before: ReadonlyMap<string, BookAge> = new Map(), book: Pick<Book, 'entries'>) {
  const now = new Map(book.entries.map((entry) => [entry.id, payableOf(entry)]));
  const stays = (id: string): boolean => {
    const [old, due] = [before.get(id), now.get(id)];
    return old !== undefined && due !== undefined && (paysTheSame(old, due) || isNarrowed(old, due));
  };
  const narrowed = book.entries.flatMap((entry) => {
    const [old, due] = [before.get(entry.id), payableOf(entry)];
    return old !== undefined && isNarrowed(old, due) ? [{ id: entry.id, maxIndex: due.maxIndex }] : [];
  });
  const proven = book.entries.flatMap(({ id, proof }) => (proof === undefined ? [] : [id]));
  return {
    added: book.entries
      .filter(({ id }) => !stays(id))
      .map((entry) => ({ id: entry.id, ...payableOf(entry), label: entry.label })),
    removed: [...before.values()]
      .filter(({ id }) => !stays(id))
      .map(({ id, label: _, since: __, proven: ___, ...payable }) => ({ id, ...payable })),
    ...(narrowed.length === 0 ? {} : { narrowed }),
    ...(proven.length === 0 ? {} : { proven }),
  };
}

type DescriptorRecord = Extract<PayableRecord, { descriptor: string }>;

function isNarrowed(old: PayableRecord, due: PayableRecord): due is DescriptorRecord {
  if (!('descriptor' in old && 'descriptor' in due)) return false;
  return old.descriptor === due.descriptor && due.maxIndex < old.maxIndex;
}

function payableOf(entry: BookEntry): PayableRecord {
  if (entry.kind === 'address') return { script: toHex(entry.script) };
  return { descriptor: entry.counterparty.descriptor, maxIndex: entry.maxIndex };
}

async function governor(desk: Desk, state: JournalState, at: UnixSeconds): Promise<Result<LoadedPolicy | null, Fault>> {
  const record = governingPolicy(state, at);
  return record === null ? ok(null) : readPolicyRecord(desk, record);
}

import { isDeepStrictEqual } from 'node:util';
import { type Fault, fail, fault } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import { formatTime, parseTime, type UnixSeconds } from '../domain/time.js';
import type { Entry, SignatureRecord } from '../journal/entries.js';
import { EMPTY_STATE, StateBuilder } from '../journal/fold.js';
import { governingPolicy, newestPolicy, policyAt } from '../journal/policies.js';
import type { JournalState } from '../journal/state.js';
import type { LoadedPolicy } from '../policy/types.js';
import { signingKeys } from '../vault/signing-keys.js';
import { namedPolicy, policyId } from '../vault/wallet-policy.js';
import { readPolicyRecord } from './active-policy.js';
import { judgeListAgain } from './audit-screening.js';
import { bookDifference } from './documents.js';
import { vaultOf } from './open-vault.js';
import { hexDigest, judgeBook, judgePolicy } from './policy-life.js';
import type { Archive } from './ports.js';
import type { BroughtSignature } from './signatures.js';

type PolicyEntry = Extract<Entry['body'], { kind: 'policy.activated' }>;
type RegisteredEntry = Extract<Entry['body'], { kind: 'device.registered' }>;
type BookEntry = Extract<Entry['body'], { kind: 'book.changed' }>;

/**
 * Judges every policy and book of a journal again, as of the entry that put it into force: document, chain, signatures,
 * notice, and what the entry says of it. The chain of entries has been verified before.
 */
export class DocumentAudit {
  readonly #desk: Archive;
  /** Folded from the few entries that policies and books rest on; batches do not matter here. */
  readonly #builder = new StateBuilder(EMPTY_STATE);
  /** Every policy that was activated so far, by its digest. */
  readonly #policies = new Map<string, LoadedPolicy>();
  /** Signatures that were verified. */
  signatures = 0;

  constructor(desk: Archive) {
    this.#desk = desk;
  }

  /** Takes the next entry of the journal. E_JOURNAL_TAMPERED where its document should never have been taken. */
  async take(entry: Entry): Promise<Result<void, Fault>> {
    const { body } = entry;
    switch (body.kind) {
      case 'journal.opened':
      case 'journal.moved':
      case 'vault.imported':
        return this.#builder.apply(entry);
      case 'device.registered': {
        const problem = registrationProblem(this.#builder.snapshot(), body);
        if (problem === null) return this.#builder.apply(entry);
        return fail('E_JOURNAL_TAMPERED', `entry ${entry.seq} of the journal, ${body.kind}: ${problem}`, {
          remedy: 'stop signing; find out who wrote it, and register the wallet policy on this device again',
        });
      }
      case 'policy.activated':
      case 'book.changed': {
        const judged = await this.#judge(entry, body);
        if (!judged.ok) return refused(entry, judged.error);
        this.signatures += body.signatures.length;
        return this.#builder.apply(entry);
      }
      case 'screening.imported': {
        const judged = await judgeListAgain(this.#desk, this.#builder.snapshot(), body, parseTime(entry.at) ?? 0);
        if (!judged.ok) return refused(entry, judged.error);
        this.signatures += 1;
        return this.#builder.apply(entry);
      }
      default:
        return ok(undefined);
    }
  }

  /**
   * The policy that a statement of this moment can be of: the one that it names, if that was ever in force, since who
   * signed in the last second of a version may be recorded in the first of the next; else the one in force.
   */
  policyFor(named: unknown, at: UnixSeconds): LoadedPolicy | null {
    const said = typeof named === 'string' ? this.#policies.get(named) : undefined;
    if (said !== undefined && said.document.effectiveAt <= at) return said;
    const inForce = policyAt(this.#builder.snapshot(), at);
    return inForce === null ? null : (this.#policies.get(`sha256:${inForce.digest}`) ?? null);
  }

  async #judge(entry: Entry, body: PolicyEntry | BookEntry): Promise<Result<void, Fault>> {
    const state = this.#builder.snapshot();
    const at = parseTime(entry.at) ?? 0;
    const record = governingPolicy(state, at);
    const governing = record === null ? ok(null) : await readPolicyRecord(this.#desk, record);
    if (!governing.ok) return governing;
    return body.kind === 'policy.activated'
      ? this.#judgePolicy(body, state, governing.value, at)
      : this.#judgeBook(body, state, governing.value, at);
  }

  async #judgePolicy(
    body: PolicyEntry,
    state: JournalState,
    governing: LoadedPolicy | null,
    at: UnixSeconds,
  ): Promise<Result<void, Fault>> {
    const effectiveAt = parseTime(body.effectiveAt) ?? 0;
    const { digest, version, document } = body;
    const read = await readPolicyRecord(this.#desk, { digest, version, document, effectiveAt });
    if (!read.ok) return read;
    const policy = read.value;
    const { vault } = state;
    const judged = judgePolicy(policy, brought(body.signatures), { vault, governing, newest: newestPolicy(state), at });
    if (!judged.ok) return judged;
    this.#policies.set(policy.digest, policy);
    return says(body, {
      digest: hexDigest(policy.digest),
      version: policy.document.version,
      effectiveAt: formatTime(policy.document.effectiveAt),
      signatures: judged.value.signatures,
    });
  }

  async #judgeBook(
    body: BookEntry,
    state: JournalState,
    governing: LoadedPolicy | null,
    at: UnixSeconds,
  ): Promise<Result<void, Fault>> {
    const bytes = await this.#desk.journal.blob(body.document);
    if (!bytes.ok) return bytes;
    const { documents } = this.#desk.ports;
    const read = documents.book(bytes.value, this.#desk.config.book, this.#desk.config.network);
    if (!read.ok) return fail('E_BOOK_SCHEMA', `its book can no longer be read: ${read.error[0]?.message ?? ''}`);
    const book = read.value;
    const { vault } = state;
    const judged = judgeBook(book, brought(body.signatures), { vault, governing, newest: state.book, at });
    if (!judged.ok) return judged;
    const { digest, version } = book;
    const due = { digest: hexDigest(digest), version, signatures: judged.value };
    return says(body, { ...due, narrowed: undefined, proven: undefined, ...bookDifference(state.book?.entries, book) });
  }
}

/** What a registration must agree with: a device of the vault, and the policy that the vault has. */
function registrationProblem(state: JournalState, { fingerprint, policy }: RegisteredEntry): string | null {
  const open = vaultOf(state);
  if (!open.ok) return open.error.message;
  const { vault } = open.value;
  const own = signingKeys(vault).map((key) => key.fingerprint);
  if (!own.includes(fingerprint)) {
    return `it is of the device ${fingerprint}, and the vault belongs to ${own.join(', ')}`;
  }
  const due = policyId(namedPolicy(vault));
  return policy === due ? null : `it is of the policy ${policy}, and that of the vault is ${due}`;
}

const refused = (entry: Entry, found: Fault): Result<never, Fault> => err(documentFault(entry, found));

/** What is said of an entry whose document does not hold. What could not be read says nothing against whoever wrote it. */
export function documentFault({ seq, body }: Entry, found: Fault): Fault {
  if (found.tag === 'E_JOURNAL_IO' || found.tag === 'E_JOURNAL_LOCKED') return found;
  return fault('E_JOURNAL_TAMPERED', `entry ${seq} of the journal, ${body.kind}: ${found.message}`, {
    remedy: 'stop signing; find out how this document came into force without what it needs',
  });
}

const brought = (signatures: readonly SignatureRecord[]): BroughtSignature[] =>
  signatures.map(({ person, signature }) => ({ from: `the signature of ${person}`, armored: signature }));

/** Whether an entry says of its document what the document says. */
function says<T extends object>(body: T, due: { readonly [K in keyof T]?: unknown }): Result<void, Fault> {
  for (const [field, value] of Object.entries(due)) {
    const found = Object.entries(body).find(([name]) => name === field)?.[1];
    if (!isDeepStrictEqual(found, value))
      return fail('E_JOURNAL_TAMPERED', `its ${field} is not what its document says`);
  }
  return ok(undefined);
}

import { toHex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import type { JournalState } from '../journal/state.js';
import type { Book } from '../policy/book.js';
import type { LoadedPolicy } from '../policy/types.js';
import { parseVault } from '../vault/descriptor.js';
import type { Desk } from './ports.js';

const IMPORT_VAULT = 'import the vault first: countersign vault import NAME DESCRIPTOR_FILE';

const hexDigest = (digest: string): string => digest.replace(/^sha256:/, '');

/** Makes a policy the one in force. It must fit the vault and follow the version before it. */
export async function activatePolicy(
  desk: Desk,
  bytes: Uint8Array,
  file: string,
): Promise<Result<LoadedPolicy, readonly Fault[]>> {
  const loaded = desk.ports.documents.policy(bytes, file);
  if (!loaded.ok) return loaded;
  const policy = loaded.value;
  const activated = await desk.journal.transact(async (tx) => {
    const fits = fitsVault(policy, tx.state.vault);
    if (!fits.ok) return fits;
    const follows = followsActive(policy, tx.state.policy);
    if (!follows.ok) return follows;
    const kept = await isWorkspacePolicy(desk, policy);
    if (!kept.ok) return kept;
    tx.append({
      kind: 'policy.activated',
      digest: hexDigest(policy.digest),
      version: policy.document.version,
      document: tx.keep(bytes),
    });
    return ok(policy);
  });
  return activated.ok ? activated : err([activated.error]);
}

function fitsVault(
  policy: LoadedPolicy,
  vault: { id: string; network: string; descriptor: string } | null,
): Result<void, Fault> {
  const { wallet } = policy.document;
  if (vault === null) {
    return fail('E_VAULT_MISSING', 'this workspace has no vault that a policy could speak of', {
      remedy: IMPORT_VAULT,
    });
  }
  const described = parseVault(wallet.id, wallet.network, wallet.descriptor);
  if (!described.ok)
    return fail(described.error.tag, described.error.message, {
      where: policy.where('wallet.descriptor'),
      remedy: described.error.remedy,
    });
  const problems = [
    { field: 'wallet.id', policy: wallet.id, vault: vault.id },
    { field: 'wallet.network', policy: wallet.network, vault: vault.network },
    { field: 'wallet.descriptor', policy: described.value.descriptor, vault: vault.descriptor },
  ].find((pair) => pair.policy !== pair.vault);
  if (problems === undefined) return ok(undefined);
  return fail(
    'E_POLICY_INTEGRITY',
    `${problems.field} is ${problems.policy}, and the vault here has ${problems.vault}`,
    {
      where: policy.where(problems.field),
      remedy: 'use the policy that was written for this vault',
    },
  );
}

function followsActive(policy: LoadedPolicy, active: { digest: string; version: number } | null): Result<void, Fault> {
  const { version, prev } = policy.document;
  if (active === null) return ok(undefined);
  if (hexDigest(policy.digest) === active.digest) {
    return fail('E_USAGE', `version ${version} is active already`, { where: policy.where('version') });
  }
  if (version !== active.version + 1) {
    return fail('E_POLICY_INTEGRITY', `version ${version} does not follow the active version ${active.version}`, {
      where: policy.where('version'),
      remedy: `an older version is never accepted again; write version ${active.version + 1}`,
    });
  }
  if (prev !== null && hexDigest(prev) === active.digest) return ok(undefined);
  return fail(
    'E_POLICY_INTEGRITY',
    `prev is ${prev ?? 'absent'}, and the active version has the digest sha256:${active.digest}`,
    {
      where: policy.where('prev'),
      remedy: 'write the digest of the version before into prev, so that no version can be left out',
    },
  );
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
}

/** Takes in the address book. What is new in it is as old as this entry; what was there keeps its age. */
export async function importBook(
  desk: Desk,
  bytes: Uint8Array,
  file: string,
): Promise<Result<BookChange, readonly Fault[]>> {
  const loaded = desk.ports.documents.book(bytes, file, desk.config.network);
  if (!loaded.ok) return loaded;
  const book = loaded.value;
  const changed = await desk.journal.transact(async (tx) => {
    const fits = bookFits(book, tx.state);
    if (!fits.ok) return fits;
    const before = tx.state.book?.entries ?? new Map<string, { id: string; script: string; label: string }>();
    const now = new Map(book.entries.map((entry) => [entry.id, toHex(entry.script)]));
    const added = book.entries.filter((entry) => before.get(entry.id)?.script !== toHex(entry.script));
    const removed = [...before.values()].filter((entry) => now.get(entry.id) !== entry.script);
    tx.append({
      kind: 'book.changed',
      digest: hexDigest(book.digest),
      document: tx.keep(bytes),
      added: added.map(({ id, script, label }) => ({ id, script: toHex(script), label })),
      removed: removed.map(({ id, script }) => ({ id, script })),
    });
    return ok({ book, added: added.map(({ id }) => id), removed: removed.map(({ id }) => id) });
  });
  return changed.ok ? changed : err([changed.error]);
}

/** A book is of this vault, and follows the one in force: a version that was left out may have removed an address. */
function bookFits(book: Book, { vault, book: active }: JournalState): Result<void, Fault> {
  const where = { file: book.file };
  if (vault === null)
    return fail('E_VAULT_MISSING', 'this workspace has no vault that a book could belong to', { remedy: IMPORT_VAULT });
  if (book.wallet !== vault.id) {
    return fail('E_BOOK_SCHEMA', `the book is of the wallet ${book.wallet}, and the vault here is ${vault.id}`, {
      where,
    });
  }
  if (active === null) return ok(undefined);
  if (active.digest === hexDigest(book.digest))
    return fail('E_USAGE', `${book.file} is the book in force already`, { where });
  if (book.prev !== null && hexDigest(book.prev) === active.digest) return ok(undefined);
  return fail(
    'E_POLICY_INTEGRITY',
    `prev is ${book.prev ?? 'absent'}, and the book in force has the digest sha256:${active.digest}`,
    {
      where,
      remedy:
        'raise version by one and write the digest of the book in force into prev; countersign book show prints it',
    },
  );
}

import type { DocumentFields } from '../approval/document-statement.js';
import { type Fault, type FaultTag, fail } from '../domain/fault.js';
import { parseNetwork } from '../domain/network.js';
import { ok, type Result } from '../domain/result.js';
import { formatTime, type UnixSeconds } from '../domain/time.js';
import type { SignatureRecord } from '../journal/entries.js';
import type { JournalState } from '../journal/state.js';
import type { Book } from '../policy/book.js';
import { type Change, classify, overallKind } from '../policy/classify.js';
import { durationText } from '../policy/describe.js';
import type { LoadedPolicy } from '../policy/types.js';
import { derivesFrom } from '../vault/counterparty.js';
import { parseVault } from '../vault/descriptor.js';
import { type BroughtSignature, countSignatures } from './signatures.js';

const IMPORT_VAULT = 'import the vault first: countersign vault import NAME DESCRIPTOR_FILE';
const LOOSENINGS_SHOWN = 3;

/** What a new policy or book is held against. */
export interface Standing {
  readonly vault: JournalState['vault'];
  /** The policy whose people decide; null before the first one. */
  readonly governing: LoadedPolicy | null;
  /** The newest version of the same kind of document, in force or not. Digest in plain hex. */
  readonly newest: { readonly version: number; readonly digest: string } | null;
  readonly at: UnixSeconds;
}

export interface PolicyJudgement {
  readonly signatures: readonly SignatureRecord[];
  /** Against the governing policy; null for the first of a journal, which is taken on trust. */
  readonly changes: readonly Change[] | null;
}

/** Digests stand in the journal as plain hex. */
export const hexDigest = (digest: string): string => digest.replace(/^sha256:/, '');

export function policyFields({ document, digest }: LoadedPolicy): DocumentFields {
  return { kind: 'policy', wallet: document.wallet.id, version: document.version, prev: document.prev, digest };
}

export function bookFields({ wallet, version, prev, digest }: Book): DocumentFields {
  return { kind: 'book', wallet, version, prev, digest };
}

/**
 * Whether a policy may be put into force at `at`: it is of this vault, follows the newest version, has not expired, is
 * signed by the quorum of the governing policy, and waits its notice if it loosens. The first policy of a journal is
 * signed by its own people: trust on first use, to be compared with what they say elsewhere.
 */
export function judgePolicy(
  policy: LoadedPolicy,
  brought: readonly BroughtSignature[],
  standing: Standing,
): Result<PolicyJudgement, Fault> {
  const { governing, newest, at } = standing;
  const fits = fitsVault(policy, standing.vault);
  if (!fits.ok) return fits;
  const follows = checkChain(policyFields(policy), newest, policy.where);
  if (!follows.ok) return follows;
  const { version, expiresAt } = policy.document;
  if (at >= expiresAt) {
    return fail('E_POLICY_EXPIRED', `version ${version} expired at ${formatTime(expiresAt)}`, {
      where: policy.where('expires_at'),
      remedy: 'write a version with a later expires_at, and have it signed',
    });
  }
  const authority = (governing ?? policy).document;
  const signatures = countSignatures(policyFields(policy), brought, authority.changeControl.sign, authority);
  if (!signatures.ok) return signatures;
  if (governing === null) return ok({ signatures: signatures.value, changes: null });
  const changes = classify(governing, policy);
  const waits = checkNotice(policy, governing, changes, at);
  return waits.ok ? ok({ signatures: signatures.value, changes }) : waits;
}

/** Whether a book may be put into force: of this vault, next in its chain, signed as the governing policy asks. */
export function judgeBook(
  book: Book,
  brought: readonly BroughtSignature[],
  standing: Standing,
): Result<readonly SignatureRecord[], Fault> {
  const { vault, governing, newest } = standing;
  const where = { file: book.file };
  if (vault === null) {
    return fail('E_VAULT_MISSING', 'this workspace has no vault that a book could belong to', { remedy: IMPORT_VAULT });
  }
  if (book.wallet !== vault.id) {
    return fail('E_BOOK_WALLET', `the book is of the wallet ${book.wallet}, and the vault here is ${vault.id}`, {
      where,
    });
  }
  if (governing === null) {
    return fail('E_POLICY_MISSING', 'no policy says who may sign an address book', {
      remedy: 'activate a policy first: countersign policy activate FILE',
    });
  }
  const foreign = paysOthers(book, vault);
  if (!foreign.ok) return foreign;
  const follows = checkChain(bookFields(book), newest, () => where);
  if (!follows.ok) return follows;
  const { document } = governing;
  return countSignatures(bookFields(book), brought, document.destinations.bookSign, document);
}

/** Whether no descriptor of the book derives the vault's own addresses: the book lists whom the vault pays. */
function paysOthers({ entries }: Book, standing: NonNullable<Standing['vault']>): Result<void, Fault> {
  const network = parseNetwork(standing.network);
  if (!network.ok) return network;
  const vault = parseVault(standing.id, network.value, standing.descriptor);
  if (!vault.ok) return vault;
  const own = entries.find((entry) => entry.kind === 'descriptor' && derivesFrom(entry.counterparty, vault.value));
  if (own === undefined) return ok(undefined);
  return fail('E_BOOK_OWN', `${own.id} derives addresses of the vault ${standing.id} itself`, {
    where: own.where,
    remedy: 'ask the counterparty for the descriptor of its own wallet, and take this entry out of the book',
  });
}

function fitsVault(policy: LoadedPolicy, vault: JournalState['vault']): Result<void, Fault> {
  const { wallet } = policy.document;
  if (vault === null) {
    return fail('E_VAULT_MISSING', 'this workspace has no vault that a policy could speak of', {
      remedy: IMPORT_VAULT,
    });
  }
  const described = parseVault(wallet.id, wallet.network, wallet.descriptor);
  if (!described.ok) {
    const { tag, message, remedy } = described.error;
    return fail(tag, message, { where: policy.where('wallet.descriptor'), remedy });
  }
  const problem = [
    { field: 'wallet.id', policy: wallet.id, vault: vault.id },
    { field: 'wallet.network', policy: wallet.network, vault: vault.network },
    { field: 'wallet.descriptor', policy: described.value.descriptor, vault: vault.descriptor },
  ].find((pair) => pair.policy !== pair.vault);
  if (problem === undefined) return ok(undefined);
  return fail('E_POLICY_WALLET', `${problem.field} is ${problem.policy}, and the vault here has ${problem.vault}`, {
    where: policy.where(problem.field),
    remedy:
      problem.field === 'wallet.id'
        ? `use the policy of this vault; where it is this one, write id: ${vault.id}, the name at countersign vault import, and have it signed again`
        : 'use the policy that was written for this vault',
  });
}

const CHAIN = {
  policy: { rollback: 'E_POLICY_ROLLBACK', fork: 'E_POLICY_FORK', gap: 'E_POLICY_GAP', prev: 'E_POLICY_CHAIN' },
  book: { rollback: 'E_BOOK_ROLLBACK', fork: 'E_BOOK_FORK', gap: 'E_BOOK_GAP', prev: 'E_BOOK_CHAIN' },
} as const satisfies Record<string, Record<string, FaultTag>>;

/** A version follows the newest one by number and by digest, so that none can be left out, repeated or rewritten. */
function checkChain(
  { kind, version, prev, digest }: DocumentFields,
  newest: Standing['newest'],
  place: LoadedPolicy['where'],
): Result<void, Fault> {
  if (newest === null) return ok(undefined);
  const tags = CHAIN[kind];
  const known = `version ${newest.version} of the ${kind}, with the digest sha256:${newest.digest}`;
  const next = `write version ${newest.version + 1}, with prev: "sha256:${newest.digest}"`;
  const where = place('version');
  if (hexDigest(digest) === newest.digest) {
    return fail('E_USAGE', `this is ${known}, which the journal has already`, {
      where,
      remedy: `nothing is left to do for it; for a change, ${next}`,
    });
  }
  if (version < newest.version) {
    return fail(tags.rollback, `this is version ${version}, and the journal knows ${known}`, {
      where,
      remedy: `an older version is never taken back; ${next}`,
    });
  }
  if (version === newest.version) {
    return fail(
      tags.fork,
      `this is another version ${version}: its digest is ${digest}, and the journal knows ${known}`,
      {
        where,
        remedy: `find out who wrote the other one; to go on, ${next}`,
      },
    );
  }
  if (version > newest.version + 1) {
    return fail(tags.gap, `version ${version} leaves out what comes after ${known}`, {
      where,
      remedy: `take in the versions between them first, or ${next}`,
    });
  }
  if (prev !== null && hexDigest(prev) === newest.digest) return ok(undefined);
  return fail(tags.prev, `prev is ${prev ?? 'absent'}, and the journal knows ${known}`, {
    where: place('prev'),
    remedy: 'write the digest of the version before into prev, so that no version can be left out',
  });
}

function checkNotice(
  policy: LoadedPolicy,
  governing: LoadedPolicy,
  changes: readonly Change[],
  at: UnixSeconds,
): Result<void, Fault> {
  const { version, effectiveAt } = policy.document;
  const notice = governing.document.changeControl.looseningNotice;
  const earliest = at + notice;
  if (overallKind(changes) !== 'loosening' || effectiveAt >= earliest) return ok(undefined);
  const loosenings = changes.filter(({ kind }) => kind === 'loosening').map(({ field }) => field);
  const shown = loosenings.slice(0, LOOSENINGS_SHOWN).join(', ');
  const more = loosenings.length > LOOSENINGS_SHOWN ? ` and ${loosenings.length - LOOSENINGS_SHOWN} more` : '';
  return fail(
    'E_POLICY_NOTICE',
    `version ${version} loosens (${shown}${more}), so it has to wait ${durationText(notice)}: it may take effect at ${formatTime(earliest)} at the earliest, and effective_at is ${formatTime(effectiveAt)}`,
    {
      where: policy.where('effective_at'),
      remedy: `write effective_at: "${formatTime(earliest)}" or later, and have it signed again; what only tightens need not wait`,
    },
  );
}

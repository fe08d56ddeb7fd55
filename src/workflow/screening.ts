import { encodeAddress } from '../domain/address.js';
import { type Hex, sha256Hex, trustedHex } from '../domain/bytes.js';
import type { Fault } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import { formatTime, type UnixSeconds } from '../domain/time.js';
import type { EntryBody } from '../journal/entries.js';
import { governingPolicy, policyAt } from '../journal/policies.js';
import type { JournalState, ScreeningRecord } from '../journal/state.js';
import { listedScript, type ScreeningList } from '../policy/screening/list.js';
import { type KeptLine, screeningSet } from '../policy/screening/set.js';
import type { LoadedPolicy } from '../policy/types.js';
import { readPolicyRecord } from './active-policy.js';
import { type AutomaticOutcome, raiseAutomaticHalt } from './automatic-halt.js';
import { latestSnapshot, type OpenVault, openVault } from './open-vault.js';
import { hexDigest } from './policy-life.js';
import type { Archive, Desk } from './ports.js';
import { type BroughtList, judgeList, type ListJudgement, type ListStanding } from './screening-life.js';
import { ownOn, readSet, SEARCHED } from './screening-lists.js';
import type { BroughtSignature } from './signatures.js';
import { transactOn } from './transact.js';

export interface ListFile {
  readonly id: string;
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly issuedAt: UnixSeconds | null;
  readonly pins: readonly BroughtSignature[];
}

export interface ListImport extends ListJudgement {
  readonly list: ScreeningList;
  readonly digest: Hex;
  /** How many scripts the list before had; null for the first. */
  readonly before: number | null;
  /** Own addresses that are on it. */
  readonly own: readonly string[];
  /** What the halt made of those; null where there are none. */
  readonly halt: AutomaticOutcome | null;
}

/** Takes in a screening list: from this entry on every verdict is held against it. */
export async function importScreening(desk: Desk, brought: ListFile): Promise<Result<ListImport, readonly Fault[]>> {
  const read = desk.ports.documents.screening(brought.bytes, brought.file, desk.config.network);
  if (!read.ok) return read;
  const imported = await putIntoForce(desk, brought, read.value);
  return imported.ok ? imported : err([imported.error]);
}

async function putIntoForce(desk: Desk, brought: ListFile, list: ScreeningList): Promise<Result<ListImport, Fault>> {
  const open = await openVault(desk);
  if (!open.ok) return open;
  const { state, vault } = open.value;
  const document = { ...brought, digest: sha256Hex(brought.bytes), list };
  const judgeAt = async (at: UnixSeconds) => {
    const standing = await standingOf(desk, state, brought.id, at);
    if (!standing.ok) return standing;
    const judged = judgeList(document, standing.value);
    return judged.ok ? ok({ standing: standing.value, judged: judged.value }) : judged;
  };
  // Looked at before the vault is searched for what it names, and judged by the time that the entry will have.
  const looked = await judgeAt(Math.max(desk.ports.clock(), state.head?.at ?? 0));
  if (!looked.ok) return looked;
  const own = await ownScripts(desk, open.value, new Set(list.scripts));
  if (!own.ok) return own;
  const kept = await transactOn(desk, state, async (tx) => {
    const due = await judgeAt(tx.at);
    if (!due.ok) return due;
    const { judged, standing } = due.value;
    const set = tx.keep(screeningSet(list));
    tx.append(screeningEntry(document, judged, standing, tx.keep(brought.bytes), set, own.value));
    return due;
  });
  if (!kept.ok) return kept;
  const { judged, standing } = kept.value;
  // A crash in between leaves no hole: OWN_LISTED denies every batch for as long as the list is in force.
  const halt = own.value.length === 0 ? ok(null) : await haltOnOwn(desk, brought.id, own.value);
  if (!halt.ok) return halt;
  const before = standing.before?.held.size ?? null;
  const addresses = own.value.map((script) => encodeAddress(trustedHex(script), vault.network) ?? script);
  return ok({ ...judged, list, digest: document.digest, before, own: addresses, halt: halt.value });
}

async function haltOnOwn(desk: Desk, list: string, scripts: readonly Hex[]): Promise<Result<AutomaticOutcome, Fault>> {
  return raiseAutomaticHalt(desk, 'screening_hit_on_own_address', { list, scripts: [...scripts] });
}

/** What a list that comes in at a moment is held against. */
export async function standingOf(
  desk: Archive,
  state: JournalState,
  id: string,
  at: UnixSeconds,
): Promise<Result<ListStanding, Fault>> {
  const record = governingPolicy(state, at);
  const governing = record === null ? ok(null) : await readPolicyRecord(desk, record);
  if (!governing.ok) return governing;
  const inForce = state.screening.get(id);
  if (inForce === undefined) return ok({ governing: governing.value, before: null, at });
  const set = await readSet(desk.journal, inForce);
  return set.ok ? ok({ governing: governing.value, before: { ...inForce, held: set.value.scripts }, at }) : set;
}

async function ownScripts(
  desk: Desk,
  open: OpenVault,
  scripts: ReadonlySet<Hex>,
): Promise<Result<readonly Hex[], Fault>> {
  if (open.state.coins === null) return ok(ownOn(scripts, open.deriver, [], SEARCHED));
  const snapshot = await latestSnapshot(desk, open);
  return snapshot.ok ? ok(ownOn(scripts, open.deriver, snapshot.value.coins, SEARCHED)) : snapshot;
}

/** The entry that puts a list into force: also what `audit verify` compares it with. */
export function screeningEntry(
  { id, list }: Pick<BroughtList, 'id' | 'list'> & { readonly digest: Hex },
  { governing, issuedAt, pin, removed }: ListJudgement,
  { before }: ListStanding,
  document: Hex,
  set: Hex,
  own: readonly Hex[],
): Extract<EntryBody, { kind: 'screening.imported' }> {
  const { scripts, unusable, stated } = list;
  return {
    kind: 'screening.imported',
    list: id,
    document,
    set,
    issuedAt: formatTime(issuedAt),
    ...(stated === null ? {} : { issuer: stated.issuer }),
    ...(stated === null || stated.expiresAt === null ? {} : { expiresAt: formatTime(stated.expiresAt) }),
    scripts: scripts.length,
    unusable: unusable.length,
    under: hexDigest(governing.digest),
    pin,
    ...(before === null ? {} : { before: before.set }),
    removed,
    searched: SEARCHED,
    own,
  };
}

// ---------------------------------------------------------------- looking at lists

export interface ShownList {
  readonly id: string;
  /** As the policy in force names it; null where it does not. */
  readonly named: LoadedPolicy['document']['screening']['lists'][number] | null;
  /** Null where none has been taken in. */
  readonly record: ScreeningRecord | null;
  readonly unusable: readonly KeptLine[];
  readonly scripts: ReadonlySet<Hex>;
  /** The first second at which it is too old; null where it is not named or not there. */
  readonly staleFrom: UnixSeconds | null;
}

export interface ScreeningView {
  readonly lists: readonly ShownList[];
  readonly now: UnixSeconds;
}

/** Every list that the policy names or the journal holds, by id. */
export async function viewScreening(desk: Desk): Promise<Result<ScreeningView, Fault>> {
  const read = await desk.journal.read();
  if (!read.ok) return read;
  const now = Math.max(desk.ports.clock(), read.value.head?.at ?? 0);
  const record = policyAt(read.value, now);
  const policy = record === null ? ok(null) : await readPolicyRecord(desk, record);
  if (!policy.ok) return policy;
  const named = policy.value?.document.screening.lists ?? [];
  const ids = [...new Set([...named.map(({ id }) => id), ...read.value.screening.keys()])].sort();
  const lists: ShownList[] = [];
  for (const id of ids) {
    const held = read.value.screening.get(id) ?? null;
    const set = held === null ? ok({ scripts: new Set<Hex>(), unusable: [] }) : await readSet(desk.journal, held);
    if (!set.ok) return set;
    const own = named.find((one) => one.id === id) ?? null;
    const staleFrom =
      held === null || own === null ? null : Math.min(held.issuedAt + own.maxAge + 1, held.expiresAt ?? Infinity);
    lists.push({ id, named: own, record: held, ...set.value, staleFrom });
  }
  return ok({ lists, now });
}

export interface CheckedAddress {
  readonly text: string;
  readonly script: Hex;
  /** Ids of the lists that hold it. */
  readonly on: readonly string[];
}

/** Looks addresses, or scripts in hex, up in the lists that the policy names. */
export function checkAddresses(
  desk: Desk,
  { lists }: ScreeningView,
  texts: readonly string[],
): Result<readonly CheckedAddress[], Fault> {
  const checked: CheckedAddress[] = [];
  for (const text of texts) {
    const script = listedScript(text, desk.config.network);
    if (!script.ok) return script;
    const on = lists.filter(({ named, scripts }) => named !== null && scripts.has(script.value)).map(({ id }) => id);
    checked.push({ text, script: script.value, on });
  }
  return ok(checked);
}

/** Why the lists that the policy names cannot say that something is clean; empty where they can. */
export function cannotSay({ lists, now }: ScreeningView): readonly string[] {
  const named = lists.filter(({ named: own }) => own !== null);
  if (named.length === 0) return ['the policy in force names no screening list'];
  return named.flatMap(({ id, record, staleFrom }) => {
    if (record === null) return [`no list ${id} has been taken in`];
    return staleFrom !== null && now >= staleFrom ? [`the list ${id} is too old since ${formatTime(staleFrom)}`] : [];
  });
}

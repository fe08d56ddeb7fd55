import { encodeAddress } from '../domain/address.js';
import type { Hex } from '../domain/bytes.js';
import { type Coin, confirmations } from '../domain/coin.js';
import { type Fault, fail } from '../domain/fault.js';
import { formatOutpoint, parseOutpoint } from '../domain/outpoint.js';
import { err, ok, type Result } from '../domain/result.js';
import { checkLabel } from '../domain/safe-text.js';
import { type Sats, sumSats } from '../domain/sats.js';
import { formatTime } from '../domain/time.js';
import type { SnapshotSigner } from '../journal/entries.js';
import { liveCoins } from '../journal/fold.js';
import { policyAt } from '../journal/policies.js';
import type { Quarantine } from '../policy/screening/hits.js';
import type { PolicyDocument } from '../policy/types.js';
import { parseVault } from '../vault/descriptor.js';
import { tipProblem } from '../vault/plausible-tip.js';
import { isProven, provenCoins } from '../vault/proven-coins.js';
import type { Snapshot } from '../vault/snapshot-types.js';
import type { DerivedScript, Vault } from '../vault/types.js';
import { readPolicyRecord } from './active-policy.js';
import { type Arrivals, arrivalsOf, depositsEntry, missingCoins, QUARANTINE_BY } from './arrivals.js';
import { type AutomaticOutcome, raiseAutomaticHalt } from './automatic-halt.js';
import { shownOnChain } from './find-on-chain.js';
import { latestSnapshot, type OpenVault, openVault } from './open-vault.js';
import { beyondReach } from './own-coins.js';
import type { Desk } from './ports.js';
import type { ProvenSpends } from './proven-spends.js';
import { provenanceOf, quarantined, ScreeningLists } from './screening-lists.js';
import { type Settled, settle } from './settle.js';
import type { BroughtSignature } from './signatures.js';
import { batchChange } from './situation.js';
import { checkSnapshotSignature } from './snapshot-signature.js';
import { spentScripts } from './spent-scripts.js';
import { HEAD_MOVED } from './transact.js';

/** Takes in the cold wallet's descriptor. A workspace has one vault for good: its journal speaks of no other. */
export async function importVault(desk: Desk, id: string, descriptor: string): Promise<Result<Vault, Fault>> {
  const vault = parseVault(id, desk.config.network, descriptor);
  if (!vault.ok) return vault;
  return desk.journal.transact(async (tx) => {
    if (tx.state.vault !== null) {
      return fail('E_FILE_EXISTS', `this workspace holds the vault ${tx.state.vault.id} already`, {
        remedy: 'another vault needs a workspace of its own: countersign init FOLDER',
      });
    }
    const { network, descriptor: canonical } = vault.value;
    tx.append({ kind: 'vault.imported', vault: id, network, descriptor: canonical });
    return vault;
  });
}

export interface VaultAddress {
  readonly derived: DerivedScript;
  readonly address: string;
}

export async function vaultAddress(
  desk: Desk,
  branch: 0 | 1,
  index: number,
): Promise<Result<VaultAddress & { open: OpenVault }, Fault>> {
  const open = await openVault(desk);
  if (!open.ok) return open;
  const derived = open.value.deriver.at(branch, index);
  const address = encodeAddress(derived.script, open.value.vault.network);
  if (address === null) throw new Error(`the vault's own script at ${branch}/${index} has no address`);
  return ok({ derived, address, open: open.value });
}

export type CoinStatus = 'available' | 'in a batch' | 'frozen' | 'quarantined' | 'unconfirmed';

export interface ListedCoin {
  readonly coin: Coin;
  readonly address: string;
  readonly confirmations: number;
  readonly status: CoinStatus;
  /** Why it is frozen. */
  readonly reason: string | null;
  /** What keeps it back under the policy's screening lists. */
  readonly quarantine: readonly Quarantine[];
}

export async function listCoins(
  desk: Desk,
): Promise<Result<{ coins: readonly ListedCoin[]; snapshot: Snapshot }, Fault>> {
  const open = await openVault(desk);
  if (!open.ok) return open;
  const snapshot = await latestSnapshot(desk, open.value);
  if (!snapshot.ok) return snapshot;
  const { state, vault } = open.value;
  const held = liveCoins(state);
  const kept = await keptBack(desk, open.value, snapshot.value);
  if (!kept.ok) return kept;
  const coins = snapshot.value.coins.map((coin): ListedCoin => {
    const outpoint = formatOutpoint(coin.outpoint);
    const depth = confirmations(coin, snapshot.value.tip);
    const reason = state.frozen.get(outpoint) ?? null;
    const quarantine = kept.value.get(outpoint) ?? [];
    const status = held.has(outpoint)
      ? 'in a batch'
      : reason !== null
        ? 'frozen'
        : quarantine.length > 0
          ? 'quarantined'
          : depth === 0
            ? 'unconfirmed'
            : 'available';
    const address = encodeAddress(coin.script, vault.network) ?? '';
    return { coin, address, confirmations: depth, status, reason, quarantine };
  });
  return ok({ coins, snapshot: snapshot.value });
}

/** Without a policy no list is asked: listing coins does without one. */
async function keptBack(
  desk: Desk,
  { state }: OpenVault,
  snapshot: Snapshot,
): Promise<Result<ReadonlyMap<string, readonly Quarantine[]>, Fault>> {
  const record = policyAt(state, desk.ports.clock());
  const policy = record === null ? null : await readPolicyRecord(desk, record);
  if (policy === null) return ok(new Map());
  if (!policy.ok) return policy;
  const { document } = policy.value;
  const lists = await new ScreeningLists(desk.journal).of(state.screening, document, snapshot.coins);
  return lists.ok ? ok(quarantined(snapshot.coins, provenanceOf(snapshot), document, lists.value)) : lists;
}

export interface Balance {
  readonly total: Sats;
  readonly byStatus: readonly { readonly status: CoinStatus; readonly coins: number; readonly amount: Sats }[];
  readonly snapshot: Snapshot;
}

export async function balance(desk: Desk): Promise<Result<Balance, Fault>> {
  const listed = await listCoins(desk);
  if (!listed.ok) return listed;
  const { coins, snapshot } = listed.value;
  const statuses: readonly CoinStatus[] = ['available', 'unconfirmed', 'in a batch', 'frozen', 'quarantined'];
  const byStatus = statuses.map((status) => {
    const own = coins.filter((coin) => coin.status === status);
    return { status, coins: own.length, amount: sumSats(own.map(({ coin }) => coin.value)) };
  });
  return ok({ total: sumSats(coins.map(({ coin }) => coin.value)), byStatus, snapshot });
}

export interface StolenCoin {
  readonly outpoint: string;
  readonly txid: Hex;
  readonly halt: AutomaticOutcome;
}

/** What an import has taken in. */
export interface ImportedCoins extends Settled, Pick<ProvenSpends, 'doubtful'> {
  readonly snapshot: Snapshot;
  /** Coins that stood in the snapshot before as they stand in this one: proven then, and not again. */
  readonly provenBefore: number;
  /** Coins on the change branch, far beyond the change that is known: spendable, but they do not say where change goes. */
  readonly farChange: readonly Coin[];
  /** What came in since the snapshot before, and what of it is kept back until a person has looked at it. */
  readonly arrivals: Arrivals;
  /** Coins that the vault's keys spent past this journal, with what the halt made of it. */
  readonly stolen: readonly StolenCoin[];
  /** Coins that were confirmed and are no longer there, and that no batch can have spent: nothing says who did. */
  readonly missing: readonly Coin[];
  /** Whose signature it bears; null where none was asked for. */
  readonly signer: SnapshotSigner | null;
}

/**
 * Takes in a snapshot of the chain: coins, tip, previous transactions, and which signed batches the chain has buried. One that
 * was brought as a file is held to the keys of countersign.yaml; null says that this machine has just made it.
 */
export async function importCoins(
  desk: Desk,
  bytes: Uint8Array,
  file: string,
  brought: readonly BroughtSignature[] | null,
): Promise<Result<ImportedCoins, Fault>> {
  const open = await openVault(desk);
  if (!open.ok) return open;
  const known = open.value.state.coins === null ? ok(null) : await latestSnapshot(desk, open.value);
  if (!known.ok) return known;
  const before = provenCoins(known.value);
  const read = desk.ports.documents.snapshot(bytes, file, open.value.deriver, before);
  if (!read.ok) return read;
  const snapshot = read.value;
  const signed =
    brought === null ? ok(null) : checkSnapshotSignature(snapshot, file, brought, desk.config.snapshotSigners);
  if (!signed.ok) return signed;
  const signer = signed.value;
  const newer = isNewer(desk, open.value, snapshot, known.value, file);
  if (!newer.ok) return newer;
  const farChange = beyondReach(
    snapshot.coins,
    batchChange(open.value.state, null),
    await gapInForce(desk, open.value),
  );
  const small = (await policyInForce(desk, open.value))?.inputs.minValue ?? null;
  const arrivals = await arrivedSince(desk, open.value, known.value, snapshot, small);
  if (!arrivals.ok) return arrivals;
  const provenBefore = snapshot.coins.filter((coin) => isProven(coin, before)).length;
  const shown = await shownOnChain(desk, open.value, snapshot);
  if (!shown.ok) return shown;
  const taken = await desk.journal.transact(async (tx) => {
    // Somebody else's import in between: what this one was compared with is no longer the newest.
    if (tx.state.coins?.snapshot !== open.value.state.coins?.snapshot) return err(HEAD_MOVED);
    const imported = tx.append({
      kind: 'coins.imported',
      snapshot: tx.keep(bytes),
      height: snapshot.tip.height,
      hash: snapshot.tip.hash,
      medianTimePast: snapshot.tip.medianTimePast,
      coins: snapshot.coins.length,
      total: sumSats(snapshot.coins.map((coin) => coin.value)).toString(),
      ...depositsEntry(arrivals.value),
      ...(signer === null ? {} : { signer }),
    });
    for (const { outpoint, reason } of arrivals.value.quarantined) {
      if (!tx.state.frozen.has(outpoint)) tx.append({ kind: 'coin.frozen', outpoint, reason, by: QUARANTINE_BY });
    }
    const settled = settle(tx, imported, snapshot, shown.value, file);
    if (!settled.ok) return settled;
    return ok({
      snapshot,
      provenBefore,
      ...settled.value,
      doubtful: shown.value.doubtful,
      farChange,
      arrivals: arrivals.value,
      missing: missingCoins(known.value, snapshot, tx.state),
      signer,
    });
  });
  if (!taken.ok) return taken;
  const stolen: StolenCoin[] = [];
  for (const { outpoint, txid } of shown.value.stolen) {
    // The words that reconcile has for it: the same finding halts once.
    const halt = await raiseAutomaticHalt(desk, 'out_of_band_spend', { outpoint, transaction: txid });
    if (!halt.ok) return halt;
    stolen.push({ outpoint, txid, halt: halt.value });
  }
  return ok({ ...taken.value, stolen });
}

/** What came in; where something of it is kept back, with what the journal knows of the scripts that batches spent from. */
async function arrivedSince(
  desk: Desk,
  { state }: OpenVault,
  before: Snapshot | null,
  now: Snapshot,
  small: Sats | null,
): Promise<Result<Arrivals, Fault>> {
  const arrivals = arrivalsOf(before, now, state, small, new Set());
  if (arrivals.quarantined.length === 0) return ok(arrivals);
  const spent = await spentScripts(desk, state);
  return spent.ok ? ok(arrivalsOf(before, now, state, small, spent.value)) : spent;
}

/** What wallets search when they are restored (BIP44): the gap as long as no policy says another. */
const USUAL_GAP = 20;

/** An import does without a policy: what stops planning must not stop the news of the chain. */
export async function gapInForce(desk: Desk, open: OpenVault): Promise<number> {
  return (await policyInForce(desk, open))?.change.maxGap ?? USUAL_GAP;
}

/** The policy of now, if there is one and it can be read. */
export async function policyInForce(desk: Desk, { state }: OpenVault): Promise<PolicyDocument | null> {
  const record = policyAt(state, desk.ports.clock());
  const policy = record === null ? null : await readPolicyRecord(desk, record);
  return policy?.ok === true ? policy.value.document : null;
}

/** A snapshot never takes the place of a newer one: neither of a higher block nor, at the same one, of a later time. */
function isNewer(
  desk: Desk,
  open: OpenVault,
  snapshot: Snapshot,
  known: Snapshot | null,
  file: string,
): Result<void, Fault> {
  const now = desk.ports.clock();
  const where = { file };
  if (snapshot.takenAt > now + CLOCKS_APART) {
    return fail(
      'E_SNAPSHOT_SCHEMA',
      `${file} says that it was taken at ${formatTime(snapshot.takenAt)}, and it is ${formatTime(now)}`,
      {
        where,
        remedy: 'set the clocks of both machines: a snapshot from the future would never grow stale',
      },
    );
  }
  const strange = tipProblem(snapshot.network, snapshot.tip, snapshot.takenAt, open.state.coins?.tip ?? null);
  if (strange !== null) {
    return fail('E_SNAPSHOT_SCHEMA', `${file}: ${strange}`, {
      where,
      remedy: 'ask where it comes from: once it is taken in, no snapshot of a lower block would be',
    });
  }
  if (open.state.coins === null || known === null) return ok(undefined);
  const remedy = 'take a fresh snapshot: an older one would offer coins that have been spent since';
  const { height } = open.state.coins.tip;
  if (snapshot.tip.height !== height) {
    if (snapshot.tip.height > height) return ok(undefined);
    const message = `${file} was taken at height ${snapshot.tip.height}, and height ${height} is known already`;
    return fail('E_SNAPSHOT_SCHEMA', message, { where, remedy });
  }
  if (snapshot.takenAt >= known.takenAt) return ok(undefined);
  const message = `${file} was taken at ${formatTime(snapshot.takenAt)}, and one of ${formatTime(known.takenAt)} at the same height is known already`;
  return fail('E_SNAPSHOT_SCHEMA', message, { where, remedy });
}

/** Seconds by which the clock of the machine that makes snapshots may be ahead of this one's. */
const CLOCKS_APART = 120;

export async function setFrozen(
  desk: Desk,
  text: string,
  frozen: boolean,
  by: string,
  reason: string,
): Promise<Result<string, Fault>> {
  const outpoint = parseOutpoint(text);
  if (!outpoint.ok) return outpoint;
  const readable = checkLabel(reason, 'reason');
  if (!readable.ok) return readable;
  const name = formatOutpoint(outpoint.value);
  const listed = await listCoins(desk);
  if (!listed.ok) return listed;
  if (!listed.value.coins.some(({ coin }) => formatOutpoint(coin.outpoint) === name)) {
    return fail('E_COIN_UNKNOWN', `the vault holds no coin ${name}`, { remedy: 'countersign vault coins lists them' });
  }
  return desk.journal.transact(async (tx) => {
    if (tx.state.frozen.has(name) === frozen) {
      return fail('E_USAGE', `coin ${name} is ${frozen ? 'frozen already' : 'not frozen'}`);
    }
    tx.append({ kind: frozen ? 'coin.frozen' : 'coin.unfrozen', outpoint: name, reason, by });
    return ok(name);
  });
}

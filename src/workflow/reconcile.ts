import type { Hex } from '../domain/bytes.js';
import type { Coin } from '../domain/coin.js';
import { type Fault, fail } from '../domain/fault.js';
import { formatOutpoint } from '../domain/outpoint.js';
import { ok, type Result } from '../domain/result.js';
import type { Sats } from '../domain/sats.js';
import { familyOf } from '../journal/rivals.js';
import type { BatchRecord, JournalState } from '../journal/state.js';
import { nextState } from '../journal/transitions.js';
import { parseTransaction } from '../psbt/transaction.js';
import type { ChainBackend } from '../vault/chain.js';
import { type AutomaticOutcome, raiseAutomaticHalt } from './automatic-halt.js';
import { CONFIRMED_DEPTH, isOf, REORG_DEPTH } from './chain-spends.js';
import { checkNetwork } from './chain-views.js';
import { latestSnapshot, openVault } from './open-vault.js';
import type { Desk } from './ports.js';
import { transactionOf } from './take-spends.js';

export interface SpentCoin {
  readonly outpoint: string;
  readonly value: Sats;
  /** The transaction that spends it; null where no back end can name it. */
  readonly by: Hex | null;
}

export interface Reconciled {
  /** Coins that were asked for. */
  readonly asked: number;
  readonly from: readonly string[];
  /** Spent by a transaction of this journal. */
  readonly authorised: readonly (SpentCoin & { readonly batch: string })[];
  /** Spent, and the batch that holds it may have been signed: only the chain can tell what became of it. */
  readonly unsettled: readonly (SpentCoin & { readonly batch: string })[];
  /** Every back end has buried one of these transactions: taking the chain's news in settles batches. */
  readonly isBuried: boolean;
  /** Gone with the transaction that had made them: a reorganisation has undone that, and nobody spent them. */
  readonly undone: readonly SpentCoin[];
  /** Spent by a transaction that this journal never authorised, with what the halt made of it. */
  readonly strange: readonly (SpentCoin & { readonly halt: AutomaticOutcome })[];
}

/**
 * Compares the coins that the journal knows with the chain, the mempool counted in. A coin that somebody spent past this
 * journal, with the same device and other software, raises the automatic halt; that is how such a spend is found, since
 * no policy on this machine can stop it. One back end that says so is enough: a lie can stop withdrawals and no more.
 */
export async function reconcile(
  desk: Desk,
  backends: readonly ChainBackend[],
  only?: ReadonlySet<string>,
): Promise<Result<Reconciled, Fault>> {
  const open = await openVault(desk);
  if (!open.ok) return open;
  const snapshot = await latestSnapshot(desk, open.value);
  if (!snapshot.ok) return snapshot;
  const coins = snapshot.value.coins.filter(({ outpoint }) => only?.has(formatOutpoint(outpoint)) ?? true);
  if (backends.length === 0) {
    return fail('E_CHAIN_NONE', 'no chain back end is named', {
      remedy: 'write chain: into countersign.yaml, or give --backend core:http://127.0.0.1:8332 --cookie FILE',
    });
  }
  const said: SpentCoin[] = [];
  for (const backend of backends) {
    const found = await spentOf(desk, backend, coins, snapshot.value.tip.height);
    if (!found.ok) return found;
    for (const coin of found.value) said.push(coin);
  }
  const spent = tellings(said);
  const undone: SpentCoin[] = [];
  for (const coin of coins) {
    const [found] = spent.get(formatOutpoint(coin.outpoint)) ?? [];
    if (found === undefined || found.by !== null) continue;
    const isGone = await isUndone(coin, snapshot.value.tip.height, backends);
    if (!isGone.ok) return isGone;
    if (isGone.value) undone.push(found);
  }
  for (const { outpoint } of undone) spent.delete(outpoint);
  const { state } = open.value;
  const byTxid = signedByTxid(state);
  const sorted = [...spent.values()].flat().map((coin) => ({ coin, batch: holderOf(state, byTxid, coin) }));
  const authorised: Reconciled['authorised'][number][] = [];
  const unsettled: Reconciled['unsettled'][number][] = [];
  const strange: Reconciled['strange'][number][] = [];
  for (const { coin, batch } of sorted) {
    const said = batch === null ? 'strange' : standingOf(batch, coin);
    const own = said === 'unsettled' && batch !== null ? await mayBeOwn(batch, coin, backends) : ok(true);
    if (!own.ok) return own;
    const standing = own.value ? said : 'strange';
    if (batch !== null && standing === 'authorised') authorised.push({ ...coin, batch: batch.id });
    else if (batch !== null && standing === 'unsettled') unsettled.push({ ...coin, batch: batch.id });
    else {
      const halt = await raiseAutomaticHalt(desk, 'out_of_band_spend', {
        outpoint: coin.outpoint,
        transaction: coin.by ?? 'unknown',
      });
      if (!halt.ok) return halt;
      strange.push({ ...coin, halt: halt.value });
    }
  }
  const isBuried = await anyBuried(sorted, snapshot.value.tip.height, backends);
  if (!isBuried.ok) return isBuried;
  return ok({
    isBuried: isBuried.value,
    asked: coins.length,
    from: backends.map(({ name }) => name),
    authorised,
    unsettled,
    undone,
    strange,
  });
}

/**
 * What back ends say of each coin that one of them calls spent, by outpoint: every transaction that one of them names, since
 * whoever lies may be asked first; or that nobody can name one.
 */
function tellings(said: readonly SpentCoin[]): Map<string, readonly SpentCoin[]> {
  const found = new Map<string, readonly SpentCoin[]>();
  for (const coin of said) {
    const others = (found.get(coin.outpoint) ?? []).filter(({ by }) => by !== null);
    const isTold = coin.by === null ? others.length > 0 : others.some(({ by }) => by === coin.by);
    found.set(coin.outpoint, isTold ? others : [...others, coin]);
  }
  return found;
}

/**
 * Whether the transaction that made a coin is nowhere any more, as all back ends see it. Where it waits for a block, the coin
 * is there, and spent. Asked of young coins alone: a reorganisation reaches no others, and a node without an index could not
 * tell.
 */
async function isUndone(
  { outpoint, height }: Coin,
  tipHeight: number,
  backends: readonly ChainBackend[],
): Promise<Result<boolean, Fault>> {
  const oldest = tipHeight - REORG_DEPTH;
  if (height !== null && height <= oldest) return ok(false);
  for (const backend of backends) {
    const status = await backend.status(outpoint.txid, Math.max(0, oldest));
    if (!status.ok) return status;
    if (status.value.state !== 'unknown') return ok(false);
  }
  return ok(true);
}

/** Asked for coins of batches that are not confirmed: there is nothing to settle in any other. */
async function anyBuried(
  spent: readonly { readonly coin: SpentCoin; readonly batch: BatchRecord | null }[],
  since: number,
  backends: readonly ChainBackend[],
): Promise<Result<boolean, Fault>> {
  const open = spent.filter(({ batch }) => batch !== null && nextState(batch.state, 'batch.replaced') !== null);
  for (const by of new Set(open.map(({ coin }) => coin.by))) {
    if (by === null) continue;
    let depth = Number.POSITIVE_INFINITY;
    for (const backend of backends) {
      const status = await backend.status(by, since);
      if (!status.ok) return status;
      const tip = await backend.tip();
      if (!tip.ok) return tip;
      const { value } = status;
      depth = Math.min(depth, value.state === 'confirmed' ? tip.value.height - value.height + 1 : 0);
    }
    if (depth >= CONFIRMED_DEPTH) return ok(true);
  }
  return ok(false);
}

async function spentOf(
  desk: Desk,
  backend: ChainBackend,
  coins: readonly Coin[],
  since: number,
): Promise<Result<readonly SpentCoin[], Fault>> {
  const right = await checkNetwork(backend, desk.config.network);
  if (!right.ok) return right;
  const answers = await backend.spenders(
    coins.map(({ outpoint }) => outpoint),
    since,
  );
  if (!answers.ok) return answers;
  const spent: SpentCoin[] = [];
  for (const { outpoint, value } of coins) {
    const name = formatOutpoint(outpoint);
    const answer = answers.value.get(name);
    if (answer === undefined) return fail('E_CHAIN_ANSWER', `${backend.name} says nothing of ${name}`);
    if (answer.state === 'spent') spent.push({ outpoint: name, value, by: answer.by });
  }
  return ok(spent);
}

/** Batches by the transactions that were signed for them, gone through once for all spent coins. */
function signedByTxid({ batches }: JournalState): ReadonlyMap<Hex, BatchRecord> {
  const byTxid = new Map<Hex, BatchRecord>();
  for (const batch of batches.values()) {
    if (batch.signed !== null && !byTxid.has(batch.signed.txid)) byTxid.set(batch.signed.txid, batch);
  }
  return byTxid;
}

/**
 * The batch whose transaction it is, else the live one that holds the coin: of batches that take the place of one another,
 * where nobody names the transaction, the newest that is signed.
 */
function holderOf(
  { batches, heldCoins }: JournalState,
  byTxid: ReadonlyMap<Hex, BatchRecord>,
  { outpoint, by }: SpentCoin,
): BatchRecord | null {
  const named = by === null ? undefined : byTxid.get(by);
  // A back end may say so of a coin that the batch does not spend.
  const own = named?.inputs.includes(outpoint) === true ? named : undefined;
  const holder = batches.get(heldCoins.get(outpoint) ?? '') ?? null;
  if (own !== undefined || holder === null || by !== null) return own ?? holder;
  const signed = familyOf(batches, holder).findLast((one) => one.signed !== null && one.inputs.includes(outpoint));
  return signed ?? holder;
}

/**
 * Whether the transaction that spends a coin of a batch may be the one that was sent to a device: it spends and pays what
 * that was to. Where no back end has it, nobody can tell.
 */
async function mayBeOwn(
  batch: BatchRecord,
  { by }: SpentCoin,
  backends: readonly ChainBackend[],
): Promise<Result<boolean, Fault>> {
  if (by === null) return ok(true);
  for (const backend of backends) {
    const status = await backend.status(by, batch.plannedHeight);
    if (!status.ok) return status;
    const height = status.value.state === 'confirmed' ? status.value.height : null;
    const bytes = await transactionOf(by, height, [backend]);
    if (!bytes.ok) return bytes;
    const parsed = bytes.value === null ? null : parseTransaction(bytes.value);
    if (parsed?.ok === true) return ok(isOf(batch, parsed.value));
  }
  return ok(true);
}

function standingOf({ state, signed }: BatchRecord, { by }: SpentCoin): 'authorised' | 'unsettled' | 'strange' {
  switch (state) {
    case 'SIGNED':
    case 'BROADCAST':
    case 'CONFIRMED':
      // A back end that cannot name the spender leaves the one transaction that was signed for this coin.
      return by === null || by === signed?.txid ? 'authorised' : 'strange';
    case 'SENT':
    case 'PARTIAL':
    case 'UNKNOWN':
      return 'unsettled';
    case 'DRAFT':
    case 'RESERVED':
    case 'REPLACED':
    case 'CONFLICTED':
    case 'RELEASED':
    case 'ABANDONED':
      return by !== null && by === signed?.txid ? 'authorised' : 'strange';
  }
}

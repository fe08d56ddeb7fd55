import { type Hex, toHex } from '../domain/bytes.js';
import type { Coin } from '../domain/coin.js';
import { type Fault, fail } from '../domain/fault.js';
import { formatOutpoint } from '../domain/outpoint.js';
import { ok, type Result } from '../domain/result.js';
import type { ScreeningRecord } from '../journal/state.js';
import { asksSources, type Lists, type Quarantine, quarantineOf } from '../policy/screening/hits.js';
import { readScreeningSet } from '../policy/screening/set.js';
import type { PolicyDocument, ScreeningState } from '../policy/types.js';
import { type CoinSources, NO_SOURCES, sourcesOf } from '../psbt/sources.js';
import type { Snapshot } from '../vault/snapshot-types.js';
import type { Deriver } from '../vault/types.js';
import type { Desk } from './ports.js';

type Blobs = Pick<Desk['journal'], 'blob'>;

/** The scripts of a list, as they were read from it when it was taken in. */
export async function readSet(journal: Blobs, { list, set }: ScreeningRecord) {
  const bytes = await journal.blob(set);
  if (!bytes.ok) return bytes;
  const read = readScreeningSet(bytes.value);
  if (read !== null) return ok(read);
  return fail('E_JOURNAL_TAMPERED', `what the journal keeps of the screening list ${list} is no list`, {
    remedy: 'run countersign audit verify',
  });
}

/**
 * The screening lists that a policy names, as verdicts want to see them. A set is read once as long as it is in force: of a
 * list of 100,000 entries that takes a few hundredths of a second, and asking it takes nothing.
 */
export class ScreeningLists {
  #sets = new Map<Hex, ReadonlySet<Hex>>();
  #last: { readonly basis: readonly unknown[]; readonly lists: Lists } | null = null;

  constructor(readonly journal: Blobs) {}

  async of(
    records: ReadonlyMap<string, ScreeningRecord>,
    { screening }: Pick<PolicyDocument, 'screening'>,
    coins: readonly Coin[],
  ): Promise<Result<Lists, Fault>> {
    const named = screening.lists.flatMap(({ id }) => records.get(id) ?? []);
    const basis = [coins, ...named];
    const last = this.#last;
    if (last?.basis.length === basis.length && last.basis.every((part, index) => part === basis[index])) {
      return ok(last.lists);
    }
    const sets = new Map<Hex, ReadonlySet<Hex>>();
    const lists = new Map<string, ScreeningState>();
    for (const record of named) {
      const known = this.#sets.get(record.set);
      const read = known === undefined ? await readSet(this.journal, record) : ok({ scripts: known });
      if (!read.ok) return read;
      sets.set(record.set, read.value.scripts);
      lists.set(record.list, stateOf(record, read.value.scripts, coins));
    }
    this.#sets = sets;
    this.#last = { basis, lists };
    return ok(lists);
  }
}

function stateOf(record: ScreeningRecord, scripts: ReadonlySet<Hex>, coins: readonly Coin[]): ScreeningState {
  const { issuedAt, expiresAt, pinnedBy, before, own } = record;
  const held = coins.map(({ script }) => toHex(script)).filter((script) => scripts.has(script));
  return { issuedAt, expiresAt, pinnedBy, scripts, before, own: [...new Set([...own, ...held])].sort() };
}

/** So many indexes of each branch are looked up in a list that comes in: those of a cold wallet, many times over. */
export const SEARCHED = 1000;

/** Scripts of the vault that a list holds: of its coins, and of the first indexes of both branches. */
export function ownOn(
  scripts: ReadonlySet<Hex>,
  deriver: Deriver,
  coins: readonly Coin[],
  searched: number,
): readonly Hex[] {
  const derived = ([0, 1] as const).flatMap((branch) =>
    Array.from({ length: searched }, (_, index) => deriver.at(branch, index).script),
  );
  const own = [...derived, ...coins.map(({ script }) => script)].map(toHex);
  return [...new Set(own.filter((script) => scripts.has(script)))].sort();
}

// ---------------------------------------------------------------- where coins come from

/** Says where coins of a snapshot come from; each transaction is looked at once. */
export function provenanceOf({ previous, sources }: Snapshot): (coin: Coin) => CoinSources {
  const known = new Map<string, CoinSources>();
  return ({ outpoint: { txid }, coinbase }) => {
    if (coinbase) return NO_SOURCES;
    const found = known.get(txid) ?? sourcesOf(previous.get(txid) ?? null, sources.get(txid) ?? null, previous);
    known.set(txid, found);
    return found;
  };
}

const NONE: ReadonlyMap<string, readonly Quarantine[]> = new Map();

/** Coins that are kept back, by outpoint, each with the reasons. */
export function quarantined(
  coins: readonly Coin[],
  provenance: (coin: Coin) => CoinSources,
  document: PolicyDocument,
  lists: Lists,
): ReadonlyMap<string, readonly Quarantine[]> {
  if (!asksSources(document)) return NONE;
  const kept = coins.map((coin) => [coin, quarantineOf(provenance(coin), document, lists)] as const);
  return new Map(
    kept.filter(([, reasons]) => reasons.length > 0).map(([coin, why]) => [formatOutpoint(coin.outpoint), why]),
  );
}

import { type Hex, toHex } from '../../domain/bytes.js';
import type { OwnOrigin } from '../../domain/coin.js';
import type { ScanRequest } from '../../vault/chain.js';
import type { Deriver } from '../../vault/types.js';
import { branchDescriptor } from './branch-descriptor.js';

/** What scantxoutset is asked for: the scripts of both branches up to an index each, both counted in. */
export interface LookedFor {
  readonly until: readonly [receive: number, change: number];
  /** The scan objects of the call. */
  readonly wanted: readonly unknown[];
  /** Where in the vault a coin lies that the node found; null where it was not asked for. */
  placeOf(script: Hex, descriptor: string | undefined): OwnOrigin | null;
}

type Until = LookedFor['until'];
type Progress = ScanRequest['onProgress'];

/**
 * Indexes in one scan object. For each script a node before Core 24 copies all that it has derived in the same object: with
 * 12,000 scripts of wsh() or sh() in one, Litecoin Core 0.21 derives for a minute, and for less than a second like this.
 */
const RANGE = 100;

/**
 * The descriptor itself, which the node derives. It says of every coin what it knows about its keys, so that only coins are
 * derived here: a node's word for where one lies is a claim, and whoever uses it derives it.
 */
export function lookForDescriptor(deriver: Deriver, until: Until): LookedFor {
  const wanted = ([0, 1] as const).flatMap((branch) => {
    const desc = branchDescriptor(deriver.vault, branch);
    const starts = Array.from({ length: Math.ceil((until[branch] + 1) / RANGE) }, (_, chunk) => chunk * RANGE);
    return starts.map((from) => ({ desc, range: [from, Math.min(from + RANGE - 1, until[branch])] }));
  });
  // A node that does not say where costs what one that takes no descriptor costs.
  let scripts: LookedFor | null = null;
  const search = (script: Hex): OwnOrigin | null => {
    scripts ??= lookForScripts(deriver, until);
    return scripts.placeOf(script, undefined);
  };
  return { until, wanted, placeOf: (script, descriptor) => claimed(descriptor, until) ?? search(script) };
}

/** The last two steps of the first key: "wpkh([f5acc2fd/84'/1'/0'/0/7]02...)#k50mmke7" is at 0/7. */
const PLACE = /\/([01])\/(0|[1-9][0-9]{0,6})\]/;

function claimed(descriptor: string | undefined, until: Until): OwnOrigin | null {
  const [, side, digits] = PLACE.exec(descriptor ?? '') ?? [];
  if (side === undefined || digits === undefined) return null;
  const branch = side === '0' ? 0 : 1;
  const index = Number(digits);
  return index <= until[branch] ? { branch, index } : null;
}

/** Every script by itself, derived here: for descriptors that the node does not know. */
export function lookForScripts(deriver: Deriver, until: Until, onProgress?: Progress): LookedFor {
  const places = new Map<Hex, OwnOrigin>();
  for (const branch of [0, 1] as const) {
    for (let index = 0; index <= until[branch]; index += 1) {
      places.set(toHex(deriver.at(branch, index).script), { branch, index });
      if (index % 100 === 0) onProgress?.(places.size, null);
    }
  }
  return {
    until,
    wanted: [...places.keys()].map((script) => ({ desc: `raw(${script})` })),
    placeOf: (script) => places.get(script) ?? null,
  };
}

import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { requestDigest } from './requests.js';
import type { SharedMap } from './shared-map.js';
import type { BatchRecord } from './state.js';
import { holdsCoins } from './transitions.js';

/**
 * Batches that take the place of one another. Each replacement spends all coins of the batch that it replaces, and so of
 * all before that: whichever of them confirms, no other can, and no payment is made twice. At any time at most one of the
 * replacements of a batch is alive, so they stand in a row.
 */

/** Anything that finds batches by their ids. */
export interface BatchesById {
  get(id: string): BatchRecord | undefined;
}

type Kin = Pick<BatchRecord, 'id' | 'lineage'>;

/** The first of the batches that take the place of one another. */
const rootOf = ({ id, lineage }: Kin): string => lineage[0] ?? id;

/** Whether of two batches one takes the place of the other, directly or through others. */
export function areRivals(a: Kin, b: Kin): boolean {
  return a.id !== b.id && rootOf(a) === rootOf(b);
}

/** What a batch competes with that takes the place of another one, the oldest first. */
export function lineageOf(batches: BatchesById, replaces: string | undefined): readonly string[] {
  const original = replaces === undefined ? undefined : batches.get(replaces);
  return original === undefined ? [] : [...original.lineage, original.id];
}

/** All that take the place of one another with a batch, the oldest first, the batch among them where it was not superseded. */
export function familyOf(batches: BatchesById, batch: Kin): readonly BatchRecord[] {
  const family: BatchRecord[] = [];
  for (let id: string | null = rootOf(batch); id !== null; ) {
    const member = batches.get(id);
    if (member === undefined) break;
    family.push(member);
    id = member.replacedBy;
  }
  return family;
}

/** The replacement of a batch that is alive, or null. */
export function liveReplacement(batches: BatchesById, { replacedBy }: BatchRecord): BatchRecord | null {
  const newest = replacedBy === null ? undefined : batches.get(replacedBy);
  return newest !== undefined && holdsCoins(newest.state) ? newest : null;
}

export interface Holdings {
  readonly batches: SharedMap<BatchRecord>;
  readonly requests: SharedMap<{ readonly batch: string; readonly digest: string }>;
  readonly requestDigests: SharedMap<string>;
  readonly heldCoins: SharedMap<string>;
}

/** Whether nobody but rivals holds a coin or a request of the batch, and no request id stood for another payment before. */
export function mayHold(draft: Holdings, batch: BatchRecord): Result<void, Fault> {
  const isStranger = (holder: string | undefined): holder is string => {
    if (holder === undefined || holder === batch.id) return false;
    const other = draft.batches.get(holder);
    return other === undefined || !areRivals(other, batch);
  };
  for (const outpoint of batch.inputs) {
    const holder = draft.heldCoins.get(outpoint);
    if (isStranger(holder)) {
      return fail('E_BATCH_STATE', `batch ${batch.id} spends ${outpoint}, which batch ${holder} holds`, {
        remedy: `plan again, or abandon ${holder} first`,
      });
    }
  }
  for (const request of batch.requests) {
    const holder = draft.requests.get(request.id)?.batch;
    if (isStranger(holder)) {
      return fail('E_BATCH_STATE', `batch ${batch.id} pays request ${request.id}, which batch ${holder} pays`, {
        remedy: `leave ${request.id} out, or abandon ${holder} first`,
      });
    }
    const digest = draft.requestDigests.get(request.id);
    if (digest !== undefined && digest !== requestDigest(request)) {
      return fail('E_REQUEST_ID_REUSE', `request id ${request.id} stood for another payment before`, {
        remedy: 'find out who changed script or amount; a payment that was corrected on purpose takes a new id',
      });
    }
  }
  return aloneInPlace(draft.batches, batch);
}

/** A second replacement of the same batch, beside one that is alive, need not exclude that one. */
function aloneInPlace(batches: BatchesById, { id, replaces }: BatchRecord): Result<void, Fault> {
  const original = replaces === null ? undefined : batches.get(replaces);
  const other = original === undefined ? null : liveReplacement(batches, original);
  if (other === null || other.id === id) return ok(undefined);
  return fail('E_BATCH_STATE', `batch ${replaces} has a replacement already: batch ${other.id}, ${other.state}`, {
    remedy: `go on with ${other.id}, replace that one, or abandon it while it is not signed`,
  });
}

/**
 * Notes who holds the coins and the requests of a batch that has come to hold them, or holds them no longer. Of rivals it
 * is the newest one alive, and after it the one before.
 */
export function hold(draft: Holdings, batch: BatchRecord): void {
  const held = holdsCoins(batch.state);
  const rivals = familyOf(draft.batches, batch).filter(({ id, state }) => id !== batch.id && holdsCoins(state));
  const isNewer = (holder: string | undefined): boolean =>
    rivals.some(({ id, plannedSeq }) => id === holder && plannedSeq > batch.plannedSeq);
  const coinsOf = rivals.map(({ id, inputs }) => ({ id, has: new Set(inputs) }));
  for (const outpoint of batch.inputs) {
    const holder = draft.heldCoins.get(outpoint);
    if (held && !isNewer(holder)) draft.heldCoins.set(outpoint, batch.id);
    if (held || holder !== batch.id) continue;
    const heir = coinsOf.findLast(({ has }) => has.has(outpoint));
    if (heir === undefined) draft.heldCoins.delete(outpoint);
    else draft.heldCoins.set(outpoint, heir.id);
  }
  for (const request of batch.requests) {
    const digest = draft.requestDigests.get(request.id) ?? requestDigest(request);
    const holder = draft.requests.get(request.id)?.batch;
    if (held && !isNewer(holder)) draft.requests.set(request.id, { batch: batch.id, digest });
    if (held || holder !== batch.id) continue;
    const heir = rivals.findLast(({ requests }) => requests.some(({ id }) => id === request.id));
    if (heir === undefined) draft.requests.delete(request.id);
    else draft.requests.set(request.id, { batch: heir.id, digest });
  }
  const original = batch.replaces === null ? undefined : draft.batches.get(batch.replaces);
  if (held && original !== undefined) {
    draft.batches.set(original.id, { ...original, replacedBy: batch.id, changedSeq: batch.changedSeq });
  }
}

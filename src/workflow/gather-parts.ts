import type { Hex } from '../domain/bytes.js';
import type { Fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { JournalTransaction } from '../journal/port.js';
import type { BatchRecord, HaltRecord } from '../journal/state.js';
import { finalise, withSignatures } from '../psbt/finalise.js';
import { enoughSignatures, partsOf, type SignerPart } from '../psbt/partial.js';
import type { FinalTransaction } from '../psbt/types.js';
import type { Deriver } from '../vault/types.js';
import { haltsHolding } from './halt-scene.js';
import type { Desk } from './ports.js';
import { findBatch } from './situation.js';
import { insist } from './transact.js';

/** Everything that cosigners have signed of a batch so far. */
export interface Gathered {
  readonly parts: readonly SignerPart[];
  /** The PSBT with all of their signatures, for the next cosigner. */
  readonly psbt: Uint8Array;
  /** Null while signatures are missing; else the transaction, and how many signatures it has. */
  readonly final: (FinalTransaction & { readonly signatures: number }) | null;
}

/** Puts parts together: equal parts give equal bytes, in whatever order they came. Faults: those of `finalise`. */
export function join(psbt: Uint8Array, deriver: Deriver, parts: readonly SignerPart[]): Result<Gathered, Fault> {
  const signed = withSignatures(
    psbt,
    deriver,
    parts.flatMap(({ signatures }) => signatures),
  );
  if (!signed.ok) return signed;
  const enough = enoughSignatures(deriver, parts);
  if (enough === null) return ok({ parts, psbt: signed.value, final: null });
  const final = finalise(psbt, deriver, enough);
  if (!final.ok) return final;
  return ok({ parts, psbt: signed.value, final: { ...final.value, signatures: enough.length } });
}

/** The parts that the journal keeps of a batch, each signature proven again. */
export async function keptParts(
  desk: Desk,
  deriver: Deriver,
  { partials }: BatchRecord,
  psbt: Uint8Array,
): Promise<Result<readonly SignerPart[], Fault>> {
  const parts: SignerPart[] = [];
  for (const { part } of partials) {
    const bytes = await desk.journal.blob(part);
    if (!bytes.ok) return bytes;
    const read = partsOf(bytes.value, psbt, deriver);
    if (!read.ok) return read;
    parts.push(...read.value);
  }
  return ok(parts);
}

/** What became of the writing. The signatures exist whatever the journal says, so a failure is told beside them. */
export interface Kept {
  /** Why the journal does not know of it; null where it does. */
  readonly unkept: Fault | null;
  /** The halts that stand against the batch at the moment at which it was written down. */
  readonly heldBy: readonly HaltRecord[];
}

/** Writes what was signed, and looks once more whether somebody halted meanwhile. */
async function keep(
  desk: Desk,
  { id }: BatchRecord,
  work: (tx: JournalTransaction, batch: BatchRecord) => void,
): Promise<Kept> {
  const kept = await insist(desk, async (tx) => {
    const found = findBatch(tx.state, id);
    if (!found.ok) return found;
    work(tx, found.value);
    return ok(haltsHolding(tx.state, desk.config.network, found.value));
  });
  return kept.ok ? { unkept: null, heldBy: kept.value } : { unkept: kept.error, heldBy: [] };
}

/** Keeps the parts that the journal does not have yet. */
export async function keepParts(
  desk: Desk,
  batch: BatchRecord,
  parts: readonly { readonly signer: Hex; readonly bytes: Uint8Array; readonly signatures: number }[],
  source: 'device' | 'file',
): Promise<Kept> {
  return keep(desk, batch, (tx, now) => {
    for (const { signer, bytes, signatures } of parts) {
      if (now.partials.some((known) => known.signer === signer) || now.signed !== null) continue;
      const part = tx.keep(bytes);
      tx.append({ kind: 'batch.partial', batch: batch.id, psbt: batch.psbt, signer, part, signatures, source });
    }
  });
}

/** Keeps the transaction, unless another command has completed the batch in the meantime: it made the same one. */
export async function keepFinal(
  desk: Desk,
  batch: BatchRecord,
  final: FinalTransaction,
  signatures: number,
): Promise<Kept> {
  return keep(desk, batch, (tx, now) => {
    if (now.signed !== null) return;
    tx.append({
      kind: 'batch.signed',
      batch: batch.id,
      psbt: batch.psbt,
      signedPsbt: tx.keep(final.psbt),
      transaction: tx.keep(final.transaction),
      txid: final.txid,
      signatures,
    });
  });
}

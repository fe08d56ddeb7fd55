import { equalBytes } from '../domain/bytes.js';
import type { ChainTip } from '../domain/coin.js';
import { formatTime } from '../domain/time.js';
import { confirmationOf } from '../journal/fold-batch.js';
import type { Journal } from '../journal/port.js';
import type { BatchRecord } from '../journal/state.js';
import { finalSignatures } from '../psbt/final-signatures.js';
import { finalise, withSignatures } from '../psbt/finalise.js';
import { partsOf } from '../psbt/partial.js';
import { attributeSignatures, proveSignatures } from '../psbt/verify.js';
import { tipProblem } from '../vault/plausible-tip.js';
import type { Snapshot } from '../vault/snapshot-types.js';
import type { Deriver } from '../vault/types.js';
import { type Body, fieldDifference, type Problem } from './audit-problem.js';
import { CONFIRMED_DEPTH, chainSpends, conflictOf, outpointsOf } from './chain-spends.js';
import { provenSpends, signedTxids } from './proven-spends.js';
import { fallbackReason, revivalReason, unspentInput } from './settle.js';
import { snapshotKey } from './snapshot-signature.js';

/** The documents that entries name. */
export interface Evidence {
  readonly journal: Pick<Journal, 'blob'>;
}

/** From the planned PSBT and the signatures alone the same final PSBT and the same transaction must come out. */
export async function signingProblem(
  { journal }: Evidence,
  deriver: Deriver,
  body: Body<'batch.signed'>,
  { psbt }: Pick<BatchRecord, 'psbt'>,
): Promise<Problem> {
  const unsigned = await journal.blob(psbt);
  const signed = await journal.blob(body.signedPsbt);
  const transaction = await journal.blob(body.transaction);
  if (!unsigned.ok) return unsigned.error.message;
  if (!signed.ok) return signed.error.message;
  if (!transaction.ok) return transaction.error.message;
  const found = finalSignatures(signed.value, deriver.vault);
  if (!found.ok) return `its signed PSBT: ${found.error.message}`;
  const attributed = attributeSignatures(unsigned.value, deriver, found.value);
  if (!attributed.ok) return `its PSBT: ${attributed.error.message}`;
  const proven = proveSignatures(unsigned.value, deriver, attributed.value);
  if (!proven.ok) return `its signed PSBT: ${proven.error.message}`;
  const final = finalise(unsigned.value, deriver, proven.value);
  if (!final.ok) return final.error.message;
  if (!equalBytes(final.value.transaction, transaction.value)) {
    return 'its transaction is not the planned one with the signatures of its signed PSBT';
  }
  if (!equalBytes(final.value.psbt, signed.value)) {
    return 'its signed PSBT is not the planned one with the signatures that it carries';
  }
  return fieldDifference(body, { txid: final.value.txid, signatures: proven.value.length });
}

/** What one cosigner is said to have signed, proven again; the blob holds those signatures and nothing besides the plan. */
export async function partProblem(
  { journal }: Evidence,
  deriver: Deriver,
  { signer, part, signatures }: Body<'batch.partial'>,
  { psbt }: BatchRecord,
): Promise<Problem> {
  const unsigned = await journal.blob(psbt);
  if (!unsigned.ok) return unsigned.error.message;
  const kept = await journal.blob(part);
  if (!kept.ok) return kept.error.message;
  const parts = partsOf(kept.value, unsigned.value, deriver);
  if (!parts.ok) return `its part: ${parts.error.message}`;
  const [own, ...others] = parts.value;
  if (own?.signer !== signer || others.length > 0) {
    return `its part is signed by ${parts.value.map((one) => one.signer).join(', ')}, and it names ${signer}`;
  }
  if (own.signatures.length !== signatures)
    return `its part has ${own.signatures.length} signatures, not ${signatures}`;
  const again = withSignatures(unsigned.value, deriver, own.signatures);
  if (again.ok && equalBytes(again.value, kept.value)) return null;
  return 'its part is not the planned PSBT with those signatures alone';
}

type ChainBody = Body<'batch.confirmed' | 'batch.unconfirmed' | 'batch.conflicted' | 'batch.unsettled'>;

/** Whether the coin snapshot of that moment bears out what is said of the chain. Few ask for all `batches`. */
export async function chainProblem(
  { journal }: Evidence,
  deriver: Deriver,
  snapshot: Snapshot,
  body: ChainBody,
  batch: BatchRecord,
  batches: () => ReadonlyMap<string, BatchRecord>,
): Promise<Problem> {
  switch (body.kind) {
    case 'batch.confirmed':
      return confirmationProblem(snapshot, body, batch);
    case 'batch.unconfirmed':
      return fallbackProblem(snapshot, batch, batches());
    case 'batch.conflicted':
      return conflictProblem(journal, deriver, snapshot, body, batch, batches());
    case 'batch.unsettled':
      return revivalProblem(snapshot, batch, batches());
  }
}

/** Whether the snapshot of that moment says that the chain has buried the transaction, as deep as it has to be. */
function confirmationProblem(
  snapshot: Snapshot,
  { txid, height, time }: Body<'batch.confirmed'>,
  batch: BatchRecord,
): Problem {
  const seen = snapshot.confirmed.get(txid);
  if (seen === undefined) return `the coin snapshot of that moment does not say that ${txid} is confirmed`;
  const unspent = unspentInput(batch, { unspent: outpointsOf(snapshot) });
  if (unspent !== null)
    return `the coin snapshot of that moment says that it is confirmed, and lists ${unspent} as unspent`;
  if (seen.height !== height || formatTime(seen.time) !== time) {
    const says = `block ${seen.height} of ${formatTime(seen.time)}`;
    return `it is confirmed in block ${height} of ${time}, and the coin snapshot of that moment says ${says}`;
  }
  const counted = batch.signed === null ? height : confirmationOf(batch.signed, seen).height;
  const depth = snapshot.tip.height - counted + 1;
  return depth >= CONFIRMED_DEPTH ? null : `it is taken as confirmed at a depth of ${depth} blocks`;
}

/** Whether the coin snapshot of that moment shows that the block of a confirmed batch is gone. */
function fallbackProblem(snapshot: Snapshot, batch: BatchRecord, batches: ReadonlyMap<string, BatchRecord>): Problem {
  const { signed } = batch;
  if (signed === null) return 'it was never signed';
  if (snapshot.confirmed.has(signed.txid))
    return `the coin snapshot of that moment says that ${signed.txid} is confirmed`;
  if (fallbackReason(batch, snapshot, chainSpends(snapshot, batches)) !== null) return null;
  return 'the coin snapshot of that moment lists none of its coins as unspent, and no other batch as having spent them';
}

/** Whether the coin snapshot of that moment shows the foreign transaction that is said to have taken a coin for good, signed. */
async function conflictProblem(
  journal: Evidence['journal'],
  deriver: Deriver,
  snapshot: Snapshot,
  { txid, outpoint, height }: Body<'batch.conflicted'>,
  batch: BatchRecord,
  batches: ReadonlyMap<string, BatchRecord>,
): Promise<Problem> {
  const spends = chainSpends(snapshot, batches);
  const proven = await provenSpends(journal, deriver, [batch], signedTxids(batches.values()), snapshot, spends);
  if (!proven.ok) return proven.error.message;
  const lost = conflictOf(batch, snapshot, spends, batches, proven.value.proven);
  if (lost === null)
    return 'the coin snapshot of that moment shows no foreign transaction that took its coins for good';
  return fieldDifference({ txid, outpoint, height }, lost);
}

/** Whether something says that what had settled a batch is undone. It counts again then, so little has to. */
function revivalProblem(snapshot: Snapshot, batch: BatchRecord, batches: ReadonlyMap<string, BatchRecord>): Problem {
  const spends = chainSpends(snapshot, batches);
  const winner = batch.state === 'REPLACED' ? batches.get(batch.settled?.by ?? '') : undefined;
  const reason =
    winner === undefined ? revivalReason(batch, snapshot, spends) : fallbackReason(winner, snapshot, spends);
  return reason === null ? 'the coin snapshot of that moment shows nothing that brings it back' : null;
}

/** Whether an import says what its snapshot holds, and whether that could follow the tip that was known before. */
export function importProblem(snapshot: Snapshot, body: Body<'coins.imported'>, before: ChainTip | null): Problem {
  const { network, tip, takenAt, coins } = snapshot;
  if (before !== null && tip.height < before.height) {
    return `its snapshot is of height ${tip.height}, and height ${before.height} was known already`;
  }
  const signature = body.signer === undefined ? null : snapshotKey(snapshot, body.signer.signature);
  if (signature?.ok === false)
    return `the signature of ${body.signer?.name ?? ''} is not over its snapshot: ${signature.error.message}`;
  const strange = tipProblem(network, tip, takenAt, before);
  if (strange !== null) return `its snapshot: ${strange}`;
  const total = coins.reduce((sum, { value }) => sum + value, 0n);
  return fieldDifference(body, { ...tip, coins: coins.length, total: total.toString() });
}

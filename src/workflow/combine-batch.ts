import { isDefaultKind } from '../device/estimate.js';
import type { Hex } from '../domain/bytes.js';
import { at, type Fault, fail } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import type { BatchRecord, HaltRecord } from '../journal/state.js';
import { nextState } from '../journal/transitions.js';
import { withSignatures } from '../psbt/finalise.js';
import { partsOf, type SignerPart } from '../psbt/partial.js';
import type { FinalTransaction } from '../psbt/types.js';
import type { Vault } from '../vault/types.js';
import { join, keepFinal, keepParts, keptParts } from './gather-parts.js';
import { type OpenVault, openVault } from './open-vault.js';
import type { Desk } from './ports.js';
import { signersLeft } from './sign-part.js';
import { findBatch } from './situation.js';
import { takeSigned } from './take-signed.js';

export interface Combined {
  readonly batch: BatchRecord;
  /** Cosigners whose signatures were new, and those whose signatures were known already. */
  readonly added: readonly Hex[];
  readonly known: readonly Hex[];
  /** Everybody who has signed, and who still can. */
  readonly signers: readonly Hex[];
  readonly left: readonly Hex[];
  /** The PSBT with all signatures so far. */
  readonly psbt: Uint8Array;
  readonly final: (FinalTransaction & { readonly signatures: number }) | null;
  /** Why the journal could not keep what is proven; null where it did. */
  readonly unkept: Fault | null;
  /** Halts that stand against the batch: what is proven is kept and not released. */
  readonly heldBy: readonly HaltRecord[];
}

/**
 * Takes the signatures of cosigners out of PSBT files from other machines, proves each, and completes the transaction where
 * there are enough. All files are judged before anything is kept; the order in which files and devices come does not
 * matter. Without a file it completes what the journal has. No verdict is asked for: the signatures exist already, the
 * budget was debited before they could, and knowing of them is never wrong. For a vault of one key it takes the one file with
 * what its device signed, where the journal could not keep that.
 *
 * Faults: E_USAGE, E_BATCH_UNKNOWN, E_BATCH_STATE, and those of `partsOf`, each with its file.
 */
export async function combineBatch(desk: Desk, id: string, files: readonly string[]): Promise<Result<Combined, Fault>> {
  const open = await openVault(desk);
  if (!open.ok) return open;
  const { vault, deriver, state } = open.value;
  const found = findBatch(state, id);
  if (!found.ok) return found;
  const batch = found.value;
  const several = !isDefaultKind(vault.kind);
  const takes = takesParts(batch, several);
  if (!takes.ok) return takes;
  const psbt = await desk.journal.blob(batch.psbt);
  if (!psbt.ok) return psbt;
  if (!several) return combineWhole(desk, open.value, batch, psbt.value, files);
  const brought = await readParts(desk, open.value, files, psbt.value);
  if (!brought.ok) return brought;
  const kept = await keptParts(desk, deriver, batch, psbt.value);
  if (!kept.ok) return kept;

  const added = brought.value.filter(({ signer }) => !kept.value.some((part) => part.signer === signer));
  const gathered = join(psbt.value, deriver, [...kept.value, ...added]);
  if (!gathered.ok) return gathered;
  const { parts, psbt: soFar, final } = gathered.value;
  const fresh = added.map(({ signer, signatures }) => {
    const bytes = withSignatures(psbt.value, deriver, signatures);
    if (!bytes.ok) throw new Error(`a PSBT that was read cannot be written: ${bytes.error.message}`);
    return { signer, bytes: bytes.value, signatures: signatures.length };
  });
  const parted = await keepParts(desk, batch, fresh, 'file');
  const done =
    final === null || parted.unkept !== null ? parted : await keepFinal(desk, batch, final, final.signatures);
  const signers = parts.map(({ signer }) => signer);
  return ok({
    batch,
    added: added.map(({ signer }) => signer),
    known: brought.value
      .map(({ signer }) => signer)
      .filter((signer) => kept.value.some((one) => one.signer === signer)),
    signers,
    left: signersLeft(vault, batch).filter((signer) => !signers.includes(signer)),
    psbt: soFar,
    final,
    ...done,
  });
}

/** The one device of a vault signed, and the journal could not keep it: it is kept now. */
async function combineWhole(
  desk: Desk,
  { vault, deriver }: OpenVault,
  batch: BatchRecord,
  psbt: Uint8Array,
  files: readonly string[],
): Promise<Result<Combined, Fault>> {
  const taken = await takeSigned(desk, files, psbt, deriver);
  if (!taken.ok) return taken;
  const { final, signatures } = taken.value;
  const kept = await keepFinal(desk, batch, final, signatures);
  const signers = signersLeft(vault, batch);
  return ok({
    ...{ batch, added: signers, known: [], signers, left: [] },
    psbt: final.psbt,
    final: { ...final, signatures },
    ...kept,
  });
}

/** Whether signatures of a vault come from several devices. Faults: E_USAGE. */
export function severalSigners({ id, kind }: Vault): Result<void, Fault> {
  if (!isDefaultKind(kind)) return ok(undefined);
  return fail('E_USAGE', `${id} is a ${kind} vault: it has one key, and one device signs for it`, {
    remedy: 'countersign batch sign ID has it signed',
  });
}

function takesParts({ id, state, signed }: BatchRecord, several: boolean): Result<void, Fault> {
  if (nextState(state, 'batch.partial') !== null) return ok(undefined);
  if (signed !== null) {
    return fail('E_BATCH_STATE', `batch ${id} is signed already`, {
      remedy: `countersign batch show ${id} has its transaction`,
    });
  }
  const message = `batch ${id} is ${state}: nothing of it was given to anybody to sign`;
  return fail('E_BATCH_STATE', message, {
    remedy: `find out who signed it without its budget being debited; to go on with it: countersign batch ${several ? `export ${id} --psbt FILE, then combine again` : `sign ${id}`}`,
  });
}

/** The parts of all files, one a cosigner: the first one that is brought. */
async function readParts(
  desk: Desk,
  { deriver }: OpenVault,
  files: readonly string[],
  psbt: Uint8Array,
): Promise<Result<readonly SignerPart[], Fault>> {
  const parts = new Map<Hex, SignerPart>();
  for (const file of files) {
    const bytes = await desk.ports.files.read(file);
    if (!bytes.ok) return bytes;
    const read = desk.ports.documents.psbt(bytes.value, file);
    if (!read.ok) return read;
    const found = partsOf(read.value, psbt, deriver);
    if (!found.ok) return err(at({ file }, found.error));
    for (const part of found.value) if (!parts.has(part.signer)) parts.set(part.signer, part);
  }
  return ok([...parts.values()]);
}

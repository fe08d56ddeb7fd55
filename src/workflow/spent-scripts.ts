import { type Hex, toHex } from '../domain/bytes.js';
import type { Fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { JournalState } from '../journal/state.js';
import { decodePsbt } from '../psbt/decode.js';
import type { Desk } from './ports.js';

/**
 * The scripts, in hex, that batches of this journal paid change to or took coins from, as their PSBTs say. Read only where
 * something depends on it: a journal has thousands of batches.
 */
export async function spentScripts(
  desk: Desk,
  { batches }: Pick<JournalState, 'batches'>,
): Promise<Result<ReadonlySet<Hex>, Fault>> {
  const scripts = new Set<Hex>();
  for (const { signed, psbt, outputs } of batches.values()) {
    if (signed === null) continue;
    for (const { script, change } of outputs) if (change !== null) scripts.add(script);
    const bytes = await desk.journal.blob(psbt);
    if (!bytes.ok) return bytes;
    const decoded = decodePsbt(bytes.value);
    if (!decoded.ok) return decoded;
    for (const { prevout } of decoded.value.inputs) if (prevout !== null) scripts.add(toHex(prevout.script));
  }
  return ok(scripts);
}

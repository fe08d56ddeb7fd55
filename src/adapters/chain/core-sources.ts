import * as v from 'valibot';
import { type Hex, trustedHex } from '../../domain/bytes.js';
import type { Fault } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import { hash, hex } from './answers.js';
import type { CoreCalls } from './core-calls.js';

/** Verbosity 2 came with Core 25, and tells what inputs spent where the undo data of the block is there. */
const told = v.object({
  txid: hash,
  vin: v.array(v.object({ prevout: v.object({ scriptPubKey: v.object({ hex }) }) })),
});

/** The scripts that inputs spent, as far as the node tells them; one that cannot is no fault: it is asked for them otherwise. */
export async function scriptsSpent(
  { rpc }: CoreCalls,
  wanted: readonly { readonly txid: Hex; readonly block: Hex }[],
): Promise<Result<ReadonlyMap<Hex, readonly Uint8Array[]>, Fault>> {
  const answers = await rpc.batch(
    'getrawtransaction',
    wanted.map(({ txid, block }) => [txid, 2, block]),
  );
  if (!answers.ok) return answers;
  const found = new Map<Hex, readonly Uint8Array[]>();
  for (const [index, { txid }] of wanted.entries()) {
    const outcome = answers.value[index];
    const read = outcome?.ok === true ? v.safeParse(told, outcome.value) : null;
    if (read?.success !== true || read.output.txid !== txid) continue;
    found.set(
      txid,
      read.output.vin.map(({ prevout }) => trustedHex(prevout.scriptPubKey.hex)),
    );
  }
  return ok(found);
}

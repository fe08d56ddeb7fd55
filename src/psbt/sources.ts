import { type Hex, toHex } from '../domain/bytes.js';
import { revealedScripts } from '../domain/revealed-script.js';
import { outpointOf, parseTransaction, type TransactionInput } from './transaction.js';

/** Where a coin comes from, one hop back: the scripts that the transaction that made it spent. */
export interface CoinSources {
  /** In hex, each once, sorted. */
  readonly scripts: readonly Hex[];
  /** How many of its inputs nothing tells the script of; 1 at least where the transaction is not known. */
  readonly untold: number;
}

/** A coinbase output comes from nowhere. */
export const NO_SOURCES: CoinSources = { scripts: [], untold: 0 };

/**
 * The sources of the outputs of a transaction. Of each of its inputs: the output that it spends, where that transaction is
 * among the `known` ones, which their txids prove; else what the input reveals, and what is `stated`, one script an input in
 * its order. Where both of these are there, both count.
 */
export function sourcesOf(
  transaction: Uint8Array | null,
  stated: readonly Uint8Array[] | null,
  known: ReadonlyMap<string, Uint8Array>,
): CoinSources {
  const parsed = transaction === null ? null : parseTransaction(transaction);
  if (parsed === null || !parsed.ok) return sources(stated ?? [], stated === null ? 1 : 0);
  const { inputs, witnesses } = parsed.value;
  if (isCoinbase(inputs)) return NO_SOURCES;
  const told = inputs.map((input, index): readonly Uint8Array[] => {
    const spent = spentScript(input, known);
    if (spent !== null) return [spent];
    const said = stated?.[index];
    return [...revealedScripts(input.scriptSig, witnesses[index] ?? []), ...(said === undefined ? [] : [said])];
  });
  return sources(told.flat(), told.filter((scripts) => scripts.length === 0).length);
}

function spentScript(input: TransactionInput, known: ReadonlyMap<string, Uint8Array>): Uint8Array | null {
  const { txid, vout } = outpointOf(input);
  const bytes = known.get(txid);
  const spent = bytes === undefined ? null : parseTransaction(bytes);
  return spent?.ok === true ? (spent.value.outputs[vout]?.script ?? null) : null;
}

function sources(scripts: readonly Uint8Array[], untold: number): CoinSources {
  return { scripts: [...new Set(scripts.map(toHex))].sort(), untold };
}

function isCoinbase(inputs: readonly TransactionInput[]): boolean {
  const [first] = inputs;
  return inputs.length === 1 && first !== undefined && first.hash.every((byte) => byte === 0);
}

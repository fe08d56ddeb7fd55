import { type Hex, toHex } from '../domain/bytes.js';
import { revealedScripts } from '../domain/revealed-script.js';
import { parseTransaction, type TransactionInput } from './transaction.js';

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
 * The sources of the outputs of a transaction: what its inputs reveal, and what is `stated` about them, one script an input
 * in its order. Either may be missing; where both are there, both count.
 */
export function sourcesOf(transaction: Uint8Array | null, stated: readonly Uint8Array[] | null): CoinSources {
  const parsed = transaction === null ? null : parseTransaction(transaction);
  if (parsed === null || !parsed.ok) return sources(stated ?? [], stated === null ? 1 : 0);
  const { inputs, witnesses } = parsed.value;
  if (isCoinbase(inputs)) return NO_SOURCES;
  const revealed = inputs.map(({ scriptSig }, index) => revealedScripts(scriptSig, witnesses[index] ?? []));
  const untold = revealed.filter((scripts, index) => scripts.length === 0 && stated?.[index] === undefined).length;
  return sources([...revealed.flat(), ...(stated ?? [])], untold);
}

function sources(scripts: readonly Uint8Array[], untold: number): CoinSources {
  return { scripts: [...new Set(scripts.map(toHex))].sort(), untold };
}

function isCoinbase(inputs: readonly TransactionInput[]): boolean {
  const [first] = inputs;
  return inputs.length === 1 && first !== undefined && first.hash.every((byte) => byte === 0);
}

import type { Vault } from '../vault/types.js';
import { signedInputWeight, type WeighedVault } from '../vault/weights.js';
import type { InputCost, ShapeLimits } from './types.js';

/**
 * Time of one exchange (a command and its answer) while a Ledger signs, in milliseconds. From Ledger's benchmark of the
 * Bitcoin app (LedgerHQ/app-bitcoin, PR 276): 2.26 s for an input of 115 exchanges.
 */
const EXCHANGE_MS = 20n;

/**
 * Exchanges for n inputs as `linear * n + quadratic * n^2`, by signing with Ledger's app 2.2.7 for the Nano S (test/recordings). For pkh each input
 * needs the whole transaction again. In a sortedmulti of k keys the app sorts by fetching k(k+1)/2 keys, two exchanges
 * each; 2-of-3 takes 158 an input. Nesting in P2SH adds 12. Of miniscript it fetches each key once.
 */
function exchanges({ kind, keys }: WeighedVault): { readonly linear: bigint; readonly quadratic: bigint } {
  const multisig = 146n + BigInt(keys.length * (keys.length + 1));
  switch (kind) {
    case 'wpkh':
      return { linear: 115n, quadratic: 0n };
    case 'sh(wpkh)':
      return { linear: 127n, quadratic: 0n };
    case 'tr':
      return { linear: 79n, quadratic: 0n };
    case 'pkh':
      return { linear: 115n, quadratic: 25n };
    case 'wsh(sortedmulti)':
      return { linear: multisig, quadratic: 0n };
    case 'sh(wsh(sortedmulti))':
      return { linear: multisig + 12n, quadratic: 0n };
    case 'wsh(miniscript)':
      return { linear: 125n + 2n * BigInt(keys.length), quadratic: 0n };
  }
}

/** Weight and device time of the inputs of a vault. A multisig vault asks as many devices as it needs signatures. */
export function inputCost(vault: WeighedVault): InputCost {
  const { linear, quadratic } = exchanges(vault);
  const devices = BigInt(vault.threshold);
  return {
    weight: signedInputWeight(vault),
    deviceMs: linear * EXCHANGE_MS * devices,
    deviceMsSquared: quadratic * EXCHANGE_MS * devices,
  };
}

/** Time that the devices need for the inputs of a transaction, in milliseconds. */
export function deviceTime(cost: InputCost, inputs: number): bigint {
  const count = BigInt(inputs);
  return cost.deviceMs * count + cost.deviceMsSquared * count * count;
}

/**
 * What one session at a Nano S should be asked for. The app itself takes 512 inputs and any number of outputs, but:
 *
 * - 50 inputs of wpkh are 5,843 exchanges, about two minutes in which nothing may disturb the device. For pkh the exchanges grow
 *   with the square: 10 inputs take 3,753, 50 would take 66,393.
 * - Every payment is compared on the screen and confirmed by hand: 20 of them are 121 button presses.
 * - 400,000 weight units is the most that nodes relay (Bitcoin Core's MAX_STANDARD_TX_WEIGHT).
 */
export function defaultShapeLimits(vault: Pick<Vault, 'kind'>): ShapeLimits {
  return { maxInputs: vault.kind === 'pkh' ? 10 : 50, maxOutputs: 20, maxWeight: 400_000n };
}

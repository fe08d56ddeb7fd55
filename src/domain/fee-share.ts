import type { Sats } from './sats.js';

/**
 * A fee is shared equally by the payments of its transaction. Where the payee of a payment bears its share, that payment is
 * less by it; the shares of all others are the vault's. What does not divide is counted so that no sat is borne twice.
 */
export interface SharedFee {
  /** What the vault bears, in sats, rounded up. */
  readonly ofVault: Sats;
  /** What each payee that bears its share is paid less, in their order: equal but for a sat, the first bearing the more. */
  readonly ofPayees: readonly Sats[];
}

/** Divides a fee, in sats, among `payments` payments, of which `bearing` payees bear their own share. */
export function shareFee(fee: Sats, payments: number, bearing: number): SharedFee {
  const ofVault = vaultShare(fee, payments, bearing);
  if (bearing === 0) return { ofVault, ofPayees: [] };
  const borne = fee - ofVault;
  const each = borne / BigInt(bearing);
  const odd = borne % BigInt(bearing);
  return { ofVault, ofPayees: Array.from({ length: bearing }, (_, place) => each + (BigInt(place) < odd ? 1n : 0n)) };
}

/** The vault's part alone. It never falls as the fee rises, which a search for coins relies on. */
export function vaultShare(fee: Sats, payments: number, bearing: number): Sats {
  if (bearing === 0) return fee;
  const count = BigInt(payments);
  return (fee * (count - BigInt(bearing)) + count - 1n) / count;
}

/** The most that one payee may bear of a fee that `payments` payments share, in sats: its share, rounded up. */
export function mostBorne(fee: Sats, payments: number): Sats {
  const count = BigInt(payments);
  return payments === 0 || fee < 0n ? 0n : (fee + count - 1n) / count;
}

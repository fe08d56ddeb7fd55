import type { SourcePosition } from './fault.js';
import type { Sats } from './sats.js';

/** One withdrawal that a customer or a department asked for. */
export interface WithdrawalRequest {
  /** The caller's idempotency id: the same id with other content is an attack or a mistake, and is denied. */
  readonly id: string;
  /** As it was written; everything else compares scripts. */
  readonly address: string;
  readonly script: Uint8Array;
  /** In sats. Where the payee bears its share of the fee, what is paid is less by that. */
  readonly amount: Sats;
  /** Who bears this payment's share of the transaction's fee; absent: the vault. */
  readonly feePayer?: 'payee';
  /** Id of the book that the payment is meant for; where it is not said, the address alone says it. */
  readonly destination?: string;
  /** Which address of a descriptor of the book it is: the book decides whether that is so. */
  readonly index?: number;
  readonly label?: string;
  readonly reference?: string;
  readonly where?: SourcePosition;
}

import type { Sats } from '../../domain/sats.js';
import type { NamedPolicy } from '../../vault/wallet-policy.js';
import type { LedgerModel } from '../models.js';
import type { Screen } from '../types.js';

/** What an app writes behind or before amounts: "BTC", or "TEST" on every test network. */
export type Ticker = 'BTC' | 'TEST';

/** What a signing puts before the person, as far as every model agrees on it. */
export interface Review {
  /** Name of the registered policy that is spent from; null for one that the app knows by itself. */
  readonly wallet: string | null;
  /** The outputs that the device shows, in their order: all but proven change. */
  readonly outputs: readonly { readonly value: Sats; readonly address: string }[];
  readonly fee: Sats;
  readonly inputsTotal: Sats;
  readonly ticker: Ticker;
}

/** The pages of one model, each with its text and in its order, up to the one that the person approves last. */
export interface Layout {
  readonly model: LedgerModel;
  /** Version of the app whose pages were recorded. */
  readonly recorded: string;
  /** The versions, from one to below another, that are known to have these pages but for details. */
  readonly alike: readonly [string, string];
  signing(review: Review): readonly Screen[];
  address(wallet: string | null, address: string): readonly Screen[];
  /** `isOurs` says of each key whether it is the device's own. */
  registration(policy: NamedPolicy, isOurs: readonly boolean[]): readonly Screen[];
  /** An account key that is shown for comparison; `path` as "84'/1'/0'". */
  key(path: string, xpub: string): readonly Screen[];
  /** Whether the person approves this page with both buttons; others are only turned. */
  isApproved(screen: Screen): boolean;
}

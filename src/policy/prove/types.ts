import type { Sats } from '../../domain/sats.js';
import type { Step } from '../bound/rehearse.js';
import type { Binding } from '../bound/types.js';
import type { LoadedBook, LoadedPolicy } from '../types.js';

/** What can be asked of a policy. There is no language for it: each property has its own proof. */
export type Property =
  | { readonly kind: 'outside-book' }
  | { readonly kind: 'max-outflow'; readonly seconds: number; readonly amount: Sats; readonly book: LoadedBook | null }
  | { readonly kind: 'needs-role'; readonly over: Sats; readonly role: string }
  | { readonly kind: 'separation' }
  | { readonly kind: 'refines'; readonly before: LoadedPolicy };

/** A sentence of a proof, and the rules that carry it. */
export interface Argument {
  readonly text: string;
  readonly by: readonly Binding[];
}

export type Answer =
  | { readonly outcome: 'proven'; readonly argument: readonly Argument[] }
  /** Batches in their order, of which evaluate allows each one (and, for "refines", the older policy does not). */
  | { readonly outcome: 'refuted'; readonly story: readonly string[]; readonly steps: readonly Step[] }
  /** Neither: the proof is not strong enough, and no counterexample was found. Never to be read as proven. */
  | { readonly outcome: 'open'; readonly story: readonly string[] };

/** A counterexample was built that evaluate does not confirm: the proof and the engine disagree, which is a bug. */
export interface Unconfirmed {
  readonly outcome: 'unconfirmed';
  readonly story: readonly string[];
  readonly steps: readonly Step[];
}

export const proven = (...argument: Argument[]): Answer => ({ outcome: 'proven', argument });
export const open = (...story: string[]): Answer => ({ outcome: 'open', story });

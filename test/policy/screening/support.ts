import { toHex } from '../../../src/domain/bytes.js';
import type { EvaluationInput, ScreeningState } from '../../../src/policy/types.js';
import { ADDRESSES, btc, change, inputOf, NOW, pay, scriptOf } from '../fixture.js';

export const LIST = { id: 'ofac', pinnedBy: 'compliance', maxAge: 3600, maxShrinkBp: 1000 };
export const POLICY = { screening: { lists: [LIST], inputsHops: 1 } };
export const STRANGER = '0014'.padEnd(44, '9');

export function listed(
  scripts: Iterable<string>,
  more: Partial<ScreeningState> = {},
): ReadonlyMap<string, ScreeningState> {
  const list = { issuedAt: NOW, expiresAt: null, pinnedBy: 'erin', before: null, own: [], ...more };
  return new Map([['ofac', { ...list, scripts: new Set(scripts) }]]);
}

export const of = (address: keyof typeof ADDRESSES): string => toHex(scriptOf(ADDRESSES[address]));
export const FROM = '0014'.padEnd(44, '7');

/** A batch of two payments and change, of coins from two scripts, held against a list. */
export function batchUnder(screening: EvaluationInput['state']['screening']): EvaluationInput {
  const coins = [{ sources: { scripts: [FROM, of('E')].sort(), untold: 0 } }];
  const batch = { pay: [pay('A', '1'), pay('B', '1')], change: [change(btc('1'))], inputs: coins };
  return inputOf({ policy: POLICY, batch, state: { screening } });
}

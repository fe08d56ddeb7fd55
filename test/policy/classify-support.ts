import { type Change, classify, overallKind } from '../../src/policy/classify.js';
import type { Cap, PolicyDocument } from '../../src/policy/types.js';
import { DAY, loaded, P0, type PolicyChange } from './fixture.js';

// What the tests of the classifier change in the policy of the cases, and what they ask about it.

export const between = (before: PolicyChange, after: PolicyChange): readonly Change[] =>
  classify(loaded(before), loaded(after));
export const kinds = (changes: readonly Change[]): string[] => changes.map(({ field, kind }) => `${field} ${kind}`);
export const overall = (before: PolicyChange, after: PolicyChange) => overallKind(between(before, after));

export const wallet = (device: Partial<PolicyDocument['wallet']['device']>): PolicyChange => ({
  wallet: { device: { ...P0.wallet.device, ...device } },
});
export const young = (change: Partial<PolicyDocument['destinations']['young']>): PolicyChange => ({
  destinations: { young: { ...P0.destinations.young, ...change } },
});
export const rolling = (change: Partial<PolicyDocument['limits']['rolling']>): PolicyChange => ({
  limits: { rolling: { ...P0.limits.rolling, ...change } },
});
export const blocks = (...windows: [number, Cap][]): PolicyChange => ({ limits: { rollingBlocks: new Map(windows) } });
export const caps = (defaultCap24h: Cap, ...own: [string, Cap][]): PolicyChange => ({
  destinations: { defaultCap24h, caps24h: new Map(own) },
});
export const tiers = (...list: PolicyDocument['approvals']['tiers']): PolicyChange => ({ approvals: { tiers: list } });
export const tier = (upTo: Cap, m: number, more: Partial<PolicyDocument['approvals']['tiers'][number]> = {}) => ({
  upTo,
  from: ['officers'],
  m,
  touchRequired: false,
  ...more,
});
export const halt = (change: Partial<PolicyDocument['halt']>): PolicyChange => ({ halt: change });
export const resume = (change: Partial<PolicyDocument['halt']['resume']>): PolicyChange =>
  halt({ resume: { ...P0.halt.resume, ...change } });
export const list = (change: Partial<PolicyDocument['screening']['lists'][number]> = {}) => ({
  id: 'ofac',
  pinnedBy: 'officers',
  maxAge: 2 * DAY,
  maxShrinkBp: 1000,
  ...change,
});
export const screening = (...lists: PolicyDocument['screening']['lists']): PolicyChange => ({ screening: { lists } });
export const roles = (edit: (roles: Map<string, Map<string, readonly string[]>>) => void): PolicyChange => {
  const copy = new Map([...P0.roles].map(([role, people]) => [role, new Map(people)]));
  edit(copy);
  return { roles: copy };
};
export const put = (role: string, person: string, ...keys: string[]): PolicyChange =>
  roles((all) => {
    const people = all.get(role) ?? new Map<string, readonly string[]>();
    all.set(role, people.set(person, keys));
  });
export const witnesses = (m: number, ...keys: string[]): PolicyChange => ({ log: { witnesses: { m, keys } } });

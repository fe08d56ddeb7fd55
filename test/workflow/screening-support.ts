import { demoFile, NOON, policyText, type Session, stage } from '../cli/session.js';

export const LIST = 'ofac-xbt';
export const MORNING = '2026-06-01T06:00:00Z';

/** The demo's policy with a screening list that compliance pins. */
export function screeningPolicy(hops = 0, more = ''): string {
  const list = `{ id: ${LIST}, sha256_pinned_by: compliance, max_age: "48h", max_shrink_bp: 1000 }`;
  return policyText().replace(
    /^screening: .*$/m,
    `screening: { lists: [${list}${more}], on_hit: deny, inputs_hops: ${hops} }`,
  );
}

export const screened = (hops = 0): Promise<Session> => stage({ policy: screeningPolicy(hops) });

/** Addresses of nobody in these tests, on testnet. */
export const STRANGERS = [
  'tb1qrjqln9462l3yg4uk93nhheyw75kp2jmazy27fq',
  'mi7gvF5YwMCJfJ3XzgfqeSAGoHnaEYyFNV',
  '2N1SP7r92ZZJvYKG2oNtzPwYnzw62up7mTo',
];

export interface PinOptions {
  readonly file?: string;
  readonly person?: string;
  readonly issuedAt?: string | null;
  readonly list?: string;
}

/** Writes a list, has it signed, and returns the words that take it in. */
export async function pinned(s: Session, text: string, options: PinOptions = {}): Promise<string[]> {
  const { file = 'list.txt', person = 'erin', issuedAt = MORNING, list = LIST } = options;
  const dated = issuedAt === null ? [] : ['--issued-at', issuedAt];
  s.write(file, text);
  await s.expect(0, 'screening', 'sign', list, file, '--key', `keys/${person}`, '--as', person, ...dated);
  return ['screening', 'import', list, file, ...dated];
}

// biome-ignore lint/suspicious/noExplicitAny: the tests look into the documented object.
export async function takeIn(s: Session, text: string, options: PinOptions = {}): Promise<any> {
  return s.json(0, ...(await pinned(s, text, options)));
}

export const lines = (...entries: readonly string[]): string => `${entries.join('\n')}\n`;

interface DemoSnapshot {
  taken_at: string;
  tip: { median_time_past: string };
  coins: { outpoint: string; script: string }[];
  previous_transactions: Record<string, string>;
  sources?: Record<string, string[]>;
}

/** The demo's snapshot with sources stated for its coins: `from` by number of the coin, else a script of nobody. */
export function withSources(from: Readonly<Record<number, readonly string[] | null>> = {}, takenAt = NOON): string {
  const snapshot = JSON.parse(demoFile('coins.json')) as DemoSnapshot;
  snapshot.taken_at = takenAt;
  const sources: Record<string, string[]> = {};
  for (const [index, { outpoint }] of snapshot.coins.entries()) {
    const stated = index in from ? from[index] : [NOBODY];
    if (stated !== null && stated !== undefined) sources[outpoint.slice(0, 64)] = [...stated];
  }
  snapshot.sources = sources;
  return JSON.stringify(snapshot, null, 1);
}

export const NOBODY = `0014${'77'.repeat(20)}`;

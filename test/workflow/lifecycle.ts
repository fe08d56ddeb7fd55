import { publicLine } from '../approval/soft-token.js';
import { type Session, tokenOf } from '../cli/session.js';

export interface VersionChange {
  readonly version?: number;
  readonly prev?: string;
  readonly effectiveAt?: string;
  /** Applied to the text of the policy last. */
  readonly edit?: (text: string) => string;
}

export const digestOf = async (s: Session, file: string): Promise<string> =>
  (await s.json(0, 'policy', 'lint', file)).digest;

/** Writes the successor of a policy file; without changes it differs in nothing but version, prev and effective_at. */
export async function writeNext(
  s: Session,
  file: string,
  from = 'policy.yaml',
  { version, prev, effectiveAt = s.now, edit = (text) => text }: VersionChange = {},
): Promise<void> {
  const text = s.read(from);
  const before = Number(/^version: (\d+)$/m.exec(text)?.[1]);
  const next = text
    .replace(/^version: .*$/m, `version: ${version ?? before + 1}`)
    .replace(/^prev: .*$/m, `prev: "${prev ?? (await digestOf(s, from))}"`)
    .replace(/^effective_at: .*$/m, `effective_at: "${effectiveAt}"`);
  s.write(file, edit(next));
}

export const AUDITORS = ['frank', 'grace'] as const;

/** Successor, signed by both auditors. */
export async function writeSigned(s: Session, file: string, from = 'policy.yaml', change: VersionChange = {}) {
  await writeNext(s, file, from, change);
  await s.signDocument('policy', file, ...AUDITORS);
}

/** Puts a signed policy into force: it becomes the policy file of the workspace, as every command wants it. */
// biome-ignore lint/suspicious/noExplicitAny: the tests look into the documented object.
export async function putIntoForce(s: Session, file: string, ...words: string[]): Promise<any> {
  s.write('policy.yaml', s.read(file));
  return s.json(0, 'policy', 'activate', file, ...words);
}

export const LOOSER = (text: string): string => text.replace('batch: "10000000000"', 'batch: "10000000001"');
export const TIGHTER = (text: string): string => text.replace('batch: "10000000000"', 'batch: "9999999999"');

/** A policy text in which people have these keys, each of them with the key of a person of these tests. */
export function withKeys(text: string, keys: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(keys).reduce((changed, [person, owners]) => {
    const lines = owners.map((owner) => `"${publicLine(tokenOf(owner))}"`).join(', ');
    return changed.replace(new RegExp(`^    ${person}: .*$`, 'm'), `    ${person}: [${lines}]`);
  }, text);
}

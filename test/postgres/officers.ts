import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session, stage } from '../cli/session.js';

/** A folder of a machine that has nothing yet; the caller removes it. */
export function elsewhere(): Session {
  return new Session(mkdtempSync(join(tmpdir(), 'countersign-officer-')));
}

/** Has a workspace go on with a shared journal. */
export function useStore(s: Session, store: string): void {
  const line = `store: ${JSON.stringify(store)}`;
  s.write('countersign.yaml', s.read('countersign.yaml').replace(/^(journal|store): .*$/m, line));
}

/** A workspace whose journal was moved to an address. */
export async function movedTo(store: string): Promise<Session> {
  const one = await stage();
  await one.expect(0, 'journal', 'copy', store, '--close');
  useStore(one, store);
  return one;
}

/** Another machine that joins it; the caller removes it. */
export async function joined(store: string): Promise<Session> {
  const s = elsewhere();
  await s.expect(0, 'init', '.', '--network', 'testnet3', '--store', store, '--join');
  return s;
}

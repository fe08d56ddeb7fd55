import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { NOON, removeAll, stage } from '../cli/session.js';
import { runLines } from './crash-signing.js';
import { inTurns } from './killing.js';

const folders: string[] = [];
afterAll(() => {
  removeAll();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function empty(): string {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-begun-'));
  folders.push(folder);
  return folder;
}

const INIT = ['init', '.', '--network', 'testnet3', '--json'];
const VERIFY = ['audit', 'verify', '--json'];

describe('a workspace that is begun', () => {
  it('by a process that is killed at any moment is begun again by the same command, or is whole', async () => {
    const whole = await runLines({ folder: empty(), now: NOON, lines: [INIT] });
    const moments = whole.lines[0]?.moments ?? [];
    expect([whole.lines[0]?.code, moments.filter((one) => one === 'COMMIT: done').length]).toEqual([0, 1]);
    // The schemas for editors are files like any other: of those the first and the last are tried.
    const file = (one: string): boolean => one.includes('.schema.json');
    const dying = moments.flatMap((one, index) => (file(one) && file(moments[index - 1] ?? '') ? [] : [index]));
    expect(dying.length).toBeGreaterThan(15);
    await inTurns(
      dying.map((dieAt) => async () => {
        const folder = empty();
        const where = `moment ${dieAt}, ${moments[dieAt]}`;
        const killed = await runLines({ folder, now: NOON, lines: [INIT], dieAt });
        expect([where, killed.signal]).toEqual([where, 'SIGKILL']);
        const { lines, stderr } = await runLines({ folder, now: NOON, lines: [INIT, VERIFY] });
        const [again, verified] = lines;
        const isWhole = moments.slice(0, dieAt + 1).includes('link countersign.yaml.part: done');
        expect([where, again?.code, stderr], again?.stdout).toEqual([where, isWhole ? 2 : 0, '']);
        expect([where, verified?.code], verified?.stdout).toEqual([where, 0]);
      }),
    );
  }, 240_000);

  it.each([
    ['of another network', 'init', 'main', 2],
    ['that says more than its opening', 'vault', 'testnet3', 2],
    ['that says nothing but its opening', 'init', 'testnet3', 0],
  ] as const)('a journal %s, without countersign.yaml beside it', async (_, until, network, code) => {
    const s = await stage({ until });
    const before = await s.head();
    const config = s.read('countersign.yaml');
    rmSync(s.path('countersign.yaml'));
    const answer = await s.json(code, 'init', '.', '--network', network);
    if (code === 2) expect(answer.faults[0].tag).toBe('E_JOURNAL_EXISTS');
    s.write('countersign.yaml', config);
    expect(await s.head()).toBe(before);
  });
});

import { afterAll, describe, expect, it } from 'vitest';
import { removeAll, type Session, stage } from '../cli/session.js';

afterAll(removeAll);

const coinOf = async (s: Session): Promise<string> => (await s.json(0, 'vault', 'coins')).coins[0].outpoint;

describe('a reason', () => {
  const HOSTILE: readonly (readonly [string, string])[] = [
    ['longer than a label', 'x'.repeat(201)],
    ['longer than any entry', 'x'.repeat(20_001)],
    ['with half a surrogate pair', 'a\ud800b'],
    ['with an escape sequence', '\u001b[2Jgone'],
    ['with a C1 control', '\u009b31mred'],
    ['with a direction override', '\u202elive'],
    ['of two lines', 'one\ntwo'],
  ];

  it.each(HOSTILE)('%s is refused before anything is written', async (_, reason) => {
    const s = await stage();
    const id = await s.planOne('second.csv');
    const coin = await coinOf(s);
    await s.untouched(async () => {
      for (const argv of [
        ['coins', 'freeze', coin],
        ['batch', 'abandon', id],
      ]) {
        expect(await s.faultOf(2, ...argv, '--reason', reason, '--as', 'alice')).toBe('E_TEXT_UNSAFE');
      }
    });
  });

  it('of 200 characters in any script is kept as it is', async () => {
    const s = await stage();
    const reason = `${'\u{1f512}'.repeat(100)}${'\u00e9'.repeat(100)}`;
    const coin = await coinOf(s);
    await s.expect(0, 'coins', 'freeze', coin, '--reason', reason, '--as', 'alice');
    expect((await s.json(0, 'vault', 'coins')).coins[0].reason).toBe(reason);
    await s.expect(0, 'coins', 'unfreeze', coin, '--reason', reason, '--as', 'alice');
  });
});

describe('--json', () => {
  it('escapes what a terminal would obey, and says the same', async () => {
    const s = await stage();
    const name = '\u202e\u009b31m\u2028\u{e0001}.csv';
    const { stdout, stderr } = await s.run('batch', 'plan', name, '--as', 'alice', '--json');
    expect(stdout).not.toMatch(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(stderr).not.toMatch(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(stdout).toContain('\\u202e\\u009b31m\\u2028\\udb40\\udc01.csv');
    expect(JSON.stringify(JSON.parse(stdout))).toContain(name);
  });
});

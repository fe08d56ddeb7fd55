import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../src/cli/program.js';
import { fault } from '../../src/domain/fault.js';
import { ok } from '../../src/domain/result.js';
import { addressOf, removeAll, type Session, stage } from './session.js';
import { softSigner } from './soft-device.mjs';

/** What a person is told when something did not go through: the state that is left, and what to do. */
afterAll(removeAll);

const failing = (maySign: boolean) => () =>
  softSigner(() => ({ ok: false, error: { fault: fault('E_DEVICE_REFUSED', 'not wanted'), maySign } }));

/** The last line of stderr, and what --json says of the same state. */
async function stateTold(s: Session, id: string, code: number): Promise<{ line: string | undefined; state: string }> {
  const { stderr } = await s.expect(code, 'batch', 'sign', id);
  const { batch, state, faults } = await s.json(code, 'batch', 'sign', id);
  expect([batch, faults.length]).toEqual([id, 1]);
  return { line: stderr.trimEnd().split('\n').at(-1), state };
}

describe('a signing that failed says where the batch stands', () => {
  it('RELEASED, where nothing can have been signed', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    s.signer = failing(false);
    expect(await stateTold(s, id, 23)).toEqual({
      line: `batch ${id} is RELEASED: the budget is given back; it can be signed again while its approvals are valid`,
      state: 'RELEASED',
    });
  });

  it('UNKNOWN, where a signature may exist', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    s.signer = failing(true);
    const { stderr } = await s.expect(23, 'batch', 'sign', id);
    expect(stderr).toMatch(new RegExp(`batch ${id} is UNKNOWN: it counts as spent, and its \\d coins? stays? held\n$`));
    expect(await s.json(15, 'batch', 'sign', id)).toMatchObject({ batch: id, state: 'UNKNOWN' });
  });

  it('SIGNED, where only its file could not be written', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    rmSync(s.path('batches'), { recursive: true });
    writeFileSync(s.path('batches'), 'no folder');
    const { stderr } = await s.expect(2, 'batch', 'sign', id);
    expect(stderr).toContain(`batch ${id} is signed`);
    expect(stderr).toContain(`countersign batch show ${id} --export`);
    expect(stderr).toMatch(new RegExp(`\nbatch ${id} is SIGNED: txid [0-9a-f]{64}\n$`));
  });

  it('nothing of a batch that there is not', async () => {
    const s = await stage();
    const { stderr } = await s.expect(2, 'batch', 'sign', 'nobody');
    expect(stderr.trimEnd().split('\n')).toHaveLength(2);
    expect(await s.json(2, 'batch', 'sign', 'nobody')).not.toHaveProperty('state');
  });
});

it('a plan whose file cannot be written says that the journal has it, and how to write it again', async () => {
  const s = await stage();
  writeFileSync(s.path('batches'), 'no folder');
  const { faults } = await s.json(2, 'batch', 'plan', 'withdrawals.csv', '--as', 'alice');
  const { batches } = await s.json(0, 'batch', 'list');
  const [{ id }] = batches;
  expect(faults[0].message).toContain(`batch ${id} is planned, and the journal keeps it`);
  expect(faults[0].remedy).toContain(`countersign batch show ${id} --export`);
  rmSync(s.path('batches'));
  await s.expect(0, 'batch', 'show', id, '--export');
  expect(s.read(`batches/${id}/unsigned.psbt`)).toMatch(/^psbt/);
});

describe('approving', () => {
  it('shows what is paid and the verdict before the key is asked for', async () => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    let seen = '';
    let seenAtKey = '';
    const io = { stdout: () => undefined, colors: false, rewrites: false };
    const composition = await s.composition();
    const ssh = {
      ...composition.ssh,
      sign: async (...words: Parameters<typeof composition.ssh.sign>) => {
        seenAtKey = seen;
        return composition.ssh.sign(...words);
      },
    };
    const stderr = (text: string): void => {
      seen += text;
    };
    const argv = ['batch', 'approve', id, '--key', 'keys/bob'];
    expect(await runCommandLine(argv, async () => ({ ...composition, ssh }), { ...io, stderr })).toBe(0);
    const { batch } = await s.json(0, 'batch', 'show', id);
    for (const { address } of batch.requests) expect(seenAtKey.replaceAll(' ', '')).toContain(address);
    expect(seenAtKey).toMatch(/Verdict {2}NEED 2 more approvals/);
    expect(seenAtKey).not.toContain('approved batch');
  });

  it.each([
    ['a batch that was given up', ['--key', 'keys/bob'], 'countersign batch show'],
    ['its statement for nobody', ['--statement', '--person', 'zed'], 'alice, bob, carol'],
  ])('%s is refused with a remedy', async (what, words, remedy) => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    if (what.includes('given up')) await s.expect(0, 'batch', 'abandon', id, '--reason', 'r', '--as', 'alice');
    const { stdout } = await s.run('batch', 'approve', id, ...words, '--json');
    expect(JSON.parse(stdout).faults[0].remedy).toContain(remedy);
  });

  it('a batch is abandoned once, and the second time says that nothing is left to do', async () => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    const argv = ['batch', 'abandon', id, '--reason', 'r', '--as', 'alice'];
    await s.expect(0, ...argv);
    expect((await s.json(15, ...argv)).faults[0].remedy).toContain('nothing is left to do');
  });
});

describe('a check of a PSBT', () => {
  it('says that a file needs --requests', async () => {
    const s = await stage();
    s.write('theirs.psbt', 'x');
    const remedyOf = async (what: string) => (await s.json(2, 'batch', 'check', what)).faults[0].remedy;
    expect(await remedyOf('theirs.psbt')).toContain('countersign batch check theirs.psbt --requests FILE');
    expect(await remedyOf('absent.psbt')).not.toContain('--requests');
  });

  it('needs nobody, takes the initiator of the batch, and says who it is', async () => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    await s.untouched(async () => {
      const own = ['batch', 'check', `batches/${id}/unsigned.psbt`, '--requests', 'withdrawals.csv'];
      expect((await s.expect(11, ...own)).stdout).toContain('initiated by alice');
      expect((await s.expect(11, ...own, '--as', 'bob')).stdout).toContain('initiated by bob');
      expect(await s.faultOf(2, ...own, '--as', 'zed')).toBe('E_USAGE');
    });
    // The same bytes in a workspace that never planned them.
    const other = await stage();
    mkdirSync(other.path('theirs'));
    const { psbt } = await s.json(0, 'batch', 'show', id);
    other.write('theirs/a.psbt', psbt);
    const line = ['batch', 'check', 'theirs/a.psbt', '--requests', 'withdrawals.csv'];
    expect((await other.expect(11, ...line)).stdout).toContain('initiated by nobody known');
  });

  it('names the file that is none, also where only its inside is broken', async () => {
    const s = await stage();
    const broken = Buffer.concat([Buffer.from('70736274ff', 'hex'), Buffer.from('nonsense')]);
    for (const contents of [Buffer.from('nonsense'), broken]) {
      s.write('bad.psbt', contents);
      const { faults } = await s.json(2, 'batch', 'check', 'bad.psbt', '--requests', 'withdrawals.csv');
      expect(faults[0]).toMatchObject({ tag: 'E_PSBT_PARSE', where: { file: 'bad.psbt' } });
      rmSync(s.path('bad.psbt'));
    }
  });
});

describe('words of a message', () => {
  it('stand on one line, with what was meant', async () => {
    const s = await stage({ until: 'nothing' });
    const { stderr } = await s.expect(2, 'init', '.', '--netwrk', 'signet');
    expect(stderr).toContain("unknown option '--netwrk' (Did you mean --network?)\n");
  });

  it.each(['150000000', '21000001'])('%s BTC was counted in sats', async (amount) => {
    const s = await stage();
    s.write('bad.csv', `id,address,amount,unit\nA-1,${addressOf('warm-1')},${amount},BTC\n`);
    const { faults } = await s.json(2, 'batch', 'plan', 'bad.csv', '--as', 'alice');
    expect(faults[0].message).toContain('above 21,000,000 BTC, all there will ever be; did you mean sat?');
  });

  it('a formula is one mistake', async () => {
    const s = await stage();
    s.write('bad.csv', `id,address,amount\nA-1,${addressOf('warm-1')},=1+1\nA-2,${addressOf('warm-1')},x\n`);
    const { faults } = await s.json(2, 'batch', 'plan', 'bad.csv', '--as', 'alice');
    expect(faults.map(({ tag }: { tag: string }) => tag)).toEqual(['E_CSV_FORMULA', 'E_AMOUNT_SYNTAX']);
  });
});

describe('a key at a path of another chain', () => {
  const refusing = (open: string) => () => ({
    ...softSigner(),
    appInfo: async () => ok({ name: open, version: '2.2.7' }),
    xpub: async () => ({ ok: false as const, error: fault('E_DEVICE_REFUSED', 'status 6a82') }),
  });

  it.each([
    ['Bitcoin Test', "84'/0'/0'", 'E_DEVICE_APP'],
    ['Bitcoin', "84'/1'/0'", 'E_DEVICE_APP'],
    ['Bitcoin', "84'/0'/0'", 'E_DEVICE_REFUSED'],
    ['Bitcoin Test', "84'/2'/0'", 'E_DEVICE_REFUSED'],
    ['Bitcoin Test', '84', 'E_DEVICE_REFUSED'],
  ])('with %s open, %s is %s', async (open, path, tag) => {
    const s = await stage({ until: 'init' });
    s.signer = refusing(open);
    const { stdout } = await s.run('device', 'xpub', path, '--json');
    expect(JSON.parse(stdout).faults[0].tag).toBe(tag);
  });
});

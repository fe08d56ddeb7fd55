import { afterAll, describe, expect, it } from 'vitest';
import { askedHelp, helpText } from '../../src/cli/help.js';
import { runCommandLine } from '../../src/cli/program.js';
import { makeStyle } from '../../src/cli/render/style.js';
import { table } from '../../src/cli/render/table.js';
import { visibleWidth } from '../../src/cli/render/text.js';
import { descriptorChecksum } from '../../src/vault/descriptor.js';
import { demoFile, removeAll, type Session, stage } from './session.js';

/** What stands where on a terminal, and which words may stand before a verb. */
afterAll(removeAll);

const COLUMNS = [{ title: 'name' }, { title: 'sat', align: 'right' as const }, { title: 'address' }];
const ROWS = [
  ['a', '1', 'x'.repeat(20)],
  ['bcd', '1000', 'y'.repeat(62)],
];

/** What a command prints on a terminal so wide. */
async function onTerminal(s: Session, width: number | undefined, ...argv: string[]): Promise<string[]> {
  let text = '';
  const stdout = (part: string): void => {
    text += part;
  };
  const io = { stdout, stderr: () => undefined, colors: false, rewrites: false, width };
  await runCommandLine(argv, () => s.composition(), io);
  return text.trimEnd().split('\n');
}

describe('a table', () => {
  // "name" and "1000" and the address, two spaces apart, and two that the table may be indented by.
  const needed = 4 + 2 + 4 + 2 + 62 + 2;

  it.each([undefined, needed, 200])('stands on a line a row in %j columns', (width) => {
    expect(table(COLUMNS, ROWS, makeStyle(false, width))).toEqual([
      'name   sat  address',
      `a        1  ${'x'.repeat(20)}`,
      `bcd   1000  ${'y'.repeat(62)}`,
    ]);
  });

  it.each([needed - 1, 70, 40])('has its last column below, whole, in %j columns', (width) => {
    expect(table(COLUMNS, ROWS, makeStyle(false, width))).toEqual([
      'name   sat',
      '      address',
      'a        1',
      `      ${'x'.repeat(20)}`,
      'bcd   1000',
      `      ${'y'.repeat(62)}`,
    ]);
  });

  it('has no line for a column that says nothing in a row', () => {
    const rows = [...ROWS, ['e', '5', '']];
    expect(table(COLUMNS, rows, makeStyle(false, 50)).at(-1)).toBe('e        5');
  });
});

describe('a terminal of 80 columns', () => {
  it('holds the lists; only what has no space in it may be wider, and nothing is left out', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    await s.expect(0, 'batch', 'sign', id);
    for (const argv of [
      ['batch', 'list'],
      ['vault', 'coins'],
      ['book', 'show'],
      ['batch', 'check', id],
      ['policy', 'explain', 'policy.yaml'],
      ['help', 'exit-codes'],
    ]) {
      const narrow = await onTerminal(s, 80, ...argv);
      const wide = await onTerminal(s, undefined, ...argv);
      const words = (lines: string[]) => lines.join(' ').split(/\s+/).sort();
      expect(words(narrow), argv.join(' ')).toEqual(words(wide));
      if (argv[0] === 'batch' && argv[1] === 'list') {
        expect(Math.max(...narrow.map(visibleWidth))).toBeLessThanOrEqual(80);
        expect(Math.max(...wide.map(visibleWidth))).toBeGreaterThan(80);
      }
    }
  });
});

describe('words before the verb', () => {
  it.each([
    [['-w', '.', 'batch', 'list']],
    [['--workspace', '.', 'batch', 'list']],
    [['--workspace=.', '--json', 'batch', 'list']],
    [['--json', 'batch', 'list']],
    [['batch', '-w', '.', 'list']],
    [['--json', 'batch', '--workspace=.', 'list']],
  ])('%j are those of the verb', async (argv) => {
    const s = await stage({ until: 'init' });
    let asked: string | undefined;
    let stdout = '';
    const io = { stdout: (text: string) => (stdout += text), stderr: () => undefined, colors: false, rewrites: false };
    const code = await runCommandLine(
      argv,
      ({ workspace }) => {
        asked = workspace;
        return s.composition();
      },
      io,
    );
    expect([code, asked]).toEqual([0, argv.includes('--json') && argv.length === 3 ? undefined : '.']);
    if (argv.includes('--json')) expect(JSON.parse(stdout)).toMatchObject({ exit: 0, batches: [] });
    else expect(stdout).toBe('No batches yet: plan one with countersign batch plan withdrawals.csv --as NAME\n');
  });

  it('are no verb themselves', async () => {
    const s = await stage({ until: 'init' });
    expect((await s.run('-w', '.')).code).toBe(2);
    expect((await s.run('--frobnicate', 'batch', 'list')).code).toBe(2);
  });

  it.each([
    [['help'], []],
    [['help', 'batch'], ['batch']],
    [
      ['help', 'batch', 'sign'],
      ['batch', 'sign'],
    ],
    [
      ['-w', '.', 'batch', 'sign', '--help'],
      ['batch', 'sign'],
    ],
  ])('%j is an answer, not a mistake', async (argv, path) => {
    expect(askedHelp(argv)).toBe(helpText(path));
    const s = await stage({ until: 'nothing' });
    expect(await s.run(...argv)).toEqual({ code: 0, stdout: helpText(path), stderr: '' });
  });

  it('help on nothing that there is stays a mistake', async () => {
    const s = await stage({ until: 'nothing' });
    expect((await s.run('help', 'frobnicate')).code).toBe(2);
  });
});

describe('a journal line', () => {
  it('has who, what fits whole, and the hash in 200 columns', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    const reason = 'r'.repeat(190);
    await s.expect(0, 'batch', 'abandon', id, '--reason', reason, '--as', 'alice');
    const { entries } = await s.json(0, 'audit', 'log');
    const { stdout } = await s.expect(0, 'audit', 'log');
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(entries.length);
    for (const [index, line] of lines.entries()) {
      expect(visibleWidth(line)).toBeLessThanOrEqual(200);
      expect(line).toContain(entries[index].at);
      expect(line.endsWith(`  ${entries[index].hash}`)).toBe(true);
    }
    expect(lines.at(-1)).toMatch(/batch\.abandoned +by=alice {2}batch=\S+ {2}\.\.\. /);
    expect(lines.at(-1)).not.toContain('rrr');
    expect(lines.find((line) => line.includes('batch.approved'))).toContain('person=bob');
    expect(lines.find((line) => line.includes('batch.planned'))).toContain('initiator=alice');
  });

  it.each([80, 120])(
    'goes on below on a terminal of %d columns, with its hash whole, and says the same',
    async (width) => {
      const s = await stage();
      const id = await s.ready('withdrawals.csv');
      await s.expect(0, 'batch', 'abandon', id, '--reason', 'nobody needs it '.repeat(6).trim(), '--as', 'alice');
      const narrow = await onTerminal(s, width, 'audit', 'log');
      expect(Math.max(...narrow.map(visibleWidth))).toBeLessThanOrEqual(width);
      const words = (text: string) => text.trim().split(/\s+/);
      expect(words(narrow.join(' '))).toEqual(words((await s.expect(0, 'audit', 'log')).stdout));
      const { entries } = await s.json(0, 'audit', 'log');
      for (const { hash } of entries) expect(narrow.some((line) => line.endsWith(`  ${hash}`))).toBe(true);
    },
  );
});

type Counted = { readonly person: string; readonly counts: boolean };

describe('a batch that is shown', () => {
  it('says which approvals count, as long as it can be approved', async () => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    await s.approve(id, 'bob', 'frank');
    const { stdout } = await s.expect(0, 'batch', 'show', id);
    expect(stdout).toMatch(/approved +bob at \S+, valid until \S+\n/);
    expect(stdout).toMatch(/approved +frank at .*; does not count\n/);
    expect(stdout).toMatch(/now +NEED 1 more approval/);
    const { batch } = await s.json(0, 'batch', 'show', id);
    expect(batch.approvals.map(({ person, counts }: Counted) => [person, counts])).toEqual([
      ['bob', true],
      ['frank', false],
    ]);
    expect([batch.decision, batch.missing]).toEqual(['NEED', 1]);
    expect((await s.expect(0, 'batch', 'list')).stdout).toContain('batch show ID says which of them count');
    await s.approve(id, 'carol');
    await s.expect(0, 'batch', 'sign', id);
    expect((await s.json(0, 'batch', 'show', id)).batch).not.toHaveProperty('decision');
  });

  it('is shown all the same where it cannot be judged', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    s.write('policy.yaml', 'schema: countersign.policy/1\n');
    await s.expect(13, 'batch', 'check', id);
    const { batch } = await s.json(0, 'batch', 'show', id);
    expect(batch.approvals[0]).not.toHaveProperty('counts');
  });

  it('has its raw transaction with --raw and in --json', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    expect((await s.expect(0, 'batch', 'list')).stdout).toContain('approvals of bob, carol');
    await s.expect(0, 'batch', 'sign', id);
    const { transaction } = await s.json(0, 'batch', 'show', id);
    expect(transaction).toMatch(/^0[12]000000/);
    expect((await s.expect(0, 'batch', 'show', id)).stdout).not.toContain(transaction);
    expect((await s.expect(0, 'batch', 'show', id, '--raw')).stdout).toContain(transaction);
  });
});

describe('a coin that is frozen', () => {
  it('in a batch is both, and the freezing says which batch it stops', async () => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    const { batch } = await s.json(0, 'batch', 'show', id);
    const [coin] = batch.inputs;
    const freeze = (what: string) => ['coins', 'freeze', what, '--reason', 'stolen?', '--as', 'bob'];
    const { stdout } = await s.expect(0, ...freeze(coin));
    expect(stdout).toContain(`batch ${id} spends it and is DRAFT: it cannot be signed while the coin is frozen`);
    expect((await s.expect(0, 'vault', 'coins')).stdout).toContain('in a batch, frozen: stolen?\n');
    const { coins } = await s.json(0, 'vault', 'coins');
    const listed = coins.find((one: { outpoint: string }) => one.outpoint === coin);
    expect(listed).toMatchObject({ status: 'in a batch', frozen: true, reason: 'stolen?' });
    const free = coins.find((one: { status: string }) => one.status === 'available').outpoint;
    expect((await s.json(0, ...freeze(free))).batch).toBeUndefined();
    expect((await s.expect(0, 'vault', 'coins')).stdout).toContain('  frozen: stolen?\n');
  });

  it('is too late for a batch that is signed', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    await s.expect(0, 'batch', 'sign', id);
    const { batch } = await s.json(0, 'batch', 'show', id);
    const frozen = await s.expect(0, 'coins', 'freeze', batch.inputs[0], '--reason', 'r', '--as', 'bob');
    expect(frozen.stdout).toContain(`batch ${id} spends it and is SIGNED: freezing cannot stop`);
  });
});

describe('a vault', () => {
  it('that the device signs for has no warning', async () => {
    const s = await stage({ until: 'init' });
    const imported = await s.json(0, 'vault', 'import', 'cold', 'descriptor.txt');
    expect(imported.signable).toBe(true);
  });

  it('at another path is taken in with a warning', async () => {
    const s = await stage({ until: 'init' });
    const body = (demoFile('descriptor.txt').split('#')[0] ?? '').replace(/\/84[h']/, '/83h');
    s.write('other.txt', `${body}#${descriptorChecksum(body)}\n`);
    const { stdout, stderr } = await s.expect(0, 'vault', 'import', 'cold', 'other.txt', '--json');
    expect(stderr).toContain('WARNING: it can be watched only: the Bitcoin app signs for wpkh on testnet3 only at');
    expect(JSON.parse(stdout)).toMatchObject({ signable: false, not_signable_because: expect.stringContaining('83') });
  });

  it.each([
    ['10001 bytes', Buffer.alloc(10_001, 'x'), 'E_PARSE', '10001 bytes'],
    ['10000 bytes', Buffer.alloc(10_000, 'x'), 'E_DESCRIPTOR_SYNTAX', ''],
    ['no UTF-8', Buffer.from([0x77, 0xff, 0xfe]), 'E_PARSE', 'not UTF-8'],
  ])('is not looked for in a file of %s', async (_name, bytes, tag, says) => {
    const s = await stage({ until: 'init' });
    s.write('big.bin', bytes);
    const { faults } = await s.json(2, 'vault', 'import', 'cold', 'big.bin');
    expect(faults[0]).toMatchObject({ tag, where: { file: 'big.bin' }, message: expect.stringContaining(says) });
  });
});

describe('a key of the device', () => {
  it.each([
    ["84'/1'/0'", 'wpkh('],
    ["86'/1'/0'", 'tr('],
    ["49'/1'/0'", 'sh(wpkh('],
    ["44'/1'/0'", 'pkh('],
  ])('at %s comes as a descriptor that can be imported', async (path, begins) => {
    const s = await stage({ until: 'init' });
    const { descriptor } = await s.json(0, 'device', 'xpub', path);
    expect(descriptor.startsWith(begins)).toBe(true);
    s.write('d.txt', `${descriptor}\n`);
    expect((await s.json(0, 'vault', 'import', 'cold', 'd.txt')).signable).toBe(true);
    expect((await s.expect(0, 'device', 'xpub', path)).stdout).toContain(descriptor);
  });

  it.each(["48'/1'/0'", "84'/1'", '84/1/0'])('at %s has none', async (path) => {
    const s = await stage({ until: 'init' });
    expect((await s.json(0, 'device', 'xpub', path)).descriptor).toBeUndefined();
    expect((await s.expect(0, 'device', 'xpub', path)).stdout).toContain('/<0;1>/*');
  });
});

describe('what was taken in', () => {
  it('of coins: how old it is, and what they were compared with', async () => {
    const s = await stage({ until: 'book' });
    s.now = '2026-06-01T12:34:56Z';
    const { stdout } = await s.expect(0, 'coins', 'import', 'coins.json');
    expect(stdout).toMatch(/taken \S+, \d+ (minute|hour)s? ago; SHA-256/);
    expect(stdout).toContain('and compared with its previous transaction\n');
  });

  it('of taproot coins: that nothing was there to compare them with', async () => {
    const s = await stage({ until: 'init' });
    const { descriptor } = await s.json(0, 'device', 'xpub', "86'/1'/0'");
    s.write('d.txt', descriptor);
    await s.expect(0, 'vault', 'import', 'demo-cold', 'd.txt');
    const { script } = await s.json(0, 'vault', 'address', '0');
    const file = JSON.parse(demoFile('coins.json'));
    const coin = { ...file.coins[0], script, branch: 0, index: 0 };
    const checksum = { descriptor_checksum: descriptor.split('#')[1] };
    s.write('tr.json', JSON.stringify({ ...file, ...checksum, coins: [coin], previous_transactions: {} }));
    const { stdout } = await s.expect(0, 'coins', 'import', 'tr.json');
    expect(stdout).toContain('the file holds no previous transactions, so none was compared with one\n');
  });

  it('of the book: its digest', async () => {
    const s = await stage({ until: 'book' });
    const { digest } = await s.json(0, 'book', 'show');
    expect((await s.expect(0, 'book', 'show')).stdout).toContain(digest);
  });
});

import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { EXIT_CODES } from '../../src/domain/exit-codes.js';
import { FAULTS } from '../../src/domain/fault.js';
import { addressOf, removeAll, type Session, snapshot, stage } from './session.js';

afterAll(removeAll);

const HEADER = 'id,address,amount,label,reference';
const WARM = addressOf('warm-1');
const row = (cells: string): string => `${HEADER}\nA-1,${WARM},1000000,,\n${cells}\n`;

interface Case {
  readonly name: string;
  /** Prepares the files and returns the command line. */
  readonly line: (s: Session) => readonly string[];
  readonly code: number;
  readonly tag: string;
  /** Where the fault is said to be. */
  readonly where?: { readonly file: string; readonly line?: number };
  /** What the message names. */
  readonly says?: string;
  readonly until?: 'nothing' | 'init' | 'vault' | 'coins';
}

/** A file of withdrawals, planned. */
const plan =
  (content: string | Uint8Array, name = 'bad.csv') =>
  (s: Session): readonly string[] => {
    s.write(name, content);
    return ['batch', 'plan', name, '--as', 'alice'];
  };

/** A bundled file with something changed in it, given to a command. */
const changed =
  (argv: readonly string[], file: string, change: (text: string) => string) =>
  (s: Session): readonly string[] => {
    s.write('bad.yaml', change(s.read(file)));
    return [...argv, 'bad.yaml'];
  };

const at = (line: number, file = 'bad.csv') => ({ file, line });
const lint = (change: (text: string) => string) => changed(['policy', 'lint'], 'policy.yaml', change);
const psbt = (content: string | Uint8Array) => (s: Session) => {
  s.write('bad.psbt', content);
  return ['batch', 'check', 'bad.psbt', '--requests', 'withdrawals.csv', '--as', 'alice'];
};
const coins = (text: string) => (s: Session) => {
  s.write('bad.json', text);
  return ['coins', 'import', 'bad.json'];
};
const descriptor = (change: (text: string) => string) => (s: Session) => {
  s.write('bad.txt', change(s.read('descriptor.txt')));
  return ['vault', 'import', 'demo-cold', 'bad.txt'];
};

const CASES: readonly Case[] = [
  { name: 'CSV with a BOM', line: plan(`\uFEFF${row('')}`), code: 2, tag: 'E_PARSE', where: at(1), says: 'byte order' },
  { name: 'CSV with CRLF', line: plan(row('').replaceAll('\n', '\r\n')), code: 2, tag: 'E_PARSE', where: at(1) },
  {
    name: 'CSV that is not UTF-8',
    line: plan(Uint8Array.of(105, 100, 0xff, 10)),
    code: 2,
    tag: 'E_PARSE',
    where: at(1),
  },
  { name: 'an empty file', line: plan(''), code: 2, tag: 'E_REQUEST_EMPTY', where: { file: 'bad.csv' } },
  { name: 'a header alone', line: plan(`${HEADER}\n`), code: 2, tag: 'E_REQUEST_EMPTY', where: { file: 'bad.csv' } },
  {
    name: 'another column',
    line: plan(`${HEADER},fee\nA-1,${WARM},1,,,\n`),
    code: 2,
    tag: 'E_CSV_HEADER',
    where: at(1),
    says: 'fee',
  },
  {
    name: 'duplicate ids',
    line: plan(row(`A-1,${addressOf('settle')},2000000,,`)),
    code: 2,
    tag: 'E_REQUEST_DUPLICATE',
    where: at(3),
    says: 'A-1',
  },
  {
    name: 'an exponent',
    line: plan(row(`A-2,${WARM},1e8,,`)),
    code: 2,
    tag: 'E_AMOUNT_SYNTAX',
    where: at(3),
    says: '1e8',
  },
  {
    name: 'a decimal in sats',
    line: plan(row(`A-2,${WARM},0.1,,`)),
    code: 2,
    tag: 'E_AMOUNT_SYNTAX',
    where: at(3),
    says: '0.1',
  },
  { name: 'a zero amount', line: plan(row(`A-2,${WARM},0,,`)), code: 2, tag: 'E_AMOUNT_RANGE', where: at(3) },
  {
    name: 'more than there are',
    line: plan(row(`A-2,${WARM},2100000000000001,,`)),
    code: 2,
    tag: 'E_AMOUNT_RANGE',
    where: at(3),
  },
  { name: 'a trailing space', line: plan(row(`A-2,${WARM} ,1000000,,`)), code: 2, tag: 'E_CSV_SPACE', where: at(3) },
  { name: 'a formula', line: plan(row(`A-2,${WARM},1000000,=1+1,`)), code: 2, tag: 'E_CSV_FORMULA', where: at(3) },
  { name: 'a cell too many', line: plan(row(`A-2,${WARM},1000000,,,`)), code: 2, tag: 'E_CSV_ROW', where: at(3) },
  {
    name: 'an ESC in a label',
    line: plan(row(`A-2,${WARM},1000000,a\u001b[2Jb,`)),
    code: 2,
    tag: 'E_TEXT_UNSAFE',
    where: at(3),
    says: 'U+001B',
  },
  {
    name: 'a direction override in a label',
    line: plan(row(`A-2,${WARM},1000000,a\u202eb,`)),
    code: 2,
    tag: 'E_TEXT_UNSAFE',
    where: at(3),
    says: 'U+202E',
  },
  { name: 'an id with spaces', line: plan(row(`A 2,${WARM},1000000,,`)), code: 2, tag: 'E_REQUEST_ID', where: at(3) },
  {
    name: 'an address of mainnet',
    line: plan(row('A-2,bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu,1000000,,')),
    code: 2,
    tag: 'E_ADDRESS_WRONG_NETWORK',
    where: at(3),
  },
  {
    name: 'an address with a slip',
    line: plan(row(`A-2,${WARM.replace('ctwx', 'ctwy')},1000000,,`)),
    code: 2,
    tag: 'E_ADDRESS_CHECKSUM',
    where: at(3),
  },
  {
    name: 'JSON numbers',
    line: plan(
      '{"schema":"countersign.requests/1","requests":[{"id":"A","address":"'.concat(WARM, '","amount":1}]}'),
      'bad.json',
    ),
    code: 2,
    tag: 'E_AMOUNT_SYNTAX',
    where: at(1, 'bad.json'),
  },
  {
    name: 'a missing file of withdrawals',
    line: () => ['batch', 'plan', 'absent.csv', '--as', 'alice'],
    code: 2,
    tag: 'E_FILE_MISSING',
    where: { file: 'absent.csv' },
  },
  {
    name: 'a folder for a file',
    line: () => ['batch', 'plan', '.', '--as', 'alice'],
    code: 2,
    tag: 'E_FILE_MISSING',
    where: { file: '.' },
  },

  {
    name: 'an unknown YAML key',
    line: lint((text) => text.replace('version: 1', 'versoin: 1\nversion: 1')),
    code: 2,
    tag: 'E_UNKNOWN_FIELD',
    where: { file: 'bad.yaml' },
    says: 'versoin',
  },
  {
    name: 'a YAML anchor',
    line: lint((text) => text.replace('hours: {', 'hours: &h {')),
    code: 2,
    tag: 'E_YAML_FEATURE',
    where: { file: 'bad.yaml' },
  },
  {
    name: 'a YAML key twice',
    line: lint((text) => `${text}version: 1\n`),
    code: 2,
    tag: 'E_DUPLICATE_KEY',
    where: { file: 'bad.yaml' },
    says: 'version',
  },
  {
    name: 'a limit without quotes',
    line: lint((text) => text.replace('batch: "10000000000"', 'batch: 10000000000')),
    code: 2,
    tag: 'E_AMOUNT_SYNTAX',
    where: { file: 'bad.yaml' },
  },
  {
    name: 'a missing limit',
    line: lint((text) => text.replace('  batch: "10000000000"\n', '')),
    code: 2,
    tag: 'E_MISSING_FIELD',
    where: { file: 'bad.yaml' },
    says: 'batch',
  },
  {
    name: 'a policy to activate with an unknown key',
    line: changed(['policy', 'activate'], 'policy.yaml', (text) => text.replace('hours:', 'hour: 1\nhours:')),
    code: 2,
    tag: 'E_UNKNOWN_FIELD',
    where: { file: 'bad.yaml' },
  },
  {
    name: 'a book with a date',
    line: changed(['book', 'import'], 'book-2.yaml', (text) =>
      text.replace('    owner: "exchange"', '    since: "2020"\n    owner: "exchange"'),
    ),
    code: 2,
    tag: 'E_UNKNOWN_FIELD',
    where: { file: 'bad.yaml', line: 9 },
    says: 'since',
  },
  {
    name: 'a book with a script twice',
    line: changed(['book', 'import'], 'book-2.yaml', (text) => text.replace(addressOf('settle'), WARM)),
    code: 2,
    tag: 'E_BOOK_DUPLICATE',
    where: { file: 'bad.yaml' },
  },

  { name: 'a PSBT that is none', line: psbt('hello'), code: 2, tag: 'E_PSBT_PARSE', where: { file: 'bad.psbt' } },
  { name: 'an empty PSBT', line: psbt(''), code: 2, tag: 'E_PSBT_PARSE', where: { file: 'bad.psbt' } },
  {
    name: 'a batch that is not there',
    line: () => ['batch', 'show', '20260601-00000000'],
    code: 2,
    tag: 'E_BATCH_UNKNOWN',
    says: '20260601-00000000',
  },
  {
    name: 'a batch id with an escape sequence',
    line: () => ['batch', 'check', '\u001b[2J\u202e'],
    code: 2,
    tag: 'E_BATCH_UNKNOWN',
  },

  {
    name: 'a descriptor with a wrong checksum',
    line: descriptor((text) => text.replace('#czwrtjmg', '#czwrtjmh')),
    code: 2,
    tag: 'E_DESCRIPTOR_CHECKSUM',
    where: { file: 'bad.txt' },
    until: 'init',
  },
  {
    name: 'a descriptor without a checksum',
    line: descriptor((text) => text.replace('#czwrtjmg', '')),
    code: 2,
    tag: 'E_DESCRIPTOR_CHECKSUM',
    where: { file: 'bad.txt' },
    until: 'init',
  },
  {
    name: 'an empty descriptor',
    line: descriptor(() => ''),
    code: 2,
    tag: 'E_DESCRIPTOR_SYNTAX',
    where: { file: 'bad.txt' },
    until: 'init',
  },
  {
    name: 'a second vault',
    line: (s) => descriptor((text) => text)(s),
    code: 2,
    tag: 'E_FILE_EXISTS',
    says: 'demo-cold',
  },
  {
    name: 'a vault with a bad name',
    line: () => ['vault', 'import', 'Cold 1', 'descriptor.txt'],
    code: 2,
    tag: 'E_VAULT_ID',
    until: 'init',
  },
  {
    name: 'an address beyond what can be derived',
    line: () => ['vault', 'address', '2147483648'],
    code: 2,
    tag: 'E_USAGE',
  },

  {
    name: 'a snapshot of another network',
    line: coins(snapshot({ network: 'main' })),
    code: 2,
    tag: 'E_SNAPSHOT_NETWORK',
    where: { file: 'bad.json' },
  },
  {
    name: 'a snapshot of another vault',
    line: coins(snapshot().replace('"demo-cold"', '"other-cold"')),
    code: 2,
    tag: 'E_SNAPSHOT_VAULT',
    where: { file: 'bad.json' },
  },
  {
    name: 'a coin on another script',
    line: coins(snapshot().replace('00141347', '00141348')),
    code: 2,
    tag: 'E_SNAPSHOT_COIN',
    where: { file: 'bad.json' },
  },
  {
    name: 'a coin of another value',
    line: coins(snapshot().replace('"2173000007"', '"2173000008"')),
    code: 13,
    tag: 'E_PREVTX_MISMATCH',
    where: { file: 'bad.json' },
  },
  {
    name: 'half a snapshot',
    line: coins(snapshot().slice(0, 5000)),
    code: 2,
    tag: 'E_PARSE',
    where: { file: 'bad.json' },
  },

  { name: 'no workspace', line: () => ['batch', 'list'], code: 2, tag: 'E_WORKSPACE_MISSING', until: 'nothing' },
  {
    name: 'an unknown network',
    line: () => ['init', '.', '--network', 'testnet'],
    code: 2,
    tag: 'E_NETWORK_UNKNOWN',
    until: 'nothing',
  },
  { name: 'no network', line: () => ['init', '.'], code: 2, tag: 'E_USAGE', until: 'nothing' },
  {
    name: 'a workspace that is there already',
    line: () => ['init', '.', '--network', 'main'],
    code: 2,
    tag: 'E_FILE_EXISTS',
  },
  { name: 'no vault yet', line: () => ['vault', 'balance'], code: 14, tag: 'E_VAULT_MISSING', until: 'init' },
  { name: 'no coins yet', line: () => ['vault', 'balance'], code: 14, tag: 'E_COINS_MISSING', until: 'vault' },
  {
    name: 'no policy yet',
    line: () => ['batch', 'plan', 'withdrawals.csv', '--as', 'alice'],
    code: 14,
    tag: 'E_POLICY_MISSING',
    until: 'vault',
  },
  {
    name: 'nobody who does it',
    line: () => ['batch', 'plan', 'withdrawals.csv'],
    code: 2,
    tag: 'E_USAGE',
    says: 'who',
  },
  {
    name: 'a name that is none',
    line: () => ['batch', 'plan', 'withdrawals.csv', '--as', 'Alice B'],
    code: 2,
    tag: 'E_USAGE',
    says: 'Alice B',
  },
  { name: 'an unknown verb', line: () => ['batch', 'sing', 'x'], code: 2, tag: 'E_USAGE', says: 'sign' },
  { name: 'an unknown group', line: () => ['bacth', 'plan'], code: 2, tag: 'E_USAGE', says: 'batch' },
  { name: 'a group without a verb', line: () => ['batch'], code: 2, tag: 'E_USAGE' },
  {
    name: 'an unknown option',
    line: () => ['batch', 'plan', 'withdrawals.csv', '--feerat', '3'],
    code: 2,
    tag: 'E_USAGE',
    says: '--feerate',
  },
  { name: 'a missing argument', line: () => ['batch', 'sign'], code: 2, tag: 'E_USAGE', says: 'id' },
  { name: 'an argument too many', line: () => ['batch', 'list', 'x'], code: 2, tag: 'E_USAGE' },
  {
    name: 'no outputs at all',
    line: () => ['batch', 'plan', 'withdrawals.csv', '--as', 'alice', '--max-outputs', '0'],
    code: 2,
    tag: 'E_USAGE',
  },
  {
    name: 'half an input',
    line: () => ['batch', 'plan', 'withdrawals.csv', '--as', 'alice', '--max-inputs', '1.5'],
    code: 2,
    tag: 'E_USAGE',
  },
  {
    name: 'an abandonment without a reason',
    line: () => ['batch', 'abandon', 'x', '--as', 'alice'],
    code: 2,
    tag: 'E_USAGE',
    says: 'reason',
  },
  { name: 'a head that is none', line: () => ['audit', 'verify', '--head', '5'], code: 2, tag: 'E_USAGE' },
  {
    name: 'a device that is none',
    line: () => ['device', 'info', '--device', 'usb'],
    code: 2,
    tag: 'E_USAGE',
    says: 'usb',
  },
  {
    name: 'a recording that is not there',
    line: () => ['device', 'info', '--device', 'replay:absent.apdu'],
    code: 2,
    tag: 'E_FILE_MISSING',
    where: { file: 'absent.apdu' },
  },
  {
    name: 'a path that is none',
    line: () => ['device', 'xpub', '84/x', '--device', 'replay:absent.apdu'],
    code: 2,
    tag: 'E_PATH_SYNTAX',
  },
];

describe('what cannot be read or meant', () => {
  it.each(CASES)(
    '$name: exit code $code, $tag, a remedy, and nothing changed',
    async ({ line, code, tag, where, says, until }) => {
      const s = await stage({ until: until ?? 'coins' });
      const argv = line(s);
      const run = async (): Promise<void> => {
        const text = await s.expect(code, ...argv);
        expect(text.stdout).toBe('');
        const place = where === undefined ? '' : `${where.file}${where.line === undefined ? '' : `:${where.line}`}`;
        expect(text.stderr).toContain(`error ${tag}: ${place}`);
        expect(text.stderr).toContain('remedy: ');
        expect(text.stderr).not.toMatch(/\p{Cf}|[^\P{Cc}\n]/u);

        const { stdout, stderr } = await s.expect(code, ...argv, '--json');
        const object = JSON.parse(stdout);
        expect(object).toMatchObject({ schema: expect.stringMatching(/^countersign\.[a-z-]+\/1$/), exit: code });
        expect(object.faults[0]).toMatchObject({ tag, exit: code, ...(where === undefined ? {} : { where }) });
        expect(object.faults[0].remedy).toMatch(/\w/);
        expect(object.faults[0].message).toContain(says ?? '');
        expect(stderr).toBe(text.stderr);
      };
      if (until === 'nothing') {
        const before = s.files();
        await run();
        expect(s.files()).toEqual(before);
      } else await s.untouched(run);
    },
  );

  it('does not take the next option for the value of one that lacks it', async () => {
    const s = await stage();
    for (const [argv, says] of [
      [['batch', 'plan', 'withdrawals.csv', '--seed'], '--seed'],
      [['batch', 'abandon', 'x', '--as', 'alice', '--reason', '--json'], '--json'],
      [['batch', 'plan', 'withdrawals.csv', '--as', '--seed'], '--seed'],
    ] as const) {
      const { stderr } = await s.untouched(() => s.expect(2, ...argv));
      expect(stderr).toContain('error E_USAGE');
      expect(stderr).toContain(says);
    }
  });

  it('covers the exit codes that it names', () => {
    const codes: readonly number[] = EXIT_CODES.map(({ code }) => code);
    for (const { code, tag } of CASES) {
      expect(codes).toContain(code);
      expect(Object.keys(FAULTS)).toContain(tag);
    }
  });

  it('reports every fault of a file, each with its line', async () => {
    const s = await stage();
    const argv = plan(`${HEADER}\nA-1,nonsense,1e8,,\nA-2,${WARM},0.1,,\n`)(s);
    const { faults } = await s.json(2, ...argv);
    expect(faults.map(({ where }: { where: { line: number } }) => where.line)).toEqual([2, 2, 3]);
  });

  it('refuses a PSBT that was cut off anywhere, or has more after its end', async () => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    const bytes = Buffer.from((await s.json(0, 'batch', 'show', id)).psbt, 'base64');
    const cuts = [4, 5, 40, bytes.length >> 1, bytes.length - 1];
    for (const content of [...cuts.map((cut) => bytes.subarray(0, cut)), Buffer.concat([bytes, Buffer.of(0)])]) {
      const argv = psbt(content)(s);
      expect([content.length, await s.untouched(() => s.faultOf(2, ...argv))]).toEqual([
        content.length,
        'E_PSBT_PARSE',
      ]);
    }
  });

  it('refuses a workspace file with an unknown field or another schema, by file and line', async () => {
    const s = await stage();
    const good = s.read('countersign.yaml');
    for (const [bad, tag, line] of [
      [`${good}polcy: x\n`, 'E_UNKNOWN_FIELD', good.split('\n').length],
      [good.replace('workspace/1', 'workspace/2'), 'E_WORKSPACE_SCHEMA', 2],
      [good.replace('testnet3', 'testnet'), 'E_WORKSPACE_SCHEMA', 3],
      [good.replace('network: testnet3', 'network: 3'), 'E_FIELD_TYPE', 3],
      [good.replace('schema: countersign.workspace/1\n', ''), 'E_WORKSPACE_SCHEMA', 1],
      [good.replaceAll('\n', '\r\n'), 'E_PARSE', 1],
    ] as const) {
      s.write('countersign.yaml', bad);
      const { faults } = await s.json(2, 'batch', 'list');
      expect(faults[0]).toMatchObject({ tag, where: { file: 'countersign.yaml', line } });
      expect([tag, faults[0].remedy]).toEqual([tag, expect.stringMatching(/\w/)]);
    }
  });

  it('refuses a workspace without its journal, and one whose journal is another file', async () => {
    const s = await stage();
    s.write(
      'journal.sqlite',
      'this is no database, though it is as long as the header of one would have to be, at least 100 bytes',
    );
    expect(await s.faultOf(2, 'batch', 'list')).toBe('E_JOURNAL_SCHEMA');
    rmSync(s.path('journal.sqlite'));
    expect(await s.faultOf(14, 'batch', 'list')).toBe('E_JOURNAL_MISSING');
  });
});

describe('a journal that another process holds', () => {
  const HOLDER = fileURLToPath(new URL('./hold-journal.child.mjs', import.meta.url));

  it('stops what would write, with exit code 15 and nothing changed, and lets what reads go on', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    const child = spawn(process.execPath, [HOLDER, s.path('journal.sqlite')], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      await new Promise((resolve) => child.stdout.once('data', resolve));
      await s.untouched(async () => {
        for (const argv of [
          ['batch', 'sign', id],
          ['batch', 'abandon', id, '--reason', 'r', '--as', 'alice'],
        ]) {
          const refused = await s.json(15, ...argv);
          expect(refused.faults[0]).toMatchObject({
            tag: 'E_JOURNAL_LOCKED',
            remedy: expect.stringContaining('again'),
          });
        }
      });
      expect(await s.stateOf(id)).toBe('DRAFT');
    } finally {
      child.kill('SIGKILL');
    }
    await s.expect(0, 'batch', 'sign', id);
  }, 60_000);
});

import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { ADDRESS, ADDRESS_DEVICE, inferred } from './node-session.js';
import { removeAll, stage } from './session.js';

afterAll(removeAll);

const PAGE = readFileSync('docs/external-signer.md', 'utf8');
const LINES = [...PAGE.matchAll(/```console\n([\s\S]*?)```/g)]
  .flatMap(([, body = '']) => body.split('\n'))
  .filter((line) => line.startsWith('$ '))
  .map((line) => line.slice(2));
const COMMANDS = LINES.filter((line) => line.startsWith('countersign ')).map((line) =>
  line.slice('countersign '.length),
);

const words = (command: string): string[] =>
  [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

describe('the commands of docs/external-signer.md', () => {
  it('are of countersign, or of a node and run where there is one (test/node/external-signer.test.ts)', () => {
    expect(COMMANDS).toHaveLength(7);
    expect(LINES.every((line) => /^(?:countersign|bitcoind|bitcoin-cli) /.test(line))).toBe(true);
  });

  it('do, one after another, what the page says', async () => {
    const s = await stage();
    let id = '';
    for (const command of COMMANDS) {
      const argv = words(command.replaceAll('ID', id));
      if (argv[1] === 'plan') {
        id = (await s.json(0, ...argv)).batches[0].id;
        continue;
      }
      const shows = argv.includes('displayaddress');
      const [descriptor = ''] = inferred(0, 3).split('#');
      const full = argv.map((word) => (word.endsWith(']KEY)') ? descriptor : word));
      const { stdout } = await s.expect(0, ...full, ...(shows ? ['--device', ADDRESS_DEVICE] : []));
      if (shows) expect([JSON.parse(stdout), PAGE.includes(ADDRESS)]).toEqual([{ address: ADDRESS }, true]);
    }
    expect(await s.stateOf(id)).toBe('SIGNED');
  });
});

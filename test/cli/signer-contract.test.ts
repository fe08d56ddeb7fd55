import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ADDRESS,
  ADDRESS_DEVICE,
  asNode,
  CALLS,
  type CoreCall,
  callOf,
  FINGERPRINT,
  readAsNode,
  unsignedOf,
} from './node-session.js';
import { removeAll, type Session, stage } from './session.js';

/** Bitcoin Core's calls, word for word, and what it reads of the answers. */
afterAll(removeAll);

let s: Session;
let id: string;
beforeAll(async () => {
  s = await stage();
  id = await s.ready('withdrawals.csv');
});

/** The configured device shows the address of a recording, and signs in software. */
const deviceFor = ({ name }: CoreCall): string[] => (name === 'displayaddress' ? ['--device', ADDRESS_DEVICE] : []);

const forms = CALLS.flatMap((call) => (['quoted', 'words'] as const).map((form) => [call.name, form, call] as const));

describe('a call of a node', () => {
  it.each(forms)('%s (%s) is answered in one line that the node can read', async (name, form, call) => {
    const copy = name === 'signtx' ? await stage() : s;
    const batch = name === 'signtx' ? await copy.ready('withdrawals.csv') : id;
    const words = callOf(name, { psbt: unsignedOf(copy, batch) }, form);
    const ran = await asNode(copy, { ...words, argv: [...words.argv, ...deviceFor(call)] });
    const read = readAsNode(ran);
    expect(ran.stderr).toBe('');
    expect(ran.stdout.split('\n')).toHaveLength(2);
    const validate = new Ajv().compile(call.reads);
    expect(validate('json' in read ? read.json : read), JSON.stringify([read, validate.errors])).toBe(true);
  });

  it.each(forms)(
    '%s (%s) that fails has a code, one line on stderr, and {"error": ...} on stdout',
    async (name, form) => {
      const empty = await stage({ until: 'init' });
      const ran = await asNode(empty, callOf(name, { psbt: unsignedOf(s, id) }, form));
      expect(ran.code).toBe(14);
      expect(ran.stderr).toMatch(/^error E_VAULT_MISSING: .*\(remedy: .*\)\n$/);
      expect(JSON.parse(ran.stdout)).toEqual({ error: ran.stderr.slice('error '.length, -1), code: 14 });
      expect(ran.stdout.split('\n')).toHaveLength(2);
      expect(readAsNode(ran)).toEqual({ error: `returned 14: ${ran.stderr.trimEnd()}` });
    },
  );

  it.each([
    ['nothing behind the command', []],
    ['an unknown verb', ['--fingerprint', FINGERPRINT, '--chain', 'test', 'register']],
    ['an unknown option', ['--fingerprint', FINGERPRINT, '--testnet', 'enumerate']],
    ['an option without its value', ['enumerate', '--chain']],
    ['two signers', ['--fingerprint', FINGERPRINT, '--fingerprint', '00000000', 'enumerate']],
  ])('with %s is refused as usage, in the same form', async (_, argv) => {
    const ran = await asNode(s, { argv });
    expect(ran.code).toBe(2);
    expect(JSON.parse(ran.stdout)).toMatchObject({ error: expect.stringContaining('E_USAGE: '), code: 2 });
  });
});

describe('the command of -signer=', () => {
  it.each([
    ['signer', '-w', '.'],
    ['signer', '--workspace', '.'],
    ['signer', '--workspace=.'],
    ['-w', '.', 'signer'],
    ['signer', '', '-w', '.', ''],
  ])('may be %j %j %j', async (...command) => {
    const named = command.map((word) => word.replace(/(^|=)\.$/, `$1${s.folder}`));
    const { code, stdout } = await asNode(s, callOf('getdescriptors'), named);
    expect([code, Object.keys(JSON.parse(stdout))]).toEqual([0, ['receive', 'internal']]);
  });

  it('may name the one signer that is meant, which the node then names too', async () => {
    const { stdout } = await asNode(s, callOf('enumerate'), ['signer', '--fingerprint', FINGERPRINT]);
    expect(JSON.parse(stdout)).toEqual([
      { fingerprint: FINGERPRINT, type: 'countersign', model: 'countersign demo-cold' },
    ]);
    expect((await asNode(s, callOf('getdescriptors'), ['signer', '--fingerprint', FINGERPRINT])).code).toBe(0);
  });
});

describe('with --json', () => {
  it('each verb answers as every other verb does', async () => {
    expect(await s.json(0, 'signer', 'enumerate')).toMatchObject({
      schema: 'countersign.signer-enumerate/1',
      signers: [{ fingerprint: FINGERPRINT }],
    });
    const { argv } = callOf('displayaddress');
    expect(await s.json(0, 'signer', ...argv, '--device', ADDRESS_DEVICE)).toMatchObject({ address: ADDRESS });
    expect(await s.faultOf(2, 'signer', 'getdescriptors', '--fingerprint', FINGERPRINT)).toBe('E_USAGE');
  });
});

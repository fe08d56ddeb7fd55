import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import type { Registration } from '../../src/device/types.js';
import { readSidecar, type VaultText, vaultOf } from '../device/recordings.js';
import { A, B, C, cosigner, emptyMultisig, prepare, removeMultisig } from './multisig-session.js';
import { NOON, type Session } from './session.js';

afterAll(removeMultisig);

const SINGLE = vaultOf(readSidecar<VaultText>('miniscript-register-single-a'));
const MULTI = vaultOf(readSidecar<VaultText>('miniscript-register-multi-a'));
const replay = (name: string): string =>
  `replay:${new URL(`../recordings/nanos-2.2.7/miniscript-${name}.apdu`, import.meta.url).pathname}`;

const PAGE = readFileSync('docs/miniscript.md', 'utf8');
const COMMANDS = [...PAGE.matchAll(/^\$ countersign (.*)$/gm)].map(([, command = '']) => command.split(' '));

async function imported(vault = SINGLE): Promise<Session> {
  const session = emptyMultisig(vault);
  session.now = '2026-04-01T09:00:00Z';
  await session.expect(0, 'init', '.', '--network', 'testnet3');
  await session.expect(0, 'vault', 'import', vault.id, 'descriptor.txt');
  return session;
}

describe('a vault of miniscript', () => {
  it('is imported and shown: who signs, and what others can do later', async () => {
    const session = await imported(MULTI);
    const { vault: shown } = await session.json(0, 'vault', 'show');
    expect(shown).toMatchObject({
      kind: 'wsh(miniscript)',
      threshold: 2,
      wallet_policy: 'wsh(or_d(multi(2,@0/**,@1/**),and_v(v:pkh(@2/**),older(65535))))',
      later: [{ signers: [C], sequence: 65535, locktime: null }],
    });
    const { stdout } = await session.expect(0, 'vault', 'show');
    expect(stdout).toContain('wsh(miniscript), 2 of 2 keys');
    expect(stdout).toContain(`65535 blocks (about 455 days) after a coin came spent by ${C}: not through countersign`);
  });

  it('is registered on the device and its address compared, as recorded from the app', async () => {
    const session = await imported();
    const { registration } = readSidecar<{ registration: Registration }>('miniscript-register-single-a');
    const registered = await session.json(0, 'device', 'register', '--device', replay('register-single-a'));
    expect(registered).toMatchObject({ ...registration, not_registered: [] });
    const address = await session.json(0, 'vault', 'address', '3', '--verify', '--device', replay('address-single-a'));
    expect(address).toMatchObject({ verified_on_device: true, device_fingerprint: A });
    await session.expect(0, 'audit', 'verify');
  });

  it('the device of the branch that waits is no signer: said before it is asked for anything', async () => {
    const session = await imported(MULTI);
    session.signer = () => cosigner(C);
    expect(await session.faultOf(24, 'device', 'register')).toBe('E_DEVICE_MISMATCH');
    expect(await session.faultOf(2, 'device', 'register', '--signer', C)).toBe('E_USAGE');
  });

  it('a miniscript that countersign cannot spend is refused at import, and nothing is kept', async () => {
    const session = emptyMultisig(SINGLE);
    session.now = '2026-04-01T09:00:00Z';
    await session.expect(0, 'init', '.', '--network', 'testnet3');
    const key = SINGLE.keys[0]?.xpub ?? '';
    const body = `wsh(and_v(v:pk([${A}/48h/1h/0h/2h]${key}/<0;1>/*),older(10)))`;
    session.write('waits.txt', body);
    expect(await session.faultOf(2, 'vault', 'import', 'waits', 'waits.txt')).toBe('E_DESCRIPTOR_UNSUPPORTED');
    expect((await session.json(0, 'audit', 'log')).entries).toHaveLength(1);
  });
});

describe('the commands of docs/miniscript.md', () => {
  it('do, one after another, what the page says', async () => {
    const session = emptyMultisig(MULTI);
    session.now = '2026-04-01T09:00:00Z';
    let id = '';
    const states: string[] = [];
    for (const command of COMMANDS) {
      const argv = command.map((word) => (word === 'ID' ? id : word));
      session.signer = () => cosigner(argv.includes(B) ? B : A);
      if (argv[1] === 'plan') {
        await prepare(session, MULTI);
        session.now = NOON;
        const planned = await session.json(0, ...argv, '--as', 'alice');
        id = planned.batches[0].id;
        continue;
      }
      await session.expect(0, ...argv);
      if (argv[0] === 'batch' && argv[1] === 'sign') states.push(await session.stateOf(id));
    }
    expect(states).toEqual(['PARTIAL', 'SIGNED']);
    await session.expect(0, 'audit', 'verify');
  });
});

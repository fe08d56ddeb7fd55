import { afterAll, describe, expect, it } from 'vitest';
import type { Registration } from '../../src/device/types.js';
import { fail } from '../../src/domain/fault.js';
import { ok } from '../../src/domain/result.js';
import { readSidecar } from '../device/recordings.js';
import { A, B, C, cosigner, multisigStage, removeMultisig, replay, VAULT } from './multisig-session.js';
import { removeAll, type Session, stage } from './session.js';

afterAll(removeMultisig);
afterAll(removeAll);

const recorded = (name: string) => readSidecar<{ registration: Registration; address: string }>(`multisig-${name}`);

async function registrations(session: Session): Promise<readonly Registration[]> {
  const { entries } = await session.json(0, 'audit', 'log');
  return entries
    .map(({ body }: { body: { kind: string } }) => body)
    .filter(({ kind }: { kind: string }) => kind === 'device.registered');
}

describe('device register', () => {
  it('keeps what the recorded devices gave, one after another, and the journal verifies', async () => {
    const session = await multisigStage('vault');
    const first = await session.json(0, 'device', 'register', '--device', replay('register-wsh-a'));
    const { registration } = recorded('register-wsh-a');
    expect(first).toMatchObject({ ...registration, again: false, not_registered: [B, C] });
    const second = await session.json(0, 'device', 'register', '--signer', B, '--device', replay('register-wsh-b'));
    expect(second).toMatchObject({ fingerprint: B, not_registered: [C] });
    const { stderr } = await session.expect(0, 'device', 'register', '--device', replay('register-wsh-c'));
    expect(stderr).toContain('Key @2, ours (1/8)');
    expect(stderr).toContain('4 approvals to give');
    expect(await registrations(session)).toMatchObject(
      [A, B, C].map((fingerprint) => ({ fingerprint, version: '2.2.7' })),
    );
    await session.expect(0, 'audit', 'verify');
  });

  it('then addresses are compared on any of the devices, or on the one that is named', async () => {
    const session = await multisigStage('registered');
    const shown = await session.json(0, 'vault', 'address', '3', '--verify', '--device', replay('address-wsh-b'));
    expect(shown).toMatchObject({
      address: recorded('address-wsh-b').address,
      verified_on_device: true,
      device_fingerprint: B,
    });
    const wrong = await session.run(
      'vault',
      'address',
      '3',
      '--verify',
      '--signer',
      A,
      '--device',
      replay('wrong-device'),
    );
    expect(wrong.code).toBe(24);
    expect(wrong.stderr).toMatch(/b8688df1.*f5acc2fd of the vault treasury-1 is expected/);
    session.signer = () => cosigner(A, { address: 'tb1qnotthisone' });
    expect(await session.faultOf(24, 'vault', 'address', '3', '--verify')).toBe('E_DEVICE_MISMATCH');
  });

  it.each(['register-refused-0', 'register-refused-1', 'register-refused-2', 'register-refused-3'])(
    '%s: a refusal at any page keeps nothing',
    async (name) => {
      const session = await multisigStage('vault');
      await session.untouched(async () => {
        expect(await session.faultOf(23, 'device', 'register', '--device', replay(name))).toBe('E_DEVICE_REFUSED');
      });
    },
  );

  it('a wrong device is refused with the one that was expected', async () => {
    const session = await multisigStage('vault');
    await session.untouched(async () => {
      const wrong = await session.run('device', 'register', '--signer', A, '--device', replay('wrong-device'));
      expect(wrong.code).toBe(24);
      expect(wrong.stderr).toMatch(/b8688df1.*f5acc2fd of the vault treasury-1 is expected/);
    });
  });

  it('an unregistered device shows no address, and the remedy names the command', async () => {
    const session = await multisigStage('vault');
    session.signer = () => cosigner(A);
    const { code, stderr } = await session.run('vault', 'address', '0', '--verify');
    expect(code).toBe(14);
    expect(stderr).toContain('countersign device register --signer f5acc2fd');
  });

  it('a stale HMAC (b008) leads to registering again, and stays in the journal until that is done', async () => {
    const session = await multisigStage('vault');
    const stale = recorded('stale-hmac-address').registration;
    const { name, policy, hmac } = stale;
    // What was kept before the device was wiped: an HMAC of another seed.
    session.signer = () => ({ ...cosigner(A, { seed: B }), register: async () => ok({ name, policy, hmac }) });
    await session.expect(0, 'device', 'register', '--signer', A);

    const verify = ['vault', 'address', '3', '--verify', '--device'];
    const refused = await session.run(...verify, replay('stale-hmac-address'));
    expect(refused.code).toBe(14);
    expect(refused.stderr).toContain('status word b008');
    expect(refused.stderr).toContain('countersign device register');

    await session.untouched(() => session.expect(23, 'device', 'register', '--device', replay('register-refused-2')));
    expect(await registrations(session)).toMatchObject([{ fingerprint: A, hmac }]);

    const again = await session.json(0, 'device', 'register', '--device', replay('register-wsh-a'));
    expect(again).toMatchObject({ ...recorded('register-wsh-a').registration, again: true });
    expect(await registrations(session)).toHaveLength(2);
    await session.expect(0, ...verify, replay('address-wsh-a'));
    await session.expect(0, 'audit', 'verify');
  });

  it('a registration under which the device derives another address, or none, is not kept', async () => {
    const session = await multisigStage('vault');
    await session.untouched(async () => {
      session.signer = () => cosigner(A, { address: 'tb1qanotherwallet' });
      expect(await session.faultOf(24, 'device', 'register')).toBe('E_DEVICE_MISMATCH');
      session.signer = () => cosigner(A, { register: cosigner(A, { seed: B }).register });
      expect(await session.faultOf(14, 'device', 'register')).toBe('E_DEVICE_UNREGISTERED');
      session.signer = () => cosigner(A, { register: async () => fail('E_DEVICE_MISMATCH', 'another policy id') });
      expect(await session.faultOf(24, 'device', 'register')).toBe('E_DEVICE_MISMATCH');
    });
  });

  it('has nothing to do for a vault of one key, for a stranger, or without a vault', async () => {
    const single = await stage({ until: 'vault' });
    await single.untouched(() => single.expect(2, 'device', 'register'));
    const session = await multisigStage('vault');
    await session.untouched(async () => {
      const { stderr } = await session.expect(2, 'device', 'register', '--signer', '00000000');
      for (const fingerprint of [A, B, C]) expect(stderr).toContain(fingerprint);
      await session.expect(2, 'vault', 'address', '0', '--signer', '00000000');
    });
    const empty = await stage({ until: 'init' });
    await empty.expect(14, 'device', 'register');
  });

  it('audit verify finds a registration of another policy or of a stranger', async () => {
    const session = await multisigStage('vault');
    const { hmac } = recorded('register-wsh-a').registration;
    for (const [fingerprint, policy] of [
      [A, '00'.repeat(32)],
      ['00000000', recorded('register-wsh-a').registration.policy],
    ] as const) {
      const forged = await multisigStage('vault');
      const composition = await forged.composition();
      const opened = await composition.openWorkspace();
      if (!opened.ok) throw new Error(opened.error.message);
      const kept = await opened.value.journal.transact(async (tx) => {
        const app = { app: 'Bitcoin Test', version: '2.2.7' };
        tx.append({ kind: 'device.registered', fingerprint, name: VAULT.id, policy, hmac, ...app });
        return ok(undefined);
      });
      expect(kept.ok).toBe(true);
      await opened.value.journal.close();
      const { stderr } = await forged.expect(13, 'audit', 'verify');
      expect(stderr).toContain('device.registered');
    }
    await session.expect(0, 'audit', 'verify');
  });
});

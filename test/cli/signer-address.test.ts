import { afterAll, describe, expect, it } from 'vitest';
import { encodeAddress } from '../../src/domain/address.js';
import { ok } from '../../src/domain/result.js';
import { createDeriver } from '../../src/vault/derive.js';
import { descriptorChecksum } from '../../src/vault/descriptor.js';
import { A, cosigner, multisigStage, removeMultisig, VAULT as SEVERAL } from './multisig-session.js';
import { ADDRESS, ADDRESS_DEVICE, asNode, callOf, inferred, VAULT } from './node-session.js';
import { demoFile, removeAll, type Session, stage } from './session.js';
import { softSigner } from './soft-device.mjs';

/** What a node may see of the vault: its descriptors, and its addresses on the device. */
afterAll(() => {
  removeAll();
  removeMultisig();
});

const untouchable = () => {
  throw new Error('the device was asked');
};

describe('the descriptors of a vault', () => {
  it('are its own, one a branch, with their checksums', async () => {
    const s = await stage({ until: 'vault' });
    s.signer = untouchable;
    const { stdout } = await asNode(s, callOf('getdescriptors'));
    const [body = ''] = demoFile('descriptor.txt').split('#');
    const branch = (number: number): string => body.replace('<0;1>', `${number}`);
    const due = (number: number): string => `${branch(number)}#${descriptorChecksum(branch(number))}`;
    expect(JSON.parse(stdout)).toEqual({ receive: [due(0)], internal: [due(1)] });
  });

  it('of another account are not made up', async () => {
    const s = await stage({ until: 'vault' });
    const { argv } = callOf('getdescriptors');
    const ran = await s.run('signer', ...argv.slice(0, -1), '1');
    expect([ran.code, ran.stderr]).toEqual([
      2,
      expect.stringContaining('E_SIGNER_ACCOUNT: the node asks for account 1, and'),
    ]);
    for (const account of ['-1', '0x0', '2147483648', 'h']) {
      expect((await s.run('signer', ...argv.slice(0, -1), account)).code, account).toBe(2);
    }
  });

  it('of several keys are given under each of its signers', async () => {
    const s = await multisigStage('vault');
    const { stdout } = await asNode(s, callOf('getdescriptors', { fingerprint: A }));
    expect(JSON.parse(stdout).receive[0]).toMatch(/^wsh\(sortedmulti\(2,\[f5acc2fd\/48h\/1h\/0h\/2h\]tpub\w+\/0\/\*,/);
  });

  it.each([
    ['--chain', ['--fingerprint', 'f5acc2fd', 'getdescriptors']],
    ['--fingerprint', ['--chain', 'test', 'getdescriptors']],
    ['--desc', ['--fingerprint', 'f5acc2fd', '--chain', 'test', 'displayaddress']],
  ])('are asked for with %s', async (missing, argv) => {
    const s = await stage({ until: 'vault' });
    const ran = await s.run('signer', ...argv);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(`${missing} is missing`)]);
  });
});

describe('an address on the device', () => {
  const show = async (s: Session, descriptor = inferred(0, 3), ...more: string[]) =>
    s.run('signer', ...callOf('displayaddress', { descriptor }).argv, ...more);

  it('is echoed as the node knows it', async () => {
    const s = await stage({ until: 'vault' });
    const { code, stdout } = await s.untouched(() => show(s, inferred(0, 3), '--device', ADDRESS_DEVICE));
    expect([code, stdout]).toEqual([0, `{"address":"${ADDRESS}"}\n`]);
  });

  it('that is not the vault’s is not asked for', async () => {
    const s = await stage({ until: 'vault' });
    s.signer = untouchable;
    for (const descriptor of [
      inferred(0, 3).replace('/0/3]', '/0/4]').split('#')[0] ?? '',
      'pkh(02aa)',
      `addr(${ADDRESS})`,
    ]) {
      const ran = await show(s, descriptor);
      expect([ran.code, ran.stderr]).toEqual([24, expect.stringContaining('E_SIGNER_DESCRIPTOR')]);
    }
    const ran = await show(
      s,
      inferred(0, 3).replace(/.$/, (last) => (last === 'q' ? 'p' : 'q')),
    );
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('E_DESCRIPTOR_CHECKSUM')]);
  });

  it('that the device computes otherwise is not echoed', async () => {
    const s = await stage({ until: 'vault' });
    s.signer = () => ({ ...softSigner(), address: async () => ok('tb1qsomebodyelse') });
    const ran = await show(s);
    expect([ran.code, ran.stderr]).toEqual([24, expect.stringContaining('the device shows tb1qsomebodyelse')]);
    expect(ran.stdout).not.toContain('"address"');
  });

  it('is shown by the signer that is named, and by no other', async () => {
    const s = await multisigStage('registered');
    const derived = createDeriver(SEVERAL).at(0, 5);
    const body = (SEVERAL.descriptor.split('#')[0] ?? '').replaceAll('<0;1>/*', '0/5');
    s.signer = () => cosigner(A);
    const call = callOf('displayaddress', { fingerprint: A, descriptor: body });
    expect(JSON.parse((await asNode(s, call)).stdout)).toEqual({ address: encodeAddress(derived.script, 'testnet3') });
    const other = await asNode(s, callOf('displayaddress', { fingerprint: 'b8688df1', descriptor: body }));
    expect(other.code).toBe(24);
  });

  it('of a regtest vault has the letters of regtest for the node, and those of a testnet on the device', async () => {
    const s = await stage({ until: 'nothing' });
    await s.expect(0, 'init', '.', '--network', 'regtest');
    await s.expect(0, 'vault', 'import', 'cold', 'descriptor.txt');
    const { script } = createDeriver(VAULT).at(0, 3);
    s.signer = () => ({ ...softSigner(), address: async () => ok(encodeAddress(script, 'testnet3') ?? '') });
    const call = callOf('displayaddress', { chain: 'regtest' });
    expect(JSON.parse((await asNode(s, call)).stdout)).toEqual({ address: encodeAddress(script, 'regtest') });
    const verified = await s.json(0, 'vault', 'address', '3', '--verify');
    expect(verified).toMatchObject({ address: encodeAddress(script, 'regtest'), verified_on_device: true });
  });

  it('that is broken off by a signal changes nothing and says what to do', async () => {
    const s = await stage({ until: 'vault' });
    const stop = new AbortController();
    s.interruptible = (work) => work(stop.signal);
    stop.abort();
    const ran = await s.untouched(() => show(s, inferred(0, 3), '--device', ADDRESS_DEVICE));
    expect([ran.code, ran.stderr]).toEqual([
      25,
      expect.stringContaining('run the command again: the journal is as it was'),
    ]);
  });
});

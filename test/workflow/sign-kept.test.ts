import { existsSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { fault } from '../../src/domain/fault.js';
import { err } from '../../src/domain/result.js';
import { descriptorChecksum } from '../../src/vault/descriptor.js';
import { csv, removeAll, stage } from '../cli/session.js';
import { softSigner } from '../cli/soft-device.mjs';
import { failingAfterwards } from './failing-journal.js';

afterAll(removeAll);

const LOCKED = fault('E_JOURNAL_LOCKED', 'another process is writing to it');
const FULL = fault('E_JOURNAL_IO', 'the disk is full');

describe('what the device signed is not lost', () => {
  it('where closing the device fails afterwards: it is proven, kept, and the failure is told', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    const gone = fault('E_DEVICE_GONE', 'the cable was pulled');
    s.signer = () => ({ ...softSigner(), close: async () => err(gone) });
    const signed = await s.json(0, 'batch', 'sign', id);
    expect(signed).toMatchObject({ signed: true, closing: { tag: 'E_DEVICE_GONE', message: 'the cable was pulled' } });
    expect(await s.stateOf(id)).toBe('SIGNED');
  });

  it.each([0, 1, 29])('where the journal is busy %i times: it is tried for a minute', async (times) => {
    const s = await stage();
    const id = await s.ready('second.csv');
    const count = failingAfterwards(s, LOCKED, times);
    const signed = await s.json(0, 'batch', 'sign', id);
    expect([count.tries, signed.signed, 'closing' in signed]).toEqual([times + 1, true, false]);
    expect(await s.stateOf(id)).toBe('SIGNED');
  });

  it.each([
    ['stays busy', LOCKED, 15, 30],
    ['fails', FULL, 1, 1],
  ])('where the journal %s: the files have it, and the fault says so', async (_, failure, exit, tries) => {
    const s = await stage();
    const id = await s.ready('second.csv');
    const count = failingAfterwards(s, failure, 1000);
    const { faults } = await s.json(exit, 'batch', 'sign', id);
    expect(count.tries).toBe(tries);
    expect(faults[0].message).toMatch(/is signed, txid [0-9a-f]{64}, but the journal could not keep it/);
    expect(faults[0].message).toContain(`batches/${id}/transaction.hex`);
    expect(faults[0].remedy).toContain('can be broadcast');
    expect(s.read(`batches/${id}/transaction.hex`)).toMatch(/^02000000/);
    expect(existsSync(s.path(`batches/${id}/signed.psbt`))).toBe(true);
    expect(await s.stateOf(id)).toBe('SENT');
    expect(await s.balance('in a batch')).toBeGreaterThan(0n);
    expect(await s.faultOf(15, 'batch', 'sign', id)).toBe('E_BATCH_STATE');
  });

  it.each(['signed.psbt', 'transaction.hex'])(
    'where the journal fails: %s is taken in as soon as it works, each signature proven again',
    async (name) => {
      const s = await stage();
      const id = await s.ready('second.csv');
      const works = s.composition;
      failingAfterwards(s, FULL, 1000);
      const { faults } = await s.json(1, 'batch', 'sign', id);
      expect(faults[0].remedy).toContain(`countersign batch combine ${id}`);
      s.composition = works;
      const file = `batches/${id}/${name}`;
      const hex = s.read(`batches/${id}/transaction.hex`).trim();
      expect(await s.json(0, 'batch', 'combine', id, file)).toMatchObject({
        signed: true,
        transaction: hex,
        missing: 0,
      });
      expect((await s.json(0, 'batch', 'show', id)).transaction).toBe(hex);
      expect(await s.stateOf(id)).toBe('SIGNED');
      await s.expect(0, 'audit', 'verify');
      expect(await s.untouched(() => s.faultOf(15, 'batch', 'combine', id, file))).toBe('E_BATCH_STATE');
    },
  );

  it('and nothing else is taken for it: another transaction, a damaged signature, two files, or a batch that nobody sent', async () => {
    const s = await stage();
    const [id, other] = [await s.ready('second.csv'), await s.ready('withdrawals.csv')];
    await s.expect(0, 'batch', 'sign', other);
    const works = s.composition;
    failingAfterwards(s, FULL, 1000);
    await s.expect(1, 'batch', 'sign', id);
    s.composition = works;
    const hex = s.read(`batches/${id}/transaction.hex`);
    // Within the first signature: version, marker, one input's outpoint and sequence come before it.
    const psbt = readFileSync(s.path(`batches/${id}/signed.psbt`));
    const place = psbt.lastIndexOf(Buffer.from('0220', 'hex')) + 10;
    psbt[place] = (psbt[place] ?? 0) ^ 1;
    s.write('damaged.psbt', psbt);
    s.write('unsigned.psbt', readFileSync(s.path(`batches/${id}/unsigned.psbt`)));
    s.write('short.hex', hex.slice(0, 40));
    const combine = (...files: string[]) => ['batch', 'combine', id, ...files] as const;
    await s.untouched(async () => {
      expect(await s.faultOf(13, ...combine(`batches/${other}/transaction.hex`))).toBe('E_FINAL_MISMATCH');
      expect(await s.faultOf(13, ...combine(`batches/${other}/signed.psbt`))).toBe('E_PSBT_CHANGED');
      expect(await s.faultOf(24, ...combine('damaged.psbt'))).toMatch(/^E_SIG_/);
      expect(await s.faultOf(25, ...combine('unsigned.psbt'))).toBe('E_SIG_ENCODING');
      expect(await s.faultOf(2, ...combine('short.hex'))).toMatch(/^E_PSBT/);
      expect(await s.faultOf(2, ...combine())).toBe('E_USAGE');
      expect(await s.faultOf(2, ...combine('damaged.psbt', 'unsigned.psbt'))).toBe('E_USAGE');
    });
    s.write('third.csv', csv([['T-1', 'client-01', 1_000_000n]]));
    const draft = await s.planOne('third.csv');
    const { faults } = await s.json(15, 'batch', 'combine', draft, 'damaged.psbt');
    expect(faults[0]).toMatchObject({ tag: 'E_BATCH_STATE', remedy: expect.stringContaining(`batch sign ${draft}`) });
  });

  it('where neither journal nor files can be written: the transaction stands in the message', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    s.write(`batches/${id}/transaction.hex`, 'somebody put a file here');
    failingAfterwards(s, FULL, 1000);
    const { faults } = await s.json(1, 'batch', 'sign', id);
    expect(faults[0].message).toMatch(/this is the transaction: 02000000[0-9a-f]{200,}$/);
  });
});

describe('an emulator', () => {
  it('is no device for a vault on the main network, neither to sign nor to show an address', async () => {
    const s = await stage({ until: 'nothing' });
    await s.expect(0, 'init', '.', '--network', 'main');
    const account =
      'wpkh([73c5da0a/84h/0h/0h]xpub6CatWdiZiodmUeTDp8LT5or8nmbKNcuyvz7WyksVFkKB4RHwCD3XyuvPEbvqAQY3rAPshWcMLoP2fMFMKHPJ4ZeZXYVUhLv1VMrjPC7PW6V/<0;1>/*)';
    s.write('main.txt', `${account}#${descriptorChecksum(account)}\n`);
    await s.expect(0, 'vault', 'import', 'cold', 'main.txt');
    const emulator = ['--device', 'speculos:http://127.0.0.1:9'];
    await s.untouched(async () => {
      expect(await s.faultOf(2, 'batch', 'sign', 'none', ...emulator)).toBe('E_DEVICE_EMULATOR');
      expect(await s.faultOf(2, 'vault', 'address', '0', '--verify', ...emulator)).toBe('E_DEVICE_EMULATOR');
    });
    expect(await s.faultOf(14, 'batch', 'sign', 'none', '--device', 'hid')).toBe('E_POLICY_MISSING');
  });
});

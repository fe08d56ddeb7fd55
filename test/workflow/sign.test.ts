import { existsSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import type { Signer } from '../../src/device/types.js';
import { fault } from '../../src/domain/fault.js';
import { err, ok } from '../../src/domain/result.js';
import type { ReturnedSignature } from '../../src/psbt/types.js';
import { csv, removeAll, type Session, snapshot, stage } from '../cli/session.js';
import { type Answer, honestSignatures, root, softSigner } from '../cli/soft-device.mjs';

afterAll(removeAll);

const signatures = (change: (honest: ReturnedSignature[]) => readonly ReturnedSignature[]) => (psbt: Uint8Array) =>
  ok(change(honestSignatures(psbt)));

function first(honest: readonly ReturnedSignature[]): ReturnedSignature {
  const [signature] = honest;
  if (signature === undefined) throw new Error('the transaction has no input');
  return signature;
}

const spoilt = (bytes: Uint8Array, index: number, value: number): Uint8Array => {
  const copy = new Uint8Array(bytes);
  copy[index < 0 ? bytes.length + index : index] = value;
  return copy;
};

async function signWith(
  answer: (psbt: Uint8Array) => Answer,
): Promise<{ s: Session; id: string; code: number; tag: string }> {
  const s = await stage();
  const id = await s.ready('second.csv');
  s.signer = () => softSigner(answer);
  const { code, stdout } = await s.run('batch', 'sign', id, '--json');
  return { s, id, code, tag: JSON.parse(stdout).faults?.[0].tag };
}

describe('batch sign', () => {
  it('reserves, asks, proves, and writes what is broadcast', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    const { stdout, stderr } = await s.expect(0, 'batch', 'sign', id);
    expect(stdout).toContain('each for an expected key and input');
    expect(stderr.indexOf('reserved: the budget is debited')).toBeLessThan(
      stderr.indexOf('device: a device in software'),
    );
    const shown = await s.json(0, 'batch', 'show', id);
    expect(shown.batch.state).toBe('SIGNED');
    expect(s.read(`batches/${id}/transaction.hex`)).toBe(`${shown.transaction}\n`);
    expect(existsSync(s.path(`batches/${id}/signed.psbt`))).toBe(true);
    const kinds = (await s.expect(0, 'audit', 'log')).stdout;
    const order = ['batch.reserved', 'batch.sent', 'batch.signed'].map((kind) => kinds.indexOf(kind));
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order[0]).toBeGreaterThan(0);
    expect(await s.faultOf(15, 'batch', 'sign', id)).toBe('E_BATCH_STATE');
  });

  it('asks nobody and reserves nothing while approvals are missing, and says how many', async () => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    s.signer = () => {
      throw new Error('no device may be opened');
    };
    const refused = await s.json(11, 'batch', 'sign', id);
    expect(refused).toMatchObject({ signed: false, verdict: { decision: 'NEED' } });
    await s.approve(id, 'bob');
    await s.expect(11, 'batch', 'sign', id);
    expect(await s.stateOf(id)).toBe('DRAFT');
  });

  it('is denied outside the hours, whatever was approved, and goes on when they open', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    s.now = '2026-06-01T18:59:59Z';
    s.write('eve.json', snapshot({ takenAt: '2026-06-01T18:55:00Z', medianTimePast: '2026-06-01T18:00:00Z' }));
    await s.expect(0, 'coins', 'import', 'eve.json');
    s.now = '2026-06-01T19:00:00Z';
    const refused = await s.json(10, 'batch', 'sign', id);
    expect(JSON.stringify(refused.verdict)).toContain('TIME_CLOSED');
    expect(await s.stateOf(id)).toBe('DRAFT');
    s.now = '2026-06-02T07:00:00Z';
    s.write('morning.json', snapshot({ takenAt: '2026-06-02T06:55:00Z', medianTimePast: '2026-06-02T06:00:00Z' }));
    await s.expect(0, 'coins', 'import', 'morning.json');
    await s.expect(11, 'batch', 'sign', id);
    await s.approve(id, 'bob', 'carol');
    await s.expect(0, 'batch', 'sign', id);
  });

  it('keeps the transaction in the journal where its file cannot be written, and says so', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    s.write(`batches/${id}/signed.psbt`, 'somebody put a file here');
    const refused = await s.json(2, 'batch', 'sign', id);
    expect(refused.faults[0].tag).toBe('E_FILE_EXISTS');
    expect(refused.faults[0].message).toMatch(/is signed, txid [0-9a-f]{64}, and the journal keeps it/);
    expect(await s.stateOf(id)).toBe('SIGNED');
    s.write(`batches/${id}/signed.psbt`, '');
    const { transaction } = await s.json(0, 'batch', 'show', id);
    expect(transaction).toMatch(/^02000000/);
  });

  it('signs parts one by one, each counted against the budget of the others', async () => {
    const s = await stage();
    s.write('a.csv', csv([['A-1', 'warm-1', 300_000_000n]]));
    s.write('b.csv', csv([['B-1', 'warm-1', 300_000_000n]]));
    const [a, b] = [await s.ready('a.csv'), await s.ready('b.csv')];
    await s.expect(0, 'batch', 'sign', a);
    const check = await s.json(0, 'batch', 'check', b);
    const row = check.verdict.findings.find((one: { code: string }) => one.code === 'LIMIT_24H');
    expect(BigInt(row.measured)).toBeGreaterThan(600_000_000n);
  });
});

describe('a device that does not do its part', () => {
  const refusal = fault('E_DEVICE_REFUSED', 'the person at the device refused');
  const gone = fault('E_DEVICE_GONE', 'the device was unplugged');

  it('refused: the budget is given back, the coins are free, and it can be signed again', async () => {
    const { s, id, code, tag } = await signWith(() => err({ fault: refusal, maySign: false }));
    expect([code, tag, await s.stateOf(id)]).toEqual([23, 'E_DEVICE_REFUSED', 'RELEASED']);
    expect(await s.balance('in a batch')).toBe(0n);
    s.signer = () => softSigner();
    await s.expect(0, 'batch', 'sign', id);
    expect(await s.stateOf(id)).toBe('SIGNED');
  });

  it('vanished after it was asked: everything stays held, and nothing can be done with it but wait', async () => {
    const { s, id, code, tag } = await signWith(() => err({ fault: gone, maySign: true }));
    expect([code, tag, await s.stateOf(id)]).toEqual([20, 'E_DEVICE_GONE', 'UNKNOWN']);
    expect(await s.balance('in a batch')).toBeGreaterThan(0n);
    s.signer = () => softSigner();
    for (const argv of [
      ['batch', 'sign', id],
      ['batch', 'abandon', id, '--reason', 'gone', '--as', 'alice'],
      ['batch', 'approve', id, '--key', 'keys/dave'],
    ]) {
      expect([argv[1], await s.untouched(() => s.faultOf(15, ...argv))]).toEqual([argv[1], 'E_BATCH_STATE']);
    }
    s.write('c.csv', csv([['C-1', 'warm-1', 100_000_000n]]));
    const planned = await s.json(0, 'batch', 'plan', 'c.csv', '--as', 'alice');
    const row = planned.batches[0].verdict.findings.find((one: { code: string }) => one.code === 'LIMIT_24H');
    expect(BigInt(row.measured)).toBeGreaterThan(200_000_000n);
  });

  it('was unplugged before anything was sent: the budget is given back', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    s.signer = () => ({ ...softSigner(), fingerprint: async () => err(gone) });
    expect(await s.faultOf(20, 'batch', 'sign', id)).toBe('E_DEVICE_GONE');
    expect(await s.stateOf(id)).toBe('RELEASED');
    expect((await s.expect(0, 'audit', 'log')).stdout).not.toContain('batch.sent');
  });

  it.each([
    ['another wallet', { fingerprint: async () => ok('73c5da0a') }, 24, 'E_DEVICE_MISMATCH'],
    [
      'another account key',
      { xpub: async () => ok(root.derivePath("84'/1'/1'").neutered().toBase58()) },
      24,
      'E_DEVICE_MISMATCH',
    ],
    ['the mainnet app', { appInfo: async () => ok({ name: 'Bitcoin', version: '2.2.7' }) }, 22, 'E_DEVICE_APP'],
    ['the menu', { appInfo: async () => ok({ name: 'BOLOS', version: '1.6.0' }) }, 22, 'E_DEVICE_APP'],
    ['an old app', { appInfo: async () => ok({ name: 'Bitcoin Test', version: '2.1.3' }) }, 22, 'E_DEVICE_VERSION'],
  ] as const)('shows %s: it is not asked to sign', async (_, shown, code, tag) => {
    const s = await stage();
    const id = await s.ready('second.csv');
    s.signer = () => ({
      ...softSigner(() => {
        throw new Error('it may not be asked to sign');
      }),
      ...shown,
    });
    expect(await s.faultOf(code, 'batch', 'sign', id)).toBe(tag);
    expect(await s.stateOf(id)).toBe('RELEASED');
  });

  const other = root.derivePath("84'/1'/0'/0/25");
  it.each<[string, (psbt: Uint8Array) => Answer, number, string]>([
    [
      'another key',
      signatures((honest) => honest.map((one) => ({ ...one, publicKey: new Uint8Array(other.publicKey) }))),
      24,
      'E_SIG_UNEXPECTED',
    ],
    [
      'another sighash byte',
      signatures((honest) => honest.map((one) => ({ ...one, signature: spoilt(one.signature, -1, 0x83) }))),
      25,
      'E_SIG_SIGHASH',
    ],
    ['no signature', signatures(() => []), 25, 'E_SIG_MISSING'],
    ['a signature twice', signatures((honest) => [...honest, first(honest)]), 24, 'E_SIG_UNEXPECTED'],
    [
      'an input that is not there',
      signatures((honest) => [...honest, { ...first(honest), input: 9 }]),
      24,
      'E_SIG_UNEXPECTED',
    ],
    [
      'a spoilt signature',
      signatures((honest) => honest.map((one) => ({ ...one, signature: spoilt(one.signature, 20, 0x55) }))),
      24,
      'E_SIG_INVALID',
    ],
    [
      'an empty signature',
      signatures((honest) => honest.map((one) => ({ ...one, signature: new Uint8Array(0) }))),
      25,
      'E_SIG_ENCODING',
    ],
  ])('answers with %s: nothing of it is kept, and the batch counts as spent', async (_, answer, code, tag) => {
    const ran = await signWith(answer);
    expect([ran.code, ran.tag, await ran.s.stateOf(ran.id)]).toEqual([code, tag, 'UNKNOWN']);
    expect(existsSync(ran.s.path(`batches/${ran.id}/signed.psbt`))).toBe(false);
    expect(await ran.s.json(0, 'batch', 'show', ran.id)).not.toHaveProperty('transaction');
    expect(await ran.s.balance('in a batch')).toBeGreaterThan(0n);
  });

  it('answers with the signature of another batch of the same coin', async () => {
    const s = await stage();
    s.write('a.csv', csv([['A-1', 'warm-1', 100_000_000n]]));
    s.write('b.csv', csv([['B-1', 'custodian', 100_000_000n]]));
    const a = await s.ready('a.csv');
    const bytes = Buffer.from((await s.json(0, 'batch', 'show', a)).psbt, 'base64');
    await s.expect(0, 'batch', 'abandon', a, '--reason', 'cancelled', '--as', 'alice');
    const b = await s.ready('b.csv');
    s.signer = () => softSigner(() => ok(honestSignatures(bytes)));
    expect(['E_SIG_INVALID', 'E_SIG_UNEXPECTED']).toContain(await s.faultOf(24, 'batch', 'sign', b));
    expect(await s.stateOf(b)).toBe('UNKNOWN');
  });

  it('closes with something left over: the answer is not believed', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    s.signer = () => ({ ...softSigner(), close: async () => err(fault('E_REPLAY_LEFT_OVER', 'more was recorded')) });
    expect(await s.faultOf(13, 'batch', 'sign', id)).toBe('E_REPLAY_LEFT_OVER');
    expect(await s.stateOf(id)).toBe('UNKNOWN');
  });
});

describe('a released batch', () => {
  async function released(): Promise<{ s: Session; id: string }> {
    const refusal = fault('E_DEVICE_REFUSED', 'refused');
    const { s, id } = await signWith(() => err({ fault: refusal, maySign: false }));
    s.signer = () => softSigner();
    return { s, id };
  }

  it('is not paid a second time once its withdrawals were planned again', async () => {
    const { s, id } = await released();
    const again = await s.ready('second.csv');
    expect(again).not.toBe(id);
    const refused = await s.json(10, 'batch', 'sign', id);
    expect(JSON.stringify(refused.verdict)).toContain('REQUEST_ID_REUSE');
    await s.expect(0, 'batch', 'sign', again);
    await s.expect(10, 'batch', 'sign', id);
    expect([await s.stateOf(id), await s.stateOf(again)]).toEqual(['RELEASED', 'SIGNED']);
  });

  it('can be abandoned', async () => {
    const { s, id } = await released();
    await s.expect(0, 'batch', 'abandon', id, '--reason', 'cancelled', '--as', 'alice');
    expect(await s.faultOf(15, 'batch', 'sign', id)).toBe('E_BATCH_STATE');
  });
});

describe('two runs on one reserved batch', () => {
  it('send it once: the second stops, and its missing device gives no budget back under the first', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    const inUse = fault('E_DEVICE_OPEN', 'the device is in use');
    const honest = softSigner();
    let second = Promise.resolve('never began');
    // The first run has reserved and not sent when the second begins; the second fails only after the first has sent.
    const ofSecond = (opened: () => void): Signer => ({
      ...softSigner(),
      appInfo: async () => {
        opened();
        while ((await s.stateOf(id)) === 'RESERVED') await new Promise((resolve) => setTimeout(resolve, 5));
        return err(inUse);
      },
    });
    const ofFirst: Signer = {
      ...honest,
      xpub: async (path, display) => {
        await new Promise<void>((opened) => {
          s.signer = () => ofSecond(opened);
          second = s.faultOf(15, 'batch', 'sign', id);
        });
        return honest.xpub(path, display);
      },
      sign: async (...asked) => {
        expect(await second).toBe('E_BATCH_STATE');
        expect(await s.stateOf(id)).toBe('SENT');
        return honest.sign(...asked);
      },
    };
    s.signer = () => ofFirst;
    await s.expect(0, 'batch', 'sign', id);
    expect(await s.stateOf(id)).toBe('SIGNED');
  });
});

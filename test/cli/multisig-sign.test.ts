import { Psbt, Transaction } from 'bitcoinjs-lib';
import { afterAll, describe, expect, it } from 'vitest';
import { fault } from '../../src/domain/fault.js';
import { err, ok } from '../../src/domain/result.js';
import {
  A,
  B,
  C,
  cosigner,
  type Fingerprint,
  multisigStage,
  removeMultisig,
  signaturesOf,
} from './multisig-session.js';
import { NOON, type Session } from './session.js';

afterAll(removeMultisig);

async function ready(): Promise<{ session: Session; id: string }> {
  const session = await multisigStage('registered');
  session.now = NOON;
  const id = await session.ready('withdrawals.csv');
  return { session, id };
}

const signing = (session: Session, id: string, fingerprint: Fingerprint, device = cosigner(fingerprint)) => {
  session.signer = () => device;
  return ['batch', 'sign', id, '--signer', fingerprint] as const;
};

async function unsigned(session: Session, id: string): Promise<Psbt> {
  const { files } = await session.json(0, 'batch', 'show', id, '--export');
  const { readFileSync } = await import('node:fs');
  return Psbt.fromBuffer(readFileSync(session.path(files.find((file: string) => file.endsWith('unsigned.psbt')))));
}

const sign = (psbt: Psbt, ...fingerprints: Fingerprint[]): Psbt => {
  const bytes = new Uint8Array(psbt.toBuffer());
  for (const fingerprint of fingerprints) {
    for (const { input, publicKey, signature } of signaturesOf(fingerprint, bytes)) {
      psbt.updateInput(input, { partialSig: [{ pubkey: publicKey ?? new Uint8Array(), signature }] });
    }
  }
  return psbt;
};

describe('batch sign with several Ledgers', () => {
  it.each([
    [A, B],
    [B, A],
    [C, A],
    [B, C],
  ] as const)('%s, then %s: PARTIAL, then SIGNED, and the journal proves it', async (first, second) => {
    const { session, id } = await ready();
    const balance = await session.balance('in a batch');
    const part = await session.json(0, ...signing(session, id, first));
    expect(part).toMatchObject({ signed: false, signer: first, signed_by: [first], missing: 1 });
    expect(part.can_sign).toEqual([A, B, C].filter((one) => one !== first));
    expect(await session.stateOf(id)).toBe('PARTIAL');
    expect(await session.balance('in a batch')).toBe(balance);

    const whole = await session.json(0, ...signing(session, id, second));
    expect(whole.signed).toBe(true);
    expect(await session.stateOf(id)).toBe('SIGNED');
    const transaction = Transaction.fromHex(whole.transaction);
    expect(whole.signatures).toBe(2 * transaction.ins.length);
    expect(transaction.getId()).toBe(whole.txid);
    // [empty, signature, signature, witness script]
    for (const { witness } of transaction.ins) expect(witness).toHaveLength(4);
    await session.expect(0, 'audit', 'verify');
    expect(await session.faultOf(15, ...signing(session, id, C))).toBe('E_BATCH_STATE');
  });

  it('without --signer takes whichever cosigner is attached, and refuses one who has signed', async () => {
    const { session, id } = await ready();
    session.signer = () => cosigner(C);
    const { stderr } = await session.expect(0, 'batch', 'sign', id);
    expect(stderr).toMatch(/Spend from +known wallet/);
    const again = await session.run('batch', 'sign', id);
    expect(again.code).toBe(24);
    expect(again.stderr).toContain(`the device ${C} has signed batch ${id} already`);
    expect(again.stderr).toContain(`connect the device of another signer: ${A}, ${B}`);
    expect(await session.stateOf(id)).toBe('PARTIAL');
    expect(await session.faultOf(15, 'batch', 'sign', id, '--signer', C)).toBe('E_BATCH_STATE');
    session.signer = () => cosigner(A);
    expect((await session.json(0, 'batch', 'sign', id)).signed).toBe(true);
  });

  it('a wrong device: 24, with the one that was expected; the reservation is given back only before any signature', async () => {
    const { session, id } = await ready();
    const wrong = async () => {
      session.signer = () => cosigner(B);
      const ran = await session.run('batch', 'sign', id, '--signer', A);
      expect(ran.code).toBe(24);
      expect(ran.stderr).toContain(
        `the device's master fingerprint is ${B}, and ${A} of the vault treasury-1 is expected`,
      );
    };
    await wrong();
    expect(await session.stateOf(id)).toBe('RELEASED');
    await session.expect(0, ...signing(session, id, C));
    await wrong();
    expect(await session.stateOf(id)).toBe('PARTIAL');
  });

  it('a stranger is no signer, and an unregistered device is asked for nothing', async () => {
    const session = await multisigStage('coins');
    session.now = NOON;
    const id = await session.ready('withdrawals.csv');
    await session.untouched(async () => {
      expect(await session.faultOf(2, 'batch', 'sign', id, '--signer', '00000000')).toBe('E_USAGE');
      expect(await session.faultOf(14, ...signing(session, id, A))).toBe('E_DEVICE_UNREGISTERED');
      expect(await session.faultOf(14, 'batch', 'sign', id)).toBe('E_DEVICE_UNREGISTERED');
    });
    session.signer = () => cosigner(B);
    await session.expect(0, 'device', 'register');
    session.signer = () => cosigner(A);
    expect(await session.faultOf(14, 'batch', 'sign', id)).toBe('E_DEVICE_UNREGISTERED');
    expect(await session.stateOf(id)).toBe('RELEASED');
  });

  it('the first one refuses: given back; the second one refuses: nothing is given back', async () => {
    const { session, id } = await ready();
    const refusing = (fingerprint: Fingerprint) =>
      cosigner(fingerprint, {
        answer: async () => err({ fault: fault('E_DEVICE_REFUSED', 'the person refused'), maySign: false }),
      });
    const available = await session.balance('available');
    expect(await session.faultOf(23, ...signing(session, id, A, refusing(A)))).toBe('E_DEVICE_REFUSED');
    expect(await session.stateOf(id)).toBe('RELEASED');
    expect(await session.balance('available')).toBeGreaterThan(available);
    await session.expect(0, ...signing(session, id, B));
    expect(await session.faultOf(23, ...signing(session, id, A, refusing(A)))).toBe('E_DEVICE_REFUSED');
    expect(await session.stateOf(id)).toBe('PARTIAL');
    expect(await session.balance('available')).toBe(available);
    expect(await session.faultOf(15, 'batch', 'abandon', id, '--reason', 'changed our minds', '--as', 'alice')).toBe(
      'E_BATCH_STATE',
    );
    expect((await session.json(0, ...signing(session, id, C))).signed).toBe(true);
    await session.expect(0, 'audit', 'verify');
  });

  it('unplugged while it signs: UNKNOWN or PARTIAL, still debited, and the same device or another one goes on', async () => {
    const { session, id } = await ready();
    const gone = (fingerprint: Fingerprint) =>
      cosigner(fingerprint, { answer: async () => err({ fault: fault('E_DEVICE_GONE', 'unplugged'), maySign: true }) });
    const available = await session.balance('available');
    expect(await session.faultOf(20, ...signing(session, id, A, gone(A)))).toBe('E_DEVICE_GONE');
    expect(await session.stateOf(id)).toBe('UNKNOWN');
    expect(await session.faultOf(15, 'batch', 'abandon', id, '--reason', 'lost', '--as', 'alice')).toBe(
      'E_BATCH_STATE',
    );
    await session.expect(0, ...signing(session, id, A));
    expect(await session.faultOf(20, ...signing(session, id, B, gone(B)))).toBe('E_DEVICE_GONE');
    expect(await session.stateOf(id)).toBe('PARTIAL');
    expect(await session.balance('available')).toBe(available);
    expect((await session.json(0, ...signing(session, id, B))).signed).toBe(true);
    await session.expect(0, 'audit', 'verify');
  });

  it.each([
    ['a signature of another cosigner', (psbt: Uint8Array) => signaturesOf(C, psbt), 'E_SIG_UNEXPECTED', 24],
    ['an input left out', (psbt: Uint8Array) => signaturesOf(B, psbt).slice(1), 'E_SIG_MISSING', 25],
    [
      'a signature that is not valid',
      (psbt: Uint8Array) =>
        signaturesOf(B, psbt).map((one, _index, all) => ({ ...one, signature: all[0]?.signature ?? one.signature })),
      'E_SIG_INVALID',
      24,
    ],
    ['one twice', (psbt: Uint8Array) => [...signaturesOf(B, psbt), ...signaturesOf(B, psbt)], 'E_SIG_UNEXPECTED', 24],
    ['nothing', () => [], 'E_SIG_MISSING', 25],
  ] as const)('a device that answers with %s is not believed', async (_, answer, tag, exit) => {
    const { session, id } = await ready();
    await session.expect(0, ...signing(session, id, A));
    const lying = cosigner(B, { answer: async (psbt) => ok([...answer(psbt)]) });
    expect(await session.faultOf(exit, ...signing(session, id, B, lying))).toBe(tag);
    expect((await session.json(0, 'batch', 'show', id)).batch).toMatchObject({ state: 'PARTIAL', signed_by: [A] });
    expect((await session.json(0, ...signing(session, id, B))).signed).toBe(true);
  });

  it('is judged again before each device: a frozen coin stops the second one and gives nothing back', async () => {
    const { session, id } = await ready();
    await session.expect(0, ...signing(session, id, A));
    const { batch } = await session.json(0, 'batch', 'show', id);
    await session.expect(0, 'coins', 'freeze', batch.inputs[0], '--reason', 'looked into', '--as', 'bob');
    const refused = await session.json(10, ...signing(session, id, B));
    expect(refused).toMatchObject({ signed: false, verdict: { decision: 'DENY' } });
    expect(await session.stateOf(id)).toBe('PARTIAL');
    await session.expect(0, 'coins', 'unfreeze', batch.inputs[0], '--reason', 'it is fine', '--as', 'bob');
    expect((await session.json(0, ...signing(session, id, B))).signed).toBe(true);
    await session.expect(0, 'audit', 'verify');
  });

  it('approvals that ran out between two devices can be given again', async () => {
    const { session, id } = await ready();
    await session.expect(0, ...signing(session, id, A));
    const { batch } = await session.json(0, 'batch', 'show', id);
    const ends = batch.approvals.map(({ valid_until }: { valid_until: string }) => Date.parse(valid_until)).sort();
    session.wait((ends[0] - Date.parse(session.now)) / 1000 + 1);
    const later = JSON.parse(session.read('coins.json'));
    later.taken_at = session.now;
    later.tip.height += 24;
    later.tip.median_time_past = session.now.replace(/T\d\d/, 'T15');
    session.write('later.json', JSON.stringify(later));
    await session.expect(0, 'coins', 'import', 'later.json');
    expect(await session.json(11, ...signing(session, id, B))).toMatchObject({ verdict: { decision: 'NEED' } });
    expect(await session.stateOf(id)).toBe('PARTIAL');
    await session.approve(id, 'bob', 'carol');
    expect((await session.json(0, ...signing(session, id, B))).signed).toBe(true);
    await session.expect(0, 'audit', 'verify');
  });
});

describe('batch export and batch combine', () => {
  it('hands the PSBT out under a reservation, and takes signatures back in any order', async () => {
    for (const order of [
      [A, B],
      [B, A],
      [C, B],
    ] as const) {
      const { session, id } = await ready();
      const available = await session.balance('available');
      const exported = await session.json(0, 'batch', 'export', id, '--psbt', 'out.psbt');
      expect(exported).toMatchObject({ exported: true, file: 'out.psbt', signed_by: [] });
      expect(await session.stateOf(id)).toBe('PARTIAL');
      expect(await session.balance('available')).toBe(available);
      const out = Psbt.fromBuffer(Buffer.from((await import('node:fs')).readFileSync(session.path('out.psbt'))));
      for (const [index, fingerprint] of order.entries()) {
        session.write(`from-${fingerprint}.psbt`, sign(out.clone(), fingerprint).toBase64());
        const combined = await session.json(0, 'batch', 'combine', id, `from-${fingerprint}.psbt`);
        expect(combined).toMatchObject({ added: [fingerprint], signed: index === 1 });
      }
      expect(await session.stateOf(id)).toBe('SIGNED');
      await session.expect(0, 'audit', 'verify');
    }
  });

  it('gives the same transaction from one file, from several, and with a device in between', async () => {
    const transactions = new Set<string>();
    for (const way of ['files', 'one file', 'device', 'all three', 'final'] as const) {
      const { session, id } = await ready();
      await session.expect(0, 'batch', 'export', id, '--psbt', 'out.psbt');
      const out = await unsigned(session, id);
      const write = (name: string, psbt: Psbt) => session.write(name, psbt.toBuffer());
      write('a.psbt', sign(out.clone(), A));
      write('b.psbt', sign(out.clone(), B));
      write('ab.psbt', sign(out.clone(), B, A));
      write('final.psbt', sign(out.clone(), A, B).finalizeAllInputs());
      const files = { files: ['b.psbt', 'a.psbt'], 'one file': ['ab.psbt'], final: ['final.psbt'] };
      if (way === 'device' || way === 'all three') {
        await session.expect(0, ...signing(session, id, A));
        const again = way === 'all three' ? ['a.psbt', 'ab.psbt', 'b.psbt'] : ['b.psbt'];
        const { transaction, known } = await session.json(0, 'batch', 'combine', id, ...again);
        expect(known).toEqual(way === 'all three' ? [A] : []);
        transactions.add(transaction);
      } else {
        transactions.add((await session.json(0, 'batch', 'combine', id, ...files[way])).transaction);
      }
      await session.expect(0, 'audit', 'verify');
    }
    expect(transactions.size).toBe(1);
  });

  it('an export carries what is signed so far, so that the next cosigner completes it', async () => {
    const { session, id } = await ready();
    await session.expect(0, ...signing(session, id, C));
    const { signed_by } = await session.json(0, 'batch', 'export', id, '--psbt', 'for-b.psbt');
    expect(signed_by).toEqual([C]);
    const { readFileSync } = await import('node:fs');
    const forB = Psbt.fromBuffer(readFileSync(session.path('for-b.psbt')));
    expect(forB.data.inputs.map(({ partialSig }) => partialSig?.length)).toEqual(forB.data.inputs.map(() => 1));
    const whole = sign(forB, B).finalizeAllInputs().extractTransaction(true);
    session.write('back.psbt', forB.toBuffer());
    const combined = await session.expect(0, 'batch', 'combine', id, 'back.psbt', '--json');
    expect(combined.stderr).toMatch(new RegExp(`^next {4}countersign batch broadcast ${id}$`, 'm'));
    const { txid } = JSON.parse(combined.stdout);
    expect(txid).toBe(whole.getId());
  });

  it('a halt lets nobody else sign, and holds back what comes in: kept, counted, and not released', async () => {
    const { session, id } = await ready();
    await session.expect(0, ...signing(session, id, A));
    await session.expect(0, 'batch', 'export', id, '--psbt', 'out.psbt');
    const out = await unsigned(session, id);
    session.write('b.psbt', sign(out, B).toBuffer());
    await session.expect(0, 'halt', 'raise', '--reason', 'something is wrong', '--key', 'keys/bob');
    expect(await session.json(12, ...signing(session, id, C))).toMatchObject({ signed: false });
    expect(await session.json(12, 'batch', 'export', id, '--psbt', 'more.psbt')).toMatchObject({ exported: false });
    const held = await session.json(12, 'batch', 'combine', id, 'b.psbt');
    expect(held).toMatchObject({ added: [B], signed: true, held: true });
    expect(held).not.toHaveProperty('transaction');
    expect(await session.stateOf(id)).toBe('SIGNED');
    expect(Object.keys(session.files()).filter((name) => /\/signed\.psbt|transaction\.hex|more/.test(name))).toEqual(
      [],
    );
    await session.expect(0, 'audit', 'verify');
  });

  it('a halt raised while a cosigner signs holds that part back too', async () => {
    const { session, id } = await ready();
    const halting = cosigner(A, {
      answer: async (psbt) => {
        await session.expect(0, 'halt', 'raise', '--reason', 'something is wrong', '--key', 'keys/bob');
        return ok(signaturesOf(A, psbt));
      },
    });
    const held = await session.json(12, ...signing(session, id, A, halting));
    expect(held).toMatchObject({ signed: false, held: true, signed_by: [A] });
    expect(await session.stateOf(id)).toBe('PARTIAL');
    expect(Object.keys(session.files()).filter((name) => name.includes('partial'))).toEqual([]);
    await session.expect(0, 'audit', 'verify');
  });

  it.each<readonly [string, (psbt: Psbt) => Psbt | Uint8Array, string, number]>([
    ['no signature', (psbt) => psbt, 'E_SIG_MISSING', 25],
    [
      'a signature for one input alone',
      (psbt) => {
        const [first] = signaturesOf(B, new Uint8Array(psbt.toBuffer()));
        if (first === undefined) throw new Error('there are inputs');
        return psbt.updateInput(0, {
          partialSig: [{ pubkey: first.publicKey ?? new Uint8Array(), signature: first.signature }],
        });
      },
      'E_SIG_MISSING',
      25,
    ],
    [
      'a signature of another input',
      (psbt) => {
        const all = signaturesOf(B, new Uint8Array(psbt.toBuffer()));
        for (const { input, publicKey } of all) {
          const signature = all.at(-1 - input)?.signature ?? new Uint8Array();
          psbt.updateInput(input, { partialSig: [{ pubkey: publicKey ?? new Uint8Array(), signature }] });
        }
        return psbt;
      },
      'E_SIG_INVALID',
      24,
    ],
    [
      'another transaction',
      (psbt) => {
        const other = sign(psbt.clone(), B);
        other.data.globalMap.unsignedTx = psbt.data.globalMap.unsignedTx;
        const bytes = new Uint8Array(other.toBuffer());
        const tx = new Uint8Array(psbt.data.getTransaction());
        const at = Buffer.from(bytes).indexOf(tx);
        // The last bytes of the global transaction: its locktime.
        bytes[at + tx.length - 1] = (bytes[at + tx.length - 1] ?? 0) ^ 1;
        return bytes;
      },
      'E_PSBT_CHANGED',
      13,
    ],
    ['something else', () => Buffer.from('not a psbt'), 'E_PSBT_PARSE', 2],
  ])('refuses a file with %s, and keeps nothing of it nor of the good one before it', async (_, make, tag, exit) => {
    const { session, id } = await ready();
    await session.expect(0, 'batch', 'export', id, '--psbt', 'out.psbt');
    const out = await unsigned(session, id);
    session.write('good.psbt', sign(out.clone(), A).toBuffer());
    const made = make(out.clone());
    session.write('bad.psbt', made instanceof Uint8Array ? made : made.toBuffer());
    await session.untouched(async () => {
      const object = await session.json(exit, 'batch', 'combine', id, 'good.psbt', 'bad.psbt');
      expect(object.faults[0]).toMatchObject({ tag, where: { file: 'bad.psbt' } });
    });
    expect((await session.json(0, 'batch', 'combine', id, 'good.psbt')).added).toEqual([A]);
  });

  it('a signature by a key of nobody is refused by name', async () => {
    const { session, id } = await ready();
    await session.expect(0, 'batch', 'export', id, '--psbt', 'out.psbt');
    const out = sign(await unsigned(session, id), B);
    for (const { partialSig } of out.data.inputs) {
      const [own] = partialSig ?? [];
      if (own !== undefined) own.pubkey = Uint8Array.of(2, ...new Uint8Array(32).fill(0x79));
    }
    session.write('bad.psbt', out.toBuffer());
    const { code, stderr } = await session.run('batch', 'combine', id, 'bad.psbt');
    expect([code, stderr]).toEqual([24, expect.stringContaining('7979')]);
  });

  it('takes nothing before the batch was given out, and nothing after it is signed', async () => {
    const { session, id } = await ready();
    const out = await unsigned(session, id);
    session.write('a.psbt', sign(out.clone(), A).toBuffer());
    await session.untouched(async () => {
      const { code, stderr } = await session.run('batch', 'combine', id, 'a.psbt');
      expect([code, stderr]).toEqual([15, expect.stringContaining(`batch export ${id}`)]);
    });
    await session.expect(0, 'batch', 'export', id, '--psbt', 'out.psbt');
    session.write('ab.psbt', sign(out.clone(), A, B).toBuffer());
    await session.expect(0, 'batch', 'combine', id, 'ab.psbt');
    expect(await session.faultOf(15, 'batch', 'combine', id, 'a.psbt')).toBe('E_BATCH_STATE');
    expect(await session.faultOf(15, 'batch', 'export', id, '--psbt', 'late.psbt')).toBe('E_BATCH_STATE');
  });

  it('is not exported without approvals, over a file that exists, or for a vault of one key', async () => {
    const session = await multisigStage('registered');
    session.now = NOON;
    const id = await session.planOne('withdrawals.csv');
    const refused = await session.json(11, 'batch', 'export', id, '--psbt', 'out.psbt');
    expect(refused).toMatchObject({ exported: false, verdict: { decision: 'NEED' } });
    expect(await session.stateOf(id)).toBe('DRAFT');
    await session.approve(id, 'bob', 'carol');
    session.write('there.psbt', 'something');
    await session.untouched(async () => {
      expect(await session.faultOf(2, 'batch', 'export', id, '--psbt', 'there.psbt')).toBe('E_FILE_EXISTS');
      expect(await session.faultOf(2, 'batch', 'export', id)).toBe('E_USAGE');
    });
  });
});

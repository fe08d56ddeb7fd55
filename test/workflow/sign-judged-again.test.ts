import { afterAll, describe, expect, it } from 'vitest';
import { removeAll, type Session, snapshot, stage } from '../cli/session.js';
import { softSigner } from '../cli/soft-device.mjs';

afterAll(removeAll);

/** A device that is found only after `meanwhile`; it must never be asked to sign. */
function lateDevice(s: Session, meanwhile: () => Promise<void>): { asked: number } {
  const count = { asked: 0 };
  const device = softSigner();
  s.signer = () => ({
    ...device,
    appInfo: async () => {
      await meanwhile();
      return device.appInfo();
    },
    sign: async (psbt, vault, progress) => {
      count.asked += 1;
      return device.sign(psbt, vault, progress);
    },
  });
  return count;
}

const kindsOf = async (s: Session, id: string): Promise<string[]> => {
  const { entries } = await s.json(0, 'audit', 'log');
  return entries
    .filter(({ body }: { body: { batch?: string } }) => body.batch === id)
    .map(({ body }: { body: { kind: string } }) => body.kind);
};

describe('between the reservation and the device', () => {
  it.each([
    ['the day closed', '2026-06-01T19:30:00Z', 10, 'TIME_CLOSED'],
    ['days went by', '2026-06-06T03:00:00Z', 10, 'DATA_'],
  ])('%s: nothing is sent, the budget is given back, and the verdict says why', async (_, then, exit, code) => {
    const s = await stage();
    const id = await s.ready('second.csv');
    const device = lateDevice(s, async () => {
      s.now = then;
    });
    const refused = await s.json(exit, 'batch', 'sign', id);
    expect(refused).toMatchObject({ batch: id, signed: false });
    expect(JSON.stringify(refused.verdict)).toContain(code);
    expect([device.asked, await s.stateOf(id)]).toEqual([0, 'RELEASED']);
    expect((await kindsOf(s, id)).slice(-4)).toEqual([
      'batch.verdict',
      'batch.reserved',
      'batch.verdict',
      'batch.released',
    ]);
    await s.expect(0, 'audit', 'verify');
  });

  it('the approvals ran out: they are asked for again, and then it is signed', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    const device = lateDevice(s, async () => {
      s.now = '2026-06-01T16:00:00Z';
      s.write('later.json', snapshot({ takenAt: '2026-06-01T15:55:00Z', medianTimePast: '2026-06-01T15:00:00Z' }));
      await s.expect(0, 'coins', 'import', 'later.json');
    });
    const refused = await s.json(11, 'batch', 'sign', id);
    expect(JSON.stringify(refused.verdict)).toContain('APPROVAL_EXPIRED');
    expect([device.asked, await s.stateOf(id)]).toEqual([0, 'RELEASED']);
    s.signer = () => softSigner();
    await s.approve(id, 'bob', 'carol');
    await s.expect(0, 'batch', 'sign', id);
  });

  it('somebody froze a coin of it: denied, in so many words', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    const { batch } = await s.json(0, 'batch', 'show', id);
    const device = lateDevice(s, async () => {
      await s.expect(0, 'coins', 'freeze', batch.inputs[0], '--reason', 'stolen', '--as', 'carol');
    });
    const ran = await s.expect(10, 'batch', 'sign', id);
    expect(ran.stdout).toContain('INPUT_FROZEN');
    expect(ran.stdout).toContain('nothing was sent, and the budget is given back');
    expect([device.asked, await s.stateOf(id), await s.balance('in a batch')]).toEqual([0, 'RELEASED', 0n]);
    expect((await s.json(0, 'batch', 'show', id)).batch.reason).toContain('DENY, INPUT_FROZEN');
  });

  it('somebody else wrote something that changes nothing: it is judged afresh and signed', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    lateDevice(s, async () => {
      s.write('fresh.json', snapshot({ takenAt: '2026-06-01T11:59:00Z' }));
      await s.expect(0, 'coins', 'import', 'fresh.json');
    });
    await s.expect(0, 'batch', 'sign', id);
    expect((await kindsOf(s, id)).slice(-3)).toEqual(['batch.verdict', 'batch.sent', 'batch.signed']);
  });

  it('batch.sent says whose approvals it went upon', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    await s.expect(0, 'batch', 'sign', id);
    const { entries } = await s.json(0, 'audit', 'log');
    const sent = entries.find(({ body }: { body: { kind: string } }) => body.kind === 'batch.sent');
    expect(sent.body.approvers).toEqual(['bob', 'carol']);
  });
});

describe('a batch that a crash left RESERVED', () => {
  it('is approved again when its approvals have run out, and signed', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    lateDevice(s, async () => {
      throw new Error('the power went');
    });
    await expect(s.run('batch', 'sign', id)).rejects.toThrow('the power went');
    expect(await s.stateOf(id)).toBe('RESERVED');
    s.signer = () => softSigner();
    s.now = '2026-06-01T17:00:00Z';
    s.write('later.json', snapshot({ takenAt: '2026-06-01T16:55:00Z', medianTimePast: '2026-06-01T16:00:00Z' }));
    await s.expect(0, 'coins', 'import', 'later.json');
    await s.expect(11, 'batch', 'sign', id);
    expect(await s.stateOf(id)).toBe('RESERVED');
    await s.approve(id, 'bob', 'carol');
    await s.expect(0, 'batch', 'sign', id);
    expect(await s.stateOf(id)).toBe('SIGNED');
  });
});

import { afterAll, describe, expect, it } from 'vitest';
import { approveAndSign, chainSays, paidBy, replacement, shown, signedBatch } from '../cli/replace-session.js';
import { addressOf, destinations, removeAll, type Session, stage } from '../cli/session.js';

afterAll(removeAll);

const used = async (session: Session): Promise<bigint> => {
  const { batches } = await session.json(0, 'batch', 'list');
  return batches.length;
};

describe('batch bump', () => {
  it('pays the same for a higher fee, out of the change, with every coin of the batch', async () => {
    const { session, id } = await signedBatch();
    const before = await shown(session, id);
    const bumped = await replacement(session, 'bump', id, '--feerate', '20');
    await approveAndSign(session, bumped);
    const after = await shown(session, bumped);
    expect(after).toMatchObject({ state: 'SIGNED', replaces: id });
    const byId = ({ requests }: typeof after) => requests.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    expect(byId(after)).toEqual(byId(before));
    expect((await shown(session, id)).replaced_by).toBe(bumped);
    expect(before.inputs.every((outpoint) => after.inputs.includes(outpoint))).toBe(true);
    expect(after.fee).toBeGreaterThan(before.fee);
    const payments = before.requests.map(({ script, amount }) => `${script} ${amount}`);
    expect(await paidBy(session, bumped)).toEqual(expect.arrayContaining(payments));
    await session.expect(0, 'audit', 'verify');
  }, 60_000);

  it('is replaced or replaces, as the chain says, and only one of the two holds coins then', async () => {
    const { session, id } = await signedBatch();
    const bumped = await replacement(session, 'bump', id, '--feerate', '20');
    await approveAndSign(session, bumped);
    const [old, fresh] = [await shown(session, id), await shown(session, bumped)];
    expect(await chainSays(session, 6, { confirmed: [fresh.txid ?? ''], spent: fresh.inputs })).toMatchObject({
      confirmed_batches: [bumped],
      replaced_batches: [id],
    });
    expect([await session.stateOf(id), await session.stateOf(bumped)]).toEqual(['REPLACED', 'CONFIRMED']);
    expect(await session.faultOf(2, 'batch', 'bump', id, '--feerate', '50', '--as', 'alice')).toBe('E_REPLACE_SETTLED');
    // The chain goes another way: the first one is in a block after all.
    expect(await chainSays(session, 7, { confirmed: [old.txid ?? ''], spent: fresh.inputs })).toMatchObject({
      confirmed_batches: [id],
      unconfirmed_batches: [bumped],
      revived_batches: [id],
      replaced_batches: [bumped],
    });
    expect([await session.stateOf(id), await session.stateOf(bumped)]).toEqual(['CONFIRMED', 'REPLACED']);
    await session.expect(0, 'audit', 'verify');
  }, 60_000);

  it('counts again where the block of the replacement is gone and the coins are unspent', async () => {
    const { session, id } = await signedBatch();
    const bumped = await replacement(session, 'bump', id, '--feerate', '20');
    await approveAndSign(session, bumped);
    const fresh = await shown(session, bumped);
    await chainSays(session, 6, { confirmed: [fresh.txid ?? ''], spent: fresh.inputs });
    expect(await chainSays(session, 8)).toMatchObject({ unconfirmed_batches: [bumped], revived_batches: [id] });
    expect([await session.stateOf(id), await session.stateOf(bumped)]).toEqual(['SIGNED', 'BROADCAST']);
    await session.expect(0, 'audit', 'verify');
  }, 60_000);

  it('pays a payee who bears its share of the fee what it was to get, and no less', async () => {
    const session = await stage();
    const address = addressOf(destinations()[0] ?? '');
    session.write('fees.csv', `id,address,amount,fee_payer\nF-1,${address},50000000,payee\n`);
    const id = await session.planOne('fees.csv', '--feerate', '5');
    await approveAndSign(session, id);
    const [asked] = (await shown(session, id)).requests;
    const payment = (await paidBy(session, id)).find((output) => output.startsWith(`${asked?.script} `)) ?? '';
    expect(payment).not.toBe('');
    expect(payment).not.toBe(`${asked?.script} ${asked?.amount}`);
    const bumped = await replacement(session, 'bump', id, '--feerate', '20');
    await approveAndSign(session, bumped);
    expect(await paidBy(session, bumped)).toContain(payment);
    await session.expect(0, 'audit', 'verify');
  }, 60_000);

  it('can be bumped again, and the last of three alone can confirm', async () => {
    const { session, id } = await signedBatch();
    const second = await replacement(session, 'bump', id, '--feerate', '10');
    expect(await session.faultOf(15, 'batch', 'bump', id, '--feerate', '30', '--as', 'alice')).toBe('E_BATCH_STATE');
    await approveAndSign(session, second);
    const third = await replacement(session, 'bump', second, '--feerate', '20');
    await approveAndSign(session, third);
    const last = await shown(session, third);
    await chainSays(session, 6, { confirmed: [last.txid ?? ''], spent: last.inputs });
    expect(await Promise.all([id, second, third].map((one) => session.stateOf(one)))).toEqual([
      'REPLACED',
      'REPLACED',
      'CONFIRMED',
    ]);
    await session.expect(0, 'audit', 'verify');
  }, 60_000);

  it('gives coins and request ids back to the batch that it was to replace, where it is given up', async () => {
    const { session, id } = await signedBatch();
    const held = await session.balance('in a batch');
    const bumped = await replacement(session, 'bump', id, '--feerate', '20');
    await session.expect(0, 'batch', 'abandon', bumped, '--reason', 'not now', '--as', 'alice');
    expect(await session.balance('in a batch')).toBe(held);
    const again = await session.json(0, 'batch', 'plan', 'withdrawals.csv', '--as', 'alice');
    expect(again).toMatchObject({ repeated: true, batches: [{ id }] });
    expect(await used(session)).toBe(2);
    await replacement(session, 'bump', id, '--feerate', '25');
  }, 60_000);
});

describe('batch cancel', () => {
  it('brings all coins back, and frees the request ids once it is buried', async () => {
    const { session, id } = await signedBatch();
    const before = await shown(session, id);
    const cancelled = await replacement(session, 'cancel', id);
    await approveAndSign(session, cancelled);
    const after = await shown(session, cancelled);
    expect([...after.inputs].sort()).toEqual([...before.inputs].sort());
    expect(after.spend).toBe(after.fee);
    expect(await paidBy(session, cancelled)).toHaveLength(1);
    expect(await chainSays(session, 6, { confirmed: [after.txid ?? ''], spent: after.inputs })).toMatchObject({
      replaced_batches: [id],
    });
    const again = await session.json(0, 'batch', 'plan', 'withdrawals.csv', '--as', 'alice');
    expect(again.repeated).toBe(false);
    await session.expect(0, 'audit', 'verify');
  }, 60_000);
});

describe('what is refused', () => {
  it('by name, and nothing is written', async () => {
    const { session, id } = await signedBatch();
    const draft = await session.planOne('second.csv');
    await session.untouched(async () => {
      const bump = (of: string, rate: string): Promise<string> =>
        session.faultOf(2, 'batch', 'bump', of, '--feerate', rate, '--as', 'alice');
      expect(await bump(draft, '20')).toBe('E_REPLACE_UNSIGNED');
      expect(await bump(id, '5')).toBe('E_REPLACE_FEE');
      expect(await bump(id, '0')).toBe('E_FEERATE_SYNTAX');
      expect(await session.faultOf(2, 'batch', 'bump', id, '--as', 'alice')).toBe('E_USAGE');
      expect(await session.faultOf(2, 'batch', 'bump', id, '--feerate', '20', '--as', 'nobody')).toBe('E_USAGE');
      expect(await session.faultOf(2, 'batch', 'cancel', draft, '--as', 'alice')).toBe('E_REPLACE_UNSIGNED');
    });
  }, 60_000);

  it('names the least feerate that replaces, which does', async () => {
    const { session, id } = await signedBatch();
    const refused = await session.json(2, 'batch', 'bump', id, '--feerate', '5.5', '--as', 'alice');
    const least = /--feerate ([0-9.]+)/.exec(refused.faults[0].remedy)?.[1] ?? '';
    const below = (Number(least) - 0.001).toFixed(3);
    expect(await session.faultOf(2, 'batch', 'bump', id, '--feerate', below, '--as', 'alice')).toBe('E_REPLACE_FEE');
    await replacement(session, 'bump', id, '--feerate', least);
  }, 60_000);

  it('a replacement whose fees together are over the cap of one fee is denied', async () => {
    const { session, id } = await signedBatch();
    const denied = await session.json(10, 'batch', 'bump', id, '--feerate', '900', '--as', 'alice');
    const codes = denied.batches[0].verdict.findings.filter(({ outcome }: { outcome: string }) => outcome === 'deny');
    expect(codes.map(({ code }: { code: string }) => code)).toContain('FEE_RATE');
    expect(await session.stateOf(id)).toBe('SIGNED');
  }, 60_000);

  it('a coin that is gone', async () => {
    const { session, id } = await signedBatch();
    const { inputs } = await shown(session, id);
    await chainSays(session, 1, { spent: inputs.slice(0, 1) });
    expect(await session.faultOf(14, 'batch', 'bump', id, '--feerate', '20', '--as', 'alice')).toBe('E_REPLACE_SPENT');
  }, 60_000);
});

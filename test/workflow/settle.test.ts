import { Transaction } from 'bitcoinjs-lib';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { fault } from '../../src/domain/fault.js';
import { err } from '../../src/domain/result.js';
import {
  approveAndSign,
  chainSays,
  copyOf,
  foreignSpend,
  lastNews,
  replacement,
  shown,
  signedBatch,
  theft,
} from '../cli/replace-session.js';
import { removeAll, type Session, stage } from '../cli/session.js';
import { softSigner } from '../cli/soft-device.mjs';

afterAll(removeAll);

/** A batch that was sent to a device which was unplugged, and its transaction, which another copy of the workspace has. */
async function unknownBatch(
  what = 'withdrawals.csv',
): Promise<{ session: Session; id: string; txid: string; hex: string }> {
  const session = await stage();
  const id = await session.planOne(what, '--feerate', '5');
  await session.approve(id, 'bob', 'carol');
  const elsewhere = await copyOf(session);
  await elsewhere.expect(0, 'batch', 'sign', id);
  const { transaction } = await elsewhere.json(0, 'batch', 'show', id);
  const { txid = '' } = await shown(elsewhere, id);
  session.signer = () => softSigner(() => err({ fault: fault('E_DEVICE_GONE', 'it was unplugged'), maySign: true }));
  await session.run('batch', 'sign', id);
  expect(await session.stateOf(id)).toBe('UNKNOWN');
  session.signer = () => softSigner();
  return { session, id, txid, hex: transaction };
}

describe('a batch of which a signature may exist', () => {
  let told: Awaited<ReturnType<typeof unknownBatch>>;
  beforeEach(async () => {
    told = await unknownBatch();
  });

  it('is signed and sent where its transaction waits for a block, and confirmed where it is buried', async () => {
    const { session, id, txid, hex } = told;
    expect(await chainSays(session, 1, { brought: [{ txid, hex }] })).toMatchObject({ appeared_batches: [id] });
    expect(await shown(session, id)).toMatchObject({ state: 'BROADCAST', txid });
    const { inputs } = await shown(session, id);
    // It cannot have been mined before it was known to be signed, as far as this journal counts: one block later.
    await chainSays(session, 6, { confirmed: [txid], spent: inputs });
    expect(await session.stateOf(id)).toBe('BROADCAST');
    await chainSays(session, 7, { confirmed: [txid], spent: inputs });
    expect(await session.stateOf(id)).toBe('CONFIRMED');
    await session.expect(0, 'audit', 'verify');
  }, 60_000);

  it('counts as now for 6 more blocks where the chain shows it buried already', async () => {
    const { session, id, txid, hex } = told;
    const { inputs } = await shown(session, id);
    expect(await chainSays(session, 6, { confirmed: [txid], spent: inputs, brought: [{ txid, hex }] })).toMatchObject({
      appeared_batches: [id],
      confirmed_batches: [],
    });
    expect(await chainSays(session, 11, { confirmed: [txid], spent: inputs })).toMatchObject({ confirmed_batches: [] });
    expect(await chainSays(session, 12, { confirmed: [txid], spent: inputs })).toMatchObject({
      confirmed_batches: [id],
    });
    await session.expect(0, 'audit', 'verify');
  }, 60_000);

  it('counts on where its signatures do not hold', async () => {
    const { session, id, hex } = told;
    const { inputs } = await shown(session, id);
    // The last byte of the last signature's key: another transaction in nothing that a txid covers.
    const broken = `${hex.slice(0, -10)}${hex.slice(-10, -8) === '00' ? '01' : '00'}${hex.slice(-8)}`;
    const { txid } = told;
    const said = await chainSays(session, 6, { confirmed: [txid], spent: inputs, brought: [{ txid, hex: broken }] });
    expect(said).toMatchObject({ appeared_batches: [], conflicted_batches: [] });
    expect(await session.stateOf(id)).toBe('UNKNOWN');
  }, 60_000);

  it('is released only where all its coins are gone for good, one block earlier it is not', async () => {
    const { session, id } = await unknownBatch('--consolidate');
    const { inputs } = await shown(session, id);
    const foreign = await Promise.all(inputs.map((input) => theft(session, input)));
    const [some = { txid: '', hex: '' }, ...others] = foreign;
    expect(inputs.length).toBeGreaterThan(1);
    const confirmed = foreign.map(({ txid }) => txid);
    expect(
      await chainSays(session, 6, { confirmed: [some.txid], spent: inputs.slice(0, 1), brought: [some] }, 12),
    ).toMatchObject({ conflicted_batches: [] });
    expect(await session.stateOf(id)).toBe('UNKNOWN');
    const all = { confirmed, spent: inputs, brought: [some, ...others] };
    expect(await chainSays(session, 7, all, 12)).toMatchObject({ conflicted_batches: [id] });
    expect(await session.stateOf(id)).toBe('CONFLICTED');
    expect(await chainSays(session, 8)).toMatchObject({ revived_batches: [id] });
    expect(await session.stateOf(id)).toBe('UNKNOWN');
    await session.expect(0, 'audit', 'verify');
  }, 60_000);

  it('can be cancelled, not bumped', async () => {
    const { session, id } = told;
    expect(await session.faultOf(2, 'batch', 'bump', id, '--feerate', '20', '--as', 'alice')).toBe(
      'E_REPLACE_UNSIGNED',
    );
    const cancelled = await replacement(session, 'cancel', id);
    await approveAndSign(session, cancelled);
    const { txid = '', inputs } = await shown(session, cancelled);
    await chainSays(session, 6, { confirmed: [txid], spent: inputs });
    expect([await session.stateOf(id), await session.stateOf(cancelled)]).toEqual(['REPLACED', 'CONFIRMED']);
    await session.expect(0, 'audit', 'verify');
  }, 60_000);
});

describe('a signed batch that loses a coin to a stranger', () => {
  it.each([
    [5, 'SIGNED'],
    [6, 'CONFLICTED'],
  ])(
    'at %i confirmations is %s',
    async (blocks, state) => {
      const { session, id } = await signedBatch();
      const { inputs } = await shown(session, id);
      const foreign = await theft(session, inputs[0] ?? '');
      const news = { confirmed: [foreign.txid], spent: inputs.slice(0, 1), brought: [foreign] };
      await chainSays(session, blocks, news, 12);
      expect(await session.stateOf(id)).toBe(state);
      await session.expect(0, 'audit', 'verify');
    },
    60_000,
  );

  it('holds no budget then, and counts again where that block is gone', async () => {
    const { session, id } = await signedBatch();
    const { inputs } = await shown(session, id);
    const foreign = await theft(session, inputs[0] ?? '');
    const news = { spent: inputs.slice(0, 1), brought: [foreign] };
    await chainSays(session, 6, { ...news, confirmed: [foreign.txid] }, 12);
    expect(await session.balance('in a batch')).toBe(0n);
    expect(await session.faultOf(15, 'batch', 'broadcast', id, '--backend', 'esplora:http://127.0.0.1:1')).toBe(
      'E_BATCH_STATE',
    );
    // It waits for a block again.
    expect(await chainSays(session, 8, news)).toMatchObject({ revived_batches: [id] });
    expect(await session.stateOf(id)).toBe('SIGNED');
    await session.expect(0, 'audit', 'verify');
  }, 60_000);
});

describe('a theft that a carried snapshot proves', () => {
  it('halts everything once, as reconcile would, before it is in a block and after', async () => {
    const { session, id } = await signedBatch();
    const { inputs } = await shown(session, id);
    const outpoint = inputs[0] ?? '';
    const foreign = await theft(session, outpoint);
    const news = { spent: [outpoint], brought: [foreign] };
    expect(await chainSays(session, 1, news, 12)).toMatchObject({
      out_of_band: [{ outpoint, spent_by: foreign.txid, halt: { kind: 'raised' } }],
      missing: [],
    });
    await session.expect(12, 'halt', 'status');
    expect(await chainSays(session, 2, { ...news, confirmed: [foreign.txid] })).toMatchObject({
      out_of_band: [{ outpoint, spent_by: foreign.txid, halt: { kind: 'known' } }],
    });
    await session.expect(0, 'audit', 'verify');
  }, 60_000);

  it('is none where a batch of this journal is what spent the coin', async () => {
    const { session, id } = await signedBatch();
    const bumped = await replacement(session, 'bump', id, '--feerate', '20');
    await approveAndSign(session, bumped);
    const { inputs, txid = '' } = await shown(session, bumped);
    const { transaction: hex } = await session.json(0, 'batch', 'show', bumped);
    expect(await chainSays(session, 1, { spent: inputs, brought: [{ txid, hex }] })).toMatchObject({
      out_of_band: [],
      doubtful_spends: [],
      missing: [],
    });
  }, 60_000);
});

describe('a coin that is gone', () => {
  it('and that no batch spends is named, with what it was worth, and halts nothing: nothing is proven', async () => {
    const { session, id } = await signedBatch();
    const { inputs } = await shown(session, id);
    const { coins } = await session.json(0, 'vault', 'coins');
    const [gone] = coins.filter(({ outpoint }: { outpoint: string }) => !inputs.includes(outpoint));
    const spent = [...inputs, gone.outpoint];
    const copy = await copyOf(session);
    expect(await chainSays(session, 1, { spent })).toMatchObject({
      missing: [{ outpoint: gone.outpoint, value: gone.value }],
    });
    copy.now = session.now;
    copy.write('carried.json', session.read(lastNews()));
    const { stdout, stderr } = await copy.expect(0, 'coins', 'import', 'carried.json');
    expect(stdout + stderr).toContain('1 coin of');
    await session.expect(0, 'halt', 'status');
    // Named once: from then on nobody knows of it.
    expect(await chainSays(session, 2, { spent })).toMatchObject({ missing: [] });
  }, 60_000);
});

describe('a snapshot that contradicts itself', () => {
  it.each(['bump', 'cancel'] as const)(
    'and says that a batch and its %s are both in blocks is refused',
    async (how) => {
      const { session, id } = await signedBatch();
      const other = await replacement(session, how, id, '--feerate', '20');
      await approveAndSign(session, other);
      const batches = [await shown(session, id), await shown(session, other)];
      const spent = batches.flatMap(({ inputs }) => inputs);
      const confirmed = batches.flatMap(({ txid }) => txid ?? []);
      const refused = await chainSays(session, 8, { confirmed, spent }, 2);
      expect(refused.faults).toMatchObject([
        { tag: 'E_SNAPSHOT_COIN', remedy: expect.stringContaining('no chain has both') },
      ]);
      expect([await session.stateOf(id), await session.stateOf(other)]).toEqual(['SIGNED', 'SIGNED']);
      // Also where one of them is settled by then.
      const [first = ''] = confirmed;
      await chainSays(session, 9, { confirmed: [first], spent });
      await chainSays(session, 10, { confirmed, spent }, 2);
      await session.expect(0, 'audit', 'verify');
    },
    60_000,
  );
});

/** Whoever makes snapshots owns every word of them but the signatures of the vault. */
describe('a stranger who is made up', () => {
  const forge = (bytes: string): string => {
    // A witness of the right form, a signature of nothing: r and s are 1.
    const transaction = Transaction.fromHex(bytes);
    transaction.setWitness(0, [Buffer.from('300602010102010101', 'hex'), Buffer.alloc(33, 2)]);
    return transaction.toHex();
  };

  it.each([
    ['without any signature', (_: string, made: string) => made],
    ['with a witness that proves nothing', (_: string, made: string) => forge(made)],
    [
      'whose signature is of another coin',
      (true_: string, made: string) => {
        const transaction = Transaction.fromHex(made);
        transaction.setWitness(0, Transaction.fromHex(true_).ins[0]?.witness ?? []);
        return transaction.toHex();
      },
    ],
  ])(
    '%s settles nothing: budget and requests are held, and nobody is paid twice',
    async (_, change) => {
      const { session, id } = await signedBatch();
      const { inputs } = await shown(session, id);
      const made = foreignSpend(inputs[0] ?? '');
      const { coins } = await session.json(0, 'vault', 'coins');
      const other = coins.find(({ outpoint }: { outpoint: string }) => !inputs.includes(outpoint)).outpoint;
      const hex = change((await theft(session, other)).hex, made.hex);
      const held = await session.balance('in a batch');
      const news = { confirmed: [made.txid], spent: inputs, brought: [{ txid: made.txid, hex }] };
      expect(await chainSays(session, 50, news)).toMatchObject({
        conflicted_batches: [],
        doubtful_spends: [{ batch: id, outpoint: inputs[0], txid: made.txid }],
      });
      expect(await session.stateOf(id)).toBe('SIGNED');
      expect(held).toBeGreaterThan(0n);
      const again = await session.json(0, 'batch', 'plan', 'withdrawals.csv', '--as', 'alice', '--feerate', '5');
      expect(again).toMatchObject({ repeated: true, batches: [{ id }] });
      const { stdout, stderr } = await session.expect(0, 'coins', 'import', lastNews());
      expect(stdout + stderr).toContain('no signature of the vault');
      await session.expect(0, 'audit', 'verify');
    },
    60_000,
  );
});

describe('a child', () => {
  it('brings both to the feerate, spends nothing but the change, and is replaced with its parent', async () => {
    const { session, id } = await signedBatch();
    const parent = await shown(session, id);
    const child = await replacement(session, 'bump', id, '--feerate', '20', '--cpfp');
    await approveAndSign(session, child);
    const shownChild = await shown(session, child);
    expect(shownChild.inputs.every((outpoint) => outpoint.startsWith(parent.txid ?? ''))).toBe(true);
    expect(shownChild.spend).toBe(shownChild.fee);
    expect(await session.faultOf(15, 'batch', 'bump', id, '--feerate', '30', '--cpfp', '--as', 'alice')).toBe(
      'E_BATCH_STATE',
    );
    // A replacement of the parent drives the child out, and pays for that.
    const bumped = await replacement(session, 'bump', id, '--feerate', '40');
    await approveAndSign(session, bumped);
    const fresh = await shown(session, bumped);
    expect(fresh.fee).toBeGreaterThan(parent.fee + shownChild.fee);
    await chainSays(session, 6, { confirmed: [fresh.txid ?? ''], spent: fresh.inputs });
    expect(await Promise.all([id, child, bumped].map((one) => session.stateOf(one)))).toEqual([
      'REPLACED',
      'REPLACED',
      'CONFIRMED',
    ]);
    await session.expect(0, 'audit', 'verify');
  }, 60_000);

  it('can be bumped itself, and not where its parent pays that much', async () => {
    const { session, id } = await signedBatch();
    expect(await session.faultOf(2, 'batch', 'bump', id, '--feerate', '4', '--cpfp', '--as', 'alice')).toBe(
      'E_REPLACE_FEE',
    );
    const child = await replacement(session, 'bump', id, '--feerate', '10', '--cpfp');
    await approveAndSign(session, child);
    const again = await replacement(session, 'bump', child, '--feerate', '60');
    await approveAndSign(session, again);
    expect(await shown(session, again)).toMatchObject({ state: 'SIGNED', replaces: child });
    expect(await session.faultOf(2, 'batch', 'cancel', again, '--as', 'alice')).toBe('E_REPLACE_KIND');
    await session.expect(0, 'audit', 'verify');
  }, 60_000);
});

import { afterAll, describe, expect, it } from 'vitest';
import { formatOutpoint, type Outpoint } from '../../src/domain/outpoint.js';
import { ok } from '../../src/domain/result.js';
import type { ChainBackend, Spender, TransactionStatus } from '../../src/vault/chain.js';
import { type Reconciled, reconcile } from '../../src/workflow/reconcile.js';
import { shown, signedBatch } from '../cli/replace-session.js';
import { removeAll, type Session } from '../cli/session.js';
import { atDesk } from './forged-journal.js';

afterAll(removeAll);

const THIEF = 'ee'.repeat(32);

/** A back end that says of these outpoints who spent them, and of all others that nobody did. */
function saying(name: string, spent: Readonly<Record<string, string | null>>, status: TransactionStatus = MINED) {
  return {
    name,
    network: async () => ok('testnet3'),
    tip: async () => ok({ height: 2_950_001, hash: '00'.repeat(32), medianTimePast: 0 }),
    status: async () => ok(status),
    transactions: async () => ok(new Map()),
    spenders: async (outpoints: readonly Outpoint[]) =>
      ok(
        new Map(
          outpoints.map((outpoint): [string, Spender] => {
            const by = spent[formatOutpoint(outpoint)];
            return [formatOutpoint(outpoint), by === undefined ? { state: 'unspent' } : { state: 'spent', by }];
          }),
        ),
      ),
  } as unknown as ChainBackend;
}

const MINED: TransactionStatus = { state: 'confirmed', height: 2_950_001, blockHash: '00'.repeat(32), time: 0 };

async function reconciled(session: Session, ...backends: readonly ChainBackend[]): Promise<Reconciled> {
  const done = await atDesk(session, (desk) => reconcile(desk, backends));
  if (!done.ok) throw new Error(done.error.message);
  return done.value;
}

/** A batch that was signed, with its first coin and one that it does not spend. */
async function scene() {
  const { session, id } = await signedBatch();
  const { inputs, txid = '' } = await shown(session, id);
  const { coins } = await session.json(0, 'vault', 'coins');
  const other: string = coins.find(({ outpoint }: { outpoint: string }) => !inputs.includes(outpoint)).outpoint;
  return { session, id, txid, coin: inputs[0] ?? '', other };
}

const orders = (a: ChainBackend, b: ChainBackend) => [
  [a, b],
  [b, a],
];

describe('of several back ends, one that names a stranger is enough', () => {
  it('whatever another says, and in whatever order they are asked', async () => {
    const { session, txid, coin, other } = await scene();
    const honest = saying('honest', { [coin]: THIEF, [other]: THIEF });
    const lies = [
      saying('hides it', {}),
      saying('cannot name it', { [coin]: null, [other]: null }),
      saying('calls it our own', { [coin]: txid, [other]: txid }),
    ];
    for (const liar of lies) {
      for (const backends of orders(honest, liar)) {
        const { strange } = await reconciled(session, ...backends);
        const named = strange.map(({ outpoint, by }) => `${outpoint} ${by}`);
        expect(named).toEqual(expect.arrayContaining([`${coin} ${THIEF}`, `${other} ${THIEF}`]));
        // Of the other coin the lie is a finding too: the batch does not spend it.
        expect(named).toHaveLength(liar.name === 'calls it our own' ? 3 : 2);
      }
    }
    await session.expect(12, 'halt', 'status');
  }, 60_000);

  it('and two strangers are two findings', async () => {
    const { session, other } = await scene();
    const second = 'dd'.repeat(32);
    const { strange } = await reconciled(session, saying('a', { [other]: THIEF }), saying('b', { [other]: second }));
    expect(strange.map(({ by, halt }) => [by, halt.kind])).toEqual([
      [THIEF, 'raised'],
      [second, 'raised'],
    ]);
  }, 60_000);
});

describe('a coin that is spent by nobody knows whom', () => {
  const young = async () => {
    const { session, other } = await scene();
    const document = JSON.parse(session.read('coins.json'));
    // As deep as a reorganisation could reach.
    for (const coin of document.coins) if (coin.outpoint === other) coin.height = document.tip.height;
    session.wait(600);
    session.write('young.json', JSON.stringify({ ...document, taken_at: session.now }));
    await session.expect(0, 'coins', 'import', 'young.json');
    return { session, other };
  };

  it.each<[string, TransactionStatus, 'undone' | 'strange']>([
    ['is unknown, as that of a deposit that was replaced', { state: 'unknown' }, 'undone'],
    ['waits for a block', { state: 'mempool' }, 'strange'],
    ['is in a block', MINED, 'strange'],
  ])(
    'while its own transaction %s',
    async (_, status, where) => {
      const { session, other } = await young();
      const done = await reconciled(session, saying('a', { [other]: null }, status));
      expect(done[where].map(({ outpoint }) => outpoint)).toEqual([other]);
      expect([...done.undone, ...done.strange]).toHaveLength(1);
    },
    60_000,
  );
});

describe('a back end that calls a spend our own', () => {
  it('is believed of a coin that the batch spends, once, also where another cannot name the transaction', async () => {
    const { session, id, txid, coin } = await scene();
    for (const backends of orders(saying('a', { [coin]: txid }), saying('b', { [coin]: null }))) {
      const { authorised, strange } = await reconciled(session, ...backends);
      expect(strange).toEqual([]);
      expect(authorised).toEqual([expect.objectContaining({ outpoint: coin, batch: id, by: txid })]);
    }
  }, 60_000);

  it('is not believed of a coin that the batch does not spend', async () => {
    const { session, txid, other } = await scene();
    const { authorised, strange } = await reconciled(session, saying('a liar', { [other]: txid }));
    expect(authorised).toEqual([]);
    expect(strange).toEqual([expect.objectContaining({ outpoint: other, by: txid })]);
  }, 60_000);
});

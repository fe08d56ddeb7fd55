import { Transaction } from 'bitcoinjs-lib';
import { afterAll, describe, expect, it } from 'vitest';
import { demoFile, removeAll, type Session, stage } from './session.js';

afterAll(removeAll);

const DEMO = JSON.parse(demoFile('coins.json'));
const HEIGHT: number = DEMO.tip.height + 1;
/** The policy's inputs.min_value. */
const SMALL = BigInt(/min_value: "([0-9]+)"/.exec(demoFile('policy.yaml'))?.[1] ?? '0');

interface Arrival {
  readonly value: bigint;
  /** Copies the script of this coin of the demo. */
  readonly onto: number;
}

/**
 * The demo's coins and new ones. Each gets a previous transaction of its own: that of the coin whose script it copies, with
 * another amount and locktime.
 */
function later(arrivals: readonly Arrival[], onlyFirst = DEMO.coins.length): { text: string; outpoints: string[] } {
  const base = structuredClone(DEMO);
  base.tip.height = HEIGHT;
  base.taken_at = '2026-06-01T11:52:00Z';
  base.coins = base.coins.slice(0, onlyFirst);
  const outpoints: string[] = [];
  for (const [number, { value, onto }] of arrivals.entries()) {
    const like = DEMO.coins[onto];
    const { txid, raw } = payment(like.script, value, number);
    base.previous_transactions[txid] = raw;
    outpoints.push(`${txid}:0`);
    base.coins.push({ ...like, outpoint: `${txid}:0`, value: `${value}`, height: HEIGHT, coinbase: false });
  }
  return { text: JSON.stringify(base, null, 1), outpoints };
}

function payment(script: string, value: bigint, number: number): { txid: string; raw: string } {
  const transaction = new Transaction();
  transaction.version = 2;
  transaction.locktime = number;
  transaction.addInput(Buffer.alloc(32, 7), 0, 0xfffffffd);
  transaction.addOutput(Buffer.from(script, 'hex'), value);
  return { txid: transaction.getId(), raw: transaction.toHex() };
}

async function imported(session: Session, name: string, text: string) {
  session.write(name, text);
  return session.json(0, 'coins', 'import', name);
}

describe('what came in since the snapshot before', () => {
  it('a first import has no deposits; an ordinary deposit is noted, and can be spent', async () => {
    const session = await stage();
    const { entries } = await session.json(0, 'audit', 'log');
    expect(
      entries.findLast(({ body }: { body: { kind: string } }) => body.kind === 'coins.imported').body,
    ).not.toHaveProperty('deposits');
    const { text, outpoints } = later([{ value: SMALL, onto: 0 }]);
    const report = await imported(session, 'later.json', text);
    expect(report).toMatchObject({ deposits: { coins: 1, total: `${SMALL}` }, quarantined: [] });
    const log = await session.json(0, 'audit', 'log');
    expect(log.entries.at(-1).body.deposits).toEqual({ coins: 1, total: `${SMALL}` });
    const { coins } = await session.json(0, 'vault', 'coins');
    expect(coins.find(({ outpoint }: { outpoint: string }) => outpoint === outpoints[0]).status).toBe('available');
    // The same again brings nothing new.
    expect(await imported(session, 'same.json', `${text}\n`)).toMatchObject({ deposits: { coins: 0, total: '0' } });
    await session.expect(0, 'audit', 'verify');
  });

  it('a trifle is frozen with its reason, stays so, and a person unfreezes it for good', async () => {
    const session = await stage();
    const gone = DEMO.coins.length - 1;
    // One onto a script that holds a coin, one onto a script whose coin is gone since, one a sat above the limit's edge.
    const { text, outpoints } = later([
      { value: SMALL - 1n, onto: 0 },
      { value: 600n, onto: gone },
    ]);
    const report = await imported(session, 'later.json', text);
    expect(report.deposits).toEqual({ coins: 2, total: `${SMALL + 599n}` });
    expect(report.quarantined.map(({ outpoint }: { outpoint: string }) => outpoint).sort()).toEqual(
      [...outpoints].sort(),
    );
    for (const one of report.quarantined)
      expect(one.reason).toMatch(/^forced reuse: .* the smallest input of the policy/);
    const { coins } = await session.json(0, 'vault', 'coins');
    const listed = coins.filter(({ status }: { status: string }) => status === 'frozen');
    expect(listed.map(({ outpoint }: { outpoint: string }) => outpoint).sort()).toEqual([...outpoints].sort());
    const [first = ''] = outpoints;
    await session.expect(0, 'coins', 'unfreeze', first, '--reason', 'our own test payment', '--as', 'alice');
    expect(await imported(session, 'same.json', `${text}\n`)).toMatchObject({ quarantined: [] });
    const after = await session.json(0, 'vault', 'coins');
    expect(after.coins.find(({ outpoint }: { outpoint: string }) => outpoint === first).status).not.toBe('frozen');
    await session.expect(0, 'audit', 'verify');
  });
});

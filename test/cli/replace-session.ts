import { parseTransaction } from '../../src/psbt/transaction.js';
import { demoFile, type Session, snapshot, stage } from './session.js';

/** What tests of replacements ask of a batch, from the documented object of batch show. */
export interface Shown {
  readonly state: string;
  readonly fee: bigint;
  readonly spend: bigint;
  readonly inputs: readonly string[];
  readonly txid: string | undefined;
  readonly requests: readonly { readonly id: string; readonly script: string; readonly amount: string }[];
  readonly replaces: string | undefined;
  readonly replaced_by: string | undefined;
}

export async function shown(session: Session, id: string): Promise<Shown> {
  const { batch } = await session.json(0, 'batch', 'show', id);
  return { ...batch, fee: BigInt(batch.fee), spend: BigInt(batch.spend) };
}

/** Outputs of a signed transaction, in hex and sats, sorted. */
export async function paidBy(session: Session, id: string): Promise<readonly string[]> {
  const { transaction } = await session.json(0, 'batch', 'show', id);
  const parsed = parseTransaction(Buffer.from(transaction, 'hex'));
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value.outputs.map(({ script, value }) => `${Buffer.from(script).toString('hex')} ${value}`).sort();
}

/** A workspace with one batch that is signed, at 5 sat/vB. */
export async function signedBatch(file = 'withdrawals.csv'): Promise<{ session: Session; id: string }> {
  const session = await stage();
  const id = await session.planOne(file, '--feerate', '5');
  await approveAndSign(session, id);
  return { session, id };
}

export async function approveAndSign(session: Session, id: string): Promise<void> {
  await session.approve(id, 'bob', 'carol');
  await session.expect(0, 'batch', 'sign', id);
}

/** Plans a replacement and returns its id. */
export async function replacement(session: Session, ...argv: string[]): Promise<string> {
  const planned = await session.json(0, 'batch', ...argv, '--as', 'alice');
  return planned.batches[0].id;
}

const TIP: { readonly height: number; readonly taken_at: string } = (() => {
  const { tip, taken_at } = JSON.parse(demoFile('coins.json'));
  return { height: tip.height, taken_at };
})();

/** The next snapshot: `blocks` further, these transactions in the block right after the demo's tip, and their coins spent. */
export async function chainSays(
  session: Session,
  blocks: number,
  { confirmed = [], spent = [] }: { confirmed?: readonly string[]; spent?: readonly string[] } = {},
): Promise<Record<string, readonly string[]>> {
  session.wait(blocks * 600);
  const text = snapshot({
    height: TIP.height + blocks,
    takenAt: session.now,
    spent,
    confirmed: Object.fromEntries(
      confirmed.map((txid) => [txid, { height: TIP.height + 1, time: '2026-06-01T12:20:00Z' }]),
    ),
  });
  session.write(`chain-${blocks}.json`, text);
  return session.json(0, 'coins', 'import', `chain-${blocks}.json`);
}

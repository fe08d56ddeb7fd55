import { cpSync, rmSync } from 'node:fs';
import { Psbt } from 'bitcoinjs-lib';
import { parseTransaction, serialiseUnsigned, txidOf } from '../../src/psbt/transaction.js';
import { demoFile, type Session, snapshot, stage } from './session.js';
import { root } from './soft-device.mjs';

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

export interface ChainNews {
  /** Transactions that are in the first block after the demo's tip. */
  readonly confirmed?: readonly string[];
  /** Coins that are no longer there. */
  readonly spent?: readonly string[];
  /** Transactions that the snapshot carries besides. */
  readonly brought?: readonly { readonly txid: string; readonly hex: string }[];
}

let imported = 0;

/** The file of the newest news. */
export const lastNews = (): string => `chain-${imported}.json`;

/** The next snapshot: `blocks` further, these transactions in the block right after the demo's tip, and their coins spent. */
export async function chainSays(
  session: Session,
  blocks: number,
  { confirmed = [], spent = [], brought = [] }: ChainNews = {},
  code = 0,
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
  const document = JSON.parse(text);
  for (const { txid, hex } of brought) document.previous_transactions[txid] = hex;
  imported += 1;
  session.write(`chain-${imported}.json`, JSON.stringify(document));
  return session.json(code, 'coins', 'import', lastNews());
}

/** A workspace as another one is now. */
export async function copyOf(session: Session): Promise<Session> {
  const copy = await stage({ until: 'nothing' });
  rmSync(copy.folder, { recursive: true, force: true });
  cpSync(session.folder, copy.folder, { recursive: true });
  copy.now = session.now;
  return copy;
}

/** What a thief with the device and other software makes of a coin of the vault: a transaction that pays somebody else. */
export async function theft(
  session: Session,
  outpoint: string,
): Promise<{ readonly txid: string; readonly hex: string }> {
  const { coins } = await session.json(0, 'vault', 'coins');
  const coin = coins.find((one: { readonly outpoint: string }) => one.outpoint === outpoint);
  const key = root.derivePath(`84'/1'/0'/${coin.branch}/${coin.index}`);
  const [hash = '', index = ''] = outpoint.split(':');
  const psbt = new Psbt();
  const script = Buffer.from(`0014${Buffer.from(key.identifier).toString('hex')}`, 'hex');
  psbt.addInput({ hash, index: Number(index), witnessUtxo: { script, value: BigInt(coin.value) } });
  psbt.addOutput({ script: Buffer.from(`0014${'ee'.repeat(20)}`, 'hex'), value: 1000n });
  psbt.signInput(0, { publicKey: key.publicKey, sign: (digest) => key.sign(Buffer.from(digest)) });
  psbt.finalizeAllInputs();
  const transaction = psbt.extractTransaction(true);
  return { txid: transaction.getId(), hex: transaction.toHex() };
}

/** What anybody can write down without any key: a transaction of a coin that nobody signed. */
export function foreignSpend(outpoint: string): { readonly txid: string; readonly hex: string } {
  const [txid = '', vout = ''] = outpoint.split(':');
  const bytes = serialiseUnsigned({
    version: 2,
    inputs: [
      {
        hash: Buffer.from(txid, 'hex').reverse(),
        vout: Number(vout),
        scriptSig: new Uint8Array(0),
        sequence: 0xfffffffd,
      },
    ],
    outputs: [{ value: 1000n, script: Buffer.from(`0014${'ee'.repeat(20)}`, 'hex') }],
    locktime: 0,
  });
  const parsed = parseTransaction(bytes);
  if (!parsed.ok) throw new Error(parsed.error);
  return { txid: txidOf(parsed.value), hex: Buffer.from(bytes).toString('hex') };
}

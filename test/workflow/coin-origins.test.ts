import { Transaction } from 'bitcoinjs-lib';
import { describe, expect, it } from 'vitest';
import { fail } from '../../src/domain/fault.js';
import { ok } from '../../src/domain/result.js';
import type { ChainBackend, StatedCoin } from '../../src/vault/chain.js';
import type { Snapshot } from '../../src/vault/snapshot-types.js';
import { coinOrigins } from '../../src/workflow/coin-origins.js';

const taproot = (fill: number): Buffer => Buffer.concat([Buffer.from([0x51, 0x20]), Buffer.alloc(32, fill)]);

/** A transaction that pays two taproot outputs. */
function parent(fill: number): Transaction {
  const made = new Transaction();
  made.addInput(Buffer.alloc(32, fill), 0);
  made.addOutput(taproot(fill), 1_000n);
  made.addOutput(taproot(fill + 1), 2_000n);
  return made;
}

const [first, second] = [parent(1), parent(7)];
/** Spends an output of each by key path, which shows no script. */
const child = new Transaction();
child.addInput(Buffer.from(first.getHash()), 1);
child.addInput(Buffer.from(second.getHash()), 0);
for (const input of [0, 1]) child.setWitness(input, [Buffer.alloc(64, 3)]);
child.addOutput(Buffer.concat([Buffer.from([0, 20]), Buffer.alloc(20, 9)]), 2_500n);
const txid = child.getId();
const coin: StatedCoin = {
  place: { branch: 0, index: 0 },
  outpoint: { txid, vout: 0 },
  value: 2_500n,
  script: child.outs[0]?.script ?? new Uint8Array(),
  height: 100,
};
const previous = new Map([[txid, new Uint8Array(child.toBuffer())]]);
const SCRIPTS = [taproot(2), taproot(7)].map((script) => new Uint8Array(script));

interface Told {
  readonly stated?: ReadonlyMap<string, readonly Uint8Array[]>;
  readonly has?: readonly (readonly [string, Transaction])[];
}

/** Of the two calls that are asked here. */
function backendOf({ stated, has = [] }: Told, asked: string[] = []): ChainBackend {
  return {
    name: 'the node',
    ...(stated === undefined ? {} : { spentScripts: async () => ok(stated) }),
    transactions: async (wanted: readonly { txid: string }[]) => {
      asked.push(...wanted.map((one) => one.txid));
      return ok(new Map(has.map(([name, made]) => [name, new Uint8Array(made.toBuffer())])));
    },
  } as unknown as ChainBackend;
}

const ask = (backend: ChainBackend, known: Snapshot | null = null) =>
  coinOrigins([coin], previous, known, backend, () => undefined);

describe('where taproot coins come from', () => {
  it('is what a back end tells, or what the transactions before show', async () => {
    expect(await ask(backendOf({ stated: new Map([[txid, SCRIPTS]]) }))).toEqual(ok(new Map([[txid, SCRIPTS]])));
    const asked: string[] = [];
    const parents = [first, second].map((made) => [made.getId(), made] as const);
    const found = await ask(backendOf({ has: parents }, asked));
    expect(found.ok && [...(found.value.get(txid) ?? [])].map((script) => Buffer.from(script).toString('hex'))).toEqual(
      SCRIPTS.map((script) => Buffer.from(script).toString('hex')),
    );
    expect(asked.sort()).toEqual([first.getId(), second.getId()].sort());
  });

  it('is not stated where one of them is missing, and not asked again where it is known', async () => {
    expect(await ask(backendOf({ has: [[first.getId(), first]] }))).toEqual(ok(new Map()));
    const asked: string[] = [];
    const known = { sources: new Map([[txid, SCRIPTS]]) } as unknown as Snapshot;
    expect(await ask(backendOf({}, asked), known)).toEqual(ok(new Map([[txid, SCRIPTS]])));
    expect(asked).toEqual([]);
  });

  it('is refused where it is another transaction, or of another number', async () => {
    const lied = await ask(backendOf({ has: [[first.getId(), second]] }));
    expect(lied).toMatchObject({ ok: false, error: { tag: 'E_CHAIN_ANSWER' } });
    const short = await ask(backendOf({ stated: new Map([[txid, SCRIPTS.slice(1)]]) }));
    expect(short).toMatchObject({ ok: false, error: { tag: 'E_CHAIN_ANSWER' } });
    const down = { ...backendOf({}), transactions: async () => fail('E_CHAIN_UNREACHABLE', 'gone') };
    expect(await ask(down)).toMatchObject({ ok: false, error: { tag: 'E_CHAIN_UNREACHABLE' } });
  });
});

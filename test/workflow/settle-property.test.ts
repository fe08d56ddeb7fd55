import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256Hex, toHex } from '../../src/domain/bytes.js';
import { sealEntry } from '../../src/journal/chain.js';
import type { Entry, EntryBody } from '../../src/journal/entries.js';
import type { JournalState } from '../../src/journal/state.js';
import { holdsBudget, holdsCoins } from '../../src/journal/transitions.js';
import { createSpendIndex } from '../../src/policy/windows.js';
import type { Snapshot } from '../../src/vault/snapshot-types.js';
import { spendOf } from '../../src/workflow/history.js';
import { settle } from '../../src/workflow/settle.js';
import { foreignSpend } from '../cli/replace-session.js';
import { next, START, stateOf } from '../journal/chains.js';
import { type BatchOptions, story } from '../journal/story.js';

/**
 * A journal and a chain that know of each other only by snapshots: batches are signed, replaced, cancelled and helped,
 * blocks take whichever of them they may, strangers take coins, and reorganisations undo blocks, in any order.
 */
class World {
  state: JournalState = stateOf([story.opened(), story.policy()]);
  /** Transactions by id, with the coins that they spend: batches by their txids, strangers by theirs. */
  readonly transactions = new Map<string, { readonly inputs: readonly string[]; readonly batch: string | null }>();
  readonly raw = new Map<string, Uint8Array>();
  readonly blocks: string[][] = [];
  readonly plans = new Map<string, BatchOptions>();
  #count = 0;

  append(body: EntryBody): Entry {
    const entry = sealEntry(this.state.head, (this.state.head?.at ?? START) + 60, body);
    const applied = next(this.state, body);
    if (!applied.ok) throw new Error(`${body.kind}: ${applied.error.message}`);
    this.state = applied.value;
    return entry;
  }

  tries(...bodies: readonly EntryBody[]): boolean {
    let state = this.state;
    for (const body of bodies) {
      const sealed = next(state, body);
      if (!sealed.ok) return false;
      state = sealed.value;
    }
    this.state = state;
    return true;
  }

  /** Plans and signs a batch where the journal lets it. */
  sign(options: BatchOptions): void {
    this.#count += 1;
    const id = `b${this.#count}`;
    const { fee = '1000', amount = '90000', batchKind } = options;
    const debit = { fee, ...(batchKind === undefined ? {} : { batchKind }) };
    const signed = this.tries(
      story.planned(id, options),
      story.verdict(id),
      story.reserved(id, [], amount, debit),
      story.verdict(id),
      story.sent(id),
      story.signed(id),
    );
    if (!signed) return;
    const batch = this.state.batches.get(id);
    if (batch?.signed == null) throw new Error('it was signed');
    this.plans.set(id, options);
    this.transactions.set(batch.signed.txid, { inputs: batch.inputs, batch: id });
  }

  /** What is in the chain now. */
  get mined(): readonly string[] {
    return this.blocks.flat();
  }

  get spent(): ReadonlySet<string> {
    return new Set(this.mined.flatMap((txid) => this.transactions.get(txid)?.inputs ?? []));
  }

  mine(choice: number): void {
    const [spent, mined] = [this.spent, this.mined];
    const possible = [...this.transactions].filter(([txid, { inputs }]) => {
      const made = inputs.every((input) => !input.endsWith(':1') || mined.includes(input.slice(0, 64)));
      return !mined.includes(txid) && made && inputs.every((input) => !spent.has(input));
    });
    const [txid] = possible[choice % Math.max(1, possible.length)] ?? [];
    this.blocks.push(txid === undefined ? [] : [txid]);
  }

  /** Another chain, longer by one: its first block has something else in it, or the same again. */
  reorganise(depth: number, choice: number): void {
    const undone = Math.min(depth, this.blocks.length);
    this.blocks.splice(this.blocks.length - undone, undone);
    this.mine(choice);
    for (let block = 0; block < undone; block += 1) this.blocks.push([]);
  }

  look(): void {
    const spent = this.spent;
    const confirmed = new Map(
      this.blocks.flatMap((txids, index) =>
        txids.map((txid) => [txid, { height: 900 + index, time: 1_780_300_000 }] as const),
      ),
    );
    const everySpent = [...new Set([...this.transactions.values()].flatMap(({ inputs }) => inputs))];
    const coins = everySpent
      .filter((outpoint) => !spent.has(outpoint) && outpoint.endsWith(':0'))
      .map((outpoint) => ({ outpoint: { txid: outpoint.slice(0, 64), vout: 0 } }));
    const snapshot = {
      coins,
      confirmed,
      previous: this.raw,
      tip: { height: 900 + this.blocks.length - 1, hash: '00'.repeat(32), medianTimePast: 0 },
    } as unknown as Snapshot;
    const imported: EntryBody = {
      kind: 'coins.imported',
      snapshot: sha256Hex('snapshot'),
      ...snapshot.tip,
      coins: coins.length,
      total: '0',
    };
    const before = this.state;
    const entry = this.append(imported);
    const tx = { state: before, at: 0, append: (body: EntryBody) => this.append(body), keep: toHex };
    const settled = settle(
      tx,
      entry,
      snapshot,
      { found: new Map(), proven: new Map(everySpent.map((outpoint) => [outpoint, ''])) },
      'a file',
    );
    if (!settled.ok) throw new Error(settled.error.message);
  }
}

const counted = ({ batches }: JournalState): bigint => {
  const spends = [...batches.values()].filter(({ state }) => holdsBudget(state)).map(spendOf);
  const index = createSpendIndex(spends);
  return index.confirmedTotal + index.pendingTotal.spend;
};

type Step = readonly [kind: 'new' | 'bump' | 'cancel' | 'help' | 'steal' | 'mine' | 'bury' | 'undo', choice: number];

function take(world: World, [kind, choice]: Step): void {
  const batches = [...world.state.batches.values()];
  const one = batches[choice % Math.max(1, batches.length)];
  const plan = one === undefined ? undefined : world.plans.get(one.id);
  const more = `${sha256Hex(`coin ${choice} of ${batches.length}`)}:0`;
  switch (kind) {
    case 'new':
      // A coin of another batch, which may be free again, or a fresh one.
      world.sign({ inputs: [choice % 4 === 0 ? (one?.inputs[0] ?? more) : more], amount: `${10_000 + choice * 1000}` });
      break;
    case 'bump':
    case 'cancel': {
      if (one === undefined || plan === undefined) break;
      const fee = `${one.fee + 1n + BigInt(choice)}`;
      const requests = one.requests.map(({ id }) => id);
      const inputs = choice % 2 === 0 || kind === 'cancel' ? one.inputs : [...one.inputs, more];
      if (kind === 'cancel') world.sign({ inputs, fee, replaces: one.id, batchKind: 'cancellation' });
      else world.sign({ ...plan, inputs, fee, requests, replaces: one.id });
      break;
    }
    case 'help':
      if (one?.signed == null) break;
      world.sign({ inputs: [`${one.signed.txid}:1`], batchKind: 'child', childOf: one.id, fee: `${500 + choice}` });
      break;
    case 'steal': {
      const coin = one?.inputs.find((input) => input.endsWith(':0'));
      if (coin === undefined || choice % 3 !== 0) break;
      const { txid, hex } = foreignSpend(coin);
      world.transactions.set(txid, { inputs: [coin], batch: null });
      world.raw.set(txid, Buffer.from(hex, 'hex'));
      break;
    }
    case 'mine':
      world.mine(choice);
      break;
    case 'bury':
      for (let block = 0; block < 6; block += 1) world.mine(choice + block);
      break;
    case 'undo':
      world.reorganise(choice % 2 === 0 ? 8 : choice % 8, choice);
      break;
  }
}

const steps = fc.array(
  fc.tuple(
    fc.constantFrom(
      'new',
      'new',
      'bump',
      'cancel',
      'help',
      'steal',
      'mine',
      'bury',
      'bury',
      'undo',
      'undo',
    ) as fc.Arbitrary<Step[0]>,
    fc.nat({ max: 40 }),
    fc.boolean(),
  ),
  { minLength: 4, maxLength: 20 },
);

describe('whatever happens in whatever order', () => {
  it('no less counts than the chain has paid, and no coin is held by two batches of which both can confirm', () => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(steps, (drawn) => {
        const world = new World();
        for (const [kind, choice, looks] of drawn) {
          take(world, [kind, choice]);
          if (!looks) continue;
          world.look();
          const mined = world.mined.flatMap((txid) => world.transactions.get(txid)?.batch ?? []);
          const batches = mined.map((id) => world.state.batches.get(id));
          const paid = batches.reduce((sum, batch) => sum + (batch?.spend ?? 0n), 0n);
          expect(counted(world.state)).toBeGreaterThanOrEqual(paid);
          for (const batch of batches) expect(batch !== undefined && holdsBudget(batch.state)).toBe(true);
          for (const { state } of world.state.batches.values()) reached.add(state);
          const held = [...world.state.batches.values()].filter(({ state }) => holdsCoins(state));
          for (const batch of held) {
            for (const other of held) {
              if (batch.id >= other.id || !batch.inputs.some((input) => other.inputs.includes(input))) continue;
              expect(batch.lineage[0] ?? batch.id).toBe(other.lineage[0] ?? other.id);
            }
          }
        }
      }),
      { numRuns: 1500 },
    );
    expect([...reached].sort()).toEqual(['BROADCAST', 'CONFIRMED', 'CONFLICTED', 'REPLACED', 'SIGNED']);
  }, 120_000);
});

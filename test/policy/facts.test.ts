import { describe, expect, it } from 'vitest';
import { encodeAddress } from '../../src/domain/address.js';
import { toHex } from '../../src/domain/bytes.js';
import type { Coin } from '../../src/domain/coin.js';
import { formatOutpoint } from '../../src/domain/outpoint.js';
import { hardened } from '../../src/domain/path.js';
import { scriptKind } from '../../src/domain/script.js';
import { evaluate } from '../../src/policy/evaluate.js';
import { deriveFacts, type FactsContext } from '../../src/policy/facts.js';
import type { Facts } from '../../src/policy/types.js';
import { buildPsbt } from '../../src/psbt/build.js';
import { decodePsbt } from '../../src/psbt/decode.js';
import type { DecodedInput, DecodedOutput, DecodedPsbt } from '../../src/psbt/types.js';
import type { PlainKind } from '../../src/vault/types.js';
import { makePlan, type Planned, simplePlan } from '../psbt/fixtures.js';
import { DAY, entry, loaded, NOW, requestsFor, someScript, stateOf, summary, TIP } from './fixture.js';

const PAID = someScript('paid');

function decoded(planned: Planned): DecodedPsbt {
  const built = buildPsbt(planned.plan, planned.deriver, planned.previous);
  const read = built.ok ? decodePsbt(built.value) : built;
  if (!read.ok) throw new Error(read.error.message);
  return read.value;
}

function contextOf({ deriver, plan }: Planned, more: Partial<FactsContext> = {}): FactsContext {
  return {
    deriver,
    coins: new Map(plan.inputs.map((coin) => [formatOutpoint(coin.outpoint), coin])),
    tip: { height: TIP, hash: '00'.repeat(32), medianTimePast: NOW - 3600 },
    frozen: new Map(),
    gap: { lastUsedChange: 8, maxGap: 20 },
    sources: null,
    ...more,
  };
}

const factsOf = (planned: Planned, more: Partial<FactsContext> = {}): Facts =>
  deriveFacts(decoded(planned), contextOf(planned, more));

/** A PSBT after somebody changed one of its inputs or outputs. */
const withInput = (psbt: DecodedPsbt, change: Partial<DecodedInput>): DecodedPsbt => ({
  ...psbt,
  inputs: psbt.inputs.map((input, index) => (index === 0 ? { ...input, ...change } : input)),
});
const withOutput = (psbt: DecodedPsbt, at: number, change: Partial<DecodedOutput>): DecodedPsbt => ({
  ...psbt,
  outputs: psbt.outputs.map((output, index) => (index === at ? { ...output, ...change } : output)),
});

/** The policy of the fixture for a test vault. */
function verdictOn(facts: Facts, planned: Planned, lastUsedChange = 8) {
  const { id, network, descriptor } = planned.deriver.vault;
  const payments = facts.outputs.filter(({ isChange }) => !isChange);
  return evaluate({
    policy: loaded({
      wallet: { id, network, descriptor },
      fees: { maxBpOfExternal: 10_000 },
      limits: { reserveFloor: 0n },
    }),
    kind: 'withdrawal',
    facts,
    requests: requestsFor(payments.filter(({ own }) => !own.own)),
    state: stateOf({
      lastUsedChange,
      destinations: new Map(payments.map(({ script }, index) => entry(`dest-${index}`, script, NOW - 90 * DAY))),
    }),
    now: NOW,
  });
}

describe('facts from the bytes of a PSBT', () => {
  it.each(['pkh', 'sh(wpkh)', 'wpkh', 'tr', 'wsh(sortedmulti)', 'sh(wsh(sortedmulti))'] as const)(
    'prove inputs and change of a %s vault, and pass every rule',
    (kind: PlainKind) => {
      const planned = simplePlan(kind);
      const psbt = decoded(planned);
      const facts = deriveFacts(psbt, contextOf(planned));
      expect(facts.psbtSha256).toBe(psbt.sha256);
      expect(facts.inputs.map(({ origin }) => origin)).toEqual([
        { branch: 0, index: 3 },
        { branch: 1, index: 4 },
      ]);
      expect(facts.outputs.map(({ isChange, value }) => [isChange, value])).toEqual([
        [false, 150_000n],
        [true, 70_000n],
        [false, 60_000n],
      ]);
      expect(facts).toMatchObject({ fee: 1_234n, external: 210_000n, spend: 211_234n, malformed: null, version: 2 });
      expect(summary(verdictOn(facts, planned))).toBe('ALLOW');
    },
  );

  it('estimate the signed size of the transaction', () => {
    // 2 P2WPKH inputs, 3 P2WPKH outputs: 10.5 + 2 x 68 + 3 x 31 vB, rounded up.
    expect(factsOf(simplePlan('wpkh')).vsize).toBe(240n);
    expect(factsOf(simplePlan('tr')).vsize).toBeLessThan(240n);
  });

  it('name outputs by kind and by the address of the network', () => {
    const [first] = factsOf(simplePlan('wpkh')).outputs;
    expect(first).toMatchObject({ kind: 'p2wpkh', index: 0, own: { own: false, problem: null } });
    expect(first?.address).toMatch(/^tb1q/);
  });

  it('take confirmations, coinbase and freezing from the snapshot', () => {
    const planned = simplePlan('wpkh');
    const [one, two] = planned.plan.inputs;
    if (one === undefined || two === undefined) throw new Error('two inputs are planned');
    const coins = new Map<string, Coin>([[formatOutpoint(one.outpoint), { ...one, height: TIP - 4, coinbase: true }]]);
    const frozen = new Map([[formatOutpoint(two.outpoint), 'dusted']]);
    const facts = factsOf(planned, { coins, frozen });
    expect(facts.inputs[0]).toMatchObject({
      coin: { confirmations: 5, coinbase: true, leftOnScript: 0 },
      frozen: null,
    });
    expect(facts.inputs[1]).toMatchObject({ coin: null, frozen: 'dusted', origin: { branch: 1, index: 4 } });
    expect(summary(verdictOn(facts, planned))).toBe('DENY INPUT_FROZEN INPUT_IMMATURE INPUT_UNCONFIRMED INPUT_UNKNOWN');
  });

  it('count the coins of a script that stay behind', () => {
    const planned = simplePlan('wpkh');
    const [one] = planned.plan.inputs;
    if (one === undefined) throw new Error('two inputs are planned');
    const { coins } = contextOf(planned);
    const neighbours = ['11', '22'].map((byte): [string, Coin] => {
      const outpoint = { txid: byte.repeat(32), vout: 0 };
      return [formatOutpoint(outpoint), { ...one, outpoint }];
    });
    const facts = factsOf(planned, { coins: new Map([...coins, ...neighbours]) });
    expect(facts.inputs.map(({ coin }) => coin?.leftOnScript)).toEqual([2, 0]);
  });

  it('believe no claim about an input', () => {
    const planned = simplePlan('wpkh');
    const psbt = decoded(planned);
    const [input] = psbt.inputs;
    const foreign = withInput(psbt, { prevout: { value: 1_000_000n, script: PAID }, proof: 'proven' });
    const facts = deriveFacts(foreign, contextOf(planned));
    expect(input?.derivations).toHaveLength(1);
    expect(facts.inputs[0]?.origin).toBeNull();
    expect(facts.spend).toBe(facts.inputs[1]?.origin === null ? 0n : 10_000n - 70_000n);
    expect(summary(verdictOn(facts, planned))).toContain('INPUT_FOREIGN');
  });

  it('find an own input without a claim through the snapshot, and through a claim without the snapshot', () => {
    const planned = simplePlan('wpkh');
    const psbt = decoded(planned);
    const unclaimed = deriveFacts(withInput(psbt, { derivations: [] }), contextOf(planned));
    expect(unclaimed.inputs[0]?.origin).toEqual({ branch: 0, index: 3 });
    const unknown = deriveFacts(psbt, contextOf(planned, { coins: new Map() }));
    expect(unknown.inputs[0]).toMatchObject({ origin: { branch: 0, index: 3 }, coin: null });
    const neither = deriveFacts(withInput(psbt, { derivations: [] }), contextOf(planned, { coins: new Map() }));
    expect(neither.inputs[0]?.origin).toBeNull();
  });

  it('find no place for an input that only somebody else claims, or that nobody shows a script of', () => {
    const planned = simplePlan('wpkh');
    const psbt = decoded(planned);
    const unknown = contextOf(planned, { coins: new Map() });
    const [claim] = psbt.inputs[0]?.derivations ?? [];
    if (claim === undefined) throw new Error('the plan claims its inputs');
    const theirs = withInput(psbt, { derivations: [{ ...claim, fingerprint: '00000000' }] });
    expect(deriveFacts(theirs, unknown).inputs[0]?.origin).toBeNull();
    const both = withInput(psbt, { derivations: [{ ...claim, fingerprint: '00000000' }, claim] });
    expect(deriveFacts(both, unknown).inputs[0]?.origin).toEqual({ branch: 0, index: 3 });
    const bare = withInput(psbt, { prevout: null, proof: 'absent' });
    expect(deriveFacts(bare, unknown).inputs[0]).toMatchObject({ value: 0n, origin: null, coin: null });
  });

  it('do not let a snapshot vouch for a script that the descriptor does not derive', () => {
    const planned = simplePlan('wpkh');
    const psbt = withInput(decoded(planned), { prevout: { value: 151_234n, script: PAID }, derivations: [] });
    const [one] = planned.plan.inputs;
    if (one === undefined) throw new Error('two inputs are planned');
    const coins = new Map([[formatOutpoint(one.outpoint), { ...one, script: PAID }]]);
    expect(deriveFacts(psbt, contextOf(planned, { coins })).inputs[0]?.origin).toBeNull();
  });

  it('say of an input without a prevout that it is absent', () => {
    const planned = simplePlan('wpkh');
    const facts = deriveFacts(withInput(decoded(planned), { prevout: null, proof: 'absent' }), contextOf(planned));
    expect(facts.inputs[0]).toMatchObject({ value: 0n, proof: 'absent', origin: { branch: 0, index: 3 } });
    expect(summary(verdictOn(facts, planned))).toContain('INPUT_NO_PREVTX');
  });
});

describe('change, from the bytes (section 7)', () => {
  const planned = simplePlan('wpkh');
  const psbt = decoded(planned);
  const { vault } = planned.deriver;
  const accountPath = vault.keys[0]?.path ?? [];
  const fingerprint = vault.keys[0]?.fingerprint ?? '';
  const publicKey = planned.deriver.at(1, 9).keys[0]?.publicKey ?? new Uint8Array();
  const judged = (changed: DecodedPsbt) => deriveFacts(changed, contextOf(planned));

  it('H-01 is proven on the change branch', () => {
    expect(judged(psbt).outputs[1]).toMatchObject({ isChange: true, own: { own: true, claimed: true } });
  });

  it.each([
    ['H-02 a claim of ours on a script of somebody else', [...accountPath, 1, 9], 'CHANGE_UNPROVEN'],
    ['H-05 a hardened index', [...accountPath, 1, hardened(0)], 'CHANGE_PATH'],
    ['H-07 a third branch', [...accountPath, 2, 9], 'CHANGE_PATH'],
    ['H-07 another account', [...accountPath.slice(0, -1), hardened(1), 1, 9], 'CHANGE_PATH'],
  ])('%s is paid, not change', (_, path, problem) => {
    const claim = { fingerprint, path, publicKey };
    const facts = judged(withOutput(psbt, 1, { script: PAID, derivations: [claim] }));
    expect(facts.outputs[1]).toMatchObject({ isChange: false, own: { own: false, problem } });
    expect(facts.spend).toBe(281_234n);
    expect(summary(verdictOn(facts, planned))).toContain(problem);
  });

  it.each([
    ['H-04 the last index of the gap', 28, true],
    ['H-04 the index after it', 29, false],
  ])('%s', (_, index, isChange) => {
    const derived = planned.deriver.at(1, index);
    const facts = judged(withOutput(psbt, 1, { script: derived.script, derivations: derived.keys }));
    expect(facts.outputs[1]?.isChange).toBe(isChange);
    const verdict = verdictOn(facts, planned);
    expect(verdict.decision).toBe(isChange ? 'ALLOW' : 'DENY');
    if (!isChange) expect(summary(verdict)).toContain('CHANGE_GAP');
  });

  it('H-04 compares the gap of the policy once more', () => {
    const facts = judged(psbt);
    expect(summary(verdictOn(facts, planned, -12))).toBe('DENY CHANGE_GAP');
    expect(summary(verdictOn(facts, planned, -11))).toBe('ALLOW');
  });

  it('H-11 is found without a claim, with a warning', () => {
    const facts = judged(withOutput(psbt, 1, { derivations: [] }));
    expect(facts.outputs[1]).toMatchObject({ isChange: true, own: { own: true, claimed: false } });
    expect(summary(verdictOn(facts, planned))).toBe('ALLOW WARN CHANGE_UNCLAIMED');
  });

  it('H-12 does not take a receiving address for change', () => {
    const derived = planned.deriver.at(0, 2);
    const facts = judged(withOutput(psbt, 1, { script: derived.script, derivations: derived.keys }));
    expect(facts.outputs[1]).toMatchObject({ isChange: false, own: { own: true } });
    expect(facts.spend).toBe(281_234n);
    expect(summary(verdictOn(facts, planned))).toBe('DENY REQUEST_PSBT_MISMATCH SELF_RECEIVE');
  });

  it('keeps sums exact: inputs are outputs and fee', () => {
    const facts = factsOf(
      makePlan('tr', {
        coins: [{ origin: { branch: 0, index: 0 }, value: 1n, vout: 0, segwit: true, salt: 1 }],
        payments: [{ script: PAID, value: 21_000n }],
        change: null,
        fee: 111n,
        locktime: 0,
        sequence: 0xfffffffd,
      }),
    );
    expect(facts).toMatchObject({ fee: 111n, external: 21_000n, spend: 21_111n });
    expect(facts.outputs[0]).toMatchObject({ address: encodeAddress(PAID, 'testnet3'), kind: scriptKind(PAID) });
    expect(toHex(facts.outputs[0]?.script ?? new Uint8Array())).toBe(toHex(PAID));
  });
});

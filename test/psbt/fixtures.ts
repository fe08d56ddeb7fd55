import type { BIP32Interface } from 'bip32';
import { crypto, initEccLib, Psbt, type Signer } from 'bitcoinjs-lib';
import fc from 'fast-check';
import * as secp256k1 from 'tiny-secp256k1';
import { hash256, sha256, toHex } from '../../src/domain/bytes.js';
import type { Coin, OwnOrigin } from '../../src/domain/coin.js';
import type { Fault } from '../../src/domain/fault.js';
import { formatPath } from '../../src/domain/path.js';
import type { Result } from '../../src/domain/result.js';
import type { ReturnedSignature } from '../../src/psbt/types.js';
import { ByteWriter } from '../../src/psbt/wire.js';
import type { PlannedOutput, TransactionPlan } from '../../src/selection/types.js';
import { createDeriver } from '../../src/vault/derive.js';
import type { DerivedKey, Deriver, PlainKind } from '../../src/vault/types.js';
import { master, vaultOf } from '../vault/fixtures.js';

initEccLib(secp256k1);

const SEEDS = [1, 2, 3];
const derivers = new Map<PlainKind, Deriver>();

/** The test vault of a kind; multisig is 2 of 3. Its keys are `master(1)` to `master(3)`. */
export function deriverOf(kind: PlainKind): Deriver {
  const deriver = derivers.get(kind) ?? createDeriver(vaultOf(kind));
  derivers.set(kind, deriver);
  return deriver;
}

/** The private node of a derived key, for tests that play the device. */
export function privateNode(key: DerivedKey): BIP32Interface {
  const root = SEEDS.map((seed) => master(seed)).find(({ fingerprint }) => toHex(fingerprint) === key.fingerprint);
  if (root === undefined) throw new Error('not a key of the test vaults');
  return root.derivePath(formatPath(key.path));
}

export interface CoinSpec {
  readonly origin: OwnOrigin;
  readonly value: bigint;
  readonly vout: number;
  /** Whether its previous transaction is in witness serialisation. */
  readonly segwit: boolean;
  /** Makes previous transactions differ from each other. */
  readonly salt: number;
}

/** A coin with a previous transaction that pays it, and other outputs before it. */
export function makeCoin(deriver: Deriver, spec: CoinSpec): { readonly coin: Coin; readonly previous: Uint8Array } {
  const { script } = deriver.at(spec.origin.branch, spec.origin.index);
  const body = new ByteWriter()
    .compactSize(1)
    .bytes(sha256(`salt ${spec.salt}`))
    .uint32(0)
    .compactSize(0);
  body.uint32(0xffffffff).compactSize(spec.vout + 1);
  for (let vout = 0; vout < spec.vout; vout++) body.uint64(BigInt(vout)).lengthPrefixed(new Uint8Array([0x6a]));
  body.uint64(spec.value).lengthPrefixed(script);
  const plain = new ByteWriter().uint32(2).bytes(body.finish()).uint32(0).finish();
  const witness = new ByteWriter().uint32(2).uint8(0).uint8(1).bytes(body.finish());
  witness.compactSize(1).lengthPrefixed(new Uint8Array(71).fill(spec.salt)).uint32(0);
  const coin: Coin = {
    outpoint: { txid: toHex(hash256(plain).reverse()), vout: spec.vout },
    value: spec.value,
    script,
    origin: spec.origin,
    height: 100,
    coinbase: false,
  };
  return { coin, previous: spec.segwit ? witness.finish() : plain };
}

export interface PlanSpec {
  readonly coins: readonly CoinSpec[];
  readonly payments: readonly { readonly script: Uint8Array; readonly value: bigint }[];
  readonly change: { readonly index: number; readonly position: number } | null;
  readonly fee: bigint;
  readonly locktime: number;
  readonly sequence: number;
}

export interface Planned {
  readonly deriver: Deriver;
  readonly plan: TransactionPlan;
  readonly previous: ReadonlyMap<string, Uint8Array>;
}

/** A plan with everything it needs to be built; the first coin is raised so that the amounts add up. */
export function makePlan(kind: PlainKind, spec: PlanSpec): Planned {
  const deriver = deriverOf(kind);
  const outputs: PlannedOutput[] = spec.payments.map((payment, index) => ({
    kind: 'payment',
    requestId: `r${index}`,
    ...payment,
  }));
  if (spec.change !== null) {
    const origin = { branch: 1, index: spec.change.index } as const;
    const { script } = deriver.at(1, origin.index);
    outputs.splice(spec.change.position, 0, { kind: 'change', origin, script, value: 70_000n });
  }
  const due = outputs.reduce((sum, { value }) => sum + value, spec.fee);
  const rest = spec.coins.slice(1).reduce((sum, { value }) => sum + value, 0n);
  const raised = due > rest ? due - rest : 1n;
  const surplus = rest + raised - due;
  const made = spec.coins.map((coin, index) => makeCoin(deriver, index === 0 ? { ...coin, value: raised } : coin));
  return {
    deriver,
    previous: new Map(made.map(({ coin, previous }) => [coin.outpoint.txid, previous])),
    plan: {
      version: 2,
      locktime: spec.locktime,
      sequence: spec.sequence,
      inputs: made.map(({ coin }) => coin),
      outputs,
      fee: spec.fee + surplus,
      feerate: 1000n,
      weight: 0n,
      selection: { algorithm: 'srd', waste: 0n, tried: [] },
      seed: '00'.repeat(32),
    },
  };
}

/** A plan of `inputs` coins with two payments and change between them. */
export function simplePlan(kind: PlainKind, inputs = 2): Planned {
  return makePlan(kind, {
    coins: Array.from({ length: inputs }, (_, index) => ({
      origin: { branch: index % 2 === 0 ? 0 : 1, index: index + 3 },
      value: 10_000n,
      vout: index % 3,
      segwit: index % 2 === 0,
      salt: index,
    })),
    payments: [
      { script: keyHash(0xaa), value: 150_000n },
      { script: keyHash(0xbb), value: 60_000n },
    ],
    change: { index: 9, position: 1 },
    fee: 1_234n,
    locktime: 850_000,
    sequence: 0xfffffffd,
  });
}

/** Somebody else's P2WPKH script. */
export const keyHash = (fill: number): Uint8Array => Uint8Array.of(0, 20, ...new Uint8Array(20).fill(fill));

const coinSpecs: fc.Arbitrary<readonly CoinSpec[]> = fc
  .array(
    fc.record({
      origin: fc.record({ branch: fc.constantFrom(0 as const, 1 as const), index: fc.integer({ min: 0, max: 30 }) }),
      value: fc.bigInt({ min: 1n, max: 10n ** 12n }),
      vout: fc.integer({ min: 0, max: 5 }),
      segwit: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((coins) => coins.map((coin, salt) => ({ ...coin, salt })));

export const planSpecs: fc.Arbitrary<PlanSpec> = fc.record({
  coins: coinSpecs,
  payments: fc.array(
    fc.record({
      script: fc.uint8Array({ minLength: 1, maxLength: 80 }),
      value: fc.bigInt({ min: 1n, max: 10n ** 12n }),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  change: fc.option(fc.record({ index: fc.integer({ min: 0, max: 20 }), position: fc.integer({ min: 0, max: 6 }) })),
  fee: fc.bigInt({ min: 0n, max: 10n ** 8n }),
  locktime: fc.integer({ min: 0, max: 0xffffffff }),
  sequence: fc.integer({ min: 0, max: 0xffffffff }),
});

export function valueOrThrow<T>(result: Result<T, Fault>): T {
  if (result.ok) return result.value;
  throw new Error(`${result.error.tag}: ${result.error.message}`);
}

export function tagOf(result: Result<unknown, Fault>): string | null {
  return result.ok ? null : result.error.tag;
}

/** The private key that signs for a taproot output without scripts (BIP341). */
export function taprootSigner(node: BIP32Interface): Signer {
  return node.tweak(crypto.taggedHash('TapTweak', node.publicKey.subarray(1)));
}

/**
 * Signs as honest devices would: one signature an input, or as many as a multisig needs. bitcoinjs-lib finds the sighash,
 * so that it is not countersign's own that is compared with itself.
 */
export function honestAnswer(
  { plan, deriver }: Planned,
  psbt: Uint8Array,
  signers = deriver.vault.threshold,
): ReturnedSignature[] {
  const signed = Psbt.fromBuffer(psbt);
  const { kind } = deriver.vault;
  return plan.inputs.flatMap(({ origin }, input): ReturnedSignature[] => {
    const keys = deriver.at(origin.branch, origin.index).keys.slice(0, signers);
    for (const key of keys) {
      const node = privateNode(key);
      if (kind === 'tr') signed.signInput(input, taprootSigner(node), [0, 1]);
      else signed.signInput(input, node);
    }
    const { partialSig = [], tapKeySig } = signed.data.inputs[input] ?? {};
    if (tapKeySig !== undefined) return [{ input, publicKey: null, signature: tapKeySig }];
    return partialSig.map(({ pubkey, signature }) => ({ input, publicKey: pubkey, signature }));
  });
}

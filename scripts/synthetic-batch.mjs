/** Batches of made-up coins for the recordings: made from fixed numbers alone, so that they are the same each time. */
import { sha256, sha256Hex } from '../dist/domain/bytes.js';
import { buildPsbt } from '../dist/psbt/build.js';
import { parseTransaction, serialiseUnsigned, txidOf } from '../dist/psbt/transaction.js';
import { planConsolidation } from '../dist/selection/consolidate.js';
import { defaultShapeLimits, planTransactions } from '../dist/selection/plan.js';
import { createDeriver } from '../dist/vault/derive.js';

const TIP = 2_500_000;

/** The value of a result; a fault ends the recording. */
export function value(result) {
  if (result.ok) return result.value;
  throw new Error(JSON.stringify(result.error));
}

/** Somebody's output script: the n-th of five kinds, made of a hash. */
function strangerScript(label, n, deriver) {
  const hash = sha256(`${label} ${n}`);
  switch (n % 5) {
    case 0:
      return Uint8Array.of(0x00, 20, ...hash.subarray(0, 20));
    case 1:
      return Uint8Array.of(0x00, 32, ...hash);
    case 2:
      // A taproot key must be a point of the curve: that of a key far out in the vault will do for a stranger's.
      return Uint8Array.of(0x51, 32, ...deriver.at(0, 900 + n).keys[0].publicKey.subarray(1));
    case 3:
      return Uint8Array.of(0xa9, 20, ...hash.subarray(0, 20), 0x87);
    default:
      return Uint8Array.of(0x76, 0xa9, 20, ...hash.subarray(0, 20), 0x88, 0xac);
  }
}

/** Coins of the vault with made-up previous transactions; the second one's is large, so that it takes several exchanges. */
function syntheticCoins(label, deriver, count, coinValue) {
  const previous = new Map();
  const coins = [];
  for (let n = 0; n < count; n += 1) {
    const { script } = deriver.at(0, n);
    const amount = coinValue + BigInt(n) * 12_345n;
    const others = Array.from({ length: n === 1 ? 30 : 1 }, (_, k) => ({
      value: 70_000n + BigInt(k),
      script: strangerScript(`${label} previous ${n}`, k, deriver),
    }));
    const bytes = serialiseUnsigned({
      version: 2,
      inputs: [{ hash: sha256(`${label} funding ${n}`), vout: n, scriptSig: new Uint8Array(0), sequence: 0xfffffffe }],
      outputs: [...others, { value: amount, script }],
      locktime: 0,
    });
    const txid = txidOf(value(parseTransaction(bytes)));
    previous.set(txid, bytes);
    coins.push({
      outpoint: { txid, vout: others.length },
      value: amount,
      script,
      origin: { branch: 0, index: n },
      height: TIP - 1000 - n,
      coinbase: false,
    });
  }
  return { coins, previous };
}

/** A plan that needs all its coins and has change, and its PSBT. */
export function syntheticBatch(label, vault, { inputs, payments, coinValue = 1_500_000n, feerate = 5_000n }) {
  const deriver = createDeriver(vault);
  const { coins, previous } = syntheticCoins(label, deriver, inputs, coinValue);
  const total = coins.reduce((sum, coin) => sum + coin.value, 0n);
  const each = (total - coinValue / 2n) / BigInt(payments);
  const [plan, ...rest] = value(
    planTransactions({
      vault,
      payments: Array.from({ length: payments }, (_, n) => ({
        requestId: `${label}-${n}`,
        script: strangerScript(`${label} payment`, n + inputs, deriver),
        value: each - BigInt(n) * 1_000n,
      })),
      coins,
      feerate,
      limits: defaultShapeLimits(vault),
      tipHeight: TIP,
      seed: sha256Hex(`countersign recording ${label}`),
      nextChange: (n) => ({ origin: { branch: 1, index: n }, script: deriver.at(1, n).script }),
    }),
  );
  if (plan === undefined || rest.length > 0 || plan.inputs.length !== inputs || plan.outputs.length !== payments + 1) {
    throw new Error(`${label}: not the plan that was meant`);
  }
  return { deriver, plan, psbt: value(buildPsbt(plan, deriver, previous)) };
}

/** A plan that pays nobody: all coins to one change output. */
export function syntheticConsolidation(label, vault, { inputs, coinValue = 1_500_000n, feerate = 5_000n }) {
  const deriver = createDeriver(vault);
  const { coins, previous } = syntheticCoins(label, deriver, inputs, coinValue);
  const plan = value(
    planConsolidation({
      vault,
      coins,
      staying: new Set(),
      withheld: [],
      smallBelow: 0n,
      feerate,
      feerateFloor: 0n,
      limits: defaultShapeLimits(vault),
      tipHeight: TIP,
      seed: sha256Hex(`countersign recording ${label}`),
      change: { origin: { branch: 1, index: 0 }, script: deriver.at(1, 0).script },
    }),
  );
  if (plan.inputs.length !== inputs) throw new Error(`${label}: not the plan that was meant`);
  return { deriver, plan, psbt: value(buildPsbt(plan, deriver, previous)) };
}

import { equalBytes, trustedHex } from '../domain/bytes.js';
import type { Coin, OwnOrigin } from '../domain/coin.js';
import { type Fault, fail } from '../domain/fault.js';
import { formatOutpoint } from '../domain/outpoint.js';
import { ok, type Result } from '../domain/result.js';
import { sumSats } from '../domain/sats.js';
import type { PlannedOutput, TransactionPlan } from '../selection/types.js';
import type { DerivedScript, Deriver } from '../vault/types.js';
import { encodeKeyOrigin, encodeTapKeyOrigin, GLOBAL, INPUT, OUTPUT } from './fields.js';
import { type Field, field, type KeyMap, keyedField, writePsbt } from './key-map.js';
import { describeInput } from './own.js';
import {
  parseTransaction,
  sameOutput,
  serialiseOutput,
  serialiseUnsigned,
  type Transaction,
  txidOf,
} from './transaction.js';

/** Previous transactions by txid in display order, in network serialisation. */
export type PreviousTransactions = ReadonlyMap<string, Uint8Array>;

/**
 * The canonical version 0 PSBT (BIP174, BIP371) of a plan: equal plans give equal bytes.
 *
 * Every input before taproot carries its previous transaction, because only that proves the amount to the device
 * (BIP143 signs one input's amount at a time); pkh carries no witness_utxo, which Ledger's app refuses there. Taproot
 * carries witness_utxo alone (BIP341 signs all amounts). Derivations stand on the vault's inputs and on the change, never
 * on a payment. No sighash type is written: absent means ALL (DEFAULT for taproot), and the field costs the device time.
 *
 * Faults: E_PREVTX_MISSING, E_PREVTX_MISMATCH, E_PSBT_PLAN, E_PSBT_FOREIGN.
 */
export function buildPsbt(
  plan: TransactionPlan,
  deriver: Deriver,
  previous: PreviousTransactions,
): Result<Uint8Array, Fault> {
  const problem = planProblem(plan);
  if (problem !== null) return fail('E_PSBT_PLAN', `the plan contradicts itself: ${problem}`);

  const parsed = new Map<string, Transaction>();
  const maps: KeyMap[] = [[field(GLOBAL.UNSIGNED_TX, unsignedTransaction(plan))]];
  for (const [index, coin] of plan.inputs.entries()) {
    const derived = ownScript(deriver, coin.origin, coin.script, describeInput(index, coin.outpoint));
    if (!derived.ok) return derived;
    const prevout = prevoutFields(coin, index, deriver, previous, parsed);
    if (!prevout.ok) return prevout;
    maps.push([...prevout.value, ...scriptFields(deriver, derived.value, INPUT)]);
  }
  for (const [index, output] of plan.outputs.entries()) {
    const fields = outputFields(deriver, output, index);
    if (!fields.ok) return fields;
    maps.push(fields.value);
  }
  return ok(writePsbt(maps));
}

const isUint32 = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 0xffffffff;

function planProblem({ inputs, outputs, fee, locktime, sequence }: TransactionPlan): string | null {
  if (inputs.length === 0) return 'it has no input';
  if (outputs.length === 0) return 'it has no output';
  const seen = new Set<string>();
  for (const outpoint of inputs.map((coin) => formatOutpoint(coin.outpoint))) {
    if (seen.has(outpoint)) return `it spends ${outpoint} twice`;
    seen.add(outpoint);
  }
  const unpaid = outputs.findIndex(({ value }) => value <= 0n);
  if (unpaid !== -1) return `output ${unpaid} pays nothing`;
  if (fee < 0n) return `its fee is ${fee} sat`;
  const spent = sumSats(inputs.map(({ value }) => value));
  const paid = sumSats(outputs.map(({ value }) => value));
  if (spent !== paid + fee) return `its inputs are worth ${spent} sat, its outputs and fee ${paid + fee} sat`;
  if (!isUint32(locktime) || !isUint32(sequence)) return 'its locktime or sequence is not a 32-bit number';
  return null;
}

function unsignedTransaction({ version, locktime, sequence, inputs, outputs }: TransactionPlan): Uint8Array {
  return serialiseUnsigned({
    version,
    locktime,
    outputs,
    inputs: inputs.map(({ outpoint }) => ({
      hash: trustedHex(outpoint.txid).reverse(),
      vout: outpoint.vout,
      scriptSig: new Uint8Array(0),
      sequence,
    })),
  });
}

/** What the vault derives at a place, if it is the script that the plan has there. */
function ownScript(
  deriver: Deriver,
  origin: OwnOrigin,
  script: Uint8Array,
  subject: string,
): Result<DerivedScript, Fault> {
  const derived = deriver.at(origin.branch, origin.index);
  if (equalBytes(derived.script, script)) return ok(derived);
  return fail('E_PSBT_FOREIGN', `${subject} is not the script of the vault at ${origin.branch}/${origin.index}`, {
    remedy: 'import the coins again and plan anew; do not sign this',
  });
}

function prevoutFields(
  coin: Coin,
  index: number,
  { vault }: Deriver,
  previous: PreviousTransactions,
  parsed: Map<string, Transaction>,
): Result<readonly Field[], Fault> {
  const witnessUtxo = field(INPUT.WITNESS_UTXO, serialiseOutput(coin));
  if (vault.kind === 'tr') return ok([witnessUtxo]);

  const { txid, vout } = coin.outpoint;
  const subject = describeInput(index, coin.outpoint);
  const bytes = previous.get(txid);
  if (bytes === undefined) {
    return fail('E_PREVTX_MISSING', `${subject}: its previous transaction is not known`, {
      remedy: `import a coin snapshot that holds the transaction ${txid}`,
    });
  }
  const mismatch = (what: string): Result<never, Fault> =>
    fail('E_PREVTX_MISMATCH', `${subject}: ${what}`, { remedy: 'import the coins again from a source that you trust' });
  let transaction = parsed.get(txid);
  if (transaction === undefined) {
    const result = parseTransaction(bytes);
    if (!result.ok) return mismatch(`its previous transaction cannot be read: ${result.error}`);
    transaction = result.value;
    const actual = txidOf(transaction);
    if (actual !== txid) return mismatch(`its previous transaction has the txid ${actual}`);
    parsed.set(txid, transaction);
  }
  const output = transaction.outputs[vout];
  if (output === undefined) return mismatch(`its previous transaction has only ${transaction.outputs.length} outputs`);
  if (!sameOutput(output, coin)) return mismatch('the coin differs from the output of its previous transaction');
  const nonWitnessUtxo = field(INPUT.NON_WITNESS_UTXO, bytes);
  return ok(vault.kind === 'pkh' ? [nonWitnessUtxo] : [nonWitnessUtxo, witnessUtxo]);
}

function outputFields(deriver: Deriver, output: PlannedOutput, index: number): Result<KeyMap, Fault> {
  switch (output.kind) {
    case 'payment':
      return ok([]);
    case 'change': {
      const subject = `the change (output ${index})`;
      if (output.origin.branch !== 1) {
        return fail('E_PSBT_FOREIGN', `${subject} is not on the change branch`, { remedy: 'plan the batch anew' });
      }
      const derived = ownScript(deriver, output.origin, output.script, subject);
      return derived.ok ? ok(scriptFields(deriver, derived.value, OUTPUT)) : derived;
    }
  }
}

/** Scripts and derivations of an own script, under the key types of an input or an output. */
function scriptFields({ vault }: Deriver, derived: DerivedScript, types: typeof INPUT | typeof OUTPUT): KeyMap {
  const { redeemScript, witnessScript, keys } = derived;
  const fields: Field[] = [];
  if (redeemScript !== undefined) fields.push(field(types.REDEEM_SCRIPT, redeemScript));
  if (witnessScript !== undefined) fields.push(field(types.WITNESS_SCRIPT, witnessScript));
  for (const key of keys) {
    if (vault.kind === 'tr') {
      const internalKey = key.publicKey.subarray(-32);
      fields.push(keyedField(types.TAP_BIP32_DERIVATION, internalKey, encodeTapKeyOrigin(key)));
      fields.push(field(types.TAP_INTERNAL_KEY, internalKey));
    } else {
      fields.push(keyedField(types.BIP32_DERIVATION, key.publicKey, encodeKeyOrigin(key)));
    }
  }
  return fields;
}

import type { Hex } from '../domain/bytes.js';
import { type Fault, fault } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import { decodePsbt } from '../psbt/decode.js';
import { deviceCopy } from '../psbt/device-copy.js';
import { ownInputs } from '../psbt/own.js';
import type { DecodedPsbt } from '../psbt/types.js';
import { claimedOrigin } from '../vault/own-output.js';
import type { Deriver, Vault } from '../vault/types.js';
import { type NamedPolicy, namedPolicy } from '../vault/wallet-policy.js';
import { isDefaultKind } from './estimate.js';
import { type AppAtHand, type AppLimits, LIMITS, limitsOf, rowName } from './limits.js';

/**
 * All that a device refuses of a PSBT, found before one is plugged in, and by name: the fields that it needs (previous
 * transactions, scripts, the derivations of its keys) and the counts of `limits.ts`. `cosigner` is the master key fingerprint
 * of the device that is meant, if it is. Faults: E_DEVICE_LIMIT, and those of `deviceCopy` and `ownInputs`.
 */
export function checkSigning(
  psbt: Uint8Array,
  deriver: Deriver,
  cosigner: Hex | null,
  app: AppAtHand = {},
): Result<void, Fault> {
  const { vault } = deriver;
  const decoded = decodePsbt(psbt);
  if (!decoded.ok) return decoded;
  const copy = deviceCopy(psbt, vault, cosigner);
  if (!copy.ok) return copy;
  const own = ownInputs(decoded.value, deriver);
  if (!own.ok) return own;
  const [first] = transactionExcesses(decoded.value, vault, limitsOf(app));
  return first === undefined ? ok(undefined) : err(excessFault(first));
}

/** The same of the wallet policy that stands for a vault of several keys: its name, its template, its keys. */
export function checkPolicyLimits(vault: Vault, limits: AppLimits): Result<void, Fault> {
  if (isDefaultKind(vault.kind)) return ok(undefined);
  const [first] = policyExcesses(namedPolicy(vault), limits);
  return first === undefined ? ok(undefined) : err(excessFault(first));
}

/** The devices that would refuse what others take, each with its reason, for somebody who still can plan otherwise. */
export function refusingModels(psbt: Uint8Array, vault: Vault): readonly string[] {
  const decoded = decodePsbt(psbt);
  if (!decoded.ok) return [];
  return LIMITS.flatMap((row) => {
    const policy = isDefaultKind(vault.kind) ? [] : policyExcesses(namedPolicy(vault), row.limits);
    const excesses = [...policy, ...transactionExcesses(decoded.value, vault, row.limits)];
    return excesses.map(({ what, limit }) => `${rowName(row)}: ${what}, and it takes ${limit}`);
  });
}

/** One count that is too large. */
interface Excess {
  readonly what: string;
  readonly limit: string;
  readonly remedy: string;
}

function excessFault({ what, limit, remedy }: Excess): Fault {
  return fault('E_DEVICE_LIMIT', `${what}, and the Bitcoin app takes ${limit}`, { remedy });
}

export function transactionExcesses(
  { inputs, outputs }: Pick<DecodedPsbt, 'inputs' | 'outputs'>,
  vault: Vault,
  limits: AppLimits,
): readonly Excess[] {
  const ownIndices = (claims: DecodedPsbt['inputs'][number]['derivations'], branch: 0 | 1 | null): readonly number[] =>
    claims.flatMap((claim) => {
      const origin = claimedOrigin(vault, claim);
      return origin !== null && (branch === null || origin.branch === branch) ? [origin.index] : [];
    });
  const change = outputs.filter(({ derivations }) => ownIndices(derivations, 1).length > 0);
  const script = Math.max(0, ...outputs.map((output) => output.script.length));
  const indices = [...inputs, ...change].flatMap(({ derivations }) => ownIndices(derivations, null));
  const index = isDefaultKind(vault.kind) ? Math.max(0, ...indices) : 0;
  return [
    ...over(inputs.length, limits.inputs, (n) => `the transaction has ${n} inputs`, FEWER_INPUTS),
    ...over(outputs.length, limits.outputs, (n) => `the transaction has ${n} outputs`, FEWER_OUTPUTS),
    ...over(change.length, limits.changeOutputs, (n) => `it has ${n} change outputs`, FEWER_CHANGE),
    ...over(script, limits.outputScript, (n) => `it has an output script of ${n} bytes`, ORDINARY),
    ...over(
      index,
      limits.addressIndex,
      (n) => `it has an address of the vault with the index ${n}`,
      LOW_INDEX,
      'up to ',
    ),
  ];
}

const FEWER_INPUTS = 'plan fewer coins in one transaction: countersign batch plan --max-inputs N';
const FEWER_OUTPUTS = 'plan fewer payments in one transaction: countersign batch plan --max-outputs N';
const FEWER_CHANGE = 'lower change.max_outputs of the policy and plan again';
const ORDINARY = 'pay to ordinary addresses';
const LOW_INDEX = 'move such coins with other software to a lower index; the app does not verify such addresses';
const FEWER_KEYS =
  'sign with another model or version, sign with other devices and bring their signatures, or move the coins to a vault of fewer keys';
const SHORTER = 'sign with another model, or move the coins to a vault with a shorter descriptor template';
const NAME = 'import the vault under a name of 1 to 64 printable ASCII characters without a space at either end';

export function policyExcesses({ name, template, keys }: NamedPolicy, limits: AppLimits): readonly Excess[] {
  const badName = !/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(name);
  const named: readonly Excess[] = badName
    ? [
        {
          what: `the policy is called ${JSON.stringify(name)}`,
          limit: 'printable ASCII, no space at an end',
          remedy: NAME,
        },
      ]
    : over(name.length, limits.policyName, (n) => `the policy's name has ${n} characters`, NAME);
  return [
    ...named,
    ...over(template.length, limits.template, (n) => `the policy's template has ${n} characters`, SHORTER),
    ...over(keys.length, limits.policyKeys, (n) => `the vault has ${n} cosigners`, FEWER_KEYS),
  ];
}

function over(
  measured: number,
  limit: number | null,
  what: (measured: number) => string,
  remedy: string,
  words = 'at most ',
): readonly Excess[] {
  if (limit === null || measured <= limit) return [];
  return [{ what: what(measured), limit: `${words}${limit}`, remedy }];
}

import { equalBytes } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { formatOutpoint, type Outpoint } from '../domain/outpoint.js';
import { all, ok, type Result } from '../domain/result.js';
import { claimedOrigin } from '../vault/own-output.js';
import type { DerivedScript, Deriver, Vault } from '../vault/types.js';
import type { DecodedInput, DecodedPsbt, Prevout } from './types.js';

/** An input that the vault can sign: its prevout is shown to be true and is derived from the descriptor. */
export interface OwnInput {
  readonly index: number;
  readonly prevout: Prevout;
  readonly sighashType: number | null;
  readonly derived: DerivedScript;
  readonly subject: string;
}

/** How messages name an input: "input 3 (TXID:VOUT)". */
export function describeInput(index: number, outpoint: Outpoint): string {
  return `input ${index} (${formatOutpoint(outpoint)})`;
}

/**
 * Every input of a PSBT that countersign built. An input that is not the vault's, or whose prevout the PSBT does not prove,
 * is a fault: nothing of such a transaction may be signed. Faults: E_PREVTX_MISSING, E_PREVTX_MISMATCH, E_PSBT_FOREIGN.
 */
export function ownInputs({ inputs }: DecodedPsbt, deriver: Deriver): Result<readonly OwnInput[], Fault> {
  return all(inputs.map((input, index) => ownInput(input, index, deriver)));
}

function ownInput(input: DecodedInput, index: number, deriver: Deriver): Result<OwnInput, Fault> {
  const subject = describeInput(index, input.outpoint);
  const prevout = provenPrevout(input, subject, deriver.vault);
  if (!prevout.ok) return prevout;
  for (const claim of input.derivations) {
    const origin = claimedOrigin(deriver.vault, claim);
    if (origin === null) continue;
    const derived = deriver.at(origin.branch, origin.index);
    const own =
      equalBytes(derived.script, prevout.value.script) &&
      sameScript(input.redeemScript, derived.redeemScript) &&
      sameScript(input.witnessScript, derived.witnessScript);
    if (own) return ok({ index, prevout: prevout.value, sighashType: input.sighashType, derived, subject });
  }
  return fail('E_PSBT_FOREIGN', `${subject} is not a script of the vault ${deriver.vault.id} where it claims to be`, {
    remedy: 'sign only what countersign planned; plan the batch anew',
  });
}

/** The prevout of an input, if the PSBT shows it to be true as far as the vault's kind needs (BIP143, BIP341). */
export function provenPrevout(input: DecodedInput, subject: string, vault: Vault): Result<Prevout, Fault> {
  switch (input.proof) {
    case 'mismatch':
      return fail('E_PREVTX_MISMATCH', `${subject}: what the PSBT says of the spent output contradicts itself`);
    case 'absent':
      return fail('E_PREVTX_MISSING', `${subject}: the PSBT does not say what it spends`);
    case 'claimed':
    case 'proven':
      if (input.prevout !== null && (input.proof === 'proven' || vault.kind === 'tr')) return ok(input.prevout);
      return fail('E_PREVTX_MISSING', `${subject}: the PSBT lacks its previous transaction, which proves the amount`);
  }
}

function sameScript(stated: Uint8Array | null, due: Uint8Array | undefined): boolean {
  return stated === null || due === undefined ? stated === null && due === undefined : equalBytes(stated, due);
}

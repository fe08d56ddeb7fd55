import { formatOutpoint } from '../../domain/outpoint.js';
import { formatAmount } from '../../domain/sats.js';
import { scriptKind } from '../../domain/script.js';
import type { InputFact } from '../types.js';
import { listed, plural, type Rule, type RuleContext, repeated } from './rule.js';

/** Inputs go by outpoint, so that their order cannot matter. */
export const inputName = ({ outpoint }: Pick<InputFact, 'outpoint'>): string => formatOutpoint(outpoint);

/** "3 inputs". */
export const inputCount = ({ facts }: RuleContext): string => plural(facts.inputs.length, 'input');

/**
 * Before taproot a signature commits to the amount of its own input at most, so only the whole previous transaction
 * proves what is spent and what goes to fees (BIP143, CVE-2020-14199). A taproot signature commits to all amounts
 * (BIP341): a stated prevout is enough, as a false one makes the signature invalid.
 */
export const previousTransaction: Rule = {
  tag: 'input-prevtx',
  codes: ['INPUT_NO_PREVTX'],
  check: (context) =>
    listed(
      context,
      'INPUT_NO_PREVTX',
      () => `The PSBT proves what each of its ${inputCount(context)} spends.`,
      context.facts.inputs
        .filter((input) => !isProven(input))
        .map((input) => ({
          subject: inputName(input),
          text:
            input.proof === 'absent'
              ? `The PSBT does not say what input ${inputName(input)} spends.`
              : `The PSBT states the amount of input ${inputName(input)} without the previous transaction that proves it.`,
          remedy: 'attach the previous transaction: import coins with their transactions and plan the batch again',
        })),
    ),
};

/** A contradicted proof is the matter of INPUT_UTXO_MISMATCH. */
function isProven({ proof, script }: InputFact): boolean {
  return proof === 'proven' || proof === 'mismatch' || (proof === 'claimed' && scriptKind(script) === 'p2tr');
}

export const prevoutAgrees: Rule = {
  tag: 'input-prevout',
  codes: ['INPUT_UTXO_MISMATCH'],
  check: (context) =>
    listed(
      context,
      'INPUT_UTXO_MISMATCH',
      'No input contradicts its previous transaction or the coin snapshot.',
      context.facts.inputs.flatMap((input) => {
        const text = contradiction(input);
        const remedy = 'do not sign: find out who made this PSBT, and plan the batch again';
        return text === null ? [] : [{ subject: inputName(input), text, remedy }];
      }),
    ),
};

function contradiction(input: InputFact): string | null {
  const { proof, coin, value } = input;
  if (proof === 'mismatch') {
    return `What the PSBT says of input ${inputName(input)} contradicts its previous transaction or txid.`;
  }
  if (proof === 'absent' || coin === null || coin.value === value) return null;
  return `The PSBT says that input ${inputName(input)} spends ${formatAmount(value)}; the coin snapshot says ${formatAmount(coin.value)}.`;
}

/** Own is what has a place in the vault: not whatever is not null. */
export function isOwn({ origin }: Pick<InputFact, 'origin'>): boolean {
  return origin !== null && typeof origin === 'object';
}

function isKnown({ coin }: Pick<InputFact, 'coin'>): boolean {
  return coin !== null && typeof coin === 'object';
}

export const foreignInput: Rule = {
  tag: 'input-foreign',
  codes: ['INPUT_FOREIGN'],
  check: (context) =>
    listed(
      context,
      'INPUT_FOREIGN',
      () => `Each of the ${inputCount(context)} is derived from the vault's descriptor.`,
      context.facts.inputs
        .filter((input) => !isOwn(input))
        .map((input) => ({
          subject: inputName(input),
          text: `Input ${inputName(input)} of ${formatAmount(input.value)} is not the vault's.`,
          remedy: 'take it out: a batch spends coins of one vault only',
        })),
    ),
};

export const duplicateInput: Rule = {
  tag: 'input-duplicate',
  codes: ['INPUT_DUP'],
  check: (context) => {
    const twice = repeated(context.facts.inputs.map(inputName));
    return listed(
      context,
      'INPUT_DUP',
      'No outpoint is spent twice.',
      [...twice].map((name) => ({
        subject: name,
        text: `The PSBT spends ${name} more than once: no such transaction is valid.`,
        remedy: 'plan the batch again',
      })),
    );
  },
};

/** The vault's, and yet not in the snapshot: spent already, not there yet, or an attempt to make it look so. */
export const unknownInput: Rule = {
  tag: 'input-unknown',
  codes: ['INPUT_UNKNOWN'],
  check: (context) =>
    listed(
      context,
      'INPUT_UNKNOWN',
      'The coin snapshot holds every own input.',
      context.facts.inputs
        .filter((input) => isOwn(input) && !isKnown(input))
        .map((input) => ({
          subject: inputName(input),
          text: `Input ${inputName(input)} of ${formatAmount(input.value)} is the vault's, but the coin snapshot does not hold it.`,
          remedy: 'import a newer coin snapshot; if the coin is still missing, it is spent',
        })),
    ),
};

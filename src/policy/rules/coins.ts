import { toHex } from '../../domain/bytes.js';
import { formatAmount, type Sats } from '../../domain/sats.js';
import type { InputFact } from '../types.js';
import { inputCount, inputName } from './inputs.js';
import { assertAmount, finding, listed, plural, type Rule, type RuleContext } from './rule.js';

/** COINBASE_MATURITY of Bitcoin Core: consensus. */
const COINBASE_MATURITY = 100;

type Coin = NonNullable<InputFact['coin']>;

/** Inputs that the snapshot holds; the others are the matter of INPUT_UNKNOWN and INPUT_FOREIGN. */
function knownCoins({ facts }: RuleContext): (InputFact & { readonly coin: Coin })[] {
  return facts.inputs.flatMap((input) => (input.coin === null ? [] : [{ ...input, coin: input.coin }]));
}

/** Not asked of the change that a child spends: it is there for a batch that was judged and signed, and waits for a block. */
export const confirmed: Rule = {
  tag: 'coin-confirmed',
  codes: ['INPUT_UNCONFIRMED'],
  check: (context) => {
    const { kind } = context;
    const least = context.document.inputs.minConfirmations;
    return listed(
      context,
      'INPUT_UNCONFIRMED',
      () => `Every coin has at least ${plural(least, 'confirmation')}.`,
      knownCoins(context)
        .filter(({ coin }) => !(coin.confirmations >= least || (kind === 'child' && coin.isParentChange === true)))
        .map(({ coin, ...input }) => ({
          subject: inputName(input),
          measured: `${coin.confirmations}`,
          limit: `${least}`,
          unit: 'count',
          text: `Coin ${inputName(input)} has ${plural(coin.confirmations, 'confirmation')}; ${least} are required.`,
          remedy: 'wait for blocks and import a newer coin snapshot, or plan the batch with other coins',
        })),
    );
  },
};

export const mature: Rule = {
  tag: 'coin-mature',
  codes: ['INPUT_IMMATURE'],
  check: (context) =>
    listed(
      context,
      'INPUT_IMMATURE',
      'No coin is an immature coinbase output.',
      knownCoins(context)
        .filter(({ coin }) => coin.coinbase !== false && !(coin.confirmations >= COINBASE_MATURITY))
        .map(({ coin, ...input }) => ({
          subject: inputName(input),
          measured: `${coin.confirmations}`,
          limit: `${COINBASE_MATURITY}`,
          unit: 'count',
          text: `Coin ${inputName(input)} is a coinbase output with ${plural(coin.confirmations, 'confirmation')}; it can be spent from ${COINBASE_MATURITY} on.`,
          remedy: 'wait for blocks, or plan the batch with other coins',
        })),
    ),
};

export const frozen: Rule = {
  tag: 'coin-frozen',
  codes: ['INPUT_FROZEN'],
  check: (context) =>
    listed(
      context,
      'INPUT_FROZEN',
      () => `None of the ${inputCount(context)} is frozen.`,
      context.facts.inputs
        .filter((input) => input.frozen !== null)
        .map((input) => ({
          subject: inputName(input),
          text: `Coin ${inputName(input)} is frozen: ${input.frozen}.`,
          remedy: 'plan the batch with other coins, or unfreeze it with a reason (countersign coins unfreeze)',
        })),
    ),
};

/**
 * Coins of one script that go together count as one: a small coin that came onto a script of a large one is worth
 * spending with it. Grouping them is what Bitcoin Core calls an output group.
 */
function groupValues({ facts }: RuleContext): (input: InputFact) => Sats {
  const values = new Map<string, Sats>();
  for (const { script, value } of facts.inputs) {
    const hex = toHex(script);
    values.set(hex, (values.get(hex) ?? 0n) + value);
  }
  const together = ({ coin }: InputFact): boolean => coin !== null && coin.leftOnScript === 0;
  return (input) => (together(input) ? (values.get(toHex(input.script)) ?? input.value) : input.value);
}

/** An input that proves no prevout, or contradicts it, has no value to speak of, and is denied for that. */
function smallCoins(context: RuleContext): InputFact[] {
  const least = context.document.inputs.minValue;
  assertAmount(least, 'inputs.min_value');
  return context.facts.inputs.filter(
    (input) => input.proof !== 'absent' && input.proof !== 'mismatch' && !(input.value >= least),
  );
}

/** Not asked of what pays nobody, whose coins are there already, or are its purpose; where they lie on a script in use, forcedReuse still is. */
export const worthSpending: Rule = {
  tag: 'coin-value',
  codes: ['INPUT_DUST'],
  check: (context) => {
    const least = context.document.inputs.minValue;
    const groupValue = groupValues(context);
    if (context.kind !== 'withdrawal') {
      return [finding(context, 'INPUT_DUST', 'pass', `A ${context.kind} may spend coins of any value.`)];
    }
    return listed(
      context,
      'INPUT_DUST',
      () => `Every coin, or the coins of its script together, is worth at least ${formatAmount(least)}.`,
      smallCoins(context)
        .filter((input) => !(groupValue(input) >= least))
        .map((input) => ({
          subject: inputName(input),
          measured: input.value.toString(),
          limit: least.toString(),
          unit: 'sat',
          text: `Coin ${inputName(input)} of ${formatAmount(input.value)} is below the smallest value worth spending, ${formatAmount(least)}.`,
          remedy: 'plan the batch without it',
        })),
    );
  },
};

/**
 * Dusting: somebody sends a trifle to a script that is in use, and learns from what it is spent with. The snapshot shows
 * it as a coin below the smallest value on a script that holds more coins. Such a coin goes with all coins of its script
 * or stays. Leaving it behind while its larger neighbours are spent is right, and coins of ordinary size that share a
 * script are no attack. A small coin that is alone on its script is the matter of INPUT_DUST, also where the script was
 * spent from before: neither a snapshot, which holds what is unspent, nor the journal, which holds the scripts of change
 * alone, knows what was received and spent. It is denied either way.
 */
export const forcedReuse: Rule = {
  tag: 'coin-forced-reuse',
  codes: ['INPUT_FORCED_REUSE'],
  check: (context) =>
    listed(
      context,
      'INPUT_FORCED_REUSE',
      'No small coin of a reused script is spent without the others of that script.',
      smallCoins(context).flatMap((input) => {
        const left = input.coin?.leftOnScript ?? 0;
        if (left === 0) return [];
        return [
          {
            subject: inputName(input),
            measured: input.value.toString(),
            unit: 'sat' as const,
            text: `Coin ${inputName(input)} of ${formatAmount(input.value)} came onto a script in use and would be spent while ${plural(left, 'other coin')} of that script stay.`,
            remedy: 'freeze the coin, or spend all coins of its script together',
          },
        ];
      }),
    ),
};

import { trustedHex } from '../../domain/bytes.js';
import { formatAmount } from '../../domain/sats.js';
import { dustThreshold } from '../../domain/script.js';
import { formatTime } from '../../domain/time.js';
import { tallyScripts } from '../windows.js';
import { ageAt, paidDestinations, payees } from './payee.js';
import { DAY } from './rolling.js';
import { askForPolicy, capped, finding, formatSpan, listed, plural, type Rule } from './rule.js';

/** Default deny: what the book does not hold is not paid. */
export const destinationAllowed: Rule = {
  tag: 'destination-allowed',
  codes: ['DEST_NOT_ALLOWED'],
  check: (context) => {
    const all = payees(context);
    return listed(
      context,
      'DEST_NOT_ALLOWED',
      () => `The address book holds every destination of the batch (${all.length}).`,
      all
        .filter(({ entry }) => entry === undefined)
        .map(({ name, amount }) => ({
          subject: name,
          text: `The address book does not hold ${name}, which would get ${formatAmount(amount)}.`,
          remedy: `check the address with its owner over a second channel; to pay it, let ${quorumWords(context.document.destinations.bookSign)} sign it into the book and wait for the cool-down of ${formatSpan(context.document.destinations.cooldown)}`,
        })),
    );
  },
};

function quorumWords({ m, from, include }: { m: number; from: readonly string[]; include?: string }): string {
  return `${m} of ${from.join(' and ')}${include === undefined ? '' : ` (${include} among them)`}`;
}

/** No payment at all, not even one satoshi, before a new destination has been in the book for a while. */
export const cooldown: Rule = {
  tag: 'destination-cooldown',
  codes: ['DEST_COOLDOWN'],
  check: (context) => {
    const wait = context.document.destinations.cooldown;
    const known = paidDestinations(context).flatMap(({ entry, name }) =>
      entry === undefined ? [] : [{ entry, name }],
    );
    const cooling = known.filter(({ entry }) => !(ageAt(entry, context.time) >= wait));
    return listed(
      context,
      'DEST_COOLDOWN',
      () => `Every listed destination of the batch (${known.length}) is past the cool-down of ${formatSpan(wait)}.`,
      cooling.map(({ entry, name }) => ({
        subject: name,
        measured: `${ageAt(entry, context.time)}`,
        limit: `${wait}`,
        unit: 's',
        freesAt: entry.since + wait,
        text: `${name} entered the book at ${formatTime(entry.since)}; its cool-down of ${formatSpan(wait)} ends at ${formatTime(entry.since + wait)}.`,
        remedy: `wait until ${formatTime(entry.since + wait)}, or take the payment out of the batch`,
      })),
    );
  },
};

/** What one destination gets within 24 hours, at all of its addresses. Fees are no part of it: they are not paid to it. */
export const destinationCap: Rule = {
  tag: 'destination-cap',
  codes: ['DEST_CAP'],
  check: (context) => {
    const { caps24h, defaultCap24h } = context.document.destinations;
    const all = paidDestinations(context);
    if (all.length === 0) return [finding(context, 'DEST_CAP', 'pass', 'The batch pays no destination.')];
    return all.map(({ scripts, name, amount, entry }) => {
      const own = entry === undefined ? undefined : caps24h.get(entry.id);
      return capped(context, {
        code: 'DEST_CAP',
        field: own === undefined ? 'destinations.default_cap_24h' : `destinations.caps_24h.${name}`,
        subject: name,
        what: `What ${name} gets within 24 hours, this batch included,`,
        cap: own === undefined ? defaultCap24h : own,
        tally: tallyScripts(context.index, scripts, context.claim(amount), context.time, DAY),
      });
    });
  },
};

/** Kinds of script that the policy pays. Data outputs, anchors, bare scripts and future witness versions never are. */
export const scriptType: Rule = {
  tag: 'destination-script-type',
  codes: ['DEST_SCRIPT_TYPE'],
  check: (context) => {
    const allowed: readonly string[] = context.document.destinations.scriptTypes;
    if (allowed.length === 0) {
      const said = () => ({
        text: 'The policy pays no type of script at all, so nothing may leave.',
        remedy: askForPolicy(context, 'destinations.script_types'),
      });
      return [finding(context, 'DEST_SCRIPT_TYPE', 'deny', said)];
    }
    return listed(
      context,
      'DEST_SCRIPT_TYPE',
      () => `Every destination has one of the script types ${allowed.join(', ')}.`,
      payees(context)
        .filter(({ kind }) => !allowed.includes(kind) && kind !== 'p2tr_off_curve')
        .map(({ name, kind }) => ({
          subject: name,
          text: `The output to ${name} is of type ${kind}; the policy pays ${allowed.join(', ')}.`,
          remedy: 'ask the owner for an address of another type, or take the output out of the batch',
        })),
    );
  },
};

export const unspendable: Rule = {
  tag: 'destination-unspendable',
  codes: ['DEST_UNSPENDABLE'],
  check: (context) =>
    listed(
      context,
      'DEST_UNSPENDABLE',
      'Every taproot destination is a point of the curve.',
      payees(context)
        .filter(({ kind }) => kind === 'p2tr_off_curve')
        .map(({ name, amount }) => ({
          subject: name,
          text: `${name} is no point of the curve: ${formatAmount(amount)} sent there could never be spent (BIP340).`,
          remedy: 'ask the owner for the address again',
        })),
    ),
};

export const dustPayment: Rule = {
  tag: 'destination-dust',
  codes: ['DEST_DUST'],
  check: (context) => {
    const all = payees(context);
    return listed(
      context,
      'DEST_DUST',
      () => `No payment of the batch is dust (${plural(context.payments.length, 'output')}).`,
      all.flatMap(({ name, kind, script, amounts }) => {
        const least = dustThreshold(trustedHex(script));
        const isData = kind === 'op_return';
        const dust = amounts.filter((amount) => !isData && !(amount >= least));
        return dust.map((amount) => ({
          subject: name,
          measured: amount.toString(),
          limit: least.toString(),
          unit: 'sat' as const,
          text: `The output of ${formatAmount(amount)} to ${name} is below ${formatAmount(least)}, the least that nodes relay for its type.`,
          remedy: 'pay more in one output, or take the payment out of the batch',
        }));
      }),
    );
  },
};

import { toHex } from '../../domain/bytes.js';
import { formatAmount } from '../../domain/sats.js';
import { dustThreshold } from '../../domain/script.js';
import type { OutputFact } from '../types.js';
import { askForPolicy, finding, listed, outputName, plural, type Rule, type RuleContext, repeated } from './rule.js';

type Problem = Extract<OutputFact['own'], { own: false }>['problem'];

const changeOutputs = ({ facts }: RuleContext): OutputFact[] => facts.outputs.filter(({ isChange }) => isChange);

/** An output that claims to be the vault's and is not proven to be: it is counted as spent, and denied for the claim. */
function claimRule(
  code: Extract<Problem, string>,
  tag: string,
  passText: string,
  says: (name: string) => string,
): Rule {
  return {
    tag,
    codes: [code],
    check: (context) =>
      listed(
        context,
        code,
        passText,
        context.facts.outputs
          .filter(({ own }) => !own.own && own.problem === code)
          .map((output) => ({
            subject: outputName(output),
            text: says(`The output of ${formatAmount(output.value)} to ${outputName(output)}`),
            remedy: 'do not sign: find out who made this PSBT, and plan the batch again',
          })),
      ),
  };
}

export const changeUnproven = claimRule(
  'CHANGE_UNPROVEN',
  'change-proven',
  'Every output that claims a key of the vault is derived from its descriptor.',
  (output) => `${output} claims a key of the vault, but the descriptor does not derive it: it is somebody else's.`,
);

export const changePath = claimRule(
  'CHANGE_PATH',
  'change-path',
  'Every output that claims a key of the vault claims it at its own place.',
  (output) => `${output} claims a key of the vault at a path that cannot be change.`,
);

const gapClaim = claimRule(
  'CHANGE_GAP',
  'change-gap',
  'All change lies within the gap limit.',
  (output) => `${output} is the vault's, but beyond the gap limit, where a restored wallet would not look for it.`,
);

/** Facts may have been derived with another gap than the policy has now, so the index is compared once more. */
export const changeGap: Rule = {
  ...gapClaim,
  check: (context) => {
    const last = context.state.lastUsedChange + context.document.change.maxGap;
    const beyond = changeOutputs(context).filter(({ own }) => own.own && !(own.origin.index <= last));
    if (beyond.length === 0) return gapClaim.check(context);
    const faults = beyond.map((output) => ({
      subject: outputName(output),
      measured: output.own.own ? `${output.own.origin.index}` : undefined,
      limit: `${last}`,
      text: `The change output ${outputName(output)} lies beyond index ${last}, the last within the gap limit.`,
      remedy: 'plan the batch again: change goes to the next unused index',
    }));
    const claimed = gapClaim.check(context).filter(({ outcome }) => outcome !== 'pass');
    return [...claimed, ...listed(context, 'CHANGE_GAP', '', faults)];
  },
};

export const changeCount: Rule = {
  tag: 'change-count',
  codes: ['CHANGE_COUNT'],
  check: (context) => {
    const { maxOutputs } = context.document.change;
    const count = changeOutputs(context).length;
    const within = count <= maxOutputs;
    return [
      finding(context, 'CHANGE_COUNT', within ? 'pass' : 'deny', () => ({
        text: `The batch has ${plural(count, 'change output')}; ${maxOutputs} may be.`,
        measured: `${count}`,
        limit: `${maxOutputs}`,
        headroom: `${within ? maxOutputs - count : maxOutputs}`,
        unit: 'count',
        remedy: within ? undefined : `plan the batch again, or ${askForPolicy(context, 'change.max_outputs')}`,
      })),
    ];
  },
};

export const changeDust: Rule = {
  tag: 'change-dust',
  codes: ['CHANGE_DUST'],
  check: (context) =>
    listed(
      context,
      'CHANGE_DUST',
      'No change output is dust.',
      changeOutputs(context)
        .map((output) => ({ output, least: dustThreshold(output.script) }))
        .filter(({ output, least }) => !(output.value >= least))
        .map(({ output, least }) => ({
          subject: outputName(output),
          measured: output.value.toString(),
          limit: least.toString(),
          unit: 'sat',
          text: `The change of ${formatAmount(output.value)} to ${outputName(output)} is below ${formatAmount(least)}, the least that nodes relay for its type.`,
          remedy: 'plan the batch again: so little change belongs to the fee',
        })),
    ),
};

/** Used before: known as such, the script of a coin that this very batch spends, or of two change outputs at once. */
export const changeReuse: Rule = {
  tag: 'change-reuse',
  codes: ['CHANGE_REUSE'],
  check: (context) => {
    const change = changeOutputs(context);
    const twice = repeated(change.map(({ script }) => toHex(script)));
    const spent = new Set(context.facts.inputs.map(({ script }) => toHex(script)));
    const reused = change.filter(({ script }) => {
      const hex = toHex(script);
      return context.state.usedChange.has(hex) || spent.has(hex) || twice.has(hex);
    });
    return listed(
      context,
      'CHANGE_REUSE',
      'All change goes to fresh scripts.',
      reused.map((output) => ({
        subject: outputName(output),
        text: `The change output ${outputName(output)} goes to a script that was used before.`,
        remedy: 'plan the batch again: change goes to the next unused index',
      })),
    );
  },
};

export const changeClaimed: Rule = {
  tag: 'change-claimed',
  codes: ['CHANGE_UNCLAIMED'],
  check: (context) =>
    listed(
      context,
      'CHANGE_UNCLAIMED',
      'The PSBT tells the device the path of all change.',
      changeOutputs(context)
        .filter(({ own }) => own.own && !own.claimed)
        .map((output) => ({
          subject: outputName(output),
          text: `The output ${outputName(output)} is change, found by search; the PSBT does not say its path, so the device will show it as a payment.`,
          remedy: 'plan the batch again with countersign, which writes the path',
        })),
    ),
};

/** A receiving address is never change: paying it would look like an inflow, and is counted as spent here. */
export const selfReceive: Rule = {
  tag: 'self-receive',
  codes: ['SELF_RECEIVE'],
  check: (context) =>
    listed(
      context,
      'SELF_RECEIVE',
      'No output pays a receiving address of the vault.',
      context.facts.outputs
        .filter(({ own, isChange }) => own.own && !isChange)
        .map((output) => ({
          subject: outputName(output),
          text: `The output of ${formatAmount(output.value)} to ${outputName(output)} pays the vault itself outside its change branch.`,
          remedy: 'take the payment out of the batch',
        })),
    ),
};

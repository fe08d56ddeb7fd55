import type { BatchKind } from '../../domain/batch-kind.js';
import { formatAmount } from '../../domain/sats.js';
import { inputCount, inputName } from './inputs.js';
import { finding, listed, plural, type Rule, type RuleContext } from './rule.js';

/** MAX_STANDARD_TX_WEIGHT of Bitcoin Core is 400,000 weight units: larger transactions are not relayed. */
const MAX_VSIZE = 100_000n;

const PLAN_AGAIN = 'do not sign: plan the batch again, and find out who made this PSBT';

export const wellFormed: Rule = {
  tag: 'psbt-form',
  codes: ['PSBT_FORM'],
  check: (context) => {
    const { malformed, fee, inputs } = context.facts;
    const faults = [
      ...(malformed === null ? [] : [{ subject: 'bytes', text: `The PSBT is malformed: ${malformed}.` }]),
      ...(inputs.length > 0 ? [] : [{ subject: 'inputs', text: 'The PSBT spends nothing.' }]),
      ...(fee >= 0n ? [] : [{ subject: 'fee', text: `The PSBT pays ${formatAmount(-fee)} more than it spends.` }]),
    ];
    return listed(
      context,
      'PSBT_FORM',
      'The PSBT is well formed and pays no more than it spends.',
      faults.map((fault) => ({ ...fault, remedy: PLAN_AGAIN })),
    );
  },
};

export const notSigned: Rule = {
  tag: 'psbt-unsigned',
  codes: ['PSBT_PRESIGNED'],
  check: (context) =>
    listed(
      context,
      'PSBT_PRESIGNED',
      () => `None of the ${inputCount(context)} carries a signature.`,
      context.facts.inputs
        .filter(({ presigned }) => presigned !== false)
        .map((input) => ({
          subject: inputName(input),
          text: `Input ${inputName(input)} carries a signature or a final script before anybody was asked.`,
          remedy: PLAN_AGAIN,
        })),
    ),
};

/** What countersign does not write it does not understand; a signer might. */
export const foreignFields: Rule = {
  tag: 'psbt-fields',
  codes: ['PSBT_FOREIGN_FIELD'],
  check: (context) =>
    listed(
      context,
      'PSBT_FOREIGN_FIELD',
      'The inputs carry only fields that countersign writes.',
      context.facts.inputs
        .filter((input) => input.foreignFields.length !== 0)
        .map((input) => ({
          subject: inputName(input),
          text: `Input ${inputName(input)} carries fields that countersign never writes: ${[...input.foreignFields].sort().join(', ')}.`,
          remedy: 'find out which program added them',
        })),
    ),
};

/** Three shapes, each reported: the number of inputs, the size, and that the outputs are of the batch's kind. */
export const shape: Rule = {
  tag: 'tx-shape',
  codes: ['TX_SHAPE'],
  check: (context) => [inputsWithin(context), sizeWithin(context), outputsOfKind(context)],
};

function inputsWithin(context: RuleContext) {
  const { max } = context.document.inputs;
  const count = context.facts.inputs.length;
  const within = count <= max;
  return finding(context, 'TX_SHAPE', within ? 'pass' : 'deny', () => ({
    text: `The transaction has ${inputCount(context)}; ${max} are allowed.`,
    subject: 'inputs',
    measured: `${count}`,
    limit: `${max}`,
    headroom: `${within ? max - count : max}`,
    unit: 'count',
    remedy: within ? undefined : 'split the batch, or consolidate coins first',
  }));
}

function sizeWithin(context: RuleContext) {
  const { vsize } = context.facts;
  const within = vsize <= MAX_VSIZE;
  return finding(context, 'TX_SHAPE', within ? 'pass' : 'deny', () => ({
    text: `The signed transaction takes at most ${vsize} vB; nodes relay ${MAX_VSIZE} vB.`,
    field: 'transaction',
    subject: 'size',
    measured: `${vsize}`,
    limit: `${MAX_VSIZE}`,
    headroom: `${within ? MAX_VSIZE - vsize : MAX_VSIZE}`,
    unit: 'vB',
    remedy: within ? undefined : 'split the batch',
  }));
}

function outputsOfKind(context: RuleContext) {
  switch (context.kind) {
    case 'withdrawal':
      return somebodyPaid(context);
    case 'consolidation':
    case 'cancellation':
    case 'child':
      return nobodyPaid(context, context.kind);
  }
}

/** One output, proven change: whatever else it had would be paid to somebody, or would spread what is to be put together. */
function nobodyPaid(context: RuleContext, kind: Exclude<BatchKind, 'withdrawal'>) {
  const { outputs } = context.facts;
  const paid = context.payments.length;
  const within = paid === 0 && outputs.length === 1;
  return finding(context, 'TX_SHAPE', within ? 'pass' : 'deny', () => ({
    text: within
      ? `The transaction pays nobody: all of it but the fee comes back as one coin, as a ${kind} has to.`
      : `A ${kind} has one output, proven change; this one has ${plural(outputs.length, 'output')}, of which ${paid} pay somebody.`,
    field: 'transaction',
    subject: 'payments',
    measured: `${paid}`,
    limit: '0',
    headroom: '0',
    unit: 'count',
    remedy: within ? undefined : `do not sign: plan the ${kind} again, and pay in a withdrawal`,
  }));
}

function somebodyPaid(context: RuleContext) {
  const count = context.payments.length;
  return finding(context, 'TX_SHAPE', count > 0 ? 'pass' : 'deny', () => ({
    text:
      count > 0 ? `The transaction pays ${plural(count, 'output')} besides change.` : 'The transaction pays nobody.',
    field: 'transaction',
    subject: 'payments',
    measured: `${count}`,
    unit: 'count',
    remedy: count > 0 ? undefined : 'plan a batch that pays somebody, or a consolidation (batch plan --consolidate)',
  }));
}

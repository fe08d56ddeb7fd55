import { scriptKind } from '../../domain/script.js';
import type { InputFact } from '../types.js';
import { inputCount, inputName } from './inputs.js';
import { finding, listed, type Rule, type RuleContext, type Said } from './rule.js';

const SIGHASH_DEFAULT = 0x00;
const SIGHASH_ALL = 0x01;
/** Locktimes from here on are Unix times, below it block heights (nLockTime). */
const LOCKTIME_THRESHOLD = 500_000_000;
const SEQUENCE_FINAL = 0xffffffff;
/** BIP68: with this bit clear, in version 2 and above, the low 16 bits are a relative locktime. */
const SEQUENCE_LOCKTIME_DISABLED = 0x80000000;
const SEQUENCE_LOCKTIME_MASK = 0xffff;

/** The signature must commit to every input and output: ALL, and DEFAULT, its taproot form (BIP341). */
export const sighash: Rule = {
  tag: 'sighash',
  codes: ['SIGHASH'],
  check: (context) =>
    listed(
      context,
      'SIGHASH',
      () => `The signatures of all ${inputCount(context)} will commit to the whole transaction.`,
      context.facts.inputs.filter(asksForOther).map((input) => ({
        subject: inputName(input),
        text: `Input ${inputName(input)} asks for sighash ${hexByte(input.sighashType)}; only ALL (DEFAULT for taproot) commits to the whole transaction.`,
        remedy: 'do not sign: find out who made this PSBT, and plan the batch again',
      })),
    ),
};

function asksForOther({ sighashType, script }: InputFact): boolean {
  const usual = scriptKind(script) === 'p2tr' ? SIGHASH_DEFAULT : SIGHASH_ALL;
  return sighashType !== null && sighashType !== usual;
}

const hexByte = (value: number | null): string => `0x${(value ?? 0).toString(16).padStart(2, '0')}`;

export const locktime: Rule = {
  tag: 'locktime',
  codes: ['LOCKTIME'],
  check: (context) => {
    const { locktime: lock } = context.facts;
    const tip = context.state.tip.height;
    const within = lock < LOCKTIME_THRESHOLD && lock <= tip;
    const said = (): Said => {
      const shown = { measured: `${lock}`, limit: `${tip}` };
      if (within) return { ...shown, text: `The locktime ${lock} is not above the tip, ${tip}.` };
      const text =
        lock < LOCKTIME_THRESHOLD
          ? `The locktime ${lock} is above the tip, ${tip}: the transaction could not be broadcast yet.`
          : `The locktime ${lock} is a time; only a block height up to the tip is allowed.`;
      const remedy = 'plan the batch again; a signature that waits is a signature that can be hoarded';
      return { ...shown, text, remedy };
    };
    return [finding(context, 'LOCKTIME', within ? 'pass' : 'deny', said)];
  },
};

export const sequence: Rule = {
  tag: 'sequence',
  codes: ['SEQUENCE'],
  check: (context) => {
    const { inputs, locktime: lock } = context.facts;
    const ineffective = lock !== 0 && inputs.length > 0 && inputs.every((input) => input.sequence === SEQUENCE_FINAL);
    const faults = [
      ...(ineffective
        ? [{ text: `The locktime ${lock} has no effect: every input has the final sequence number 0xffffffff.` }]
        : []),
      ...inputs
        .filter((input) => isRelativeLock(input, context))
        .map((input) => ({
          subject: inputName(input),
          text: `Input ${inputName(input)} has a relative locktime (BIP68): the transaction cannot confirm before it has passed.`,
        })),
    ];
    return listed(
      context,
      'SEQUENCE',
      'The sequence numbers leave the locktime in force and delay nothing.',
      faults.map((fault) => ({
        ...fault,
        remedy: 'plan the batch again with countersign, which sets replaceable ones',
      })),
    );
  },
};

function isRelativeLock({ sequence: number }: InputFact, { facts }: RuleContext): boolean {
  return facts.version >= 2 && number < SEQUENCE_LOCKTIME_DISABLED && (number & SEQUENCE_LOCKTIME_MASK) !== 0;
}

export const version: Rule = {
  tag: 'tx-version',
  codes: ['TX_VERSION'],
  check: (context) => {
    const { versions } = context.document.transaction;
    const allowed = versions.includes(context.facts.version);
    return [
      finding(context, 'TX_VERSION', allowed ? 'pass' : 'deny', () => ({
        text: `The transaction has version ${context.facts.version}; allowed: ${versions.join(', ') || 'none'}.`,
        measured: `${context.facts.version}`,
        remedy: allowed ? undefined : 'plan the batch again',
      })),
    ];
  },
};

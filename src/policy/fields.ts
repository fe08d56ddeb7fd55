import { type Fault, fail } from '../domain/fault.js';
import { FEERATE_TEXT, parseFeeRate } from '../domain/feerate.js';
import type { JsonSchema } from '../domain/json-schema.js';
import { ok, type Result } from '../domain/result.js';
import { quoted } from '../domain/safe-text.js';
import { parseSats, SATS_TEXT_IN_RANGE, type Sats } from '../domain/sats.js';
import {
  checkedLater,
  complain,
  describeNode,
  field,
  integer,
  keyMatching,
  matching,
  object,
  oneOrMany,
  optionalField,
  type Reader,
  refined,
  text,
  through,
  withSchema,
} from '../domain/source-reader.js';
import { DATE_TEXT, DURATION_TEXT, parseDuration, parseTime, TIME_TEXT } from '../domain/time.js';
import type { Cap, Quorum } from './types.js';

/** Names that people choose: of wallets, roles, persons, destinations, lists. */
export const NAME_FORM = '1 to 32 of a-z 0-9 -, beginning with a letter or digit';
export const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;

export const name: Reader<string> = matching(NAME, `a name: ${NAME_FORM}`);

export const nameKey = keyMatching(NAME, (key) => key);

// ---------------------------------------------------------------- amounts

const AMOUNT_REMEDY = 'write whole satoshis as digits in quotes, for example "150000000" for 1.5 BTC';

const AMOUNT_FORM = 'Whole satoshis as digits in quotes: "150000000" is 1.5 BTC';
const AMOUNT: JsonSchema = { type: 'string', pattern: SATS_TEXT_IN_RANGE.source };

/** Sats, in quotes: a bare number is read by some YAML and JSON readers as a float. */
export const sats: Reader<Sats> = withSchema(
  (node, at) => {
    if (node.kind === 'scalar' && typeof node.value === 'string' && node.quoted) {
      return through(text, parseSats)(node, at);
    }
    const message = `an amount in quotes is due here, not ${describeNode(node)}`;
    return complain(at, node, 'E_AMOUNT_SYNTAX', message, AMOUNT_REMEDY);
  },
  () => ({ ...AMOUNT, form: `${AMOUNT_FORM}.` }),
);

/** Sats, or the word "unlimited". */
export const cap: Reader<Cap> = withSchema(
  (node, at) => {
    if (node.kind === 'scalar' && node.value === 'unlimited') return null;
    return sats(node, at);
  },
  () => ({
    form: `${AMOUNT_FORM}; "0" lets nothing through; without a limit: the word unlimited.`,
    anyOf: [AMOUNT, { const: 'unlimited' }],
  }),
);

/** sat/vB: a whole number, or a decimal one in quotes. */
export const feerate: Reader<bigint> = withSchema(
  (node, at) => {
    if (node.kind === 'scalar' && (typeof node.value === 'number' || (typeof node.value === 'string' && node.quoted))) {
      const value = String(node.value);
      return through<string, bigint>(() => value, parseFeeRate)(node, at);
    }
    const message = `a feerate in sat/vB is due here, not ${describeNode(node)}`;
    return complain(at, node, 'E_FEERATE_SYNTAX', message, 'write a whole number, or a decimal one in quotes: "12.5"');
  },
  () => ({
    form: 'sat/vB above zero: a whole number, or in quotes one with at most three decimals, "12.5".',
    anyOf: [
      { type: 'integer', minimum: 1, maximum: 999_999 },
      { type: 'string', pattern: FEERATE_TEXT.source, not: { pattern: '^[0.]*$' } },
    ],
  }),
);

export const basisPoints = integer(0, 10_000);

// ---------------------------------------------------------------- times

const DAY_EXISTS = 'that there is such a day';

export const duration: Reader<number> = parsedText(
  DURATION_TEXT,
  parseDuration,
  'a duration such as 90s, 30m, 72h or 30d',
);

export const time: Reader<number> = parsedText(
  TIME_TEXT,
  parseTime,
  'a UTC time such as 2026-06-01T08:00:00Z on a day that exists',
  DAY_EXISTS,
);

/** YYYY-MM-DD on a day that exists. */
export const date: Reader<string> = parsedText(
  DATE_TEXT,
  (value) => (parseTime(`${value}T00:00:00Z`) === null ? null : value),
  'a date such as 2026-12-25 on a day that exists',
  DAY_EXISTS,
);

/** HH:MM as seconds since midnight; 24:00 is the end of the day. */
export const timeOfDay: Reader<number> = parsedText(
  /^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$/,
  (value) => {
    const [hours, minutes] = value.split(':');
    return Number(hours) * 3600 + Number(minutes) * 60;
  },
  'a time of day such as 07:00, from 00:00 to 24:00',
);

/** A text of a form, with its meaning; what has the form and no meaning is refused in the same words. */
function parsedText<T>(
  form: RegExp,
  parse: (value: string) => T | null,
  what: string,
  beyond: string | null = null,
): Reader<T> {
  const meaning = (value: string): Result<T, Fault> => {
    const parsed = parse(value);
    return parsed === null ? fail('E_FIELD_TYPE', `${quoted(value, 40)} is not ${what}`) : ok(parsed);
  };
  return through(matching(form, what), meaning, beyond);
}

// ---------------------------------------------------------------- chains of versions, quorums

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** The digest of the version before, or "none" in a first version. */
export const previous: Reader<string | null> = withSchema(
  (node, at) => {
    const value = text(node, at);
    if (value === 'none') return null;
    if (value === undefined || DIGEST.test(value)) return value;
    const message = `${quoted(value, 80)} is not sha256: and 64 hexadecimal digits, nor "none"`;
    return complain(at, node, 'E_FIELD_TYPE', message);
  },
  () => ({
    about: 'The digest of the version before; version 1 has none.',
    form: 'sha256: and 64 hexadecimal digits, or the word none.',
    anyOf: [{ const: 'none' }, { type: 'string', pattern: DIGEST.source }],
  }),
);

/** What a version and the digest of the one before say against each other, or null. */
export function versionProblem(version: number, prev: string | null): string | null {
  if (version === 1 && prev !== null) return 'version 1 has no version before it: write "none"';
  if (version > 1 && prev === null) return `version ${version} has to name the digest of version ${version - 1}`;
  return null;
}

/** The fields of a quorum; an object may have them beside others. */
export const QUORUM = {
  from: field(
    'from',
    checkedLater(oneOrMany(name), 'that the policy has these roles'),
    'The role, or the roles, whose people count.',
  ),
  m: field(
    'm',
    checkedLater(integer(1, 100), 'that so many people have these roles'),
    'How many different people it takes. People count, not keys.',
  ),
  include: optionalField('include', name, 'A role of `from` that one of the m has to have.'),
};

/** Holds that the role of which one person has to be among the m is one that the m come from. */
export function including<T extends Quorum>(read: Reader<T>): Reader<T> {
  return refined(
    read,
    'E_POLICY_SCHEMA',
    ({ include, from }) =>
      include === undefined || from.includes(include)
        ? null
        : `include names ${include}, which is not among the roles of from: ${from.join(', ')}`,
    'that the role of `include` is one of `from`',
  );
}

export const quorum: Reader<Quorum> = including(object(QUORUM));

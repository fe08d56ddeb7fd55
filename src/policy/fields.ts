import { type Fault, fail } from '../domain/fault.js';
import { parseFeeRate } from '../domain/feerate.js';
import { ok, type Result } from '../domain/result.js';
import { quoted } from '../domain/safe-text.js';
import { parseSats, type Sats } from '../domain/sats.js';
import {
  complain,
  describeNode,
  field,
  integer,
  matching,
  object,
  oneOrMany,
  optionalField,
  type Reader,
  refined,
  text,
  through,
} from '../domain/source-reader.js';
import { parseDuration, parseTime } from '../domain/time.js';
import type { Cap, Quorum } from './types.js';

/** Names that people choose: of wallets, roles, persons, destinations, lists. */
export const NAME_FORM = '1 to 32 of a-z 0-9 -, beginning with a letter or digit';
export const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;

export const name: Reader<string> = matching(NAME, `a name: ${NAME_FORM}`);

export function nameKey(key: string): string | null {
  return NAME.test(key) ? key : null;
}

// ---------------------------------------------------------------- amounts

const AMOUNT_REMEDY = 'write whole satoshis as digits in quotes, for example "150000000" for 1.5 BTC';

/** Sats, in quotes: a bare number is read by some YAML and JSON readers as a float. */
export const sats: Reader<Sats> = (node, at) => {
  if (node.kind === 'scalar' && typeof node.value === 'string' && node.quoted) {
    return through(text, parseSats)(node, at);
  }
  const message = `an amount in quotes is due here, not ${describeNode(node)}`;
  return complain(at, node, 'E_AMOUNT_SYNTAX', message, AMOUNT_REMEDY);
};

/** Sats, or the word "unlimited". */
export const cap: Reader<Cap> = (node, at) => {
  if (node.kind === 'scalar' && node.value === 'unlimited') return null;
  return sats(node, at);
};

/** sat/vB: a whole number, or a decimal one in quotes. */
export const feerate: Reader<bigint> = (node, at) => {
  if (node.kind === 'scalar' && (typeof node.value === 'number' || (typeof node.value === 'string' && node.quoted))) {
    const value = String(node.value);
    return through<string, bigint>(() => value, parseFeeRate)(node, at);
  }
  const message = `a feerate in sat/vB is due here, not ${describeNode(node)}`;
  return complain(at, node, 'E_FEERATE_SYNTAX', message, 'write a whole number, or a decimal one in quotes: "12.5"');
};

export const basisPoints = integer(0, 10_000);

// ---------------------------------------------------------------- times

export const duration: Reader<number> = parsedText(parseDuration, 'a duration such as 90s, 30m, 72h or 30d');

export const time: Reader<number> = parsedText(
  parseTime,
  'a UTC time such as 2026-06-01T08:00:00Z on a day that exists',
);

/** YYYY-MM-DD on a day that exists. */
export const date: Reader<string> = parsedText(
  (value) => (parseTime(`${value}T00:00:00Z`) === null ? null : value),
  'a date such as 2026-12-25 on a day that exists',
);

/** HH:MM as seconds since midnight; 24:00 is the end of the day. */
export const timeOfDay: Reader<number> = parsedText((value) => {
  const match = /^([01][0-9]|2[0-3]):([0-5][0-9])$/.exec(value);
  if (match === null) return value === '24:00' ? 86_400 : null;
  return Number(match[1]) * 3600 + Number(match[2]) * 60;
}, 'a time of day such as 07:00, from 00:00 to 24:00');

function parsedText<T>(parse: (value: string) => T | null, what: string): Reader<T> {
  return through(text, (value): Result<T, Fault> => {
    const parsed = parse(value);
    return parsed === null ? fail('E_FIELD_TYPE', `${quoted(value, 40)} is not ${what}`) : ok(parsed);
  });
}

// ---------------------------------------------------------------- chains of versions, quorums

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** The digest of the version before, or "none" in a first version. */
export const previous: Reader<string | null> = (node, at) => {
  const value = text(node, at);
  if (value === 'none') return null;
  if (value === undefined || DIGEST.test(value)) return value;
  return complain(
    at,
    node,
    'E_FIELD_TYPE',
    `${quoted(value, 80)} is not sha256: and 64 hexadecimal digits, nor "none"`,
  );
};

/** What a version and the digest of the one before say against each other, or null. */
export function versionProblem(version: number, prev: string | null): string | null {
  if (version === 1 && prev !== null) return 'version 1 has no version before it: write "none"';
  if (version > 1 && prev === null) return `version ${version} has to name the digest of version ${version - 1}`;
  return null;
}

/** The fields of a quorum; an object may have them beside others. */
export const QUORUM = {
  from: field('from', oneOrMany(name)),
  m: field('m', integer(1, 100)),
  include: optionalField('include', name),
};

/** Holds that the role of which one person has to be among the m is one that the m come from. */
export function including<T extends Quorum>(read: Reader<T>): Reader<T> {
  return refined(read, 'E_POLICY_SCHEMA', ({ include, from }) =>
    include === undefined || from.includes(include)
      ? null
      : `include names ${include}, which is not among the roles of from: ${from.join(', ')}`,
  );
}

export const quorum: Reader<Quorum> = including(object(QUORUM));

import type { Hex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { HARDENED, hardened, type Path } from '../domain/path.js';
import { ok, type Result } from '../domain/result.js';
import { syntaxFault, type Text } from './descriptor-syntax.js';

/** A key expression as written (BIP380, BIP389). Its base58 is not decoded here. */
export interface KeyExpression {
  /** Position in the descriptor, from 1. */
  readonly at: number;
  readonly origin: { readonly fingerprint: Hex; readonly path: Path } | null;
  readonly form: 'extended' | 'compressed' | 'uncompressed' | 'x-only';
  readonly key: string;
  /** What follows an extended key, as canonical text: "<0;1>/*", "0/*", "". */
  readonly derivation: string;
  /** Members of its multipath step, 1 where it has none. */
  readonly branches: number;
}

const BASE58 = '[1-9A-HJ-NP-Za-km-z]';
/** xprv and its SLIP-132 kin, and WIF keys (compressed or not, of any network). */
const PRIVATE_KEY = new RegExp(
  `[xtyzuvYZUV]prv${BASE58}{8,}|(?<!${BASE58})(?:[KLc]${BASE58}{51}|[59]${BASE58}{50})(?!${BASE58})`,
);

/** Whether a text holds something that looks like a private key. Asked before anything else, and never echoed. */
export function holdsPrivateKey(text: string): boolean {
  return PRIVATE_KEY.test(text);
}

/** Reads a key expression; its grammar only. Private keys have been refused before. */
export function parseKeyExpression({ text, at }: Text): Result<KeyExpression, Fault> {
  const match = /^(?:\[([^[\]]*)\])?([^[\]/]+)((?:\/[^[\]]*)?)$/.exec(text);
  if (match === null) return syntaxFault(at, 'a key is missing, or the brackets of its origin are misplaced');
  const [, originText, key = '', derivationText = ''] = match;
  const origin = originText === undefined ? ok(null) : parseOrigin(originText, at);
  if (!origin.ok) return origin;
  const form = keyForm(key);
  if (form === null) {
    if (/^[yzuvYZUV]pub/.test(key)) {
      return fail(
        'E_DESCRIPTOR_KEY',
        `the key at character ${at} is a ${key.slice(0, 4)}, which descriptors do not use`,
        {
          remedy:
            'export the same account as xpub (tpub on test networks); the descriptor itself names the script type',
        },
      );
    }
    return syntaxFault(at, `${JSON.stringify(key.slice(0, 20))} is not a key`);
  }
  if (form !== 'extended') {
    if (derivationText !== '') return syntaxFault(at, 'only an extended key (xpub) can be followed by a path');
    return ok({ at, origin: origin.value, form, key, derivation: '', branches: 1 });
  }
  const derivation = parseDerivation(derivationText, at);
  if (!derivation.ok) return derivation;
  return ok({ at, origin: origin.value, form, key, ...derivation.value });
}

function keyForm(key: string): KeyExpression['form'] | null {
  if (/^[xt]pub[1-9A-HJ-NP-Za-km-z]+$/.test(key)) return 'extended';
  if (/^0[23][0-9a-fA-F]{64}$/.test(key)) return 'compressed';
  if (/^04[0-9a-fA-F]{128}$/.test(key)) return 'uncompressed';
  return /^[0-9a-fA-F]{64}$/.test(key) ? 'x-only' : null;
}

function parseOrigin(text: string, at: number): Result<{ fingerprint: Hex; path: Path }, Fault> {
  const [fingerprint = '', ...steps] = text.split('/');
  if (!/^[0-9a-fA-F]{8}$/.test(fingerprint)) {
    return syntaxFault(at, 'a key origin begins with a fingerprint of 8 hexadecimal digits');
  }
  const path: number[] = [];
  for (const text of steps) {
    const step = parseStep(text);
    if (step === null) return stepFault(text, at);
    path.push(step);
  }
  return ok({ fingerprint: fingerprint.toLowerCase(), path });
}

/** BIP380 knows h and '; a capital H is invalid there, since not every reader of descriptors takes it. */
function parseStep(text: string): number | null {
  const match = /^(0|[1-9][0-9]{0,9})([h']?)$/.exec(text);
  const index = Number(match?.[1]);
  if (match === null || index >= HARDENED) return null;
  return match[2] === '' ? index : hardened(index);
}

function stepFault(text: string, at: number): Result<never, Fault> {
  return syntaxFault(
    at,
    `${JSON.stringify(text.slice(0, 20))} is not a derivation step`,
    "write numbers below 2147483648, each followed by h (or ') where hardened",
  );
}

function parseDerivation(text: string, at: number): Result<{ derivation: string; branches: number }, Fault> {
  if (text === '') return ok({ derivation: '', branches: 1 });
  const steps = text.slice(1).split('/');
  const canonical: string[] = [];
  let branches = 1;
  for (const [index, step] of steps.entries()) {
    if (/^\*[h']?$/.test(step) && index === steps.length - 1) {
      canonical.push(step.replace("'", 'h'));
    } else if (step.startsWith('<')) {
      const members = /^<(.*)>$/.exec(step)?.[1]?.split(';').map(parseStep) ?? [];
      const numbers = members.filter((member) => member !== null);
      if (branches > 1) return syntaxFault(at, 'a key has two multipath steps; BIP389 allows one');
      if (numbers.length < 2 || numbers.length !== members.length || new Set(numbers).size !== numbers.length) {
        return syntaxFault(
          at,
          `${JSON.stringify(step.slice(0, 30))} is not a multipath step (BIP389)`,
          'write <0;1>: different numbers, separated by semicolons',
        );
      }
      branches = numbers.length;
      canonical.push(`<${numbers.map(formatStep).join(';')}>`);
    } else {
      const number = parseStep(step);
      if (number === null) return stepFault(step, at);
      canonical.push(formatStep(number));
    }
  }
  return ok({ derivation: canonical.join('/'), branches });
}

export function formatStep(step: number): string {
  return step >= HARDENED ? `${step - HARDENED}h` : `${step}`;
}

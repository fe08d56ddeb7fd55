import { type Fault, fail } from './fault.js';
import { ok, type Result } from './result.js';

/** A BIP32 path as child numbers; hardened ones have the top bit set. */
export type Path = readonly number[];

export const HARDENED = 0x80000000;

export const hardened = (index: number): number => (index | HARDENED) >>> 0;
export const isHardened = (step: number): boolean => step >= HARDENED;

/** Reads 84'/1'/0', 84h/1h/0h or 84H/1H/0H, with or without "m/"; all name the same path. Empty is the master key. */
export function parsePath(text: string): Result<Path, Fault> {
  if (text === '' || text === 'm') return ok([]);
  const body = text.startsWith('m/') ? text.slice(2) : text;
  const steps: number[] = [];
  for (const part of body.split('/')) {
    const match = /^(0|[1-9][0-9]{0,9})(['hH]?)$/.exec(part);
    const index = Number(match?.[1]);
    if (match === null || index >= HARDENED) {
      return fail('E_PATH_SYNTAX', `${JSON.stringify(text.slice(0, 80))} is not a BIP32 path`, {
        remedy: "write child numbers below 2147483648, each with ' or h where hardened, for example 84'/1'/0'",
      });
    }
    steps.push(match[2] === '' ? index : hardened(index));
  }
  return ok(steps);
}

/** The steps joined by "/", hardened ones with an apostrophe: Ledger refuses "h" in a wallet policy. */
export function formatPath(path: Path): string {
  return path.map((step) => (isHardened(step) ? `${step - HARDENED}'` : `${step}`)).join('/');
}

export function equalPaths(a: Path, b: Path): boolean {
  return a.length === b.length && a.every((step, index) => step === b[index]);
}

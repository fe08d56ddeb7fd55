import { hash160, trustedHex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { all, ok, type Result } from '../domain/result.js';
import { miniscriptLibrary } from './miniscript-library.js';
import type { MiniscriptPolicy, Satisfaction, ScriptPiece, TimeLock, WitnessPiece } from './types.js';

/** Bytes of a witness script that nodes relay (Bitcoin Core's MAX_STANDARD_P2WSH_SCRIPT_SIZE). */
const MAX_WITNESS_SCRIPT = 3600;
/** Items of a witness stack beside the script that nodes relay (MAX_STANDARD_P2WSH_STACK_ITEMS). */
const MAX_STACK = 100;
/** BIP68: a sequence counts blocks or, with bit 22, units of 512 s, in its 16 lowest bits; all others mean nothing to a lock. */
const SEQUENCE_MASK = 0x40ffff;
const SEQUENCE_COUNT = 0xffff;

/** The opcodes that miniscript compiles to (BIP379). */
const OPCODES: Readonly<Record<string, number>> = {
  OP_IF: 0x63,
  OP_NOTIF: 0x64,
  OP_ELSE: 0x67,
  OP_ENDIF: 0x68,
  OP_VERIFY: 0x69,
  OP_TOALTSTACK: 0x6b,
  OP_FROMALTSTACK: 0x6c,
  OP_IFDUP: 0x73,
  OP_DUP: 0x76,
  OP_SWAP: 0x7c,
  OP_SIZE: 0x82,
  OP_EQUAL: 0x87,
  OP_EQUALVERIFY: 0x88,
  OP_0NOTEQUAL: 0x92,
  OP_ADD: 0x93,
  OP_BOOLAND: 0x9a,
  OP_BOOLOR: 0x9b,
  OP_HASH160: 0xa9,
  OP_CHECKSIG: 0xac,
  OP_CHECKSIGVERIFY: 0xad,
  OP_CHECKMULTISIG: 0xae,
  OP_CHECKMULTISIGVERIFY: 0xaf,
  OP_CHECKLOCKTIMEVERIFY: 0xb1,
  OP_CHECKSEQUENCEVERIFY: 0xb2,
};

/**
 * What a miniscript (keys as @0, @1, ...) compiles to and how it is spent, by the library's compiler and satisfier. It must
 * be sane (BIP379: it needs a signature on every way, no third party can change its witness, no time locks are mixed that cannot hold together,
 * no key stands twice) and have a branch without a time lock that any k of some n keys can sign. That is the branch
 * that countersign spends by; the others are told and left to their holders. Faults: E_DESCRIPTOR_UNSUPPORTED.
 */
export function planMiniscript(expression: string): Result<MiniscriptPolicy, Fault> {
  const lock = misleadingLock(expression);
  if (lock !== null)
    return unsupported(lock, 'write the lock in blocks (1 to 65535) or in units of 512 s (4194305 to 4259839)');
  const solved = solve(expression);
  if (!solved.ok) return solved;
  const { script, solutions } = solved.value;
  const satisfactions = solutions.filter(({ lock }) => lock === null).map(({ satisfaction }) => satisfaction);
  const [first] = satisfactions;
  if (first === undefined) {
    return unsupported(
      'every branch of the miniscript waits for a time lock',
      'countersign spends by a branch that needs none: give the policy one, for example or_d(pk(A),and_v(v:pkh(B),older(N)))',
    );
  }
  const threshold = first.keys.length;
  const signers = [...new Set(satisfactions.flatMap(({ keys }) => keys))].sort((a, b) => a - b);
  const sets = new Set(satisfactions.map(({ keys }) => [...keys].sort((a, b) => a - b).join(' ')));
  const isQuorum =
    satisfactions.every(({ keys }) => keys.length === threshold && new Set(keys).size === threshold) &&
    sets.size === satisfactions.length &&
    sets.size === choose(signers.length, threshold);
  if (!isQuorum) {
    return unsupported(
      `without a time lock the miniscript is signed by any of ${[...sets].map((set) => `{${set}}`).join(' or ')} of its keys, which is no k of n`,
      'countersign counts signatures of one group of keys: let the branch without a time lock be one key, or multi(k,...)',
    );
  }
  const delayed = solutions.flatMap(({ satisfaction, lock }) =>
    lock === null ? [] : [{ keys: satisfaction.keys, lock }],
  );
  const policy = { expression, script, satisfactions, signers, threshold, delayed };
  const size = scriptLength(policy);
  if (size > MAX_WITNESS_SCRIPT || satisfactions.some(({ stack }) => stack.length > MAX_STACK)) {
    return unsupported(
      `the miniscript compiles to ${size} bytes, and nodes relay ${MAX_WITNESS_SCRIPT} with ${MAX_STACK} items`,
      'make it smaller',
    );
  }
  return ok(policy);
}

function unsupported(problem: string, remedy: string): Result<never, Fault> {
  return fail('E_DESCRIPTOR_UNSUPPORTED', problem, { remedy });
}

/** older() of a number some bits of which mean nothing: 65536 looks like more than 65535 blocks and is no lock at all. */
function misleadingLock(expression: string): string | null {
  for (const [text, digits] of expression.matchAll(/\bolder\((\d+)\)/g)) {
    const value = BigInt(digits ?? '0');
    const blind = value & ~BigInt(SEQUENCE_MASK);
    if (blind !== 0n || (value & BigInt(SEQUENCE_COUNT)) === 0n) {
      return `${text} is not the lock that it looks like: it waits for ${value & BigInt(SEQUENCE_COUNT)} (BIP68)`;
    }
  }
  return null;
}

interface Solution {
  readonly satisfaction: Satisfaction;
  readonly lock: TimeLock | null;
}

/** Everything that is asked of the library, which throws where it cannot go on. */
function solve(
  expression: string,
): Result<{ readonly script: readonly ScriptPiece[]; readonly solutions: readonly Solution[] }, Fault> {
  const { compileMiniscript, analyzeMiniscript, satisfier } = miniscriptLibrary();
  try {
    const analysis = analyzeMiniscript(expression);
    if (!analysis.issane)
      return unsupported(
        `the miniscript is not sane: ${reasonOf(analysis)}`,
        'let the wallet that made it explain its policy',
      );
    const script = all(words(compileMiniscript(expression).asm).map(scriptPiece));
    if (!script.ok) return script;
    const solutions = all(
      satisfier(expression).nonMalleableSats.map(({ asm, nSequence, nLockTime }): Result<Solution, Fault> => {
        const stack = all(words(asm).map(witnessPiece));
        if (!stack.ok) return stack;
        const keys = stack.value.flatMap((piece) => (piece.kind === 'signature' ? [piece.key] : []));
        return ok({ satisfaction: { keys, stack: stack.value }, lock: lockOf(nSequence, nLockTime) });
      }),
    );
    return solutions.ok ? ok({ script: script.value, solutions: solutions.value }) : solutions;
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return unsupported(`the miniscript cannot be used: ${problem}`, 'let the wallet that made it explain its policy');
  }
}

function reasonOf(analysis: ReturnType<ReturnType<typeof miniscriptLibrary>['analyzeMiniscript']>): string {
  const { error, needsSignature, nonMalleable, timelockMix, hasDuplicateKeys } = analysis;
  if (error !== null) return error.replace(/^sane: |\.$/g, '');
  if (!needsSignature) return 'one of its branches needs no signature';
  if (!nonMalleable) return 'somebody else could change its witness';
  if (timelockMix) return 'it mixes time locks that cannot hold together';
  return hasDuplicateKeys ? 'a key stands in it twice' : 'not every part of it is sane';
}

const words = (asm: string): readonly string[] => asm.split(' ').filter((word) => word !== '');

function scriptPiece(word: string): Result<ScriptPiece, Fault> {
  const opcode = OPCODES[word];
  if (opcode !== undefined) return ok({ kind: 'bytes', bytes: Uint8Array.of(opcode) });
  if (/^\d+$/.test(word)) {
    const number = Number(word);
    if (number <= 16) return ok({ kind: 'bytes', bytes: Uint8Array.of(number === 0 ? 0 : 0x50 + number) });
  }
  const key = /^<@(\d+)>$/.exec(word)?.[1];
  if (key !== undefined) return ok({ kind: 'key', key: Number(key) });
  const hashed = /^<HASH160\(@(\d+)\)>$/.exec(word)?.[1];
  if (hashed !== undefined) return ok({ kind: 'key hash', key: Number(hashed) });
  const data = /^<((?:[0-9a-f]{2}){1,5})>$/.exec(word)?.[1];
  if (data !== undefined) return ok({ kind: 'bytes', bytes: Uint8Array.of(data.length / 2, ...trustedHex(data)) });
  return unsupported(
    `the miniscript compiles to ${word}, which countersign does not know`,
    'use fragments of BIP379 alone',
  );
}

function witnessPiece(word: string): Result<WitnessPiece, Fault> {
  const signature = /^<sig\(@(\d+)\)>$/.exec(word)?.[1];
  if (signature !== undefined) return ok({ kind: 'signature', key: Number(signature) });
  const key = /^<@(\d+)>$/.exec(word)?.[1];
  if (key !== undefined) return ok({ kind: 'key', key: Number(key) });
  if (word === '0') return ok({ kind: 'bytes', bytes: new Uint8Array(0) });
  if (word === '1') return ok({ kind: 'bytes', bytes: Uint8Array.of(1) });
  return unsupported(
    `the miniscript is satisfied by ${word}, which countersign does not know`,
    'use fragments of BIP379 alone',
  );
}

function lockOf(sequence: number | undefined, locktime: number | undefined): TimeLock | null {
  if (sequence === undefined && locktime === undefined) return null;
  return { sequence: sequence ?? null, locktime: locktime ?? null };
}

function choose(n: number, k: number): number {
  let ways = 1;
  for (let step = 1; step <= k; step += 1) ways = (ways * (n - k + step)) / step;
  return ways;
}

const KEY_PUSH = 34;
const KEY_HASH_PUSH = 21;

/** Bytes of the witness script, whatever its keys are. */
export function scriptLength({ script }: Pick<MiniscriptPolicy, 'script'>): number {
  const lengthOf = (piece: ScriptPiece): number => {
    switch (piece.kind) {
      case 'bytes':
        return piece.bytes.length;
      case 'key':
        return KEY_PUSH;
      case 'key hash':
        return KEY_HASH_PUSH;
    }
  };
  return script.reduce((sum, piece) => sum + lengthOf(piece), 0);
}

/** The witness script for these compressed public keys, in the order of the policy's. */
export function miniscriptScript({ script }: MiniscriptPolicy, keys: readonly Uint8Array[]): Uint8Array {
  const keyAt = (index: number): Uint8Array => {
    const key = keys[index];
    if (key === undefined) throw new Error(`a miniscript of more than ${keys.length} keys`);
    return key;
  };
  const bytesOf = (piece: ScriptPiece): Uint8Array => {
    switch (piece.kind) {
      case 'bytes':
        return piece.bytes;
      case 'key':
        return Uint8Array.of(33, ...keyAt(piece.key));
      case 'key hash':
        return Uint8Array.of(20, ...hash160(keyAt(piece.key)));
    }
  };
  return new Uint8Array(Buffer.concat(script.map(bytesOf)));
}

import { verify, verifySchnorr } from 'tiny-secp256k1';
import { equalBytes, type Hex, toHex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { formatPath } from '../domain/path.js';
import { ok, type Result } from '../domain/result.js';
import { signingKeys, signingPositions } from '../vault/signing-keys.js';
import type { Deriver, Vault } from '../vault/types.js';
import { decodePsbt } from './decode.js';
import { decodeDer, inRange, isLowS } from './ecdsa.js';
import { type OwnInput, ownInputs } from './own.js';
import { parseFault, splitPsbt } from './parts.js';
import { isUsualSighash, keyHashScript, SIGHASH_ALL, SIGHASH_DEFAULT, Sighashes } from './sighash.js';
import type { ProvenSignature, ReturnedSignature } from './types.js';

/** One key that may sign one input. */
interface ExpectedKey {
  /** What a signature verifies under: 33 bytes, or the 32 bytes of a taproot output key. */
  readonly publicKey: Uint8Array;
  /** The taproot internal key, by which a client may also name the signer. */
  readonly alias: Uint8Array | null;
  /** Of the master key: which device holds it. */
  readonly fingerprint: Hex;
  /** "key 02ab... (84'/1'/0'/0/7)". */
  readonly name: string;
}

interface ExpectedInput extends OwnInput {
  readonly keys: readonly ExpectedKey[];
  readonly sighash: Uint8Array;
}

/**
 * Proves a device's answer, which is taken for hostile, against the PSBT that countersign built and kept: the one that the
 * device returned is not looked at. On success there are, for every input, exactly as many signatures as it needs (the
 * threshold of the vault), each by another expected key, with the sighash byte that was asked for (ALL; none for taproot),
 * in strict DER with low S (BIP66, BIP146) or 64 bytes (BIP340), and valid for a sighash computed here. The result is
 * ordered by input, then as returned.
 *
 * Faults: E_SIG_UNEXPECTED (another input or key, one twice, one too many), E_SIG_ENCODING, E_SIG_SIGHASH,
 * E_SIG_INVALID, E_SIG_MISSING; E_PSBT_SIGHASH, E_PSBT_PARSE, E_PSBT_VERSION and those of `ownInputs` for the PSBT itself.
 */
export function proveSignatures(
  psbt: Uint8Array,
  deriver: Deriver,
  returned: readonly ReturnedSignature[],
): Result<readonly ProvenSignature[], Fault> {
  const { threshold } = deriver.vault;
  return prove(psbt, deriver, returned, { of: null, due: threshold });
}

/**
 * Proves the answer of one cosigner of a multisig vault, known by its master key fingerprint: for every input exactly one
 * signature by each of its keys, and none by anybody else's. Otherwise as `proveSignatures`, faults included.
 */
export function proveSigner(
  psbt: Uint8Array,
  deriver: Deriver,
  fingerprint: Hex,
  returned: readonly ReturnedSignature[],
): Result<readonly ProvenSignature[], Fault> {
  const held = signingKeys(deriver.vault).filter((key) => key.fingerprint === fingerprint).length;
  if (held === 0) throw new Error(`${fingerprint} is no signer of the vault ${deriver.vault.id}`);
  return prove(psbt, deriver, returned, { of: fingerprint, due: held });
}

/** A signature, not yet believed, with the cosigner who is said to have made it; null where it is nobody's. */
export interface AttributedSignature extends ReturnedSignature {
  /** Master key fingerprint. */
  readonly signer: Hex | null;
}

/**
 * Finds out whose each signature is: by the key that it names, or, where it names none (a witness has the signatures of a
 * multisig in order and without names), by trying the keys of its input. Nothing is proven by that. Faults: those of the
 * PSBT.
 */
export function attributeSignatures(
  psbt: Uint8Array,
  deriver: Deriver,
  returned: readonly ReturnedSignature[],
): Result<readonly AttributedSignature[], Fault> {
  const expected = expectedInputs(psbt, deriver);
  if (!expected.ok) return expected;
  return ok(
    returned.map((answer) => {
      const input = expected.value[answer.input];
      const key = input === undefined ? undefined : makerOf(input, answer);
      return { ...answer, publicKey: answer.publicKey ?? key?.publicKey ?? null, signer: key?.fingerprint ?? null };
    }),
  );
}

function makerOf(input: ExpectedInput, { publicKey, signature }: ReturnedSignature): ExpectedKey | undefined {
  if (publicKey !== null) return input.keys.find((key) => isNamed(key, publicKey));
  if (input.keys.length === 1) return input.keys[0];
  return input.keys.find((key) => checkEcdsa(input, key, signature, input.subject).ok);
}

const isNamed = ({ publicKey, alias }: ExpectedKey, named: Uint8Array): boolean =>
  equalBytes(publicKey, named) || (alias !== null && equalBytes(alias, named));

/** Whose signatures are taken (of everybody: null), and how many of them an input must have. */
interface Demand {
  readonly of: Hex | null;
  readonly due: number;
}

function prove(
  psbt: Uint8Array,
  deriver: Deriver,
  returned: readonly ReturnedSignature[],
  demand: Demand,
): Result<readonly ProvenSignature[], Fault> {
  const expected = expectedInputs(psbt, deriver);
  if (!expected.ok) return expected;
  const { due } = demand;

  const proven = new Map<number, ProvenSignature[]>();
  for (const answer of returned) {
    const input = expected.value[answer.input];
    if (input === undefined) {
      return fail('E_SIG_UNEXPECTED', `a signature for input ${answer.input}, which the transaction does not have`);
    }
    const key = expectedKey(input, answer.publicKey, demand.of);
    if (!key.ok) return key;
    const others = proven.get(answer.input) ?? [];
    const subject = `${input.subject}, ${key.value.name}`;
    if (others.some(({ publicKey }) => equalBytes(publicKey, key.value.publicKey))) {
      return fail('E_SIG_UNEXPECTED', `${subject}: signed twice`);
    }
    if (others.length === due) {
      return fail('E_SIG_UNEXPECTED', `${subject}: one signature more than the ${due} that are needed`);
    }
    const checked =
      deriver.vault.kind === 'tr'
        ? checkSchnorr(input, key.value, answer.signature, subject)
        : checkEcdsa(input, key.value, answer.signature, subject);
    if (!checked.ok) return checked;
    proven.set(answer.input, [
      ...others,
      { input: answer.input, publicKey: key.value.publicKey, signature: new Uint8Array(answer.signature) },
    ]);
  }

  for (const input of expected.value) {
    const count = proven.get(input.index)?.length ?? 0;
    if (count < due) return missing(input, count, due, demand.of);
  }
  return ok(expected.value.flatMap(({ index }) => proven.get(index) ?? []));
}

function expectedInputs(psbt: Uint8Array, deriver: Deriver): Result<readonly ExpectedInput[], Fault> {
  const decoded = decodePsbt(psbt);
  if (!decoded.ok) return decoded;
  if (decoded.value.malformed !== null) return parseFault(decoded.value.malformed);
  const parts = splitPsbt(psbt);
  if (!parts.ok) return parts;
  const own = ownInputs(decoded.value, deriver);
  if (!own.ok) return own;
  const { kind } = deriver.vault;
  for (const { sighashType, subject } of own.value) {
    if (!isUsualSighash(kind, sighashType))
      return fail('E_PSBT_SIGHASH', `${subject} asks for the sighash type ${sighashType}`);
  }
  const prevouts = own.value.map(({ prevout }) => prevout);
  const sighashes = new Sighashes(parts.value.unsigned, prevouts);
  return ok(
    own.value.map((input) => ({
      ...input,
      keys: keysOf(input, deriver.vault),
      sighash: sighashOf(input, deriver.vault, sighashes),
    })),
  );
}

/** The keys whose signatures are wanted: of a miniscript those of its branch without a time lock. */
function keysOf({ derived, prevout }: OwnInput, vault: Vault): readonly ExpectedKey[] {
  const { kind } = vault;
  const signing = signingPositions(vault);
  return derived.keys
    .filter((_, index) => signing.has(index))
    .map(({ publicKey, path, fingerprint }) => {
      const verifying = kind === 'tr' ? prevout.script.subarray(2) : publicKey;
      const alias = kind === 'tr' ? publicKey.subarray(-32) : null;
      return { publicKey: verifying, alias, fingerprint, name: `key ${toHex(verifying)} (${formatPath(path)})` };
    });
}

function sighashOf({ index, prevout, derived, sighashType }: OwnInput, { kind }: Vault, hashes: Sighashes): Uint8Array {
  switch (kind) {
    case 'pkh':
      return hashes.legacy(index, prevout.script);
    case 'wpkh':
      return hashes.witnessV0(index, keyHashScript(prevout.script));
    case 'sh(wpkh)':
      return hashes.witnessV0(index, keyHashScript(required(derived.redeemScript)));
    case 'wsh(sortedmulti)':
    case 'sh(wsh(sortedmulti))':
    case 'wsh(miniscript)':
      return hashes.witnessV0(index, required(derived.witnessScript));
    case 'tr':
      return hashes.taproot(index, sighashType === SIGHASH_ALL ? SIGHASH_ALL : SIGHASH_DEFAULT);
  }
}

function required(script: Uint8Array | undefined): Uint8Array {
  if (script === undefined) throw new Error('the vault derived a script without the script that it hashes');
  return script;
}

function expectedKey(
  input: ExpectedInput,
  publicKey: Uint8Array | null,
  signer: Hex | null,
): Result<ExpectedKey, Fault> {
  const [only, ...others] = input.keys;
  if (publicKey === null) {
    if (only !== undefined && others.length === 0) return ok(only);
    return fail('E_SIG_UNEXPECTED', `${input.subject}: a signature that does not say which of several keys made it`);
  }
  const key = input.keys.find((candidate) => isNamed(candidate, publicKey));
  if (key !== undefined && signer !== null && key.fingerprint !== signer) {
    return fail(
      'E_SIG_UNEXPECTED',
      `${input.subject}: a signature by ${key.name} of ${key.fingerprint}, and ${signer} was asked`,
      {
        remedy: 'do not use this answer: a device signs with its own keys alone',
      },
    );
  }
  if (key !== undefined) return ok(key);
  return fail('E_SIG_UNEXPECTED', `${input.subject}: a signature by key ${toHex(publicKey)}, which was not asked`, {
    remedy: 'attach the device of this vault',
  });
}

function checkEcdsa(
  { sighash }: ExpectedInput,
  { publicKey }: ExpectedKey,
  answer: Uint8Array,
  subject: string,
): Result<null, Fault> {
  const signature = decodeDer(answer.subarray(0, -1));
  if (signature === null) return fail('E_SIG_ENCODING', `${subject}: the signature is not strict DER (BIP66)`);
  if (!inRange(signature)) return fail('E_SIG_ENCODING', `${subject}: the signature has a number out of range`);
  if (!isLowS(signature)) return fail('E_SIG_ENCODING', `${subject}: the signature has a high S (BIP146)`);
  const type = answer.at(-1);
  if (type !== SIGHASH_ALL) return sighashFault(subject, type, 'ALL (0x01)');
  return verify(sighash, publicKey, signature, true) ? ok(null) : invalid(subject);
}

function checkSchnorr(
  { sighash, sighashType }: ExpectedInput,
  { publicKey }: ExpectedKey,
  answer: Uint8Array,
  subject: string,
): Result<null, Fault> {
  if (answer.length !== 64 && answer.length !== 65) {
    return fail('E_SIG_ENCODING', `${subject}: the signature has ${answer.length} bytes, not 64 (BIP340)`);
  }
  const type = answer[64];
  const due = sighashType === SIGHASH_ALL ? SIGHASH_ALL : undefined;
  if (type !== due) return sighashFault(subject, type, due === undefined ? 'DEFAULT (no byte)' : 'ALL (0x01)');
  const signature = answer.subarray(0, 64);
  return inRange(signature) && verifySchnorr(sighash, publicKey, signature) ? ok(null) : invalid(subject);
}

function sighashFault(subject: string, type: number | undefined, due: string): Result<never, Fault> {
  const found = type === undefined ? 'no sighash byte' : `the sighash byte 0x${type.toString(16).padStart(2, '0')}`;
  return fail('E_SIG_SIGHASH', `${subject}: the signature has ${found}, not ${due}`, { remedy: DISTRUST });
}

function invalid(subject: string): Result<never, Fault> {
  return fail('E_SIG_INVALID', `${subject}: the signature is not valid for this transaction`, { remedy: DISTRUST });
}

const DISTRUST = 'do not use this answer: check that the right device is attached, and that its app is the genuine one';

function missing(input: ExpectedInput, count: number, due: number, signer: Hex | null): Result<never, Fault> {
  const names = input.keys
    .filter(({ fingerprint }) => signer === null || fingerprint === signer)
    .map(({ name }) => name);
  const what = due === 1 ? 'no signature' : `${count} of ${due} signatures`;
  return fail('E_SIG_MISSING', `${input.subject}: ${what} by ${names.join(', ')}`, {
    remedy: signer === null ? 'sign again with the device of this vault' : `sign again with the device ${signer}`,
  });
}

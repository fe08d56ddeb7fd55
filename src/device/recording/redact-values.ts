import { toHex, trustedHex, utf8 } from '../../domain/bytes.js';
import { scriptKind } from '../../domain/script.js';
import { GLOBAL, INPUT, OUTPUT } from '../../psbt/fields.js';
import { ByteReader } from '../../psbt/wire.js';
import type { Scope } from './meaning.js';
import { HASH } from './protocol.js';
import type { Pseudonyms, SecretKind } from './pseudonyms.js';

/**
 * Redacts bytes whose form is known, part by part, from the first to the last: what is neither kept nor replaced by the end
 * (or where the form was another one) is replaced whole. So nothing gets through that was not looked at.
 */
export class Pen {
  readonly #source: Uint8Array;
  readonly #reader: ByteReader;
  readonly #parts: Uint8Array[] = [];
  readonly #names: Pseudonyms;

  constructor(source: Uint8Array, names: Pseudonyms) {
    this.#source = source;
    this.#reader = new ByteReader(source);
    this.#names = names;
  }

  get names(): Pseudonyms {
    return this.#names;
  }

  get remaining(): number {
    return this.#reader.problem === null ? this.#reader.remaining : 0;
  }

  fail(): void {
    this.#reader.fail('another form');
  }

  keep(length: number): Uint8Array {
    const part = this.#reader.take(length);
    this.#parts.push(part);
    return part;
  }

  /** Keeps a CompactSize number and returns it. */
  keepSize(): number {
    const from = this.#reader.offset;
    const value = this.#reader.compactSize();
    this.#parts.push(this.#source.subarray(from, this.#reader.offset));
    return value;
  }

  put(kind: SecretKind, length: number): void {
    this.map(length, (part) => this.#names.bytes(kind, part));
  }

  hashes(count: number): void {
    for (let left = count; left > 0 && this.#reader.problem === null; left--) this.put('hash', HASH);
  }

  /** Replaces a part by what another function makes of it, of the same length. */
  map(length: number, change: (part: Uint8Array) => Uint8Array): void {
    const part = this.#reader.take(length);
    if (this.#reader.problem !== null) return;
    const changed = change(part);
    if (changed.length !== part.length) this.fail();
    this.#parts.push(changed);
  }

  finish(): Uint8Array {
    const isDone = this.#reader.problem === null && this.#reader.remaining === 0;
    return isDone ? Uint8Array.from(Buffer.concat(this.#parts)) : this.#names.bytes('other', this.#source);
  }
}

/** Redacts bytes of a known form. */
export function redact(source: Uint8Array, names: Pseudonyms, write: (pen: Pen) => void): Uint8Array {
  const pen = new Pen(source, names);
  write(pen);
  return pen.finish();
}

/** A script keeps its kind; hashes and keys in it are replaced. */
export function redactScript(script: Uint8Array, names: Pseudonyms): Uint8Array {
  const around = (kind: SecretKind, before: number, length: number): Uint8Array =>
    redact(script, names, (pen) => {
      pen.keep(before);
      pen.map(length, (part) => (kind === 'public key' ? names.publicKey(part) : names.bytes(kind, part)));
      pen.keep(pen.remaining);
    });
  switch (scriptKind(script)) {
    case 'p2pkh':
      return around('script hash', 3, 20);
    case 'p2sh':
    case 'p2wpkh':
      return around('script hash', 2, 20);
    case 'p2wsh':
      return around('script hash', 2, 32);
    case 'p2tr':
    case 'p2tr_off_curve':
      return around('public key', 2, 32);
    case 'p2a':
      return script.slice();
    case 'op_return':
    case 'witness_unknown':
      return around('script', 1, Math.max(0, script.length - 1));
    case 'nonstandard':
      return redactMultisig(script, names);
  }
}

/** k, keys, n, OP_CHECKMULTISIG: the keys are replaced. Any other script is replaced whole. */
function redactMultisig(script: Uint8Array, names: Pseudonyms): Uint8Array {
  return redact(script, names, (pen) => {
    const isNumber = (code = 0): boolean => code >= 0x51 && code <= 0x60;
    if (!isNumber(pen.keep(1)[0]) || script.at(-1) !== 0xae || !isNumber(script.at(-2))) pen.fail();
    while (pen.remaining > 2) {
      if (pen.keep(1)[0] !== 33) pen.fail();
      pen.map(33, (key) => names.publicKey(key));
    }
    pen.keep(2);
  });
}

/** An output as a transaction and PSBT_IN_WITNESS_UTXO have it: amount, length, script. */
function putOutput(pen: Pen): void {
  pen.map(8, (amount) => pen.names.amount(amount));
  pen.map(pen.keepSize(), (script) => redactScript(script, pen.names));
}

/** A previous transaction, without witnesses, as the device is sent it. */
function putTransaction(pen: Pen): void {
  pen.keep(4);
  for (let left = pen.keepSize(); left > 0 && pen.remaining > 0; left--) {
    pen.put('txid', HASH);
    pen.keep(4);
    pen.put('script', pen.keepSize());
    pen.keep(4);
  }
  for (let left = pen.keepSize(); left > 0 && pen.remaining > 0; left--) putOutput(pen);
  pen.map(4, (locktime) => pen.names.locktime(locktime));
}

/** Fingerprint and path: a path says nothing about whose it is. */
function putOrigin(pen: Pen): void {
  pen.put('fingerprint', 4);
  if (pen.remaining % 4 !== 0) pen.fail();
  pen.keep(pen.remaining);
}

function putTapOrigin(pen: Pen): void {
  pen.hashes(pen.keepSize());
  putOrigin(pen);
}

/** A value of a map by its key; what is not listed here is replaced whole. */
export function redactValue(scope: Scope, type: number | null, value: Uint8Array, names: Pseudonyms): Uint8Array {
  const write = type === null ? undefined : WRITERS[scope].get(type);
  return write === undefined ? names.bytes('other', value) : redact(value, names, write);
}

type Write = (pen: Pen) => void;
const four: Write = (pen) => {
  pen.keep(4);
};
const script: Write = (pen) => pen.map(pen.remaining, (part) => redactScript(part, pen.names));
const key: Write = (pen) => pen.map(32, (part) => pen.names.publicKey(part));

const WRITERS: Readonly<Record<Scope, ReadonlyMap<number, Write>>> = {
  global: new Map<number, Write>([
    [GLOBAL.TX_VERSION, four],
    [GLOBAL.FALLBACK_LOCKTIME, (pen) => pen.map(4, (part) => pen.names.locktime(part))],
    [GLOBAL.INPUT_COUNT, (pen) => void pen.keepSize()],
    [GLOBAL.OUTPUT_COUNT, (pen) => void pen.keepSize()],
    [GLOBAL.VERSION, four],
  ]),
  input: new Map<number, Write>([
    [INPUT.NON_WITNESS_UTXO, putTransaction],
    [INPUT.WITNESS_UTXO, putOutput],
    [INPUT.SIGHASH_TYPE, four],
    [INPUT.REDEEM_SCRIPT, script],
    [INPUT.WITNESS_SCRIPT, script],
    [INPUT.BIP32_DERIVATION, putOrigin],
    [INPUT.PREVIOUS_TXID, (pen) => pen.put('txid', HASH)],
    [INPUT.OUTPUT_INDEX, four],
    [INPUT.SEQUENCE, four],
    [INPUT.TAP_BIP32_DERIVATION, putTapOrigin],
    [INPUT.TAP_INTERNAL_KEY, key],
  ]),
  output: new Map<number, Write>([
    [OUTPUT.REDEEM_SCRIPT, script],
    [OUTPUT.WITNESS_SCRIPT, script],
    [OUTPUT.BIP32_DERIVATION, putOrigin],
    [OUTPUT.AMOUNT, (pen) => pen.map(8, (part) => pen.names.amount(part))],
    [OUTPUT.SCRIPT, script],
    [OUTPUT.TAP_INTERNAL_KEY, key],
    [OUTPUT.TAP_BIP32_DERIVATION, putTapOrigin],
  ]),
};

/** Key information of a wallet policy: "[fingerprint/path]xpub". The path stays. */
export function redactKeyInformation(source: Uint8Array, names: Pseudonyms): Uint8Array {
  const match = /^\[([0-9a-f]{8})((?:\/\d+[h']?)*)\]([xt]pub[1-9A-HJ-NP-Za-km-z]+)$/.exec(
    Buffer.from(source).toString('latin1'),
  );
  if (match === null) return names.bytes('other', source);
  const [, fingerprint = '', path = '', xpub = ''] = match;
  const pseudonym = toHex(names.bytes('fingerprint', trustedHex(fingerprint)));
  return utf8(`[${pseudonym}${path}]${names.extendedKey(xpub)}`);
}

/** A serialised wallet policy: its name and hashes are replaced, its sizes stay. */
export function redactPolicy(source: Uint8Array, names: Pseudonyms): Uint8Array {
  return redact(source, names, (pen) => {
    pen.keep(1);
    pen.map(pen.keepSize(), (name) => utf8(names.name(Buffer.from(name).toString('latin1'))));
    pen.keepSize();
    pen.hashes(1);
    pen.keepSize();
    pen.hashes(1);
  });
}

/** A descriptor template names keys by place and holds none. */
export function redactTemplate(source: Uint8Array, names: Pseudonyms): Uint8Array {
  const isTemplate = /^[a-z_]+\([a-z_0-9@/*<>;,(){}]*\)$/.test(Buffer.from(source).toString('latin1'));
  return isTemplate && !/[0-9a-f]{20}/.test(Buffer.from(source).toString('latin1'))
    ? source.slice()
    : names.bytes('other', source);
}

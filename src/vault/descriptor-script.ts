import { decodeAddress } from '../domain/address.js';
import type { Fault } from '../domain/fault.js';
import type { Network } from '../domain/network.js';
import { all, ok, type Result } from '../domain/result.js';
import { type KeyExpression, parseKeyExpression } from './descriptor-key.js';
import { type Call, type Expression, syntaxFault } from './descriptor-syntax.js';
import { isMiniscriptFragment, readMiniscriptText } from './miniscript-text.js';

/** What a descriptor says, once BIP381 to BIP386 have been asked whether it may say so. */
export interface ScriptShape {
  /** Functions without their arguments: "wpkh", "sh(wsh(sortedmulti))", "tr with a script tree", "wsh(miniscript)". */
  readonly shape: string;
  /** All key expressions in order; none of those inside miniscript of a script tree. */
  readonly keys: readonly KeyExpression[];
  /** There for wsh(miniscript): its keys as @0, @1, ... */
  readonly miniscript?: string;
  /** Signatures needed, 1 where the shape is not a multisig. */
  readonly threshold: number;
}

type Context = 'top' | 'sh' | 'wsh' | 'leaf';

/** Where each function may stand. A name that is not here is miniscript (BIP379) or a misspelling. */
const PLACES: Readonly<Record<string, readonly Context[]>> = {
  pk: ['top', 'sh', 'wsh', 'leaf'],
  pkh: ['top', 'sh', 'wsh', 'leaf'],
  wpkh: ['top', 'sh'],
  combo: ['top'],
  sh: ['top'],
  wsh: ['top', 'sh'],
  multi: ['top', 'sh', 'wsh'],
  sortedmulti: ['top', 'sh', 'wsh'],
  multi_a: ['leaf'],
  sortedmulti_a: ['leaf'],
  tr: ['top'],
  rawtr: ['top'],
  raw: ['top'],
  addr: ['top'],
};

/** Consensus limits of OP_CHECKMULTISIG and of one pushed element; standardness for bare multisig (BIP383). */
const MAX_KEYS = { top: 3, sh: 20, wsh: 20, leaf: 999 } as const satisfies Record<Context, number>;
const MAX_REDEEM_SCRIPT = 520;

/** Checks a whole descriptor against the rules of its functions; anything that BIP381 to BIP386 allow is a shape. */
export function readDescriptor(expression: Expression, network: Network): Result<ScriptShape, Fault> {
  const script = readScript(expression, 'top', network);
  if (!script.ok) return script;
  const lengths = new Set(script.value.keys.map((key) => key.branches).filter((branches) => branches > 1));
  if (lengths.size > 1) {
    return syntaxFault(expression.at, 'its multipath steps have different numbers of members (BIP389)');
  }
  return script;
}

function readScript(expression: Expression, context: Context, network: Network): Result<ScriptShape, Fault> {
  if (expression.kind !== 'call')
    return syntaxFault(expression.at, 'a script expression such as wpkh(...) is expected');
  const { name, args, suffix, at } = expression;
  if (suffix !== '') return syntaxFault(at, `${name}(...) is followed by ${JSON.stringify(suffix.slice(0, 20))}`);
  const places = PLACES[name];
  if (places === undefined) return readMiniscript(expression, context);
  if (!places.includes(context)) return syntaxFault(at, `${name}() may not stand ${CONTEXT_WORDS[context]}`);
  switch (name) {
    case 'sh':
    case 'wsh': {
      const [inner] = args;
      if (inner === undefined || args.length !== 1) return syntaxFault(at, `${name}() takes one script`);
      const script = readScript(inner, name, network);
      return script.ok ? ok({ ...script.value, shape: `${name}(${script.value.shape})` }) : script;
    }
    case 'multi':
    case 'sortedmulti':
    case 'multi_a':
    case 'sortedmulti_a':
      return readMultisig(expression, context);
    case 'tr':
      return readTaproot(expression, network);
    case 'raw':
    case 'addr':
      return readLiteral(expression, network);
    default:
      return readSingle(expression, context);
  }
}

const CONTEXT_WORDS: Readonly<Record<Context, string>> = {
  top: 'at the top of a descriptor',
  sh: 'inside sh()',
  wsh: 'inside wsh()',
  leaf: 'inside a script tree',
};

function readSingle({ name, args, at }: Call, context: Context): Result<ScriptShape, Fault> {
  const [arg] = args;
  if (arg === undefined || args.length !== 1) return syntaxFault(at, `${name}() takes one key`);
  const taproot = name === 'rawtr' || context === 'leaf';
  const keys = readKey(arg, name, taproot ? 'x-only' : name === 'wpkh' || context === 'wsh' ? 'compressed' : 'any');
  return keys.ok ? ok({ shape: name, keys: keys.value, threshold: 1 }) : keys;
}

/** The public keys that a place allows: x-only ones in taproot alone, uncompressed ones nowhere in segwit. */
type KeyRule = 'any' | 'compressed' | 'x-only';

function readKey(arg: Expression, owner: string, rule: KeyRule): Result<readonly KeyExpression[], Fault> {
  if (arg.kind === 'call' && arg.name === 'musig' && rule === 'x-only') {
    const keys = all(arg.args.map((member) => readKey(member, 'musig', 'compressed')));
    return keys.ok ? ok(keys.value.flat()) : keys;
  }
  if (arg.kind !== 'text') return syntaxFault(arg.at, `${owner}() takes a key here, not a script`);
  const key = parseKeyExpression(arg);
  if (!key.ok) return key;
  if (key.value.form === 'uncompressed' && rule !== 'any') {
    return syntaxFault(arg.at, `${owner}() does not take an uncompressed key here`);
  }
  if (key.value.form === 'x-only' && rule !== 'x-only') {
    return syntaxFault(arg.at, 'a key of 32 bytes may stand in tr() alone');
  }
  return ok([key.value]);
}

function readMultisig({ name, args, at }: Call, context: Context): Result<ScriptShape, Fault> {
  const [first, ...rest] = args;
  const rule: KeyRule = context === 'leaf' ? 'x-only' : context === 'wsh' ? 'compressed' : 'any';
  if (first?.kind !== 'text' || !/^[1-9][0-9]{0,2}$/.test(first.text)) {
    return syntaxFault(at, `${name}() begins with the number of signatures needed`);
  }
  const threshold = Number(first.text);
  const read = all(rest.map((arg) => readKey(arg, name, rule)));
  if (!read.ok) return read;
  const keys = read.value.flat();
  if (threshold > keys.length) {
    return syntaxFault(at, `${name}() needs ${threshold} signatures and has ${keys.length} keys`);
  }
  if (keys.length > MAX_KEYS[context]) {
    return syntaxFault(
      at,
      `${name}() has ${keys.length} keys; at most ${MAX_KEYS[context]} may stand ${CONTEXT_WORDS[context]}`,
    );
  }
  const scriptLength = keys.reduce((sum, key) => sum + (key.form === 'uncompressed' ? 66 : 34), 3);
  if (context === 'sh' && scriptLength > MAX_REDEEM_SCRIPT) {
    return syntaxFault(
      at,
      `the script of ${name}() has ${scriptLength} bytes; sh() allows ${MAX_REDEEM_SCRIPT}, 15 keys`,
    );
  }
  return ok({ shape: name, keys, threshold });
}

function readTaproot({ args, at }: Call, network: Network): Result<ScriptShape, Fault> {
  const [keyArg, tree] = args;
  if (keyArg === undefined || args.length > 2) return syntaxFault(at, 'tr() takes a key and at most one script tree');
  const internal = readKey(keyArg, 'tr', 'x-only');
  if (!internal.ok) return internal;
  if (tree !== undefined) {
    const leaves = readTree(tree, network);
    if (!leaves.ok) return leaves;
    return ok({ shape: 'tr with a script tree', keys: [...internal.value, ...leaves.value], threshold: 1 });
  }
  return ok({ shape: keyArg.kind === 'call' ? 'tr(musig)' : 'tr', keys: internal.value, threshold: 1 });
}

function readTree(tree: Expression, network: Network): Result<readonly KeyExpression[], Fault> {
  if (tree.kind === 'tree') {
    if (tree.args.length !== 2) return syntaxFault(tree.at, 'a script tree {...} has two branches');
    const branches = all(tree.args.map((branch) => readTree(branch, network)));
    return branches.ok ? ok(branches.value.flat()) : branches;
  }
  const leaf = readScript(tree, 'leaf', network);
  return leaf.ok ? ok(leaf.value.keys) : leaf;
}

function readLiteral({ name, args, at }: Call, network: Network): Result<ScriptShape, Fault> {
  const [arg] = args;
  if (arg?.kind !== 'text' || args.length !== 1) return syntaxFault(at, `${name}() takes one text`);
  if (name === 'raw' && !/^(?:[0-9a-fA-F]{2})+$/.test(arg.text)) return syntaxFault(arg.at, 'raw() takes hexadecimal');
  const address = name === 'addr' ? decodeAddress(arg.text, network) : null;
  if (address?.ok === false && ['E_ADDRESS_FORM', 'E_ADDRESS_CHECKSUM'].includes(address.error.tag)) {
    return syntaxFault(arg.at, 'addr() takes an address');
  }
  return ok({ shape: name, keys: [], threshold: 1 });
}

/** Inside wsh() miniscript is read whole; in a script tree it is recognised by its names alone: no vault has one there. */
function readMiniscript(call: Call, context: Context): Result<ScriptShape, Fault> {
  const { name, at } = call;
  const fragment = name.slice(name.indexOf(':') + 1);
  const known = isMiniscriptFragment(fragment) || (fragment !== name && PLACES[fragment]?.includes(context) === true);
  if (!known || context === 'top' || context === 'sh') {
    return syntaxFault(at, `${name}() is not a function that may stand ${CONTEXT_WORDS[context]}`);
  }
  if (context === 'leaf') return ok({ shape: 'miniscript', keys: [], threshold: 1 });
  const text = readMiniscriptText(call);
  if (!text.ok) return text;
  return ok({ shape: 'miniscript', keys: text.value.keys, threshold: 1, miniscript: text.value.expression });
}

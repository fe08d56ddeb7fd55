import { type Fault, fail } from '../domain/fault.js';
import { all, ok, type Result } from '../domain/result.js';
import { type KeyExpression, parseKeyExpression } from './descriptor-key.js';
import { type Call, type Expression, syntaxFault } from './descriptor-syntax.js';

/** Miniscript (BIP379) with its keys taken out. */
export interface MiniscriptText {
  /** Keys as @0, @1 and so on, in the order in which they stand: or_d(pk(@0),and_v(v:pkh(@1),older(65535))). */
  readonly expression: string;
  readonly keys: readonly KeyExpression[];
}

/** Fragments by the number of their sub-expressions. */
const COMBINATORS: ReadonlyMap<string, number> = new Map([
  ['and_v', 2],
  ['and_b', 2],
  ['and_n', 2],
  ['or_b', 2],
  ['or_c', 2],
  ['or_d', 2],
  ['or_i', 2],
  ['andor', 3],
]);
const SINGLE_KEY = new Set(['pk', 'pkh', 'pk_k', 'pk_h']);
const HASHES = new Set(['sha256', 'hash256', 'ripemd160', 'hash160']);
const TAPROOT_ALONE = new Set(['multi_a', 'sortedmulti_a']);
const WRAPPERS = /^[asctdvjnlu]+$/;

/** Whether a function, without its wrappers, is one of miniscript that no other descriptor function shares its name with. */
export function isMiniscriptFragment(name: string): boolean {
  return COMBINATORS.has(name) || HASHES.has(name) || ['pk_k', 'pk_h', 'older', 'after', 'thresh'].includes(name);
}

/**
 * Reads miniscript inside wsh(): its fragments, wrappers and numbers by their form alone; whether they fit together is for
 * the library's analysis to say. E_DESCRIPTOR_SYNTAX for what is no miniscript there, E_DESCRIPTOR_KEY from the keys,
 * E_DESCRIPTOR_UNSUPPORTED for hash locks, whose preimage countersign does not know.
 */
export function readMiniscriptText(call: Call): Result<MiniscriptText, Fault> {
  const keys: KeyExpression[] = [];
  const expression = fragment(call, keys);
  return expression.ok ? ok({ expression: expression.value, keys }) : expression;
}

function fragment(expression: Expression, keys: KeyExpression[]): Result<string, Fault> {
  if (expression.kind === 'tree') return syntaxFault(expression.at, 'a script tree may stand in tr() alone');
  if (expression.kind === 'text') {
    if (expression.text === '0' || expression.text === '1') return ok(expression.text);
    const shown = JSON.stringify(expression.text.slice(0, 20));
    return syntaxFault(expression.at, `${shown} stands where a miniscript fragment is expected`);
  }
  const { name: whole, args, suffix, at } = expression;
  if (suffix !== '') return syntaxFault(at, `${whole}(...) is followed by ${JSON.stringify(suffix.slice(0, 20))}`);
  const [wrappers, name] = whole.includes(':') ? whole.split(':', 2) : ['', whole];
  if (name === undefined || wrappers === undefined) return syntaxFault(at, 'a function name is missing or misspelt');
  if (wrappers !== '' && !WRAPPERS.test(wrappers)) {
    return syntaxFault(at, `${wrappers}: is not made of the wrappers of miniscript, a s c t d v j n l u`);
  }
  const inner = body({ ...expression, name }, keys);
  if (!inner.ok) return inner;
  return ok(`${wrappers === '' ? '' : `${wrappers}:`}${name}(${inner.value.join(',')})`);

  function body(call: Call, into: KeyExpression[]): Result<readonly string[], Fault> {
    if (SINGLE_KEY.has(call.name)) {
      if (args.length !== 1) return syntaxFault(at, `${call.name}() takes one key`);
      return all(args.map((arg) => keyAt(arg, call.name, into)));
    }
    if (call.name === 'older' || call.name === 'after') {
      return args.length === 1
        ? all(args.map((arg) => numberAt(arg, call.name)))
        : syntaxFault(at, `${call.name}() takes one number`);
    }
    if (call.name === 'multi') return counted(call, (arg) => keyAt(arg, 'multi', into));
    if (call.name === 'thresh') return counted(call, (arg) => fragment(arg, into));
    const count = COMBINATORS.get(call.name);
    if (count !== undefined) {
      if (args.length !== count)
        return syntaxFault(at, `${call.name}() takes ${count} fragments, and has ${args.length}`);
      return all(args.map((arg) => fragment(arg, into)));
    }
    return foreignFragment(call);
  }
}

function counted(
  { name, args, at }: Call,
  read: (arg: Expression) => Result<string, Fault>,
): Result<readonly string[], Fault> {
  const [first, ...rest] = args;
  if (first === undefined || rest.length === 0) return syntaxFault(at, `${name}() takes a number and a list`);
  const threshold = numberAt(first, name);
  if (!threshold.ok) return threshold;
  const list = all(rest.map(read));
  return list.ok ? ok([threshold.value, ...list.value]) : list;
}

function foreignFragment({ name, at }: Call): Result<never, Fault> {
  if (HASHES.has(name)) {
    return fail('E_DESCRIPTOR_UNSUPPORTED', `${name}() at character ${at} asks for a preimage`, {
      remedy: 'countersign keeps no secrets, preimages among them: keep such coins in the wallet that knows it',
    });
  }
  if (name === 'sortedmulti') {
    return syntaxFault(at, 'sortedmulti() is no miniscript: inside another fragment only multi() may stand');
  }
  const where = TAPROOT_ALONE.has(name) ? 'may stand in a script tree of tr() alone' : 'is no fragment of miniscript';
  return syntaxFault(at, `${name}() ${where}`);
}

function keyAt(arg: Expression, owner: string, keys: KeyExpression[]): Result<string, Fault> {
  if (arg.kind !== 'text') return syntaxFault(arg.at, `${owner}() takes a key here, not a script`);
  const key = parseKeyExpression(arg);
  if (!key.ok) return key;
  if (key.value.form === 'uncompressed')
    return syntaxFault(arg.at, `${owner}() does not take an uncompressed key here`);
  if (key.value.form === 'x-only') return syntaxFault(arg.at, 'a key of 32 bytes may stand in tr() alone');
  keys.push(key.value);
  return ok(`@${keys.length - 1}`);
}

function numberAt(arg: Expression, owner: string): Result<string, Fault> {
  if (arg.kind === 'text' && /^[1-9][0-9]{0,9}$/.test(arg.text)) return ok(arg.text);
  return syntaxFault(arg.at, `${owner}() takes a number from 1 on here`);
}

import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';

/** A descriptor's text as a tree (BIP380, BIP386), before anything is known of what the names mean. */
export type Expression = Call | Text | ScriptTree;

interface Placed {
  /** Position of the first character, from 1. */
  readonly at: number;
}

/** `name(arguments)suffix`; only musig() is followed by a suffix, its derivation (BIP390). */
export interface Call extends Placed {
  readonly kind: 'call';
  readonly name: string;
  readonly args: readonly Expression[];
  readonly suffix: string;
}

/** A key, number, address or hex: whatever has no parentheses. */
export interface Text extends Placed {
  readonly kind: 'text';
  readonly text: string;
}

/** `{left,right}` of a taproot script tree. */
export interface ScriptTree extends Placed {
  readonly kind: 'tree';
  readonly args: readonly Expression[];
}

/** Deeper nesting than BIP341's 128 levels of a script tree is nonsense, and would exhaust the stack. */
const MAX_DEPTH = 140;

export function syntaxFault(at: number, problem: string, remedy?: string): Result<never, Fault> {
  return fail('E_DESCRIPTOR_SYNTAX', `the descriptor is malformed at character ${at}: ${problem}`, { remedy });
}

/** Reads one whole expression; anything after it is a fault. */
export function parseExpression(body: string): Result<Expression, Fault> {
  const parsed = parseAt(body, 0, 0);
  if (!parsed.ok) return parsed;
  const { expression, end } = parsed.value;
  if (end < body.length) return syntaxFault(end + 1, `${JSON.stringify(body[end])} after the end of the expression`);
  return ok(expression);
}

interface Step<T> {
  readonly expression: T;
  /** Index of the first character that was not read. */
  readonly end: number;
}

function parseAt(body: string, start: number, depth: number): Result<Step<Expression>, Fault> {
  if (depth > MAX_DEPTH) return syntaxFault(start + 1, 'nested too deeply');
  const at = start + 1;
  if (body[start] === '{') {
    const args = parseArguments(body, start, '}', depth);
    if (!args.ok) return args;
    return ok({ expression: { kind: 'tree', args: args.value.expression, at }, end: args.value.end });
  }
  const end = endOfText(body, start);
  const text = body.slice(start, end);
  if (body[end] !== '(') {
    if (text === '') return syntaxFault(at, 'an argument is missing');
    return ok({ expression: { kind: 'text', text, at }, end });
  }
  if (!/^[a-z0-9_]+(?::[a-z0-9_]+)?$/.test(text)) return syntaxFault(at, 'a function name is missing or misspelt');
  const args = parseArguments(body, end, ')', depth);
  if (!args.ok) return args;
  const suffixEnd = endOfText(body, args.value.end);
  const suffix = body.slice(args.value.end, suffixEnd);
  return ok({ expression: { kind: 'call', name: text, args: args.value.expression, suffix, at }, end: suffixEnd });
}

function parseArguments(
  body: string,
  open: number,
  close: ')' | '}',
  depth: number,
): Result<Step<readonly Expression[]>, Fault> {
  const args: Expression[] = [];
  let position = open;
  do {
    const arg = parseAt(body, position + 1, depth + 1);
    if (!arg.ok) return arg;
    args.push(arg.value.expression);
    position = arg.value.end;
  } while (body[position] === ',');
  if (body[position] !== close) return syntaxFault(open + 1, `a bracket is opened and not closed by ${close}`);
  return ok({ expression: args, end: position + 1 });
}

function endOfText(body: string, start: number): number {
  let end = start;
  while (end < body.length && !'(){},'.includes(body.charAt(end))) end++;
  return end;
}

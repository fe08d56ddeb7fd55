import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';

/**
 * Command lines as Bitcoin Core makes them. It appends to the command of `-signer=`, options first and then the verb
 * (`--fingerprint F --chain C getdescriptors --account 0`), or gives no verb and says `--stdin`: the verb is then what
 * stands on standard input.
 */
const GROUP = 'signer';

/** Options that have a value and may stand before the verb. */
const WITH_VALUE = new Set(['--fingerprint', '--chain', '--workspace', '-w', '--account', '--desc']);

/** Whether a command line is one of the verbs that answer a node. */
export const isNodeCall = (argv: readonly string[]): boolean => argv[0] === GROUP;

/**
 * The command line with its verb in front of its options; any other command line is left as it is. `--stdin` without a
 * verb is `signtx --stdin`: a node asks for nothing else that way. Faults: E_USAGE where an option is given twice, with
 * two values: the command of `-signer=` may name the one signer that the node is to ask.
 */
export function verbFirst(argv: readonly string[]): Result<readonly string[], Fault> {
  if (!isNodeCall(argv)) return ok(argv);
  const before: string[] = [];
  let at = 1;
  // A command with two spaces in a row comes with an empty word between them: from version 28 on it is split at each.
  while (at < argv.length && (argv[at] === '' || argv[at]?.startsWith('-') === true)) {
    const size = WITH_VALUE.has(argv[at] ?? '') ? 2 : 1;
    before.push(...argv.slice(at, at + size).filter((word) => word !== ''));
    at += size;
  }
  const [verb, ...behind] = argv.slice(at);
  const called = verb ?? (before.includes('--stdin') ? 'signtx' : undefined);
  if (called === undefined) return ok(argv);
  return oneValueEach([GROUP, called, ...behind, ...before]);
}

function oneValueEach(argv: readonly string[]): Result<readonly string[], Fault> {
  for (const option of WITH_VALUE) {
    const values = new Set(argv.flatMap((word, index) => valuesOf(option, word, argv[index + 1])));
    if (values.size < 2) continue;
    return fail('E_USAGE', `${option} is given twice: ${[...values].join(' and ')}`, {
      remedy: 'one of them is of the command of -signer=, the other one of the node: they have to be the same',
    });
  }
  return ok(argv);
}

function valuesOf(option: string, word: string, next: string | undefined): string[] {
  if (word === option) return next === undefined ? [] : [next];
  return word.startsWith(`${option}=`) ? [word.slice(option.length + 1)] : [];
}

/** What a node writes to standard input: `signtx` and a PSBT in base64, in double quotes up to version 27. */
const SIGNTX = /^signtx\s+(?:"([A-Za-z0-9+/=]+)"|([A-Za-z0-9+/=]+))$/;

/** The PSBT of a command on standard input, in base64. Faults: E_USAGE. */
export function psbtOfStdin(text: string): Result<string, Fault> {
  const [, quoted, plain] = SIGNTX.exec(text.trim()) ?? [];
  const psbt = quoted ?? plain;
  if (psbt !== undefined) return ok(psbt);
  return fail('E_USAGE', 'standard input holds no command signtx with a PSBT in base64', {
    remedy: 'leave --stdin to a node; by hand: countersign signer signtx FILE --fingerprint FINGERPRINT --chain CHAIN',
  });
}

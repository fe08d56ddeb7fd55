import type { CommandSpec } from './command.js';
import { COMMON_OPTIONS } from './tree/options.js';
import { COMMANDS } from './tree.js';

/*
 * Help from the command tree alone. It is asked for more often than anything else, so it loads neither the parser of
 * command lines nor anything of the program.
 */

/** Columns that a line of help may have; on a narrower terminal as many as that has. */
const WIDTH = 100;
const NARROWEST = 60;

/** Options of every verb may stand before it or before its group, as with git and kubectl: they are moved behind all else. */
export function globalsLast(argv: readonly string[]): readonly string[] {
  const moved = leadingLast(argv);
  const [group, ...behind] = moved;
  return group !== undefined && isGroup(group) ? [group, ...leadingLast(behind)] : moved;
}

const isGroup = (word: string): boolean =>
  COMMANDS.some(({ path: [first, second] }) => first === word && second !== undefined);

function leadingLast(argv: readonly string[]): readonly string[] {
  let first = 0;
  while (first < argv.length) {
    const word = argv[first] ?? '';
    if (word === '-w' || word === '--workspace') first += 2;
    else if (word === '--json' || word.startsWith('--workspace=')) first += 1;
    else break;
  }
  // Without a verb behind them there is nothing to be moved.
  if (first === 0 || first >= argv.length) return argv;
  const rest = argv.slice(first);
  const end = rest.indexOf('--');
  const behind = end === -1 ? rest.length : end;
  return [...rest.slice(0, behind), ...argv.slice(0, first), ...rest.slice(behind)];
}

/** The help that a command line asks for, for a terminal of so many columns, or null where it asks for something else. */
export function askedHelp(asked: readonly string[], columns?: number): string | null {
  const argv = globalsLast(asked);
  if (argv[0] === 'help' && verbOf(argv) === null) return helpText(argv.slice(1), columns);
  const words = argv.filter((word) => word !== '--help' && word !== '-h');
  if (words.length === argv.length && argv.length > 0) return null;
  // "batch sign ID --help" asks for the verb, whatever stands after it.
  return helpText(verbOf(words)?.path ?? plainWords(words).slice(0, 2), columns);
}

/** The verb that a command line begins with, or null. */
export function verbOf(argv: readonly string[]): CommandSpec | null {
  const words = plainWords(argv);
  return COMMANDS.find((spec) => spec.path.every((word, index) => word === words[index])) ?? null;
}

function plainWords(argv: readonly string[]): readonly string[] {
  return argv.filter((word) => !word.startsWith('-'));
}

/** Help of the program, of a group or of a verb; null where the words name none of them. */
export function helpText(path: readonly string[], columns?: number): string | null {
  // Narrower than this no text stands beside the names; a terminal that says 0 does not know its width.
  const width = columns === undefined || columns < NARROWEST ? WIDTH : Math.min(WIDTH, columns);
  if (path.length === 0) return rootHelp(width);
  const verb = COMMANDS.find((spec) => spec.path.join(' ') === path.join(' '));
  if (verb !== undefined) return verbHelp(verb, width);
  const group = COMMANDS.filter((spec) => spec.path.length > 1 && spec.path[0] === path[0]);
  return path.length === 1 && group.length > 0 ? listing(`countersign ${path[0]} VERB`, group, width) : null;
}

function rootHelp(width: number): string {
  const about =
    "countersign signs withdrawals from an exchange's Bitcoin cold storage: policy, approvals, a Ledger, a journal.";
  const more =
    'countersign --version prints the version; countersign VERB --help shows arguments, options and an example.';
  return [...broken(about, width), '', listing('countersign VERB', COMMANDS, width), ...broken(more, width), ''].join(
    '\n',
  );
}

function listing(usage: string, specs: readonly CommandSpec[], columns: number): string {
  const rows = specs.map((spec) => ({ name: spec.path.join(' '), about: spec.about }));
  return `${[`Usage: ${usage}`, '', ...aligned(rows, columns)].join('\n')}\n`;
}

function verbHelp(spec: CommandSpec, columns: number): string {
  const name = spec.path.join(' ');
  const words = [name, ...spec.args.map((argument) => argument.name)].join(' ');
  const args = spec.args.map((argument) => ({ name: argument.name, about: argument.about }));
  const options = [...spec.options, ...COMMON_OPTIONS].map((option) => ({ name: option.flags, about: option.about }));
  return `${[
    `Usage: countersign ${words} [options]`,
    '',
    ...broken(spec.about, columns),
    '',
    ...(args.length === 0 ? [] : ['Arguments:', ...aligned(args, columns), '']),
    'Options:',
    ...aligned(options, columns),
    '',
    'Example:',
    `  ${spec.example}`,
  ].join('\n')}\n`;
}

function aligned(rows: readonly { readonly name: string; readonly about: string }[], columns: number): string[] {
  const width = Math.max(...rows.map((row) => row.name.length));
  return rows.flatMap(({ name, about }) => {
    const [first = '', ...rest] = broken(about, columns - width - 4);
    return [`  ${name.padEnd(width)}  ${first}`, ...rest.map((line) => `  ${' '.repeat(width)}  ${line}`)];
  });
}

function broken(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

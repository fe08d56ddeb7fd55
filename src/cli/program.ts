import { Command, CommanderError } from 'commander';
import { exitCode } from '../domain/exit-codes.js';
import { fault } from '../domain/fault.js';
import { err } from '../domain/result.js';
import type { Composition } from '../workflow/ports.js';
import type { CommandSpec, VerbContext, VerbResult, Words } from './command.js';
import { askedHelp, globalsLast, helpText, verbOf } from './help.js';
import { type Mistyped, mistyped } from './mistyped.js';
import { printForNode } from './node-answer.js';
import { isNodeCall, verbFirst } from './node-call.js';
import { print } from './print.js';
import { makeStyle } from './render/style.js';
import { COMMANDS } from './tree.js';

/** The streams of one run. Text and progress for people go to stderr where stdout belongs to --json. */
export interface Io {
  stdout(text: string): void;
  stderr(text: string): void;
  /** Whether stdout is a terminal that may have colours. */
  readonly colors: boolean;
  /** Whether stderr is a terminal on which a line can be rewritten. */
  readonly rewrites: boolean;
  /** Columns of the terminal; absent where nobody sits at one. */
  readonly width?: number | undefined;
}

export interface CompositionOptions {
  /** --workspace, or undefined for the current folder. */
  readonly workspace: string | undefined;
  /** --timing: recordings of a device are made with times. */
  readonly timing?: boolean;
  /** --realtime: recordings of a device are replayed in the time that they took. */
  readonly realtime?: boolean;
}

export type Compose = (options: CompositionOptions) => Promise<Composition>;

/** Parses a command line, runs its verb, prints what it says, and returns the exit code. */
export async function runCommandLine(asked: readonly string[], compose: Compose, io: Io): Promise<number> {
  const arranged = verbFirst(globalsLast(asked));
  if (!arranged.ok) return emit(arranged, formOf(asked, asked.includes('--json')), io, 'usage');
  const argv = arranged.value;
  const help = askedHelp(argv, io.width);
  if (help !== null) {
    // Nothing at all was asked for: the help is then an answer to a mistake.
    (argv.length === 0 ? io.stderr : io.stdout)(help);
    return argv.length === 0 ? exitCode('USAGE') : 0;
  }
  let code = 0;
  const program = buildProgram(async (spec, words, json) => {
    code = await runVerb(spec, words, json, compose, io);
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const words = argv.filter((word) => !word.startsWith('-'));
    const verb = verbOf(argv);
    const group = words.length === 1 && verb === null ? helpText(words, io.width) : null;
    if (group !== null) io.stderr(`${group}\n`);
    const { message, help } = group !== null ? { message: 'a verb is missing', help: words } : wrongWords(error, words);
    const usage = fault('E_USAGE', message, { remedy: `see countersign ${[...help, '--help'].join(' ')}` });
    return emit(err(usage), formOf(argv, argv.includes('--json')), io, 'usage');
  }
  return code;
}

/** What is wrong with a command line that commander refuses, and the words whose help says it right. */
function wrongWords({ code, message }: CommanderError, words: readonly string[]): Mistyped {
  if (code === 'commander.unknownCommand') return mistyped(words);
  return { message: message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' '), help: verbOf(words)?.path ?? [] };
}

type OnVerb = (spec: CommandSpec, words: Words, json: boolean) => Promise<void>;

function buildProgram(onVerb: OnVerb): Command {
  const root = settle(new Command('countersign'));
  const groups = new Map<string, Command>();
  for (const spec of COMMANDS) {
    const [first = '', second] = spec.path;
    if (second === undefined) addVerb(root, spec, first, onVerb);
    else {
      const group = groups.get(first) ?? settle(root.command(first));
      groups.set(first, group);
      addVerb(group, spec, second, onVerb);
    }
  }
  return root;
}

/** As commander gives it: text, a flag, or all values of an option that takes several. */
type OptionValue = string | boolean | string[] | undefined;

function addVerb(parent: Command, spec: CommandSpec, name: string, onVerb: OnVerb): void {
  const command = settle(parent.command(name));
  for (const argument of spec.args) command.argument(argument.name);
  for (const option of spec.options) command.option(option.flags);
  command.option('--json').option('-w, --workspace <folder>');
  command.action(async () => {
    const options = command.opts<Record<string, OptionValue>>();
    refuseSwallowed(options);
    const words: Words = {
      args: command.args,
      text: (option) => textOption(options[camelCase(option)]),
      list: (option) => listOption(options[camelCase(option)]),
      flag: (option) => options[camelCase(option)] === true,
    };
    await onVerb(spec, words, options.json === true);
  });
}

function listOption(value: OptionValue): readonly string[] {
  return Array.isArray(value) ? value : [];
}

/** "--reason --json": commander takes the next option for the value, and that would stand in the journal for good. */
function refuseSwallowed(options: Readonly<Record<string, OptionValue>>): void {
  for (const value of Object.values(options).flat()) {
    if (typeof value !== 'string' || !value.startsWith('--')) continue;
    throw new CommanderError(2, 'countersign.value', `a value is missing: ${value} is an option itself`);
  }
}

function textOption(value: OptionValue): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The name under which commander keeps the value of --max-inputs. */
function camelCase(option: string): string {
  return option.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Help comes from help.ts and errors come out as faults, so commander itself prints nothing. */
function settle(command: Command): Command {
  return command
    .exitOverride()
    .helpCommand(false)
    .helpOption(false)
    .allowExcessArguments(false)
    .configureOutput({ writeOut: () => {}, writeErr: () => {}, outputError: () => {} });
}

async function runVerb(spec: CommandSpec, words: Words, json: boolean, compose: Compose, io: Io): Promise<number> {
  const style = makeStyle(io.colors && !json, io.width);
  const composition = await compose({
    workspace: words.text('workspace'),
    timing: words.flag('timing'),
    realtime: words.flag('realtime'),
  });
  const progress = progressWriter(io);
  const say = json ? io.stderr : io.stdout;
  const inner: Io = { stdout: say, stderr: say, colors: io.colors && !json, rewrites: false, width: io.width };
  const context: VerbContext = {
    compose: composition,
    style,
    attended: io.rewrites,
    say,
    runWithin: (argv, within) => runCommandLine(argv, async () => within, inner),
    progress: progress.write,
    notice: (line) => {
      progress.finish();
      io.stderr(`${line}\n`);
    },
  };
  const { run } = await spec.load();
  const result = await run(words, context);
  progress.finish();
  return emit(result, formOf(spec.path, json), io, spec.path.join('-'));
}

/** For whom a verb prints: people, whoever asked for --json, or a node that calls. */
type Form = 'people' | 'json' | 'node';

function formOf(words: readonly string[], json: boolean): Form {
  if (json) return 'json';
  return isNodeCall(words) ? 'node' : 'people';
}

function emit(result: VerbResult, form: Form, io: Io, verb: string): number {
  const style = makeStyle(io.colors && form === 'people', io.width);
  const printed = form === 'node' ? printForNode(result) : print(result, form === 'json', style, verb);
  if (printed.stderr !== '') io.stderr(printed.stderr);
  if (printed.stdout !== '') io.stdout(printed.stdout);
  // At a terminal the prompt goes below a statement, and not behind it.
  if (io.width !== undefined && printed.stdout !== '' && !printed.stdout.endsWith('\n')) io.stderr('\n');
  return printed.code;
}

/** On a terminal one line that is rewritten; elsewhere a line whenever its first word changes. */
function progressWriter(io: Io): { write: (line: string) => void; finish: () => void } {
  let open = false;
  let last = '';
  return {
    write: (line) => {
      if (io.rewrites) {
        io.stderr(`\r${line}\u001b[K`);
        open = true;
        return;
      }
      const word = line.split(' ')[0] ?? '';
      if (word !== last) io.stderr(`${line}\n`);
      last = word;
    },
    finish: () => {
      if (open) io.stderr('\n');
      open = false;
    },
  };
}

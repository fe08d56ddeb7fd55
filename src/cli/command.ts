import type { ExitName } from '../domain/exit-codes.js';
import type { Fault } from '../domain/fault.js';
import type { Result } from '../domain/result.js';
import type { Composition } from '../workflow/ports.js';
import type { Style } from './render/style.js';

/** The words of one command line, after commander has split them. */
export interface Words {
  /** Positional arguments, in order. */
  readonly args: readonly string[];
  /** Value of `--name VALUE`, or undefined. */
  text(name: string): string | undefined;
  /** All values of a `--name VALUE` that may be given several times ("--name <value...>"). */
  list(name: string): readonly string[];
  /** Whether `--name` was given. */
  flag(name: string): boolean;
}

/** What a verb has to say, before anybody chose between people's text and JSON. */
export interface Report {
  /** "countersign.batch-plan/1": name and version of the JSON object. */
  readonly schema: string;
  readonly exit: ExitName;
  /** For --json: amounts as decimal strings, never a bigint, never undefined. */
  readonly data: Readonly<Record<string, unknown>>;
  /** For people: whole lines, already coloured. */
  readonly text: readonly string[];
  /**
   * Of a statement that is signed elsewhere: its very bytes, which stdout gets in the place of `text`. A line end behind them
   * would be signed with them (`> statement.json`, `| ssh-keygen -Y sign`), and no signature over that counts.
   */
  readonly verbatim?: string;
  /** Of a verb that answers a node: what the node reads, unless --json was asked for. */
  readonly answer?: Readonly<Record<string, unknown>> | readonly Readonly<Record<string, unknown>>[];
}

export interface VerbContext {
  readonly compose: Composition;
  readonly style: Style;
  /** Whether a person sits at a terminal and reads what goes to stderr. */
  readonly attended: boolean;
  /** One line that replaces the last on a terminal, and is a plain line every few seconds elsewhere; on stderr. */
  readonly progress: (line: string) => void;
  /** Text for people as it comes, where a verb runs others: stdout, or stderr with --json. */
  readonly say: (text: string) => void;
  /** Runs a command line within this one, with another composition; returns its exit code. */
  readonly runWithin: (argv: readonly string[], compose: Composition) => Promise<number>;
  /** A line for people that must be seen before the verb ends (the screens of the device); on stderr. */
  readonly notice: (line: string) => void;
}

/** Faults, with what the verb knows of the state that they leave behind. */
export interface Failure {
  readonly faults: readonly Fault[];
  /** Beside the faults in --json. */
  readonly data: Readonly<Record<string, unknown>>;
  /** For people: whole lines behind the faults. */
  readonly text: readonly string[];
}

export type VerbResult = Result<Report, Fault | readonly Fault[] | Failure>;
export type Verb = (words: Words, context: VerbContext) => Promise<VerbResult>;

export interface OptionSpec {
  /** As commander writes it: "--seed <hex>". */
  readonly flags: string;
  readonly about: string;
}

/** One verb, as data: it feeds the parser, the help, the docs and the test that runs every example. */
export interface CommandSpec {
  /** ["batch", "plan"]. */
  readonly path: readonly string[];
  readonly about: string;
  /** As commander writes them: "<id>", "[file]". */
  readonly args: readonly { readonly name: string; readonly about: string }[];
  readonly options: readonly OptionSpec[];
  readonly example: string;
  readonly load: () => Promise<{ readonly run: Verb }>;
}

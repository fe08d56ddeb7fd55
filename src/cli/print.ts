import { exitCode } from '../domain/exit-codes.js';
import { FAULTS, type Fault, formatPosition } from '../domain/fault.js';
import type { Failure, Report, VerbResult } from './command.js';
import type { Style } from './render/style.js';
import { printable } from './render/text.js';

export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** Lays out what a verb said: one JSON object on stdout with people's text on stderr, or people's text on stdout. */
export function print(result: VerbResult, json: boolean, style: Style, verb: string): Printed {
  if (result.ok) return printReport(result.value, json);
  return printFailure(failureOf(result.error), json, style, verb);
}

/** Whatever a verb fails with, with a remedy for each fault. */
export function failureOf(error: Fault | readonly Fault[] | Failure): Failure {
  const failure = 'faults' in error ? error : { faults: 'tag' in error ? [error] : error, data: {}, text: [] };
  return { ...failure, faults: failure.faults.map(withRemedy) };
}

function printReport(report: Report, json: boolean): Printed {
  const code = exitCode(report.exit);
  const text = report.text.length === 0 ? '' : `${report.text.join('\n')}\n`;
  if (!json) return { stdout: report.verbatim ?? text, stderr: '', code };
  const object = { schema: report.schema, exit: code, ...report.data };
  return { stdout: jsonText(object, 2), stderr: text, code };
}

function printFailure(failure: Failure, json: boolean, style: Style, verb: string): Printed {
  const { faults } = failure;
  const code = worstExit(faults);
  const told = faults.flatMap((fault, index) => faultLines(fault, faults[index + 1], style));
  const lines = [...told, ...failure.text];
  const text = lines.map((line) => `${line}\n`).join('');
  if (!json) return { stdout: '', stderr: text, code };
  const object = { schema: `countersign.${verb}/1`, exit: code, ...failure.data, faults: faults.map(faultJson) };
  return { stdout: jsonText(object, 2), stderr: text, code };
}

/** The code of the first fault: they are reported in order of importance. */
export function worstExit(faults: readonly Fault[]): number {
  const first = faults[0];
  return first === undefined ? exitCode('FAULT') : exitCode(FAULTS[first.tag].exit);
}

/** Every refusal says what to do: where its author left that to be seen from the message, at least what to run again. */
function withRemedy(fault: Fault): Fault {
  if (fault.remedy !== undefined || FAULTS[fault.tag].exit !== 'USAGE') return fault;
  const remedy =
    fault.where === undefined
      ? 'correct the command line and run it again: nothing was changed'
      : `correct ${fault.where.file} and run the command again: nothing of it was used`;
  return { ...fault, remedy };
}

/** A remedy that several faults in a row share is said once, after the last of them. */
function faultLines(fault: Fault, next: Fault | undefined, style: Style): string[] {
  const first = `${style.bad('error')} ${fault.tag}: ${printable(placed(fault))}`;
  if (fault.remedy === undefined || fault.remedy === next?.remedy) return [first];
  return [first, `  ${style.bold('remedy')}: ${printable(fault.remedy)}`];
}

/** The message behind its place; in a message that begins with the name of the file, the place stands where the name stood. */
function placed({ where, message }: Fault): string {
  if (where === undefined) return message;
  const place = formatPosition(where);
  return startsWithName(message, where.file) ? `${place}${message.slice(where.file.length)}` : `${place}: ${message}`;
}

/** Not "book.yaml" in "book.yaml.sig is ...". */
const startsWithName = (message: string, file: string): boolean =>
  message.startsWith(`${file}:`) || message.startsWith(`${file} `);

function faultJson(fault: Fault): Record<string, unknown> {
  return { ...fault, exit: exitCode(FAULTS[fault.tag].exit) };
}

/**
 * What JSON lets stand and a terminal, an editor or a diff would obey: C1 controls (0x9b is CSI), format characters such as
 * direction overrides, line and paragraph separators. Escaped, the value is the same for every reader of JSON.
 */
const OBEYED = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;

function jsonText(object: unknown, indent: number): string {
  const text = JSON.stringify(object, jsonValue, indent).replace(OBEYED, (character) =>
    [...Array(character.length).keys()]
      .map((unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`)
      .join(''),
  );
  return `${text}\n`;
}

/** The same on one line, for a reader that takes one. */
export const jsonLine = (value: unknown): string => jsonText(value, 0);

function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Map) return Object.fromEntries(value);
  return value;
}

import { exitCode } from '../domain/exit-codes.js';
import { type Fault, formatPosition } from '../domain/fault.js';
import type { NodeCall } from '../workflow/external-signer.js';
import type { VerbResult, Words } from './command.js';
import { failureOf, jsonLine, type Printed, worstExit } from './print.js';
import { printable } from './render/text.js';

/** For which signer and on which chain a node calls. */
export const nodeCall = (words: Words): NodeCall => ({
  fingerprint: words.text('fingerprint'),
  chain: words.text('chain'),
});

/**
 * What a node reads (src/common/run_command.cpp in Bitcoin Core): the first line of stdout as JSON where the exit code is 0,
 * else the first line of stderr, which its RPC then gives as the error. So everything stands on one line, the remedy too,
 * and nothing comes before it. `{"error": ...}` is for whoever reads stdout in any case, as with other signers.
 */
export function printForNode(result: VerbResult): Printed {
  if (result.ok) {
    const { exit, answer } = result.value;
    return { stdout: jsonLine(answer), stderr: '', code: exitCode(exit) };
  }
  const { faults } = failureOf(result.error);
  const code = worstExit(faults);
  const lines = faults.map(sentence);
  return {
    stdout: jsonLine({ error: lines.join('; '), code }),
    stderr: `${lines.map((line) => `error ${line}\n`).join('')}`,
    code,
  };
}

function sentence({ tag, where, message, remedy }: Fault): string {
  const place = where === undefined ? '' : `${formatPosition(where)}: `;
  const help = remedy === undefined ? '' : ` (remedy: ${remedy})`;
  return printable(`${tag}: ${place}${message}${help}`);
}

import { toHex } from '../../domain/bytes.js';
import type { Network } from '../../domain/network.js';
import { formatPath } from '../../domain/path.js';
import { OUTPUT } from '../../psbt/fields.js';
import { parseAppInfo } from '../app-info.js';
import { formatStatusWord, STATUS_WORDS } from '../status-words.js';
import type { Transcript } from '../transcript.js';
import type { SigningPhase } from '../types.js';
import { type Command, converse, OK, type Turn } from './conversation.js';
import type { ExchangeLines } from './findings.js';
import { fieldName, type Meaning, mapName, type Reading, readCommand } from './meaning.js';
import { networkOf } from './policy-vault.js';
import { ASK_NAMES, parsePolicy, parseYield, START_NAMES, type Start } from './protocol.js';
import { describeValue } from './values.js';

/** Types of output fields that claim an output to be change. */
const CHANGE_CLAIMS: ReadonlySet<number> = new Set([OUTPUT.BIP32_DERIVATION, OUTPUT.TAP_BIP32_DERIVATION]);

/** One exchange in words, or several that belong together. */
export interface Row {
  /** The line of the first of its requests. */
  readonly line: number;
  readonly exchanges: number;
  /** The command that they belong to. */
  readonly command: string;
  /** Only of SIGN_PSBT. */
  readonly phase: SigningPhase | null;
  readonly text: string;
}

/**
 * A recording in words: each command, what the device asked for in the middle of it, and how it ended. `all` gives every
 * question a row of its own; otherwise the questions about one map, or about the wallet policy, are one row.
 */
export function describeTranscript(
  { header, exchanges }: Transcript,
  lines: readonly ExchangeLines[],
  all: boolean,
): readonly Row[] {
  const network = header.redacted === undefined ? networkOf(header.app) : null;
  const { commands, problems } = converse(exchanges);
  const told = commands.flatMap((command) => {
    const reading = readCommand(command, header.redacted !== undefined);
    const line = (exchange: number): number => lines[exchange]?.request ?? 0;
    const name = START_NAMES[command.start.kind];
    const row = (exchange: number, count: number, phase: SigningPhase | null, text: string): Row => ({
      line: line(exchange),
      exchanges: count,
      command: name,
      phase,
      text,
    });
    const steps = stepsOf(command, reading, network);
    const shown = all ? steps.map((step) => ({ ...step, details: [step.text] })) : grouped(steps);
    const isSigning = command.start.kind === 'sign';
    const last = steps.at(-1) ?? null;
    return [
      row(command.first, 1, isSigning ? 'loading' : null, `${name}${describeStart(command.start)}`),
      ...shown.map(({ exchange, count, phase, group, details }) =>
        row(
          exchange,
          count,
          isSigning ? phase : null,
          all ? (details[0] ?? '') : sentence(group, phase, details, reading),
        ),
      ),
      row(command.last, 0, isSigning ? (last?.phase ?? 'loading') : null, describeEnd(command, last)),
    ];
  });
  const strange = problems.map(
    ({ exchange, side, message }): Row => ({
      line: lines[exchange]?.[side] ?? 0,
      exchanges: 0,
      command: 'none',
      phase: null,
      text: `against the protocol: ${message}`,
    }),
  );
  return [...told, ...strange].sort((a, b) => a.line - b.line);
}

interface Step {
  readonly exchange: number;
  readonly count: number;
  readonly phase: SigningPhase;
  /** What the question belongs to: "input 0". */
  readonly group: string;
  readonly text: string;
  /** What is worth telling of it in a group; null where it is one of many steps on the way. */
  readonly detail: string | null;
  readonly isPolicy: boolean;
}

/**
 * The app reads all input maps, then the output maps, each of which the person reviews before the next one is read, and
 * reads maps again only to sign, after the last approval.
 */
function stepsOf({ turns }: Command, reading: Reading, network: Network | null): readonly Step[] {
  let phase: SigningPhase = 'loading';
  let group = 'the wallet policy';
  return turns.map((turn, at) => {
    const meaning = reading.meanings[at] ?? { about: 'unknown' };
    if (meaning.about === 'map') {
      group = mapName(meaning.scope, meaning.map);
      if (phase === 'loading' && meaning.scope === 'output') phase = 'reviewing';
      else if (phase === 'reviewing' && meaning.scope === 'input') phase = 'signing';
    } else if ('scope' in meaning) group = mapName(meaning.scope, meaning.map);
    if (meaning.about === 'policy') group = 'the wallet policy';
    if (meaning.about === 'signature') {
      phase = 'signing';
      group = 'signature';
    }
    const exchange = turn.asked[0] ?? 0;
    // The answer to the question of an exchange is the request of the next one.
    return {
      exchange: exchange + 1,
      count: turn.asked.length,
      phase,
      group,
      text: `${ASK_NAMES[turn.ask.kind]}: ${describeTurn(turn, meaning, reading, network)}`,
      detail: detailOf(turn, meaning, reading, network),
      isPolicy: isPolicy(meaning),
    };
  });
}

/** Questions about the same thing in a row, as one; the keys of the wallet policy are told once, and read often. */
function grouped(steps: readonly Step[]): readonly (Step & { readonly details: readonly string[] })[] {
  const groups: (Step & { readonly details: string[] })[] = [];
  const told = new Set<string>();
  for (const step of steps) {
    const isTold = step.detail === null || (step.isPolicy && told.has(step.detail));
    const details = step.detail === null || isTold ? [] : [step.detail];
    for (const detail of details) told.add(detail);
    const last = groups.at(-1);
    if (last !== undefined && last.group === step.group && last.phase === step.phase && step.group !== 'signature') {
      const merged = [...new Set([...last.details, ...details])];
      groups.splice(-1, 1, { ...last, count: last.count + step.count, details: merged });
    } else groups.push({ ...step, details });
  }
  return groups;
}

function sentence(group: string, phase: SigningPhase, details: readonly string[], { maps }: Reading): string {
  if (group === 'signature') return details[0] ?? 'gives a signature that cannot be read';
  const keys = [...(maps.get(group)?.keys.values() ?? [])];
  const isOutput = phase === 'reviewing' && group.startsWith('output ');
  const claims = keys.some((key) => CHANGE_CLAIMS.has(key[0] ?? 0));
  const review = claims ? ', not shown if the device derives it as change' : ', under review';
  return `reads ${group}${isOutput ? review : ''}${details.length === 0 ? '' : `: ${details.join('; ')}`}`;
}

function describeTurn(turn: Turn, meaning: Meaning, reading: Reading, network: Network | null): string {
  const value = contentOf(turn, meaning, reading, network);
  return `${describeMeaning(meaning)}${place(turn)}${value === null ? '' : ` = ${value}`}`;
}

function describeMeaning(meaning: Meaning): string {
  switch (meaning.about) {
    case 'policy':
      return 'the wallet policy';
    case 'template':
      return 'the descriptor template of the wallet policy';
    case 'policy-key':
      return `key @${meaning.position} of the wallet policy`;
    case 'map':
      return `the commitment to ${mapName(meaning.scope, meaning.map)}`;
    case 'key':
      return meaning.type === null
        ? `key ${meaning.position} of ${mapName(meaning.scope, meaning.map)}`
        : `key ${meaning.position} of ${mapName(meaning.scope, meaning.map)} (${fieldName(meaning.scope, meaning.type)})`;
    case 'value':
      return `the value of ${fieldName(meaning.scope, meaning.type)} of ${mapName(meaning.scope, meaning.map)}`;
    case 'lookup':
      return `where ${mapName(meaning.scope, meaning.map)} has ${fieldName(meaning.scope, meaning.type)}`;
    case 'signature':
      return 'a signature';
    case 'unknown':
      return 'something that nothing before it names';
  }
}

/** The place in a tree, or what became of looking for one. */
function place({ ask, answer }: Turn): string {
  if (ask.kind === 'proof') return `, leaf ${ask.index} of ${ask.size}`;
  if (answer?.kind !== 'index') return '';
  return answer.found ? `: at ${answer.index}` : ': nowhere';
}

function contentOf(turn: Turn, meaning: Meaning, reading: Reading, network: Network | null): string | null {
  if (turn.ask.kind === 'yield') return describeYield(turn.ask.data);
  if (turn.ask.kind !== 'preimage' || turn.answer?.kind !== 'preimage') return null;
  const content = turn.answer.bytes.subarray(1);
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
  switch (meaning.about) {
    case 'template':
      return text(turn.answer.bytes);
    case 'policy-key':
      return text(content);
    case 'policy':
      return reading.policy === null ? null : named(reading.policy.name);
    case 'value':
      return describeValue(meaning.scope, meaning.type, content, network);
    case 'key':
      return content.length > 1 ? `of the key ${toHex(content.subarray(1))}` : null;
    case 'map':
    case 'lookup':
    case 'signature':
    case 'unknown':
      return null;
  }
}

function detailOf(turn: Turn, meaning: Meaning, reading: Reading, network: Network | null): string | null {
  if (meaning.about === 'signature') return `gives ${contentOf(turn, meaning, reading, network) ?? 'a signature'}`;
  if (turn.ask.kind !== 'preimage') return null;
  const content = contentOf(turn, meaning, reading, network);
  if (meaning.about === 'value') return `${fieldName(meaning.scope, meaning.type)} ${content ?? ''}`.trim();
  return isPolicy(meaning) ? content : null;
}

const isPolicy = ({ about }: Meaning): boolean => about === 'template' || about === 'policy' || about === 'policy-key';

function describeYield(data: Uint8Array): string {
  const signature = parseYield(data);
  if (signature === null) return `${data.length} bytes that are no signature`;
  return `the signature of input ${signature.input} by the key ${toHex(signature.publicKey)} (${signature.signature.length} bytes)`;
}

function describeStart(start: Start): string {
  const shown = (display: boolean): string => (display ? 'shown on the screen' : 'silently');
  const count = (size: number, noun: string): string => `${size} ${noun}${size === 1 ? '' : 's'}`;
  switch (start.kind) {
    case 'app':
    case 'fingerprint':
    case 'other':
      return '';
    case 'xpub':
      return ` of ${start.path.length === 0 ? 'the master key' : formatPath(start.path)}, ${shown(start.display)}`;
    case 'register': {
      const policy = parsePolicy(start.policy);
      return policy === null ? '' : ` ${named(policy.name)}, ${count(policy.keys.size, 'key')}`;
    }
    case 'address':
      return ` ${start.branch}/${start.index} of the wallet policy ${toHex(start.policy)}, ${shown(start.display)}`;
    case 'sign':
      return ` ${count(start.inputs.size, 'input')}, ${count(start.outputs.size, 'output')}, wallet policy ${toHex(start.policy)}`;
  }
}

const named = (name: Uint8Array): string =>
  name.length === 0 ? 'a default policy, without a name' : `"${Buffer.from(name).toString('latin1')}"`;

function describeEnd({ start, status, result }: Command, last: Step | null): string {
  if (status === null) return 'the recording ends here, before the command does';
  if (status !== OK) {
    const meaning = STATUS_WORDS.get(status)?.text ?? 'an unknown status word';
    const when = start.kind === 'sign' && last !== null ? `, while ${last.phase}, with ${last.group} read last` : '';
    return `ends with ${formatStatusWord(status)}${when}: ${meaning}`;
  }
  const text = Buffer.from(result).toString('latin1');
  switch (start.kind) {
    case 'app': {
      const info = parseAppInfo(result);
      return info === null
        ? 'ends with something that is no app and version'
        : `ends well: ${info.name} ${info.version}`;
    }
    case 'fingerprint':
      return `ends well: ${toHex(result)}`;
    case 'xpub':
    case 'address':
      return `ends well: ${text}`;
    case 'register':
      return `ends well: policy ${toHex(result.subarray(0, 32))}, and its HMAC`;
    case 'sign':
      return 'ends well';
    case 'other':
      return `ends well: ${result.length} bytes`;
  }
}

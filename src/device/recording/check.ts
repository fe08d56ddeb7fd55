import { equalBytes, type Hex, sha256, toHex } from '../../domain/bytes.js';
import { parseAppInfo } from '../app-info.js';
import { formatStatusWord, STATUS_WORDS } from '../status-words.js';
import type { Transcript, TranscriptHeader } from '../transcript.js';
import { checkKeys } from './check-keys.js';
import { checkSigning } from './check-signing.js';
import { type Command, converse, isWhole, OK, type Turn } from './conversation.js';
import { type CheckReport, type ExchangeLines, Findings } from './findings.js';
import { readCommand } from './meaning.js';
import { rootOf } from './merkle.js';
import { START_NAMES } from './protocol.js';
import { checkTimes } from './times.js';

export interface CheckInput {
  readonly transcript: Transcript;
  /** Of the file that the transcript was read from. */
  readonly lines: readonly ExchangeLines[];
  readonly file: string;
  /** The PSBT (version 0) that was signed, where it is at hand. */
  readonly psbt: Uint8Array | null;
}

/**
 * Holds a recording against itself: the order of its exchanges, every answer of the host against the hash that the device
 * asked by, signatures, addresses and keys against what was streamed, and the header against all of it. What it
 * cannot prove it names, with the lines. That a real device answered it cannot prove at all.
 */
export function checkTranscript({ transcript, lines, file, psbt }: CheckInput): CheckReport {
  const { header, exchanges } = transcript;
  const findings = new Findings(file, lines);
  const { commands, problems } = converse(exchanges);
  for (const { exchange, side, message } of problems) findings.contradict(exchange, side, message);
  const isRedacted = header.redacted !== undefined;
  if (isRedacted) {
    findings.leave(
      'hashes, keys, addresses, signatures and the PSBT',
      'the file is redacted: pseudonyms stand in their place, and only the order of the conversation can be checked',
    );
  }
  for (const command of commands) {
    checkStatus(command, findings);
    const reading = readCommand(command, isRedacted);
    for (const { exchange, side, message } of reading.doubts) findings.contradict(exchange, side, message);
    for (const what of reading.unopened) {
      findings.leave(`${what}, by hash`, 'the device never opened it', [command.first, 'request']);
    }
    for (const turn of command.turns) checkTurn(turn, findings, isRedacted);
    if (problems.length === 0 && command.status !== null)
      findings.prove(
        `${START_NAMES[command.start.kind]} runs from its request to its end in the order of the protocol`,
      );
    if (!isRedacted && command.start.kind === 'sign') checkSigning(command, reading, psbt, findings);
  }
  checkTimes(exchanges, findings);
  checkApp(commands, header, findings);
  checkFingerprint(commands, header, findings);
  checkPsbtHash(commands, header, psbt, findings);
  if (!isRedacted) checkKeys(commands, header, findings);
  return findings.report();
}

function checkStatus({ start, status, first, last, turns }: Command, findings: Findings): void {
  const name = START_NAMES[start.kind];
  if (status === null) {
    findings.leave(`the end of ${name}`, 'the recording breaks it off', [last, 'response']);
    return;
  }
  if (start.kind === 'other') {
    findings.leave(
      'commands that countersign does not send',
      'their form is not known here',
      [last, 'request'],
      [last, 'response'],
    );
  }
  if (status === OK) return;
  const known = STATUS_WORDS.get(status);
  const word = formatStatusWord(status);
  const what =
    known === undefined ? `the status word ${word}, which is unknown` : `that the device ended ${name} with ${word}`;
  findings.leave(what, 'nothing signs a refusal', [last, 'response']);
  // What was refused at once was not looked at: nothing that follows holds the request.
  if (first === last) findings.leave('a request that was refused at once', 'nothing rests on it', [first, 'request']);
  if (start.kind === 'sign' && turns.some(({ ask }) => ask.kind === 'yield')) {
    findings.leave('that signing was refused', 'the device had given out a signature before', [last, 'response']);
  }
}

/** The answer against the hash that the device asked by. */
function checkTurn({ ask, answer, asked, answered }: Turn, findings: Findings, isRedacted: boolean): void {
  if (answered === null || answer === null) {
    // A malformed answer is a contradiction already; a missing one ends the recording.
    if (answered === null)
      findings.leave('the last question of the device', 'it has no answer', [asked[0] ?? 0, 'response']);
    return;
  }
  if (!isWhole(answer)) {
    findings.leave(
      'an answer that is cut off',
      'the device did not ask for the rest of it',
      [asked[0] ?? 0, 'response'],
      [answered, 'request'],
    );
    return;
  }
  if (isRedacted) return;
  if (ask.kind === 'preimage' && answer.kind === 'preimage') {
    if (equalBytes(sha256(answer.bytes), ask.hash)) findings.prove('preimages hash to what the device asked for');
    else
      findings.contradict(
        answered,
        'request',
        `the answer does not hash to ${toHex(ask.hash)}, which the device asked for`,
      );
  }
  if (ask.kind === 'proof' && answer.kind === 'proof') {
    const root = rootOf(answer.leaf, ask.index, ask.size, answer.siblings);
    if (root !== null && equalBytes(root, ask.root)) findings.prove('Merkle proofs lead from their leaf to the root');
    else
      findings.contradict(
        answered,
        'request',
        `the proof of leaf ${ask.index} of ${ask.size} does not lead to the root ${toHex(ask.root)}`,
      );
  }
}

/** Name and version in the header are those of the first answer to GET_VERSION, and every other one says the same. */
function checkApp(commands: readonly Command[], header: TranscriptHeader, findings: Findings): void {
  let first: { readonly name: string | null; readonly version: string | null } | null = null;
  for (const { start, status, result, last } of commands) {
    if (start.kind !== 'app' || status !== OK) continue;
    const info = parseAppInfo(result);
    if (info === null) {
      findings.contradict(last, 'response', 'the answer to GET_VERSION has not its form');
      continue;
    }
    first ??= { name: header.app, version: header.version };
    if (info.name === first.name && info.version === first.version) {
      findings.prove('app and version of the header are what the device said');
    } else {
      findings.contradict(
        last,
        'response',
        `the device says "${info.name} ${info.version}", and the header "${first.name} ${first.version}"`,
      );
    }
    findings.leave('the flags of the app', 'nothing else in the file depends on them', [last, 'response']);
  }
  if (first === null && (header.app !== null || header.version !== null)) {
    findings.contradictHeader('the header names an app, and no exchange asks for it');
  }
  findings.leave('the model of the device, and the program and note of the header', 'no exchange says them');
}

function checkFingerprint(commands: readonly Command[], header: TranscriptHeader, findings: Findings): void {
  let isAsked = false;
  for (const { start, status, result, last } of commands) {
    if (start.kind !== 'fingerprint' || status !== OK) continue;
    isAsked = true;
    const said: Hex = toHex(result);
    if (said === header.fingerprint) findings.prove('the fingerprint of the header is what the device said');
    else
      findings.contradict(
        last,
        'response',
        `the device says the fingerprint ${said}, and the header ${header.fingerprint ?? 'none'}`,
      );
  }
  if (!isAsked && header.fingerprint !== null) {
    findings.contradictHeader('the header names a fingerprint, and no exchange asks for it');
  }
}

function checkPsbtHash(
  commands: readonly Command[],
  header: TranscriptHeader,
  psbt: Uint8Array | null,
  findings: Findings,
): void {
  const isSigned = commands.some(({ start }) => start.kind === 'sign');
  if (header.psbt === null) {
    if (isSigned) findings.contradictHeader('the header names no PSBT, and a PSBT was sent to be signed');
    if (psbt !== null) findings.contradictHeader('the header names no PSBT, and one is given to check against');
    return;
  }
  if (header.redacted !== undefined) return;
  if (psbt === null) {
    findings.leave(
      'the hash of the PSBT in the header',
      'the device is sent a copy with less in it: give the PSBT with --psbt',
    );
    return;
  }
  const hash = toHex(sha256(psbt));
  if (hash === header.psbt) findings.prove('the PSBT is the one that the header names');
  else findings.contradictHeader(`the PSBT hashes to ${hash}, and the header names ${header.psbt}`);
}

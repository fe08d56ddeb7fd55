import { sha256, toHex, trustedHex, utf8 } from '../../domain/bytes.js';
import { type Fault, fail } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import { parseAppInfo } from '../app-info.js';
import { type Exchange, formatTranscript, type Transcript, type TranscriptHeader } from '../transcript.js';
import { type Command, converse, isWhole, OK, type Turn } from './conversation.js';
import { type Meaning, readCommand } from './meaning.js';
import { HASH, HEADER_LENGTH } from './protocol.js';
import { Pseudonyms } from './pseudonyms.js';
import { type Pen, redact, redactKeyInformation, redactPolicy, redactTemplate, redactValue } from './redact-values.js';

/** An unlucky salt makes a pseudonym that holds another original; so many are tried. */
const MOST_TRIED = 8;

/**
 * The same conversation with pseudonyms for keys, scripts, addresses, amounts, txids, fingerprints, locktimes, names,
 * signatures and every hash, and for whatever is not known: only commands, sizes, positions, field types, paths and status
 * words stay. The same value has the same pseudonym in the whole file, so that its order can still be checked. Hashes are
 * not computed again from the pseudonyms: they would prove nothing, and would hide a wrong answer that the file may
 * be about. Comments and the note are left out; times stay.
 *
 * `salt` is 32 fresh random bytes, which nobody keeps; `by` is the program, for the header. Faults: E_TRANSCRIPT_REDACTED
 * (it is one already), E_TRANSCRIPT_LEAK (an original would remain).
 */
export function redactTranscript(
  { header, exchanges }: Transcript,
  salt: Uint8Array,
  by: string,
): Result<Transcript, Fault> {
  if (header.redacted !== undefined) {
    return fail('E_TRANSCRIPT_REDACTED', 'the transcript is redacted already', {
      remedy: 'give it away as it is, or redact the recording that it was made from',
    });
  }
  let kind = '';
  for (let tried = 0; tried < MOST_TRIED; tried++) {
    const names = new Pseudonyms(sha256(Uint8Array.of(...salt, tried)));
    const redacted = new Redaction(exchanges, names).run();
    const transcript = { header: redactHeader(header, names, by), exchanges: redacted };
    // Times hold nothing of what was said, and their digits could look like it.
    const leak = names.leak(formatTranscript(withoutTimes(transcript)));
    if (leak === null) return ok(transcript);
    kind = leak;
  }
  return fail('E_TRANSCRIPT_LEAK', `an original value (${kind}) would stand in the redacted file`, {
    remedy: 'the value also stands where it is no secret, or its form is unknown: do not give the recording away',
  });
}

const withoutTimes = ({ header, exchanges }: Transcript): Transcript => ({
  header,
  exchanges: exchanges.map(({ request, response }) => ({ request, response })),
});

function redactHeader(header: TranscriptHeader, names: Pseudonyms, by: string): TranscriptHeader {
  const hex = (kind: 'hash' | 'fingerprint', value: string | null): string | null =>
    value === null ? null : toHex(names.bytes(kind, trustedHex(value)));
  return {
    ...header,
    fingerprint: hex('fingerprint', header.fingerprint),
    psbt: hex('hash', header.psbt),
    note: '',
    redacted: `by ${by}: pseudonyms stand for keys, scripts, addresses, amounts, txids, fingerprints, names, signatures and hashes`,
  };
}

/** Every byte begins as unknown; what is written is known, and the rest is replaced at the end. */
class Redaction {
  readonly #exchanges: readonly Exchange[];
  readonly #names: Pseudonyms;
  readonly #written: Map<number, Uint8Array>[];

  constructor(exchanges: readonly Exchange[], names: Pseudonyms) {
    this.#exchanges = exchanges;
    this.#names = names;
    this.#written = exchanges.flatMap(() => [new Map<number, Uint8Array>(), new Map<number, Uint8Array>()]);
  }

  run(): readonly Exchange[] {
    for (const command of converse(this.#exchanges).commands) {
      this.#start(command);
      const { meanings } = readCommand(command, false);
      for (const [index, turn] of command.turns.entries()) this.#turn(turn, meanings[index] ?? { about: 'unknown' });
      if (command.status === OK) this.#result(command);
    }
    return this.#exchanges.map(({ request, response, time }, exchange) => ({
      request: this.#whole(request, this.#written[2 * exchange], HEADER_LENGTH, request.length),
      response: this.#whole(response, this.#written[2 * exchange + 1], 0, Math.max(0, response.length - 2)),
      ...(time === undefined ? {} : { time }),
    }));
  }

  /** Parts of the data (between `from` and `to`) that nobody wrote are replaced; what is around it stays. */
  #whole(source: Uint8Array, written: Map<number, Uint8Array> | undefined, from: number, to: number): Uint8Array {
    const out = source.slice();
    let at = from;
    for (const [offset, part] of [...(written ?? [])].sort(([a], [b]) => a - b)) {
      if (offset > at) out.set(this.#names.bytes('other', source.subarray(at, offset)), at);
      out.set(part, offset);
      at = Math.max(at, offset + part.length);
    }
    if (to > at) out.set(this.#names.bytes('other', source.subarray(at, to)), at);
    return out;
  }

  #request(exchange: number, write: (pen: Pen) => void): void {
    const data = this.#exchanges[exchange]?.request.subarray(HEADER_LENGTH) ?? new Uint8Array(0);
    this.#written[2 * exchange]?.set(HEADER_LENGTH, redact(data, this.#names, write));
  }

  #response(exchange: number, write: (pen: Pen) => void): void {
    const data = this.#exchanges[exchange]?.response.subarray(0, -2) ?? new Uint8Array(0);
    this.#written[2 * exchange + 1]?.set(0, redact(data, this.#names, write));
  }

  #start({ start, first }: Command): void {
    switch (start.kind) {
      case 'xpub':
        this.#request(first, (pen) => void pen.keep(pen.remaining));
        return;
      case 'register':
        this.#request(first, (pen) => pen.map(pen.keepSize(), (policy) => redactPolicy(policy, this.#names)));
        return;
      case 'address':
        this.#request(first, (pen) => {
          pen.keep(1);
          pen.hashes(2);
          pen.keep(5);
        });
        return;
      case 'sign':
        this.#request(first, (pen) => {
          pen.keepSize();
          pen.hashes(2);
          for (const _ of ['inputs', 'outputs']) {
            pen.keepSize();
            pen.hashes(1);
          }
          pen.hashes(2);
        });
        return;
      case 'app':
      case 'fingerprint':
      case 'other':
        return;
    }
  }

  #result({ start, last, result }: Command): void {
    const text = (change: (text: string) => string) => (part: Uint8Array) =>
      utf8(change(Buffer.from(part).toString('latin1')));
    switch (start.kind) {
      case 'app':
        if (parseAppInfo(result) !== null) this.#response(last, (pen) => void pen.keep(pen.remaining));
        return;
      case 'fingerprint':
        this.#response(last, (pen) => pen.put('fingerprint', 4));
        return;
      case 'xpub':
        this.#response(last, (pen) =>
          pen.map(
            pen.remaining,
            text((xpub) => this.#names.extendedKey(xpub)),
          ),
        );
        return;
      case 'address':
        this.#response(last, (pen) =>
          pen.map(
            pen.remaining,
            text((address) => this.#names.address(address)),
          ),
        );
        return;
      case 'register':
        this.#response(last, (pen) => pen.hashes(2));
        return;
      case 'sign':
      case 'other':
        return;
    }
  }

  #turn(turn: Turn, meaning: Meaning): void {
    const [asked = 0] = turn.asked;
    this.#response(asked, (pen) => {
      pen.keep(1);
      switch (turn.ask.kind) {
        case 'preimage':
          pen.keep(1);
          pen.hashes(1);
          return;
        case 'proof':
          pen.hashes(1);
          pen.keepSize();
          pen.keepSize();
          return;
        case 'index':
          pen.hashes(2);
          return;
        case 'yield':
          pen.keepSize();
          pen.map(pen.keep(1)[0] ?? 0, (key) => this.#names.publicKey(key));
          pen.put('signature', pen.remaining);
      }
    });
    for (const more of turn.asked.slice(1)) this.#response(more, (pen) => void pen.keep(1));
    this.#answer(turn, meaning);
  }

  #answer({ answer, answers }: Turn, meaning: Meaning): void {
    const [first, ...rest] = answers;
    if (answer === null || first === undefined) return;
    if (answer.kind === 'index') this.#request(first, (pen) => void pen.keep(pen.remaining));
    if (answer.kind === 'proof') {
      this.#request(first, (pen) => {
        pen.hashes(1);
        pen.keep(2);
        pen.hashes(pen.remaining / HASH);
      });
      for (const exchange of rest) {
        this.#request(exchange, (pen) => {
          pen.keep(2);
          pen.hashes(pen.remaining / HASH);
        });
      }
    }
    if (answer.kind !== 'preimage') return;
    const content = isWhole(answer) ? this.#content(meaning, answer.bytes) : this.#names.bytes('other', answer.bytes);
    let at = 0;
    for (const { exchange, offset, length } of answer.spans) {
      const request = this.#exchanges[exchange]?.request ?? new Uint8Array(0);
      const sizes = request.subarray(HEADER_LENGTH, offset);
      const part = content.subarray(at, at + length);
      this.#written[2 * exchange]?.set(HEADER_LENGTH, Uint8Array.of(...sizes, ...part));
      at += length;
    }
  }

  #content(meaning: Meaning, bytes: Uint8Array): Uint8Array {
    const names = this.#names;
    const leaf = (change: (content: Uint8Array) => Uint8Array): Uint8Array =>
      redact(bytes, names, (pen) => {
        if (pen.keep(1)[0] !== 0) pen.fail();
        pen.map(pen.remaining, change);
      });
    switch (meaning.about) {
      case 'policy':
        return redactPolicy(bytes, names);
      case 'template':
        return redactTemplate(bytes, names);
      case 'policy-key':
        return leaf((content) => redactKeyInformation(content, names));
      case 'map':
        return leaf((content) =>
          redact(content, names, (pen) => {
            pen.keepSize();
            pen.hashes(2);
          }),
        );
      case 'key':
        return leaf((content) =>
          redact(content, names, (pen) => {
            pen.keep(1);
            pen.map(pen.remaining, (key) => names.publicKey(key));
          }),
        );
      case 'value':
        return leaf((content) => redactValue(meaning.scope, meaning.type, content, names));
      case 'lookup':
      case 'signature':
      case 'unknown':
        return names.bytes('other', bytes);
    }
  }
}

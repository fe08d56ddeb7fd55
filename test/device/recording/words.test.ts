import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkTranscript } from '../../../src/device/recording/check.js';
import { exchangeLines } from '../../../src/device/recording/findings.js';
import { describeTranscript, type Row } from '../../../src/device/recording/words.js';
import type { Exchange } from '../../../src/device/transcript.js';
import { inputsOf, outputsOf, readRecording, readSidecar, recordingNames, recordingText } from '../recordings.js';

const rowsOf = (name: string, all = false): readonly Row[] =>
  describeTranscript(readRecording(name), exchangeLines(recordingText(name)), all);

describe('a recording in words', () => {
  it.each(recordingNames(''))('%s: tells each exchange once, in the order of the file', (name) => {
    for (const all of [false, true]) {
      const rows = rowsOf(name, all);
      expect(rows.reduce((sum, { exchanges }) => sum + exchanges, 0)).toBe(readRecording(name).exchanges.length);
      const lines = rows.map(({ line }) => line);
      expect(lines).toEqual([...lines].sort((a, b) => a - b));
      for (const { text } of rows) expect(text).not.toMatch(/nothing before it names|whose key was not read|undefined/);
    }
  });

  it.each(recordingNames('sign-'))(
    '%s: reviews the payments in order, and gives a signature for each input',
    (name) => {
      const { changeOutputs } = readSidecar<{ changeOutputs: readonly number[] }>(name);
      const rows = rowsOf(name);
      const reviewed = rows
        .flatMap(({ text }) => /^reads output (\d+), under review/.exec(text)?.[1] ?? [])
        .map(Number);
      const hidden = rows.flatMap(({ text }) => /^reads output (\d+), not shown/.exec(text)?.[1] ?? []).map(Number);
      expect(hidden).toEqual(changeOutputs);
      expect(reviewed).toEqual([...reviewed].sort((a, b) => a - b));
      expect(reviewed.length).toBe(outputsOf(name) - changeOutputs.length);
      const signed = rows.filter(({ text }) => text.startsWith('gives the signature of input '));
      expect(signed).toHaveLength(inputsOf(name));
      expect(rows.at(-1)?.text).toBe('ends well');
    },
  );

  it('goes through the phases forward only', () => {
    const order = ['loading', 'reviewing', 'signing'];
    const phases = rowsOf('multisig-sign-wsh-3-a').flatMap(({ phase }) =>
      phase === null ? [] : [order.indexOf(phase)],
    );
    expect(phases).toEqual([...phases].sort());
    expect(new Set(phases).size).toBe(3);
  });
});

it('neither words nor check throw, whatever the exchanges hold', () => {
  const start = fc.constantFrom<number[]>(
    [0xf8, 1, 0, 1],
    [0xe1, 4, 0, 1],
    [0xe1, 3, 0, 1],
    [0xe1, 2, 0, 1],
    [0xe1, 0, 0, 1],
  );
  const data = fc.uint8Array({ maxLength: 140 });
  const ask = fc.constantFrom(0x10, 0x40, 0x41, 0x42, 0xa0);
  const exchange: fc.Arbitrary<Exchange> = fc
    .record({ start, data, ask, answer: data, ends: fc.boolean() })
    .map(({ start, data, ask, answer, ends }) => ({
      request: Uint8Array.of(...start, data.length, ...data),
      response: ends ? Uint8Array.of(...answer, 0x90, 0x00) : Uint8Array.of(ask, ...answer, 0xe0, 0x00),
    }));
  const { header } = readRecording('xpub');
  fc.assert(
    fc.property(fc.array(exchange, { minLength: 1, maxLength: 6 }), (exchanges) => {
      const transcript = { header, exchanges };
      const lines = exchanges.map((_, index) => ({ request: 2 * index + 9, response: 2 * index + 10 }));
      expect(describeTranscript(transcript, lines, true).length).toBeGreaterThan(0);
      const report = checkTranscript({ transcript, lines, file: 'x.apdu', psbt: null });
      // The header's app and fingerprint are asked for by no exchange of these.
      expect(report.contradictions.length).toBeGreaterThan(0);
    }),
    { numRuns: 300 },
  );
});

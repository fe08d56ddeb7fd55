import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkTranscript } from '../../src/device/recording/check.js';
import { exchangeLines } from '../../src/device/recording/findings.js';
import { redactTranscript } from '../../src/device/recording/redact.js';
import { isTimed, spanOf, wholeTime } from '../../src/device/recording/times.js';
import {
  type Exchange,
  type ExchangeTime,
  formatTranscript,
  parseTranscript,
  type Transcript,
} from '../../src/device/transcript.js';
import { openRecorder } from '../../src/device/transport/record.js';
import { openReplay } from '../../src/device/transport/replay.js';
import { ok } from '../../src/domain/result.js';
import { runs } from '../runs.js';
import { readRecording } from './recordings.js';

/** A recording with times, and its replay in them. No test waits: clock and waiting are told. */
const PLAIN = readRecording('address-wpkh');

const timed = (
  times: readonly (ExchangeTime | undefined)[],
  { header, exchanges }: Transcript = PLAIN,
): Transcript => ({
  header,
  exchanges: exchanges.map(({ request, response }, index): Exchange => {
    const time = times[index];
    return time === undefined ? { request, response } : { request, response, time };
  }),
});
/** One exchange a second, of 20 ms. */
const STEADY = timed(PLAIN.exchanges.map((_, index) => ({ at: 1000 * index, took: 20 })));

const parsed = (text: string) => parseTranscript(text, 'x.apdu');

describe('times in a file', () => {
  it('stand behind the response that they are of', () => {
    expect(formatTranscript(STEADY).split('\n').slice(8, 11)).toEqual([
      '=> b001000000',
      expect.stringMatching(/^<= 010c/),
      '# at 0 ms, took 20 ms',
    ]);
  });

  it('are read back as they were written, some or all of them', () => {
    const time = fc.option(fc.record({ at: fc.nat(9_999_999), took: fc.nat(9_999_999) }), { nil: undefined });
    fc.assert(
      fc.property(fc.array(time, { minLength: PLAIN.exchanges.length, maxLength: PLAIN.exchanges.length }), (times) => {
        const transcript = timed(times);
        expect(parsed(formatTranscript(transcript))).toEqual(ok(transcript));
        expect(parsed(formatTranscript(transcript).replaceAll('\n', '\r\n'))).toEqual(ok(transcript));
      }),
      { numRuns: runs(50) },
    );
  });

  it('are comments for whoever knows nothing of them', () => {
    const without = formatTranscript(STEADY)
      .split('\n')
      .filter((line) => !line.startsWith('# at '));
    expect(without.join('\n')).toBe(formatTranscript(PLAIN));
    expect([isTimed(STEADY), isTimed(PLAIN), wholeTime(PLAIN)]).toEqual([true, false, null]);
  });

  it.each([
    ['before any exchange', (text: string) => text.replace('=> ', '# at 1 ms, took 1 ms\n=> '), 9],
    ['between request and response', (text: string) => text.replace('<= ', '# at 1 ms, took 1 ms\n<= '), 10],
    [
      'twice',
      (text: string) => text.replace('# at 0 ms, took 20 ms', '# at 0 ms, took 20 ms\n# at 0 ms, took 20 ms'),
      12,
    ],
  ])('are refused %s, with the line', (_, change, line) => {
    expect(parsed(change(formatTranscript(STEADY)))).toMatchObject({
      error: { tag: 'E_TRANSCRIPT_FORM', where: { file: 'x.apdu', line } },
    });
  });

  it.each([
    '# at 1 s, took 2 s',
    '# at -1 ms, took 2 ms',
    '# at 1.5 ms, took 2 ms',
    '# at 12345678901 ms, took 1 ms',
    '# at 1 ms',
  ])('%s is a comment like any other', (line) => {
    expect(parsed(formatTranscript(PLAIN).replace('\n=> b0', `\n${line}\n=> b0`))).toEqual(ok(PLAIN));
  });
});

describe('recording', () => {
  /** Talks through a recorder whose clock is told at every look. */
  async function record(clock: readonly number[] | null): Promise<Transcript> {
    const looks = [...(clock ?? [])];
    let text = '';
    const channel = openRecorder(openReplay(PLAIN, 'x.apdu'), {
      header: { psbt: null, recordedWith: 'test', note: '' },
      write: async (written) => {
        text = written;
        return ok(undefined);
      },
      now: clock === null ? undefined : () => looks.shift() ?? Number.NaN,
    });
    for (const { request } of PLAIN.exchanges.slice(0, clock === null ? 1 : clock.length / 2))
      await channel.exchange(request);
    await channel.close();
    const read = parsed(text);
    if (!read.ok) throw new Error(read.error.message);
    return read.value;
  }

  it('keeps when each exchange began, from the first one on, and what it took', async () => {
    const { exchanges } = await record([5000.2, 5020.4, 5021, 6000.9]);
    expect(exchanges.map(({ time }) => time)).toEqual([
      { at: 0, took: 20 },
      { at: 21, took: 980 },
    ]);
  });

  it('keeps none where nobody asked for it', async () => {
    expect(isTimed(await record(null))).toBe(false);
  });

  it('rounds so that no exchange begins before the one before has ended', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ min: 0, max: 5, noNaN: true }), { minLength: 8, maxLength: 8 }),
        async (steps) => {
          let sum = 1000;
          const transcript = await record(
            steps.map((step) => {
              sum += step;
              return sum;
            }),
          );
          const lines = exchangeLines(formatTranscript(transcript));
          const { contradictions } = checkTranscript({ transcript, lines, file: 'x', psbt: null });
          expect(contradictions.filter(({ message }) => message.includes(' ms'))).toEqual([]);
        },
      ),
      { numRuns: runs(50) },
    );
  });
});

describe('a replay in real time', () => {
  async function replay(transcript: Transcript, wait?: (ms: number) => Promise<void>): Promise<void> {
    const channel = openReplay(transcript, 'x.apdu', wait);
    for (const { request } of transcript.exchanges) await channel.exchange(request);
    expect(await channel.close()).toEqual(ok(undefined));
  }

  it('waits with each answer as long as the device took, and never for the host', async () => {
    const waited: number[] = [];
    const times = PLAIN.exchanges.map((_, index) => ({ at: 1000 * index, took: index }));
    await replay(timed(times), async (ms) => void waited.push(ms));
    expect(waited).toEqual(times.map(({ took }) => took));
  });

  it('does not wait otherwise, nor where a recording has no times', async () => {
    const nobody = () => Promise.reject(new Error('nobody waits'));
    await replay(STEADY);
    await replay(PLAIN, nobody);
  });

  it('refuses another request at once', async () => {
    const nobody = () => Promise.reject(new Error('nobody waits'));
    const channel = openReplay(STEADY, 'x.apdu', nobody);
    await expect(channel.exchange(Uint8Array.of(0xe1, 5, 0, 0, 0))).rejects.toThrow('differs at byte');
  });
});

describe('a check', () => {
  const report = (transcript: Transcript) =>
    checkTranscript({ transcript, lines: exchangeLines(formatTranscript(transcript)), file: 'x.apdu', psbt: null });

  it('takes times, and says that nothing signs them', () => {
    const { contradictions, proven, unproven } = report(STEADY);
    expect(contradictions).toEqual([]);
    expect(proven).toContainEqual({
      what: 'each exchange begins after the one before it has ended',
      count: PLAIN.exchanges.length,
    });
    expect(unproven).toContainEqual({ what: 'the times', why: 'nothing signs them', lines: [] });
    expect(report(PLAIN).unproven.map(({ what }) => what)).not.toContain('the times');
  });

  it.each([
    [1000, 0],
    [1001, 1],
  ])('of an exchange that takes %i ms, and the next begins after 1000, finds %i contradiction', (took, count) => {
    const times = PLAIN.exchanges.map((_, index) => ({ at: 1000 * index, took: index === 1 ? took : 20 }));
    const { contradictions } = report(timed(times));
    expect(contradictions).toHaveLength(count);
    if (count === 1) {
      expect(contradictions[0]).toMatchObject({
        message: 'it was asked at 2000 ms, and the answer before came at 2001 ms',
        where: { line: 9 + 3 * 2 },
      });
    }
  });

  it('finds the one exchange that has no time among others', () => {
    const times = PLAIN.exchanges.map((_, index) => (index === 2 ? undefined : { at: 1000 * index, took: 20 }));
    expect(report(timed(times)).contradictions).toMatchObject([
      { tag: 'E_TRANSCRIPT_CONTRADICTION', message: 'the exchange has no time, and others have' },
    ]);
  });
});

describe('a redacted copy', () => {
  it('keeps the times', () => {
    const redacted = redactTranscript(STEADY, new Uint8Array(32).fill(7), 'test');
    expect(redacted.ok && redacted.value.exchanges.map(({ time }) => time)).toEqual(
      STEADY.exchanges.map(({ time }) => time),
    );
  });
});

describe('the time of some exchanges', () => {
  const lines = exchangeLines(formatTranscript(STEADY));
  it.each([
    [9, 1, { at: 0, took: 20 }],
    [12, 3, { at: 1000, took: 60 }],
    [12, 0, null],
    [10, 1, null],
  ])('from line %i, %i of them', (line, count, span) => {
    expect(spanOf(STEADY, lines, line, count)).toEqual(span);
  });

  it('is not known where one of them has none', () => {
    const holey = timed([{ at: 0, took: 1 }, undefined, { at: 5, took: 1 }]);
    const places = exchangeLines(formatTranscript(holey));
    expect([spanOf(holey, places, 9, 1), spanOf(holey, places, 9, 2)]).toEqual([{ at: 0, took: 1 }, null]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkTranscript } from '../../../src/device/recording/check.js';
import { type CheckReport, exchangeLines } from '../../../src/device/recording/findings.js';
import { type Exchange, parseTranscript, type Side, type Transcript } from '../../../src/device/transcript.js';
import { sha256Hex } from '../../../src/domain/bytes.js';
import { inputsOf, readRecording, readSidecar, recordingNames, recordingText } from '../recordings.js';

const psbtOf = (name: string): Uint8Array | null => {
  const { psbt } = readSidecar<{ psbt?: string }>(name);
  return psbt === undefined ? null : new Uint8Array(Buffer.from(psbt, 'base64'));
};

function check(name: string, transcript: Transcript, psbt: Uint8Array | null = null): CheckReport {
  return checkTranscript({ transcript, lines: exchangeLines(recordingText(name)), file: `${name}.apdu`, psbt });
}

const counts = (report: CheckReport): Record<string, number> =>
  Object.fromEntries(report.proven.map(({ what, count }) => [what, count]));
const VALID = 'signatures are valid, each by a key of the script that its input spends';
const FROM_PSBT = 'fields that the device read are those of the PSBT';
const NAMES = recordingNames('');

describe('every recording', () => {
  it.each(NAMES)('%s is consistent, alone and with its PSBT', (name) => {
    const recording = readRecording(name);
    const psbt = psbtOf(name);
    expect(check(name, recording).contradictions).toEqual([]);
    if (psbt === null || recording.header.psbt === null) return;
    const report = check(name, recording, psbt);
    expect(report.contradictions).toEqual([]);
    expect(counts(report)).toMatchObject({ 'the PSBT is the one that the header names': 1 });
    expect(report.unproven.map(({ what }) => what)).not.toContain('the hash of the PSBT in the header');
  });

  it.each(recordingNames('sign-'))('%s: each signature is proven, and each field read is one of the PSBT', (name) => {
    const psbt = psbtOf(name);
    const { screens } = readSidecar<{ screens: unknown[] }>(name);
    expect(screens.length).toBeGreaterThan(0);
    const inputs = inputsOf(name);
    const report = check(name, readRecording(name), psbt);
    expect(counts(report)[VALID]).toBe(inputs);
    expect(counts(report)[FROM_PSBT]).toBeGreaterThan(inputs);
  });

  it.each(recordingNames('multisig-sign-'))('%s: each signature of this cosigner is proven', (name) => {
    const inputs = name.includes('refused') ? undefined : inputsOf(name);
    expect(counts(check(name, readRecording(name), psbtOf(name)))[VALID]).toBe(inputs);
  });

  it('of an address proves the address, of a registration the policy id', () => {
    const registered = counts(check('multisig-register-wsh-a', readRecording('multisig-register-wsh-a')));
    expect(registered).toMatchObject({
      'addresses are what the wallet policy derives': 1,
      'the id of the registered policy is the hash of the policy': 1,
      'extended keys stand in the wallet policy with the path that was asked for': 1,
    });
  });

  it('says of a refusal that nothing signs it, and of an early one what was never opened', () => {
    const { unproven } = check('multisig-sign-refused-0', readRecording('multisig-sign-refused-0'));
    expect(unproven.map(({ what }) => what)).toEqual(
      expect.arrayContaining([
        'that the device ended SIGN_PSBT with 6985',
        'the inputs, by hash',
        'the outputs, by hash',
        'the transaction as a whole',
      ]),
    );
  });
});

/** One byte of one exchange, changed. */
interface Mutation {
  readonly name: string;
  readonly exchange: number;
  readonly side: Side;
  readonly at: number;
  readonly change: number;
}

const SMALL = NAMES.filter((name) => readRecording(name).exchanges.length < 320);

const mutation: fc.Arbitrary<Mutation> = fc
  .record({
    name: fc.constantFrom(...SMALL),
    seat: fc.nat(),
    side: fc.constantFrom('request' as const, 'response' as const),
    at: fc.nat(),
    change: fc.integer({ min: 1, max: 255 }),
  })
  .map(({ name, seat, side, at, change }) => {
    const { exchanges } = readRecording(name);
    const exchange = seat % exchanges.length;
    return { name, exchange, side, at: at % (exchanges[exchange]?.[side].length ?? 1), change };
  });

function mutated({ name, exchange, side, at, change }: Mutation): Transcript {
  const { header, exchanges } = readRecording(name);
  const changed = exchanges.map((one, index) => {
    if (index !== exchange) return one;
    const bytes = Uint8Array.from(one[side]);
    bytes[at] = (bytes[at] ?? 0) ^ change;
    return { ...one, [side]: bytes };
  });
  return { header, exchanges: changed };
}

/** Whether the check contradicts the change, or had said that nothing holds that line. */
function isAccountedFor(change: Mutation, report: CheckReport): boolean {
  if (report.contradictions.length > 0) return true;
  const line = exchangeLines(recordingText(change.name))[change.exchange]?.[change.side];
  return report.unproven.some(({ lines }) => lines.includes(line ?? 0));
}

describe('a changed byte', () => {
  it('anywhere in any recording is contradicted, or stands in a line that is named as unproven', () => {
    fc.assert(
      fc.property(mutation, (change) => {
        expect(isAccountedFor(change, check(change.name, mutated(change)))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('in what a finished signing streams is contradicted, wherever it stands', () => {
    const name = 'sign-tr-1';
    const { exchanges } = readRecording(name);
    const isStreamed = ({ request }: Exchange): boolean => request[0] === 0xf8 || request[1] === 0x04;
    let tried = 0;
    for (const [exchange, one] of exchanges.entries()) {
      // Prime to the four exchanges of a value: every third meets each kind of question and answer.
      if (!isStreamed(one) || exchange % 3 !== 0) continue;
      for (const side of ['request', 'response'] as const) {
        const isFinalStatus = side === 'response' && exchange === exchanges.length - 1;
        if (isFinalStatus) continue;
        // The first, the last, and one in the middle: every region of a message has its own reader.
        for (const at of [4, one[side].length >> 1, one[side].length - 1]) {
          if (at >= one[side].length) continue;
          const report = check(name, mutated({ name, exchange, side, at, change: 0x01 }));
          expect(report.contradictions, `${side} ${exchange}, byte ${at}`).not.toEqual([]);
          tried += 1;
        }
      }
    }
    expect(tried).toBeGreaterThan(300);
  });

  it('is reported with the line of the first contradiction', () => {
    const report = check(
      'sign-wpkh-1',
      mutated({ name: 'sign-wpkh-1', exchange: 6, side: 'request', at: 40, change: 1 }),
    );
    expect(report.contradictions[0]).toMatchObject({
      tag: 'E_TRANSCRIPT_CONTRADICTION',
      where: { file: 'sign-wpkh-1.apdu', line: 21 },
    });
  });
});

describe('an exchange', () => {
  it('left out, said twice or swapped with its neighbour is contradicted in a finished signing', () => {
    const name = 'sign-tr-1';
    const { header, exchanges } = readRecording(name);
    // Those before SIGN_PSBT stand alone: leaving one out leaves a conversation that may have been.
    const first = exchanges.findIndex(({ request }) => request[1] === 0x04);
    for (let at = first; at < exchanges.length - 1; at += 3) {
      const [one, next] = exchanges.slice(at, at + 2);
      if (one === undefined || next === undefined) throw new Error('out of range');
      const rest = exchanges.slice(at + 2);
      const head = exchanges.slice(0, at);
      for (const changed of [
        [...head, next, ...rest],
        [...head, one, one, next, ...rest],
        [...head, next, one, ...rest],
      ]) {
        expect(check(name, { header, exchanges: changed }).contradictions, `exchange ${at}`).not.toEqual([]);
      }
    }
  });

  it('that is missing at the end leaves a command that has no end, and the check says so', () => {
    const name = 'sign-tr-1';
    const { header, exchanges } = readRecording(name);
    const report = check(name, { header, exchanges: exchanges.slice(0, -1) });
    expect(report.contradictions).toEqual([]);
    expect(report.unproven.map(({ what }) => what)).toContain('the end of SIGN_PSBT');
  });

  it('behind the last status word is contradicted', () => {
    const name = 'sign-tr-1';
    const { header, exchanges } = readRecording(name);
    const more = exchanges.at(-2);
    if (more === undefined) throw new Error('the recording is empty');
    expect(check(name, { header, exchanges: [...exchanges, more] }).contradictions[0]?.message).toContain('has ended');
  });
});

describe('the header', () => {
  const name = 'sign-wpkh-1';
  const recording = readRecording(name);
  it.each([
    ['app', { app: 'Bitcoin' }],
    ['version', { version: '2.2.8' }],
    ['fingerprint', { fingerprint: '00000000' }],
    ['psbt', { psbt: null }],
  ])('with another %s is contradicted', (_, change) => {
    const report = check(name, { ...recording, header: { ...recording.header, ...change } });
    expect(report.contradictions).not.toEqual([]);
  });

  it('that names a device nobody asked is contradicted', () => {
    const { header } = recording;
    expect(check(name, { header, exchanges: [] }).contradictions).toHaveLength(2);
  });
});

describe('the PSBT', () => {
  it('of another signing is contradicted, in its hash and in every field', () => {
    const psbt = psbtOf('sign-wpkh-high-fee');
    const { contradictions } = check('sign-wpkh-1', readRecording('sign-wpkh-1'), psbt);
    expect(contradictions[0]?.message).toContain(sha256Hex(psbt ?? ''));
    expect(contradictions.length).toBeGreaterThan(1);
  });

  it('says what a signing that was broken off had not read', () => {
    const name = 'sign-wpkh-3';
    const { header, exchanges } = readRecording(name);
    const alone = check(name, { header, exchanges: exchanges.slice(0, 200) });
    expect(alone.unproven.map(({ what }) => what)).toContain('the transaction as a whole');
    expect(check(name, { header, exchanges: exchanges.slice(0, 200) }, psbtOf(name)).contradictions).toEqual([]);
  });
});

it('the lines of exchanges are those of the file, whatever stands between them', () => {
  const text = recordingText('xpub-shown').replace('=>', '# a comment\n\n=>').replaceAll('\n', '\r\n');
  const upper = text.replace(/(=>|<=) \w+/g, (line) => line.toUpperCase());
  const parsed = parseTranscript(upper, 'x.apdu');
  expect(parsed).toMatchObject({ ok: true, value: readRecording('xpub-shown') });
  expect(exchangeLines(upper)).toEqual([{ request: 11, response: 12 }]);
});

import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkTranscriptPsbt,
  formatTranscript,
  parseTranscript,
  type Transcript,
} from '../../src/device/transcript.js';

const HEADER = {
  device: 'nanos',
  app: 'Bitcoin Test',
  version: '2.2.7',
  fingerprint: 'f5acc2fd',
  psbt: 'ab'.repeat(32),
  recordedWith: 'countersign 0.1.0',
  note: 'public test seed',
};

const SAMPLE: Transcript = {
  header: HEADER,
  exchanges: [
    { request: Uint8Array.of(0xe1, 5, 0, 1, 0), response: Uint8Array.of(0xf5, 0xac, 0xc2, 0xfd, 0x90, 0) },
    { request: Uint8Array.of(0xb0, 1, 0, 0), response: Uint8Array.of(0x69, 0x85) },
  ],
};

const bytes = (min: number) => fc.uint8Array({ minLength: min, maxLength: 300 });
const word = fc.stringMatching(/^[!-~]{1,20}$/).filter((text) => text !== 'none');
const transcripts: fc.Arbitrary<Transcript> = fc.record({
  header: fc.record({
    device: word,
    app: fc.option(word),
    version: fc.option(word),
    fingerprint: fc.option(fc.stringMatching(/^[0-9a-f]{8}$/)),
    psbt: fc.option(fc.stringMatching(/^[0-9a-f]{64}$/)),
    recordedWith: word,
    note: fc.constantFrom('', 'two words'),
  }),
  exchanges: fc.array(fc.record({ request: bytes(4), response: bytes(2) }), { maxLength: 8 }),
});

const parsed = (text: string): Transcript => {
  const result = parseTranscript(text, 'x.apdu');
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};

/** The sample with its first request line replaced: line 9 of the file. */
const withLine = (line: string): string => {
  const lines = formatTranscript(SAMPLE).split('\n');
  lines[8] = line;
  return lines.join('\n');
};

describe('transcript', () => {
  it('has a header of eight lines, then requests and responses in turn', () => {
    expect(formatTranscript(SAMPLE)).toBe(
      [
        '# format: countersign-transcript/1',
        '# device: nanos',
        '# app: Bitcoin Test',
        '# version: 2.2.7',
        '# fingerprint: f5acc2fd',
        `# psbt: ${'ab'.repeat(32)}`,
        '# recorded-with: countersign 0.1.0',
        '# note: public test seed',
        '=> e105000100',
        '<= f5acc2fd9000',
        '=> b0010000',
        '<= 6985',
        '',
      ].join('\n'),
    );
  });

  it('is read back as it was written', () => {
    fc.assert(
      fc.property(transcripts, (transcript) => {
        expect(parsed(formatTranscript(transcript))).toEqual(transcript);
      }),
    );
  });

  it('cannot be given a forged line by a value of the header', () => {
    const note = 'a\n=> e1050001\r\n<= 9000';
    const text = formatTranscript({ ...SAMPLE, header: { ...HEADER, note } });
    expect(parsed(text).exchanges).toEqual(SAMPLE.exchanges);
    expect(parsed(text).header.note).toBe('a => e1050001 <= 9000');
  });

  it('is read with CRLF, blank lines, other comments, spaces and upper-case digits', () => {
    const text = formatTranscript(SAMPLE)
      .replace('=> e105000100', '\n# a comment\n  =>  E105 0001 00 ')
      .replaceAll('\n', '\r\n');
    expect(parsed(text)).toEqual(SAMPLE);
  });

  it('leaves a body that hw-transport-mocker reads', async () => {
    const mocker = createRequire(import.meta.url)('@ledgerhq/hw-transport-mocker');
    const body = formatTranscript(SAMPLE).replace(/^#.*\n/gm, '');
    const store = mocker.RecordStore.fromString(body);
    const transport = await mocker.openTransportReplayer(store);
    expect((await transport.send(0xe1, 5, 0, 1)).toString('hex')).toBe('f5acc2fd9000');
    await expect(transport.exchange(Buffer.from('b0010000', 'hex'))).resolves.toEqual(Buffer.from('6985', 'hex'));
    store.ensureQueueEmpty();
  });

  it.each([
    ['an odd number of digits', '=> e10500010', 9, 'odd number'],
    ['something else', 'e105000100', 9, 'expected "=> hex"'],
    ['a digit that is none', '=> e10500010g', 9, 'expected "=> hex"'],
    ['a response first', '<= 9000', 9, 'without a request'],
    ['a request of three bytes', '=> e10500', 9, 'at least 4 bytes'],
    ['two requests in a row', '=> e105000100\n=> e105000100', 10, 'the one in line 9 has no response'],
    ['no status word', '=> e105000100\n<= 90', 10, 'status word'],
    ['no answer at all', '=> e105000100\n<=', 10, 'status word'],
  ])('refuses %s, naming the line', (_, line, number, message) => {
    const result = parseTranscript(withLine(line), 'x.apdu');
    expect(result).toMatchObject({
      ok: false,
      error: { tag: 'E_TRANSCRIPT_FORM', where: { file: 'x.apdu', line: number } },
    });
    expect(result.ok ? '' : result.error.message).toContain(message);
  });

  it('refuses a last request without a response', () => {
    const result = parseTranscript(`${formatTranscript(SAMPLE)}=> b0010000\n`, 'x.apdu');
    expect(result).toMatchObject({ ok: false, error: { tag: 'E_TRANSCRIPT_FORM', where: { line: 13 } } });
  });

  it.each([
    ['no format', (text: string) => text.replace(/^.*\n/, '')],
    ['another format', (text: string) => text.replace('transcript/1', 'transcript/2')],
    ['no psbt', (text: string) => text.replace(/^# psbt.*\n/m, '')],
    ['a psbt that is no hash', (text: string) => text.replace(/^# psbt.*$/m, '# psbt: abc')],
    ['a fingerprint that is none', (text: string) => text.replace('f5acc2fd', 'F5ACC2FD')],
    ['a key twice', (text: string) => text.replace('# device: nanos', '# device: nanos\n# device: nanos')],
  ])('refuses a header with %s', (_, change) => {
    const result = parseTranscript(change(formatTranscript(SAMPLE)), 'x.apdu');
    expect(result).toMatchObject({ ok: false, error: { tag: 'E_TRANSCRIPT_FORM', where: { file: 'x.apdu' } } });
  });

  it('signs only the PSBT that it was made with', () => {
    const own = 'ab'.repeat(32);
    const other = 'cd'.repeat(32);
    expect(checkTranscriptPsbt(own, own, 'replay').ok).toBe(true);
    const refused = checkTranscriptPsbt(own, other, 'replay');
    expect(refused).toMatchObject({ ok: false, error: { tag: 'E_TRANSCRIPT_OTHER' } });
    expect(refused.ok ? '' : refused.error.message).toContain(own);
    expect(refused.ok ? '' : refused.error.message).toContain(other);
    expect(checkTranscriptPsbt(null, other, 'replay')).toMatchObject({ error: { tag: 'E_TRANSCRIPT_OTHER' } });
  });
});

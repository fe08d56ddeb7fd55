import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkTranscript } from '../../../src/device/recording/check.js';
import { converse } from '../../../src/device/recording/conversation.js';
import { exchangeLines } from '../../../src/device/recording/findings.js';
import { readCommand } from '../../../src/device/recording/meaning.js';
import { redactTranscript } from '../../../src/device/recording/redact.js';
import { describeTranscript } from '../../../src/device/recording/words.js';
import { formatTranscript, parseTranscript, type Transcript } from '../../../src/device/transcript.js';
import { sha256, toHex, utf8 } from '../../../src/domain/bytes.js';
import { decodePsbt } from '../../../src/psbt/decode.js';
import { readRecording, readSidecar, recordingNames, recordingText, type VaultText, vaultOf } from '../recordings.js';

const SALT = sha256('a salt for tests');

function redacted(transcript: Transcript, salt: Uint8Array = SALT): Transcript {
  const result = redactTranscript(transcript, salt, 'countersign 0.0.0-test');
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

/** What the sidecar of a recording knows and a redacted copy must not hold, in hex. */
function secretsOf(name: string): string[] {
  const sidecar = readSidecar<Partial<VaultText> & { psbt?: string; address?: string }>(name);
  const secrets = [...recordingText(name).matchAll(/[xt]pub[1-9A-HJ-NP-Za-km-z]{100,}/g)].map(([xpub]) => xpub);
  const hex: string[] = [readRecording(name).header.fingerprint ?? ''];
  if (sidecar.descriptor !== undefined && sidecar.network !== undefined) {
    for (const { xpub, fingerprint } of vaultOf({ network: sidecar.network, descriptor: sidecar.descriptor }).keys) {
      secrets.push(xpub, fingerprint);
      hex.push(fingerprint);
    }
  }
  if (sidecar.psbt !== undefined) hex.push(...secretsOfPsbt(new Uint8Array(Buffer.from(sidecar.psbt, 'base64'))));
  return [...hex, ...secrets.map((text) => toHex(utf8(text))), ...secrets].filter((text) => text !== '');
}

function secretsOfPsbt(psbt: Uint8Array): string[] {
  const decoded = decodePsbt(psbt);
  if (!decoded.ok) throw new Error(decoded.error.message);
  const amount = (value: bigint): string => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    return bytes.toString('hex');
  };
  const { inputs, outputs, sha256: hash } = decoded.value;
  return [
    hash,
    ...inputs.flatMap(({ outpoint, prevout, witnessScript, derivations }) => [
      Buffer.from(outpoint.txid, 'hex').reverse().toString('hex'),
      ...(prevout === null ? [] : [amount(prevout.value), toHex(prevout.script)]),
      ...(witnessScript === null ? [] : [toHex(witnessScript)]),
      ...derivations.map(({ publicKey }) => toHex(publicKey)),
    ]),
    ...outputs.flatMap(({ value, script, derivations }) => [
      amount(value),
      toHex(script),
      ...derivations.map(({ publicKey }) => toHex(publicKey)),
    ]),
  ];
}

const NAMES = recordingNames('');

describe('a redacted recording', () => {
  it.each(NAMES)('%s: holds no original, has the shape of the recording, and its order can be checked', (name) => {
    const original = readRecording(name);
    const copy = redacted(original);
    const text = formatTranscript(copy);
    const secrets = secretsOf(name);
    for (const secret of secrets) expect(text.includes(secret), `${secret} remains`).toBe(false);

    expect(parseTranscript(text, 'copy.apdu')).toEqual({ ok: true, value: copy });
    const shape = ({ exchanges }: Transcript) =>
      exchanges.map(({ request, response }) => [
        toHex(request.subarray(0, 5)),
        request.length,
        response.length,
        toHex(response.subarray(-2)),
      ]);
    expect(shape(copy)).toEqual(shape(original));

    const report = checkTranscript({ transcript: copy, lines: exchangeLines(text), file: 'copy.apdu', psbt: null });
    expect(report.contradictions).toEqual([]);
    expect(report.unproven[0]).toMatchObject({ what: 'hashes, keys, addresses, signatures and the PSBT' });
    expect(report.proven.map(({ what }) => what)).not.toContain('preimages hash to what the device asked for');
  });

  it.each(NAMES)('%s: is the same conversation in words', (name) => {
    const lines = exchangeLines(recordingText(name));
    const original = readRecording(name);
    const steps = (transcript: Transcript) =>
      describeTranscript(transcript, lines, false).map(({ line, exchanges, command, phase }) => [
        line,
        exchanges,
        command,
        phase,
      ]);
    expect(steps(redacted(original))).toEqual(steps(original));
  });

  it.each(['sign-wpkh-3', 'sign-tr-3', 'sign-pkh-1', 'multisig-sign-wsh-3-a'])(
    '%s: the same fields are read',
    (name) => {
      const fields = ({ exchanges }: Transcript, isRedacted: boolean) =>
        converse(exchanges).commands.map((command) =>
          readCommand(command, isRedacted).meanings.map((meaning) => ({
            ...meaning,
            // What a map has not can only be told by the hash of the key that was looked for.
            ...(meaning.about === 'lookup' ? { type: null } : {}),
          })),
        );
      const original = readRecording(name);
      expect(fields(redacted(original), true)).toEqual(fields(original, false));
    },
  );

  it.each(['sign-wpkh-1', 'sign-tr-1', 'multisig-sign-wsh-1-a', 'multisig-register-wsh-a'])(
    '%s: holds no hash of the original, by which a guessed amount could be tried',
    (name) => {
      const original = readRecording(name);
      const text = formatTranscript(redacted(original));
      const asked = converse(original.exchanges).commands.flatMap(({ turns }) =>
        turns.flatMap(({ ask, answer }) => [
          ...(ask.kind === 'preimage' ? [ask.hash] : []),
          ...(ask.kind === 'proof' ? [ask.root] : []),
          ...(ask.kind === 'index' ? [ask.root, ask.leaf] : []),
          ...(answer?.kind === 'proof' ? [answer.leaf, ...answer.siblings] : []),
        ]),
      );
      expect(asked.length).toBeGreaterThan(10);
      for (const hash of asked) expect(text.includes(toHex(hash))).toBe(false);
    },
  );

  it('gives the same value the same pseudonym, and other ones with another salt', () => {
    const original = readRecording('sign-wpkh-3');
    const copy = redacted(original);
    const seen = new Map<string, string>();
    for (const [index, { response }] of original.exchanges.entries()) {
      const pseudonym = toHex(copy.exchanges[index]?.response ?? new Uint8Array(0));
      const before = seen.get(toHex(response));
      if (before !== undefined) expect(pseudonym).toBe(before);
      seen.set(toHex(response), pseudonym);
    }
    expect(new Set(seen.values()).size).toBe(seen.size);
    const other = redacted(original, sha256('another salt'));
    expect(other.header.fingerprint).not.toBe(copy.header.fingerprint);
    expect(copy.header.fingerprint).toBe(toHex(copy.exchanges[1]?.response.subarray(0, 4) ?? new Uint8Array(0)));
  });

  it('has no note and no comment, and says that it is redacted', () => {
    const original = readRecording('sign-wpkh-1');
    expect(original.header.note).toContain('glory promote');
    const { header } = redacted(original);
    expect(header).toMatchObject({ note: '', app: 'Bitcoin Test', version: '2.2.7' });
    expect(header.redacted).toMatch(/^by countersign 0\.0\.0-test: pseudonyms stand for keys/);
  });

  it('is not redacted again', () => {
    const again = redactTranscript(redacted(readRecording('xpub')), SALT, 'countersign 0.0.0-test');
    expect(again).toMatchObject({ ok: false, error: { tag: 'E_TRANSCRIPT_REDACTED' } });
  });

  it('is refused where an original would remain in the header', () => {
    const { header, exchanges } = readRecording('xpub');
    const leaking = { header: { ...header, device: `nanos of ${header.fingerprint}` }, exchanges };
    expect(redactTranscript(leaking, SALT, 'x')).toMatchObject({ ok: false, error: { tag: 'E_TRANSCRIPT_LEAK' } });
  });
});

describe('what is not known', () => {
  it('is replaced whole: of data in any request or response nothing of 8 bytes remains', () => {
    const bytes = fc.uint8Array({ minLength: 12, maxLength: 60 }).filter((data) => new Set(data).size > 6);
    const request = fc
      .record({
        head: fc.constantFrom<number[]>([0xe0, 0x40, 0, 0], [0xe1, 0x10, 0, 1], [0xe1, 0x04, 0, 1], [0xf8, 1, 0, 1]),
        data: bytes,
      })
      .map(({ head, data }) => Uint8Array.of(...head, data.length, ...data));
    const response = fc
      .record({ data: bytes, status: fc.constantFrom<number[]>([0x90, 0], [0xe0, 0], [0x6a, 0x80]) })
      .map(({ data, status }) => Uint8Array.of(...data, ...status));
    fc.assert(
      fc.property(fc.array(fc.record({ request, response }), { minLength: 1, maxLength: 4 }), (exchanges) => {
        const { header } = readRecording('xpub-shown');
        const text = formatTranscript(redacted({ header, exchanges }));
        for (const exchange of exchanges) {
          // The first byte may be kept as the code of a client command.
          for (const data of [exchange.request.subarray(6), exchange.response.subarray(1, -2)]) {
            for (let at = 0; at + 8 <= data.length; at++) {
              const part = data.subarray(at, at + 8);
              if (part.some((byte) => byte !== 0)) expect(text.includes(toHex(part))).toBe(false);
            }
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

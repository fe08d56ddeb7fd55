import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatNote, openNote, parseNote, signNote, withSignature } from '../../src/approval/note.js';
import { isKeyName, makeSignerKey, parseSignerKey, parseVerifierKey } from '../../src/approval/note-key.js';

interface Vectors {
  readonly notes: readonly { keys: readonly string[]; note: string; times: readonly (number | null)[] }[];
  readonly unverified: readonly string[];
  readonly signers: readonly { text: string; verifier: string }[];
  readonly verifiers: readonly string[];
  readonly refused_verifiers: readonly string[];
}
const vectors = JSON.parse(readFileSync(new URL('../vectors/notes.json', import.meta.url), 'utf8')) as Vectors;

function value<T>(result: { ok: true; value: T } | { ok: false; error: { message: string } }): T {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'utf8'));
const read = (text: string) => value(parseNote(bytes(text), 'note'));
const key = (text: string) => value(parseVerifierKey(text));
const tagOf = (result: { ok: boolean; error?: { tag: string } }): string => result.error?.tag ?? 'ok';

describe('published notes', () => {
  it.each(vectors.notes)('verify with their keys: $keys', ({ keys, note, times }) => {
    const trusted = keys.map(key);
    const verified = value(openNote(read(note), trusted, 'note'));
    expect(verified.map((one) => one.key.text)).toEqual(keys);
    expect(verified.map(({ at }) => at)).toEqual(times);
    expect(formatNote(read(note))).toBe(note);
  });

  it.each(vectors.notes)('do not verify after any change of a line: $keys', ({ keys, note }) => {
    const lines = note.split('\n');
    const changed = lines.map((_, at) => lines.map((line, n) => (n === at ? `x${line}` : line)).join('\n'));
    const texts = changed.slice(0, lines.indexOf(''));
    expect(texts.length).toBeGreaterThan(1);
    for (const text of texts) expect(tagOf(openNote(read(text), keys.map(key), 'n'))).toBe('E_NOTE_SIGNATURE');
  });

  it('are read with signatures of keys that nobody knows, and then believed by nobody', () => {
    for (const text of vectors.unverified) {
      expect(formatNote(read(text))).toBe(text);
      expect(tagOf(openNote(read(text), vectors.verifiers.map(key), 'n'))).toBe('E_NOTE_UNTRUSTED');
    }
  });
});

describe('keys', () => {
  it.each(vectors.verifiers)('%s is read as it is', (text) => {
    expect(key(text).text).toBe(text);
    expect(key(` ${text}\n`).text).toBe(text);
  });

  it.each([
    ...vectors.refused_verifiers,
    '',
    'a b+00000000+AQ==',
    'A+B',
    'small+4a2ce3c6+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  ])('%s is refused', (text) => {
    expect(tagOf(parseVerifierKey(text))).toBe('E_NOTE_KEY');
  });

  it.each(vectors.signers)('a published signing key gives its verifier key', ({ text, verifier }) => {
    const signer = value(parseSignerKey(text, 'key'));
    expect(signer.verifier.text).toBe(verifier);
    const made = makeSignerKey(
      signer.verifier.name,
      'log',
      Buffer.from(text.slice(-44), 'base64').toString('hex').slice(2),
    );
    expect(made.text.trim()).toBe(text);
  });

  it.each(['', 'PRIVATE+KEY+', 'PRIVATE+KEY+a+00000000+AQ==', vectors.verifiers[0] ?? ''])(
    'a file that is no signing key is refused, and nothing of it is said: %j',
    (text) => {
      const refused = parseSignerKey(text, 'k.key');
      expect(tagOf(refused)).toBe('E_NOTE_KEY');
      if (text !== '') expect(JSON.stringify(refused)).not.toContain(text);
    },
  );

  it('a signing key whose name was changed is refused: its id binds it', () => {
    const text = (vectors.signers[0]?.text ?? '').replace('PeterNeumann', 'PeterNewmann');
    const refused = parseSignerKey(text, 'k.key');
    expect(tagOf(refused)).toBe('E_NOTE_KEY');
    expect(JSON.stringify(refused)).not.toContain(text.slice(-20));
  });

  it('names have neither spaces nor plus', () => {
    expect(['a', 'example.com/x', 'countersign/main/00', ' ', 'a b', 'a+b', '', 'ä', 'a\u0000'].map(isKeyName)).toEqual(
      [true, true, true, false, false, false, false, false, false],
    );
  });
});

describe('signing', () => {
  const log = makeSignerKey('example.com/log', 'log', '11'.repeat(32)).key;
  const witness = makeSignerKey('erin', 'witness', '22'.repeat(32)).key;

  it('any text that may stand in a note comes out again, signed by both', () => {
    const line = fc.string({ unit: 'grapheme' }).filter((text) => [...text].every((one) => one >= ' '));
    fc.assert(
      fc.property(fc.array(line), fc.integer({ min: 0, max: 253_402_300_799 }), (lines, now) => {
        const text = `${lines.join('\n')}\n`;
        const note = { text, signatures: [signNote(log, text, now), signNote(witness, text, now)] };
        const again = read(formatNote(note));
        expect(again.text).toBe(text);
        const verified = value(openNote(again, [log.verifier, witness.verifier], 'n'));
        expect(verified.map(({ at }) => at)).toEqual([null, now]);
      }),
    );
  });

  it("a witness's signature is bound to its time, and is none of the same key as a log", () => {
    const text = 'origin\n1\nroot\n';
    const cosigned = signNote(witness, text, 1000);
    const later = { ...cosigned, signature: new Uint8Array(cosigned.signature) };
    later.signature[7] = 0xe9;
    expect(tagOf(openNote({ text, signatures: [later] }, [witness.verifier], 'n'))).toBe('E_NOTE_SIGNATURE');
    const asLog = makeSignerKey('erin', 'log', '22'.repeat(32)).key.verifier;
    expect(asLog.id).not.toBe(witness.verifier.id);
    expect(tagOf(openNote({ text, signatures: [cosigned] }, [asLog], 'n'))).toBe('E_NOTE_UNTRUSTED');
    const renamed = { ...cosigned, id: asLog.id };
    expect(tagOf(openNote({ text, signatures: [renamed] }, [asLog], 'n'))).toBe('E_NOTE_SIGNATURE');
    const short = { ...cosigned, signature: cosigned.signature.subarray(0, 64) };
    expect(tagOf(openNote({ text, signatures: [short] }, [witness.verifier], 'n'))).toBe('E_NOTE_SIGNATURE');
  });

  it('a bad signature of a trusted key refuses the note, whatever else is under it', () => {
    const text = 'text\n';
    const good = signNote(log, text, 0);
    const bad = { ...signNote(witness, 'another\n', 0) };
    expect(tagOf(openNote({ text, signatures: [good, bad] }, [log.verifier, witness.verifier], 'n'))).toBe(
      'E_NOTE_SIGNATURE',
    );
    expect(tagOf(openNote({ text, signatures: [good, bad] }, [log.verifier], 'n'))).toBe('ok');
  });

  it('a key signs once: its newer signature takes the place of the older', () => {
    const note = { text: 't\n', signatures: [signNote(log, 't\n', 0), signNote(witness, 't\n', 1)] };
    const again = withSignature(note, signNote(witness, 't\n', 2));
    expect(value(openNote(again, [witness.verifier], 'n')).map(({ at }) => at)).toEqual([2]);
    expect(again.signatures).toHaveLength(2);
  });
});

describe('what is no note', () => {
  const good = vectors.notes[0]?.note ?? '';
  it.each([
    ['empty', ''],
    ['no signatures', 'text\n'],
    ['no empty line', good.replace('\n\n', '\n')],
    ['no last line end', good.slice(0, -1)],
    ['a carriage return', good.replaceAll('\n', '\r\n')],
    ['a tab', `\t${good}`],
    ['a hyphen instead of a dash', good.replace('—', '-')],
    ['a signature that is not base64', good.replace('x08go', 'x08g!')],
    ['a signature in another spelling', good.replace('nAM=', 'nAN=')],
    ['a word more', good.replace(/\n$/, ' more\n')],
    ['a name with a plus', good.replace('— PeterNeumann', '— Peter+Neumann')],
    ['more signatures than anybody needs', `t\n\n${'— a AAAAAAA=\n'.repeat(101)}`],
    ['more bytes than anybody needs', `${'t'.repeat(70_000)}\n\n— a AAAAAAA=\n`],
  ])('%s', (_, text) => {
    expect(tagOf(parseNote(bytes(text), 'f'))).toBe('E_NOTE_FORM');
  });

  it('bytes that are not UTF-8', () => {
    expect(tagOf(parseNote(Uint8Array.of(0xff, ...bytes(good)), 'f'))).toBe('E_NOTE_FORM');
  });
});

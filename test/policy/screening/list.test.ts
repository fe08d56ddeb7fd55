import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { documents } from '../../../src/documents.js';
import { encodeAddress } from '../../../src/domain/address.js';
import { toHex, trustedHex, utf8 } from '../../../src/domain/bytes.js';
import { listedScript, notEmpty, readTextList } from '../../../src/policy/screening/list.js';
import { readScreeningSet, screeningSet } from '../../../src/policy/screening/set.js';
import { ADDRESSES, scriptOf } from '../fixture.js';

const A = toHex(scriptOf(ADDRESSES.A));

describe('a list of plain text', () => {
  it('holds addresses and scripts, with comments, spaces, empty lines and either line end', () => {
    const text = `# of today\r\n\r\n  ${ADDRESSES.A}\t# warm\r\n${ADDRESSES.E}\n${A.toUpperCase()}\nscript:51`;
    const { scripts, unusable, stated } = readTextList(text, 'main');
    expect(new Set(scripts)).toEqual(new Set([A, toHex(scriptOf(ADDRESSES.E)), '51']));
    expect([unusable, stated]).toEqual([[], null]);
  });

  it.each([
    ['TUCsTq7TofTCJRRoHk6RvhMoS2mJLm5Yzq', 'E_ADDRESS_FORM'],
    ['0x8589427373D6D84E98730D7795D8f6f8731FDA16', 'E_ADDRESS_FORM'],
    ['tb1qrjqln9462l3yg4uk93nhheyw75kp2jmazy27fq', 'E_ADDRESS_WRONG_NETWORK'],
    ['bc1qrjqln9462l3yg4uk93NHHEYW75KP2JMAGZ3DJN', 'E_ADDRESS_MIXED_CASE'],
    [ADDRESSES.A.slice(0, -3), 'E_ADDRESS_CHECKSUM'],
    ['51', 'E_ADDRESS_FORM'],
    [`${ADDRESSES.A},${ADDRESSES.B}`, 'E_ADDRESS_FORM'],
    ['\u001b[2K', 'E_ADDRESS_FORM'],
  ])('keeps %j with its line, and the others all the same', (line, tag) => {
    const { scripts, unusable } = readTextList(`# list\n${ADDRESSES.B}\n${line}\n${ADDRESSES.A}\n`, 'main');
    expect(scripts).toHaveLength(2);
    expect(unusable).toEqual([{ line: 3, tag, reason: expect.stringMatching(/^[^\n]{10,}$/) }]);
  });

  it.each(['', '\n\n', '# nothing\n', 'TUCsTq7TofTCJRRoHk6RvhMoS2mJLm5Yzq'])(
    '%j is empty, and so says nothing',
    (text) => {
      expect(notEmpty(readTextList(text, 'main'), 'list.txt')).toMatchObject({ error: { tag: 'E_SCREENING_EMPTY' } });
    },
  );

  it('means the same in any order, and however its addresses are written', () => {
    const kinds = [
      (hash: string) => `76a914${hash}88ac`,
      (hash: string) => `a914${hash}87`,
      (hash: string) => `0014${hash}`,
      (hash: string) => `0020${hash}${hash.slice(0, 24)}`,
    ];
    const script = fc
      .tuple(fc.constantFrom(...kinds), fc.uint8Array({ minLength: 20, maxLength: 20 }))
      .map(([kind, hash]) => kind(toHex(hash)));
    const forms = (hex: string): readonly string[] => {
      const address = encodeAddress(trustedHex(hex), 'main') ?? '';
      const capitals = address.startsWith('bc1') ? [address.toUpperCase()] : [];
      return [address, ...capitals, hex, hex.toUpperCase(), `script:${hex}`];
    };
    fc.assert(
      fc.property(
        fc.uniqueArray(script, { minLength: 1, maxLength: 12 }),
        fc.nat(),
        fc.nat(),
        (scripts, turn, form) => {
          const text = scripts.map((hex, index) => forms(hex)[(form + index) % forms(hex).length] ?? hex);
          const turned = [...text.slice(turn % text.length), ...text.slice(0, turn % text.length)].reverse();
          const [one, other] = [text, turned].map((lines) => readTextList(lines.join('\n'), 'main'));
          expect(one?.scripts).toEqual([...scripts].sort());
          expect(other?.scripts).toEqual(one?.scripts);
          for (const hex of scripts) {
            for (const written of forms(hex)) expect(listedScript(written, 'main')).toEqual({ ok: true, value: hex });
          }
        },
      ),
    );
  });

  it('never throws, and accounts for every line', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 40 })), (entries) => {
        const text = entries.join('\n');
        const used = text.split('\n').filter((line) => (line.split('#', 1)[0] ?? '').trim() !== '').length;
        const { scripts, unusable } = readTextList(text, 'main');
        expect(scripts.length + unusable.length).toBeLessThanOrEqual(used);
        if (scripts.length === 0) expect(unusable).toHaveLength(used);
      }),
    );
  });
});

describe('what the journal keeps of a list', () => {
  it('is read as it was written', () => {
    const list = readTextList(`${ADDRESSES.A}\nnowhere\n`, 'main');
    expect(readScreeningSet(screeningSet(list))).toEqual({
      scripts: new Set([A]),
      unusable: [{ line: 2, tag: 'E_ADDRESS_FORM' }],
    });
  });

  it.each([
    '',
    '[]',
    'null',
    '{"scripts":[]}',
    '{"scripts":[1],"unusable":[]}',
    '{"scripts":[],"unusable":[{"line":1}]}',
  ])('%j is none', (text) => {
    expect(readScreeningSet(utf8(text))).toBeNull();
  });
});

describe('countersign.screening/1', () => {
  const whole = {
    schema: 'countersign.screening/1',
    id: 'peers',
    issuer: 'Exchange B',
    issued_at: '2026-06-01T06:00:00Z',
    entries: [{ address: ADDRESSES.A, reason: 'incident 7' }, { script: '51' }],
  };
  const read = (change: object = {}) =>
    documents.screening(utf8(JSON.stringify({ ...whole, ...change })), 'peers.json', 'main');

  it('says what it is of itself', () => {
    const list = read({ expires_at: '2026-06-02T06:00:00Z' });
    expect(list).toMatchObject({ value: { stated: { id: 'peers', issuer: 'Exchange B' }, scripts: [A, '51'].sort() } });
  });

  it('keeps an entry of another network with its line', () => {
    const entries = [{ address: 'TUCsTq7TofTCJRRoHk6RvhMoS2mJLm5Yzq' }, { script: 'zz' }, { address: ADDRESSES.A }];
    const list = documents.screening(utf8(JSON.stringify({ ...whole, entries }, null, 1)), 'peers.json', 'main');
    expect(list).toMatchObject({ value: { scripts: [A], unusable: [{ line: 7 }, { line: 10 }] } });
  });

  it.each<[object, string]>([
    [{ schema: 'countersign.screening/2' }, 'E_FIELD_TYPE'],
    [{ id: 'No Name' }, 'E_FIELD_TYPE'],
    [{ issuer: '' }, 'E_MISSING_FIELD'],
    [{ issued_at: 'today' }, 'E_FIELD_TYPE'],
    [{ expires_at: '2026-06-01T06:00:00Z' }, 'E_SCREENING_SCHEMA'],
    [{ entries: 'none' }, 'E_FIELD_TYPE'],
    [{ entries: [{}] }, 'E_SCREENING_LINE'],
    [{ entries: [{ address: ADDRESSES.A, script: '51' }] }, 'E_SCREENING_LINE'],
    [{ entries: [{ adress: ADDRESSES.A }] }, 'E_UNKNOWN_FIELD'],
    [{ note: 'x' }, 'E_UNKNOWN_FIELD'],
  ])('refuses %j', (change, tag) => {
    expect(read(change)).toMatchObject({ error: [{ tag, where: { file: 'peers.json' } }] });
  });

  it('is not read where it is cut off, has a key twice, or is no text', () => {
    const text = JSON.stringify(whole);
    const tagOf = (bytes: Uint8Array) => documents.screening(bytes, 'x', 'main');
    expect(tagOf(utf8(text.slice(0, -20)))).toMatchObject({ error: [{ tag: 'E_PARSE' }] });
    expect(tagOf(utf8(text.replace('"id"', '"id":"a","id"')))).toMatchObject({ error: [{ tag: 'E_DUPLICATE_KEY' }] });
    expect(tagOf(Uint8Array.of(0xff, 0xfe, 0x31, 0))).toMatchObject({ error: [{ tag: 'E_PARSE' }] });
  });
});

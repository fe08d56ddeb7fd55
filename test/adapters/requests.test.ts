import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_REQUEST_FAULTS, MAX_REQUESTS, type RequestFormat, readRequests } from '../../src/adapters/requests.js';
import { toHex } from '../../src/domain/bytes.js';
import { formatBtc, sumSats } from '../../src/domain/sats.js';

const A = 'tb1qrjqln9462l3yg4uk93nhheyw75kp2jmazy27fq';
const A_SCRIPT = '00141c81f996ba57e24457962c677be48ef52c154b7d';
const B = '2MwzKjVZFPLmgegDEaDTJ7ugsm9qpZCHk74';

const read = (content: string | Uint8Array, format: RequestFormat = 'csv') =>
  readRequests(Buffer.from(content), `w.${format}`, format, 'testnet3');

const requests = (content: string | Uint8Array, format: RequestFormat = 'csv') => {
  const result = read(content, format);
  if (!result.ok) throw new Error(result.error.map(({ message }) => message).join('\n'));
  return result.value;
};

/** "TAG line:column" of every fault. */
const faults = (content: string | Uint8Array, format: RequestFormat = 'csv'): readonly string[] => {
  const result = read(content, format);
  if (result.ok) return [];
  return result.error.map(({ tag, where }) => `${tag} ${where?.line ?? '-'}:${where?.column ?? '-'}`);
};

const remedy = (content: string): string => {
  const result = read(content);
  return result.ok ? '' : (result.error[0]?.remedy ?? '');
};

const csv = (...rows: string[]): string => `${['id,address,amount', ...rows].join('\n')}\n`;
const btc = (...rows: string[]): string => `${['id,address,amount,unit', ...rows].join('\n')}\n`;

describe('CSV', () => {
  it('reads a row to a request', () => {
    expect(requests(`reference,amount,id,address,label,unit\nr 1,1.5,a,"${A}","x, ""y""",BTC\n`)).toEqual([
      {
        id: 'a',
        address: A,
        script: Uint8Array.from(Buffer.from(A_SCRIPT, 'hex')),
        amount: 150_000_000n,
        label: 'x, "y"',
        reference: 'r 1',
        where: { file: 'w.csv', line: 2, column: 1 },
      },
    ]);
  });

  it('leaves out what is empty', () => {
    const [request] = requests(`id,address,amount,unit,label,reference\na,${A},7,,,\n`);
    expect(Object.keys(request ?? {}).sort()).toEqual(['address', 'amount', 'id', 'script', 'where']);
    expect(request?.amount).toBe(7n);
  });

  it('accepts empty lines and no line end at the end of the file', () => {
    const ids = (text: string): readonly string[] => requests(text).map(({ id, where }) => `${id} ${where?.line}`);
    expect(ids(`id,address,amount\na,${A},1\n\n\nb,${A},2`)).toEqual(['a 2', 'b 5']);
  });

  it.each([
    ['a byte order mark', `\ufeffid,address,amount\na,${A},1\n`, 1],
    ['CRLF', `id,address,amount\na,${A},1\r\nb,${A},2\r\n`, 2],
    ['a lone carriage return', `id,address,amount\na,${A},1\n"b\r",${A},2\n`, 3],
  ])('refuses %s, naming line and remedy', (_, text, line) => {
    const result = readRequests(Buffer.from(text), 'w.csv', 'csv', 'testnet3');
    const [first] = result.ok ? [] : result.error;
    expect(first).toMatchObject({ tag: 'E_PARSE', where: { file: 'w.csv', line } });
    expect(first?.remedy).toMatch(/BOM|tr -d/);
  });

  it('keeps upper-case bech32 as it was written, and reads the same script', () => {
    const [request] = requests(csv(`a,${A.toUpperCase()},1`));
    expect(request?.address).toBe(A.toUpperCase());
    expect(toHex(request?.script ?? new Uint8Array())).toBe(A_SCRIPT);
  });

  it('reads BTC by its decimal digits', () => {
    const amounts = (...texts: string[]) =>
      requests(btc(...texts.map((t, i) => `r${i},${A},${t},BTC`))).map((r) => r.amount);
    expect(amounts('1.5', '0.00000001', '21000000')).toEqual([150_000_000n, 1n, 2_100_000_000_000_000n]);
    expect(sumSats(amounts('0.1', '0.2'))).toBe(30_000_000n);
  });

  it.each([
    ['1e8'],
    ['+5'],
    ['-5'],
    ['1_000'],
    ['"1,000"'],
    ['1 000'],
    ["1'000"],
    ['0x10'],
    ['010'],
    ['1.5'],
    ['0.1'],
    ['1.0'],
    ['NaN'],
    ['９'],
    ['9'.repeat(17)],
  ])('%s is no amount in sats', (amount) => {
    expect(faults(csv(`a,${A},${amount}`))).toEqual([`E_AMOUNT_SYNTAX 2:${A.length + 4}`]);
  });

  it.each([['1e8'], ['0.123456789'], ['.5'], ['1.'], ['-1'], ['"1,5"'], ['01.5']])(
    '%s is no amount in BTC',
    (amount) => {
      expect(faults(btc(`a,${A},${amount},BTC`))).toEqual([`E_AMOUNT_SYNTAX 2:${A.length + 4}`]);
    },
  );

  it('says where the unit belongs when a sats cell holds decimals', () => {
    expect(remedy(csv(`a,${A},0.1`))).toContain('unit');
  });

  it('reads up to 21,000,000 BTC and from one satoshi on', () => {
    expect(requests(csv(`a,${A},1`, `b,${A},2100000000000000`)).map(({ amount }) => amount)).toEqual([
      1n,
      2_100_000_000_000_000n,
    ]);
    expect(faults(csv(`a,${A},0`))).toEqual([`E_AMOUNT_RANGE 2:${A.length + 4}`]);
    expect(faults(btc(`a,${A},0.00000000,BTC`))).toEqual([`E_AMOUNT_RANGE 2:${A.length + 4}`]);
    expect(faults(csv(`a,${A},2100000000000001`))).toEqual([`E_AMOUNT_RANGE 2:${A.length + 4}`]);
  });

  it.each([
    ['BTc', 'E_FIELD_TYPE'],
    ['sats', 'E_FIELD_TYPE'],
    ['mBTC', 'E_FIELD_TYPE'],
  ])('the unit %s is not known', (unit, tag) => {
    expect(faults(btc(`a,${A},1,${unit}`))).toEqual([`${tag} 2:${A.length + 6}`]);
  });

  it.each([
    ['=HYPERLINK("x")', `a,${A},1,"=HYPERLINK(""x"")"`],
    ['+1', `a,${A},1,+1`],
    ['-1', `a,${A},1,-1`],
    ['@x', `a,${A},1,@x`],
    ['a tab', `a,${A},1,\tx`],
  ])('a label that begins with %s is a formula', (_name, row) => {
    expect(faults(`id,address,amount,label\n${row}\n`)).toEqual([`E_CSV_FORMULA 2:${A.length + 6}`]);
  });

  it.each([
    ['an id', `=a,${A},1`, 'E_CSV_FORMULA 2:1'],
    ['an address', `a,=${A},1`, 'E_CSV_FORMULA 2:3'],
    ['an amount', `a,${A},=1+1`, `E_CSV_FORMULA 2:${A.length + 4}`],
  ])('%s may not be a formula either', (_name, row, expected) => {
    expect(faults(csv(row))).toContain(expected);
  });

  it.each([
    ['an id', ` a,${A},1`, 'E_CSV_SPACE 2:1'],
    ['an address', `a,${A} ,1`, 'E_CSV_SPACE 2:3'],
    ['an amount', `a,${A}, 1`, `E_CSV_SPACE 2:${A.length + 4}`],
    ['an amount, with a no-break space', `a,${A},1\u00a0`, `E_CSV_SPACE 2:${A.length + 4}`],
  ])('a space beside %s is refused', (_name, row, expected) => {
    expect(faults(csv(row))).toEqual([expected]);
  });

  it.each([
    ['a checksum', 'tb1qrjqln9462l3yg4uk93nhheyw75kp2jmazy27fp', 'E_ADDRESS_CHECKSUM'],
    ['mixed case', 'tb1qrjqln9462l3yg4uk93nhheyw75kp2jmazy27FQ', 'E_ADDRESS_MIXED_CASE'],
    ['mainnet', 'bc1qrjqln9462l3yg4uk93nhheyw75kp2jmagz3djn', 'E_ADDRESS_WRONG_NETWORK'],
    ['a name', 'alice', 'E_ADDRESS_FORM'],
    ['an escape sequence', 'tb1\u001b[2K', 'E_TEXT_UNSAFE'],
    ['nothing', '', 'E_MISSING_FIELD'],
  ])('an address with %s is placed', (_name, address, tag) => {
    expect(faults(csv(`ok,${A},1`, `a,${address},1`))).toEqual([`${tag} 3:3`]);
  });

  it.each([['a b'], ['a/b'], ['é'], ['_a'], ['x'.repeat(65)]])('%s is no id', (id) => {
    expect(faults(csv(`${id},${A},1`))).toEqual(['E_REQUEST_ID 2:1']);
  });

  it.each([['a'], ['A-1.x_2:3'], ['x'.repeat(64)], ['__proto__x'.slice(2)], ['constructor']])('%s is an id', (id) => {
    expect(requests(csv(`${id},${A},1`))[0]?.id).toBe(id);
  });

  it('names both lines of a duplicate id, whatever else differs', () => {
    const result = read(csv(`a,${A},1`, `b,${A},2`, `a,${B},3`));
    expect(result).toMatchObject({ ok: false, error: [{ tag: 'E_REQUEST_DUPLICATE', where: { line: 4, column: 1 } }] });
    expect(result.ok ? '' : result.error[0]?.message).toMatch(/line 2 and in line 4/);
    expect(faults(csv(`a,${A},1`, `A,${A},1`))).toEqual([]);
  });

  it('reports all faults of a file together, in their order', () => {
    expect(faults(csv(`a,${A},1e8`, 'b', `c,${A},0`, `a,${A},1`, ` d,${A}x, 1`, `e,${A},5`))).toEqual(
      [
        `E_AMOUNT_SYNTAX 2:${A.length + 4}`,
        'E_CSV_ROW 3:1',
        `E_AMOUNT_RANGE 4:${A.length + 4}`,
        'E_REQUEST_DUPLICATE 5:1',
        'E_CSV_SPACE 6:1',
        'E_ADDRESS_FORM 6:4',
        `E_CSV_SPACE 6:${A.length + 6}`,
      ].map((line) => line.replace('E_ADDRESS_FORM', 'E_ADDRESS_CHECKSUM')),
    );
  });

  it('tells 50 faults and no more', () => {
    expect(faults(csv(...Array.from({ length: 200 }, (_, i) => `a${i},${A},0`)))).toHaveLength(MAX_REQUEST_FAULTS);
  });

  it.each([
    ['an unknown column', `id,address,amount,age\na,${A},1,1\n`, ['E_CSV_HEADER 1:19']],
    ['a misspelt column', `id,adress,amount\na,${A},1\n`, ['E_CSV_HEADER 1:1', 'E_CSV_HEADER 1:4']],
    ['an upper-case column', `ID,address,amount\na,${A},1\n`, ['E_CSV_HEADER 1:1', 'E_CSV_HEADER 1:1']],
    ['a column with a space', `id, address,amount\na,${A},1\n`, ['E_CSV_HEADER 1:1', 'E_CSV_HEADER 1:4']],
    ['a column twice', `id,address,amount,id\na,${A},1,b\n`, ['E_CSV_HEADER 1:19']],
    ['no header', `a,${A},1\n`, Array.from({ length: 6 }, () => expect.stringMatching(/^E_CSV_HEADER 1:/))],
    ['semicolons', `id;address;amount\na;${A};1\n`, ['E_CSV_HEADER 1:1']],
    ['__proto__', `id,address,amount,__proto__\na,${A},1,1\n`, ['E_CSV_HEADER 1:19']],
  ])('a header with %s is refused', (_name, text, expected) => {
    expect(faults(text)).toEqual(expected);
  });

  it.each([
    ['an open quote', csv(`a,"${A},1`), 'E_CSV_ROW 2:-'],
    ['a quote inside a cell', csv(`a,${A.slice(0, 4)}"${A.slice(4)},1`), 'E_CSV_ROW 2:-'],
    ['text after a quote', csv(`a,"${A}"x,1`), 'E_CSV_ROW 2:-'],
    ['a cell too many', csv(`a,${A},1,`), 'E_CSV_ROW 2:1'],
    ['UTF-16', Buffer.from(`\ufeff${csv(`a,${A},1`)}`, 'utf16le'), 'E_PARSE 1:1'],
    ['UTF-16 without a mark', Buffer.from(csv(`a,${A},1`), 'utf16le'), 'E_PARSE 1:2'],
    ['NUL', csv(`a,${A},1\0`), `E_PARSE 2:${A.length + 5}`],
    ['Latin-1', Buffer.from(csv(`\u00fc,${A},1`), 'latin1'), 'E_PARSE 2:1'],
  ])('%s is refused', (_name, content, expected) => {
    expect(faults(content)[0]).toEqual(expected);
  });

  it.each([
    ['nothing', ''],
    ['empty lines', '\n\n\n'],
    ['a header', 'id,address,amount\n'],
  ])('a file with %s holds no request', (_name, text) => {
    expect(faults(text)).toEqual(['E_REQUEST_EMPTY -:-']);
  });

  it.each([
    ['a direction override', 'a\u202eb'],
    ['an escape sequence', 'a\u001b[2Kb'],
    ['an OSC 8 link', 'a\u001b]8;;http://x\u0007b'],
    ['a line break', '"a\nb"'],
    ['5000 characters', 'x'.repeat(5000)],
  ])('a label with %s is refused', (_name, label) => {
    expect(faults(`id,address,amount,label\na,${A},1,${label}\n`)).toEqual([`E_TEXT_UNSAFE 2:${A.length + 6}`]);
  });

  it('finds the line after a cell with line breaks', () => {
    expect(faults(`id,address,amount,label\na,${A},1,"x\ny"\nb,${A},0,\n`)).toEqual([
      `E_TEXT_UNSAFE 2:${A.length + 6}`,
      `E_AMOUNT_RANGE 4:${A.length + 4}`,
    ]);
  });
});

describe('JSON', () => {
  const json = (...items: unknown[]): string => JSON.stringify({ schema: 'countersign.requests/1', requests: items });

  it('reads a request', () => {
    expect(
      requests(json({ id: 'a', address: A, amount: '1.5', unit: 'BTC', label: '=x', reference: 'r' }), 'json'),
    ).toEqual([
      {
        id: 'a',
        address: A,
        script: Uint8Array.from(Buffer.from(A_SCRIPT, 'hex')),
        amount: 150_000_000n,
        label: '=x',
        reference: 'r',
        where: { file: 'w.json', line: 1, column: 48 },
      },
    ]);
  });

  it.each([
    ['an amount as a number', json({ id: 'a', address: A, amount: 5 }), 'E_AMOUNT_SYNTAX'],
    [
      'a number that JSON.parse rounds',
      `{"schema":"countersign.requests/1","requests":[{"id":"a","address":"${A}","amount":9007199254740993}]}`,
      'E_AMOUNT_SYNTAX',
    ],
    [
      'a number with an exponent',
      `{"schema":"countersign.requests/1","requests":[{"id":"a","address":"${A}","amount":1e8}]}`,
      'E_AMOUNT_SYNTAX',
    ],
    [
      'an amount twice',
      `{"schema":"countersign.requests/1","requests":[{"id":"a","address":"${A}","amount":"1","amount":"9999999999"}]}`,
      'E_DUPLICATE_KEY',
    ],
    ['an amount of zero', json({ id: 'a', address: A, amount: '0' }), 'E_AMOUNT_RANGE'],
    ['an empty amount', json({ id: 'a', address: A, amount: '' }), 'E_MISSING_FIELD'],
    ['no amount', json({ id: 'a', address: A }), 'E_MISSING_FIELD'],
    ['null', json({ id: 'a', address: A, amount: null }), 'E_MISSING_FIELD'],
    ['an unknown field', json({ id: 'a', address: A, amount: '1', age: 1 }), 'E_UNKNOWN_FIELD'],
    [
      '__proto__',
      `{"schema":"countersign.requests/1","requests":[{"__proto__":{},"id":"a","address":"${A}","amount":"1"}]}`,
      'E_UNKNOWN_FIELD',
    ],
    ['constructor', json({ id: 'a', address: A, amount: '1', constructor: 'x' }), 'E_UNKNOWN_FIELD'],
    [
      'a label with a direction override',
      json({ id: 'a', address: A, amount: '1', label: 'a\u202eb' }),
      'E_TEXT_UNSAFE',
    ],
    ['a request that is a text', json('a'), 'E_FIELD_TYPE'],
    [
      'the same id twice',
      json({ id: 'a', address: A, amount: '1' }, { id: 'a', address: B, amount: '2' }),
      'E_REQUEST_DUPLICATE',
    ],
    ['another schema', '{"schema":"countersign.requests/2","requests":[]}', 'E_FIELD_TYPE'],
    ['no schema', '{"requests":[]}', 'E_MISSING_FIELD'],
    ['no requests', json(), 'E_REQUEST_EMPTY'],
    ['nothing', '', 'E_REQUEST_EMPTY'],
    ['a byte order mark', `\ufeff${json({ id: 'a', address: A, amount: '1' })}`, 'E_PARSE'],
    ['1000 levels', `${'['.repeat(1000)}${']'.repeat(1000)}`, 'E_PARSE'],
    ['50 MB', `"${'x'.repeat(50_000_000)}"`, 'E_PARSE'],
  ])('%s is refused', (_name, text, tag) => {
    expect(faults(text, 'json').map((line) => line.split(' ')[0])).toEqual([tag]);
    expect(({} as Record<string, unknown>).id).toBeUndefined();
  });
});

describe('many requests', () => {
  const rows = (count: number): string => csv(...Array.from({ length: count }, (_, i) => `r${i},${A},${i + 1}`));

  it('reads 10,000', () => {
    expect(requests(rows(MAX_REQUESTS))).toHaveLength(MAX_REQUESTS);
  });

  it('refuses one more', () => {
    expect(faults(rows(MAX_REQUESTS + 1))).toEqual(['E_PARSE -:-']);
  });

  it('stops early in a file of a million broken rows', () => {
    expect(faults(csv('x\n'.repeat(1_000_000)))).toHaveLength(MAX_REQUEST_FAULTS);
  });
});

it('reads back what it is given, in CSV and in JSON', () => {
  const label = fc.stringMatching(/^[A-Za-z0-9äöü,"' .;]{0,20}$/).filter((text) => text.trim() === text);
  const row = fc.record({
    amount: fc.bigInt({ min: 1n, max: 2_100_000_000_000_000n }),
    inBtc: fc.boolean(),
    label,
  });
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), (samples) => {
      const items = samples.map(({ amount, inBtc, label }, i) => ({
        id: `r${i}`,
        address: A,
        amount: inBtc ? formatBtc(amount) : amount.toString(),
        unit: inBtc ? 'BTC' : 'sat',
        ...(label === '' ? {} : { label }),
      }));
      const asCsv = [
        'id,address,amount,unit,label\n',
        ...items.map(
          (item) => `${item.id},${A},${item.amount},${item.unit},"${(item.label ?? '').replaceAll('"', '""')}"\n`,
        ),
      ].join('');
      const asJson = JSON.stringify({ schema: 'countersign.requests/1', requests: items });
      const strip = (format: RequestFormat, text: string) =>
        requests(text, format).map(({ where: _, ...rest }) => rest);
      expect(strip('csv', asCsv)).toEqual(strip('json', asJson));
      expect(strip('csv', asCsv).map(({ amount }) => amount)).toEqual(samples.map(({ amount }) => amount));
    }),
  );
});

it('reads the examples of docs/requests.md, which say the same', () => {
  const page = readFileSync(new URL('../../docs/requests.md', import.meta.url), 'utf8');
  const block = (language: string): string => new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(page)?.[1] ?? '';
  const plain = (format: RequestFormat) => requests(block(format), format).map(({ where: _, ...rest }) => rest);
  expect(plain('csv')).toHaveLength(3);
  expect(plain('csv')).toEqual(plain('json'));
});

describe('destination and index', () => {
  const head = 'id,address,amount,destination,index';
  const json = (fields: object): string =>
    JSON.stringify({ schema: 'countersign.requests/1', requests: [{ id: 'a', address: A, amount: '7', ...fields }] });

  it('are read from CSV and from JSON alike', () => {
    const due = { destination: 'okx', index: 5 };
    expect(requests(`${head}\na,${A},7,okx,5\n`)[0]).toMatchObject(due);
    expect(requests(json(due), 'json')[0]).toMatchObject(due);
  });

  it('may be left out, each by itself', () => {
    const [none, name, index] = requests(`${head}\na,${A},7,,\nb,${A},7,okx,\nc,${A},7,,0\n`);
    expect([none?.destination, none?.index]).toEqual([undefined, undefined]);
    expect(Object.keys(none ?? {})).not.toContain('index');
    expect([name?.destination, name?.index]).toEqual(['okx', undefined]);
    expect([index?.destination, index?.index]).toEqual([undefined, 0]);
  });

  it.each(['0', '1', '2147483647'])('%s is an index', (index) => {
    expect(requests(`${head}\na,${A},7,okx,${index}\n`)[0]?.index).toBe(Number(index));
  });

  it.each(['2147483648', '05', '1.0', '1e3', '0x5', '5h', "5'", 'five'])('%s is none', (index) => {
    expect(faults(`${head}\na,${A},7,okx,${index}\n`)).toEqual([expect.stringMatching(/^E_FIELD_TYPE 2:/)]);
  });

  it.each([['OKX'], ['ok x'], ['x'.repeat(33)], ['_']])('%s is no id of a book', (name) => {
    expect(faults(`${head}\na,${A},7,${name},5\n`)).toEqual([expect.stringMatching(/^E_FIELD_TYPE 2:/)]);
  });

  it.each<[unknown, string]>([
    [-1, 'E_AMOUNT_SYNTAX'],
    [0.5, 'E_AMOUNT_SYNTAX'],
    [2 ** 31, 'E_FIELD_TYPE'],
    ['-1', 'E_FIELD_TYPE'],
    [true, 'E_FIELD_TYPE'],
    [[5], 'E_FIELD_TYPE'],
  ])('%j is no index in JSON', (index, tag) => {
    expect(faults(json({ index }), 'json')).toEqual([expect.stringMatching(new RegExp(`^${tag} 1:`))]);
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../src/domain/fault.js';
import { type JsonSchema, readersAlone } from '../../src/domain/json-schema.js';
import { err, ok, type Result } from '../../src/domain/result.js';
import { startReading } from '../../src/domain/source-reader.js';
import { readContent } from '../../src/policy/bench/fields.js';
import { loadCases } from '../../src/policy/bench/load.js';
import { loadBook } from '../../src/policy/book.js';
import { loadPolicy } from '../../src/policy/load.js';
import { modeline, PUBLICATIONS, type PublishedKind, publishedSchema } from '../../src/policy/published.js';
import { runs } from '../runs.js';
import { changed, jsonNode, type Keys, leaves, type Plain, plain, shipped, yamlNode } from './documents-support.js';
import { arbitraryValue, partsAt, type Schema, valueAt, withEveryField } from './schema-support.js';

/** The published schemas against the readers that they come from: what the one takes, the other takes, but for what is said. */

const demo = (name: string): string => readFileSync(new URL(`../../examples/demo/${name}`, import.meta.url), 'utf8');

/** A file of cases, and what is read of each case when it is judged. */
function readCases(value: Plain): Result<unknown, readonly Fault[]> {
  const cases = loadCases(jsonNode(value), 'c.json');
  if (!cases.ok) return cases;
  const reading = startReading('c.json');
  for (const { content } of cases.value) readContent(content, reading);
  return reading.faults.length === 0 ? ok(cases.value) : err(reading.faults);
}

/** Every file of cases of the project, with so many of its cases that a test may read it often. */
function caseFiles(): readonly Plain[] {
  const folders = ['../../policies/cases/', './cases/'].map((path) => new URL(path, import.meta.url));
  const files = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => plain(yamlNode(readFileSync(new URL(name, folder), 'utf8')))),
  );
  return files.map((file) => {
    if (typeof file !== 'object' || file === null || Array.isArray(file) || !Array.isArray(file.cases)) return file;
    // A case may hold what cannot be read, to show that it is refused.
    const readable = file.cases.filter((one) => readCases({ ...file, cases: [one] }).ok);
    return { ...file, cases: readable.slice(0, 12) };
  });
}

/** A case that is a file of its own. */
const SINGLE: Plain = { schema: 'countersign.case/1', name: 'one', now: '2026-06-02T12:00:00Z', expect: 'ALLOW' };

const SUBJECTS = {
  policy: {
    read: (value: Plain): Result<unknown, readonly Fault[]> => loadPolicy(jsonNode(value), 'p.json'),
    examples: [
      ...['example.yaml', 'cold-storage.yaml', 'sweep-to-hot.yaml', 'multisig-treasury.yaml'].map(shipped),
      ...['policy.yaml', 'looser.yaml'].map(demo),
    ].map((text) => plain(yamlNode(text))),
  },
  book: {
    read: (value: Plain): Result<unknown, readonly Fault[]> => loadBook(jsonNode(value), 'b.json', 'testnet3'),
    examples: [shipped('example-book.yaml'), ...['book-1.yaml', 'book-2.yaml'].map(demo)].map((text) =>
      plain(yamlNode(text)),
    ),
  },
  case: { read: readCases, examples: [SINGLE, ...caseFiles()] },
} as const;

/** Fields that the example with every field lacks, as no simple value goes with the others. */
const LEFT_OUT: Readonly<Record<PublishedKind, readonly string[]>> = {
  policy: [],
  // An entry has an address, or what goes with a descriptor; the example has entries of both kinds. No proof can be made up.
  book: ['address', 'descriptor', 'max_index', 'proof'],
  case: ['cases', 'defaults'],
};

const KINDS = Object.keys(SUBJECTS) as PublishedKind[];

describe.each(KINDS)('the schema of %s', (kind) => {
  const { read, examples } = SUBJECTS[kind];
  const schema = publishedSchema(kind) as Schema;
  const validate = new Ajv2020({ strict: true, allErrors: false }).compile(schema);
  const alone = [...readersAlone(PUBLICATIONS[kind]).keys()].map(
    (path) =>
      new RegExp(
        `^${path
          .replace(/[.[\]]/g, '\\$&')
          .replaceAll('\\[\\]', '\\[\\d+\\]')
          .replaceAll('*', '[^.[]+')}$`,
      ),
  );
  const pathOf = ({ message }: Fault): string =>
    /^the document: /.test(message) ? '' : (message.split(': ')[0] ?? '');

  /** Holds schema and reader together on one document; says what both of them did. */
  function compare(value: Plain): 'both take it' | 'both refuse it' | 'the reader alone refuses it' {
    const isRead = read(value);
    const isValid = validate(value);
    if (isRead.ok) {
      // A default may be anything where every case has something else in its place; no editor can know that.
      const inDefaults = validate.errors?.some(({ instancePath }) => instancePath.startsWith('/defaults'));
      if (inDefaults) return 'both take it';
      expect(validate.errors, JSON.stringify(value)).toBeNull();
      return 'both take it';
    }
    if (!isValid) return 'both refuse it';
    for (const fault of isRead.error) {
      // What is missing in a case may stand in the defaults; cases[] says so.
      if (kind === 'case' && fault.tag === 'E_MISSING_FIELD') continue;
      const path = pathOf(fault);
      expect(
        alone.some((known) => known.test(path)),
        `the schema takes what the reader refuses, and does not say so: ${fault.message}`,
      ).toBe(true);
    }
    return 'the reader alone refuses it';
  }

  /** The first example, with every field that may be left out. */
  const example = withEveryField(examples[0] ?? null, schema, (value) => read(value).ok);
  const places = leaves(example);
  const at = (path: string): Keys => places.find((leaf) => leaf.path === path)?.keys ?? [];
  const objects = (value: Plain, keys: Keys = []): Keys[] => {
    if (typeof value !== 'object' || value === null) return [];
    const below = Object.entries(value).flatMap(([key, child]) =>
      objects(child, [...keys, Array.isArray(value) ? Number(key) : key]),
    );
    return Array.isArray(value) ? below : [keys, ...below];
  };

  it('takes every example, and one with every field there is', () => {
    const missing = new Set<string>();
    const visit = (value: Plain, keys: Keys): void => {
      if (typeof value !== 'object' || value === null) return;
      if (Array.isArray(value)) {
        for (const [index, item] of value.entries()) visit(item, [...keys, index]);
        return;
      }
      const known = partsAt(schema, keys).flatMap(({ properties = {} }) => Object.keys(properties));
      for (const name of known) if (!(name in value)) missing.add(name);
      for (const [name, child] of Object.entries(value)) visit(child, [...keys, name]);
    };
    visit(example, []);
    expect([...missing].sort()).toEqual(LEFT_OUT[kind]);
    for (const value of [example, ...examples]) expect(compare(value)).toBe('both take it');
  });

  it('has words for every field, and words for no other place', () => {
    const { words, beyond, schema: carried } = PUBLICATIONS[kind];
    const paths = new Set<string>();
    const visit = (part: JsonSchema, path: string): void => {
      paths.add(path);
      for (const [name, one] of Object.entries(part.properties ?? {})) {
        const below = path === '' ? name : `${path}.${name}`;
        expect(words[below] ?? one.about, `${below} has no words: see field-words.ts`).toMatch(/^[A-Z].*[.:]/);
        visit(one, below);
      }
      for (const one of Object.values(part.patternProperties ?? {})) visit(one, `${path}.*`);
      for (const one of part.anyOf ?? []) visit(one, path);
      if (part.items !== undefined) visit(part.items, `${path}[]`);
    };
    visit(carried, '');
    expect(paths.size).toBeGreaterThan(9);
    for (const path of [...Object.keys(words), ...Object.keys(beyond)]) expect([...paths]).toContain(path);
  });

  it('says something of every value', () => {
    const visit = (part: Schema): void => {
      const { title, description, ...said } = part;
      if (title !== undefined) {
        expect(Object.keys(said), `${title}: its reader carries no schema`).not.toEqual([]);
      }
      const below = [...Object.values({ ...part.properties, ...part.patternProperties }), ...(part.anyOf ?? [])];
      for (const one of part.items === undefined ? below : [...below, part.items]) visit(one);
    };
    visit(schema);
  });

  /** Whether a value is an object with all that a form asks for: of several forms, the one that it was written in. */
  const hasForm = (value: Plain | undefined, { required = [] }: Schema): boolean =>
    typeof value === 'object' && value !== null && required.every((name) => Object.hasOwn(value, name));

  it('refuses, as the reader does, a document without one of its mandatory fields', () => {
    let count = 0;
    const visit = (part: Schema, keys: Keys): void => {
      for (const name of part.required ?? []) {
        expect(compare(changed(example, [...keys, name], undefined)), [...keys, name].join('.')).toBe('both refuse it');
        expect(compare(changed(example, [...keys, name], null)), [...keys, name].join('.')).toBe('both refuse it');
        count += 1;
      }
      for (const [name, one] of Object.entries(part.properties ?? {})) {
        if (one.type === 'object') visit(one, [...keys, name]);
        for (const form of one.items?.anyOf ?? [one.items]) {
          if (form?.type === 'object' && hasForm(valueAt(example, [...keys, name, 0]), form)) {
            visit(form, [...keys, name, 0]);
          }
        }
      }
    };
    // Of a file of cases, the form that is one case.
    visit(schema.anyOf?.[1] ?? schema, []);
    expect(count).toBeGreaterThan(7);
  });

  it('refuses, as the reader does, a field that nobody knows, in every object', () => {
    // What stands under `with` is looked for in the policy, which a file of cases only names.
    for (const keys of objects(example).filter((one) => one.at(-1) !== 'with')) {
      const name = 'No such field';
      expect(compare(changed(example, [...keys, name], '1')), [...keys, name].join('.')).toBe('both refuse it');
    }
  });

  it('refuses, as the reader does, numbers just out of range and words that are none of the list', () => {
    let count = 0;
    for (const { keys, path } of places) {
      for (const part of partsAt(schema, keys)) {
        const { minimum, maximum } = part;
        const outside = [
          ...(minimum === undefined || minimum === 0 ? [] : [minimum - 1]),
          ...(maximum === undefined ? [] : [maximum + 1]),
          ...(part.enum === undefined && part.const === undefined ? [] : ['no such word']),
        ];
        for (const value of outside) {
          expect(compare(changed(example, keys, value)), `${path}: ${value}`).toBe('both refuse it');
          count += 1;
        }
      }
    }
    expect(count).toBeGreaterThan(1);
  });

  it('takes, as the reader does, numbers at the ends of their range', () => {
    for (const { keys, path } of places) {
      for (const { minimum, maximum } of partsAt(schema, keys)) {
        for (const value of [minimum, maximum]) {
          if (value !== undefined) expect(compare(changed(example, keys, value)), path).not.toBe('both refuse it');
        }
      }
    }
  });

  const value = arbitraryValue(example);

  it('says the same as the reader of whatever stands in one place, but for what it names', () => {
    fc.assert(
      fc.property(fc.constantFrom(...places), value, ({ keys }, to) => void compare(changed(example, keys, to))),
      {
        numRuns: runs(1500),
      },
    );
  });

  it('says the same as the reader after several changes, but for what it names', () => {
    const change = fc.tuple(
      fc.constantFrom(...places, ...objects(example).map((keys) => ({ keys }))),
      fc.option(value),
    );
    fc.assert(
      fc.property(fc.constantFrom(...examples), fc.array(change, { minLength: 1, maxLength: 4 }), (start, changes) => {
        compare(changes.reduce<Plain>((document, [{ keys }, to]) => changed(document, keys, to ?? undefined), start));
      }),
      { numRuns: runs(600) },
    );
  });

  if (kind === 'policy') {
    it.each([
      '1e8',
      '+5',
      '-1',
      '1,000',
      '1_000',
      '010',
      '0x10',
      '1.5',
      ' 1',
      '1 ',
      '',
      '١',
      '2100000000000001',
      'Unlimited',
    ])('refuses, as the reader does, the amount "%s" wherever one is due', (text) => {
      const amounts = places.filter(({ value: one }) => typeof one === 'string' && /^[0-9]+$|^unlimited$/.test(one));
      expect(amounts.length).toBeGreaterThan(15);
      for (const { keys, path } of amounts) {
        expect(compare(changed(example, keys, text)), path).toBe('both refuse it');
        expect(compare(changed(example, keys, 100)), path).toBe('both refuse it');
      }
    });

    it.each(['0', '0.0', '0.000', '00', '1.', '.5', '1.2345', '1000000', '1e2', '-1', ' 1', '12,5'])(
      'refuses, as the reader does, the feerate "%s"',
      (text) => expect(compare(changed(example, at('fees.max_rate_sat_vb'), text))).toBe('both refuse it'),
    );

    it.each(['0.001', '0.5', '12.5', '999999.999', 1, 999_999])('takes, as the reader does, the feerate %j', (rate) => {
      const [lowest, highest] = [at('fees.min_rate_sat_vb'), at('fees.max_rate_sat_vb')];
      expect(compare(changed(changed(example, lowest, '0.001'), highest, rate))).toBe('both take it');
    });

    it('refuses a private key', () => {
      const descriptor = 'wpkh([f5acc2fd/84h/1h/0h]tprv8ZgxMBicQKsPdQXJz5N4j8deLh8Tt/<0;1>/*)';
      expect(compare(changed(example, at('wallet.descriptor'), descriptor))).toBe('both refuse it');
    });

    it.each<readonly [string, Plain]>([
      ['engine', '>=2 <3'],
      ['prev', `sha256:${'7'.repeat(64)}`],
      ['effective_at', '2026-06-31T08:00:00Z'],
      ['expires_at', '2026-01-01T00:00:00Z'],
      ['wallet.device.app', 'Bitcoin'],
      ['change_control.sign.m', 3],
      ['change_control.sign.from', 'nobody'],
      ['roles.auditors.frank', 'ssh-ed25519 AAAA'],
      ['approvals.tiers[0].up_to', 'unlimited'],
      ['hours.from', '20:00'],
      ['fees.min_rate_sat_vb', 301],
      ['log.witnesses.m', 3],
    ])('takes %s: %j, which the reader alone refuses', (path, to) => {
      expect(at(path)).not.toEqual([]);
      expect(compare(changed(example, at(path), to))).toBe('the reader alone refuses it');
    });
  }
});

describe('the schema of a case that stands alone', () => {
  const validate = new Ajv2020({ strict: true }).compile(publishedSchema('case'));

  it('asks for all that is mandatory, and for nothing more', () => {
    expect([readCases(SINGLE).ok, validate(SINGLE)]).toEqual([true, true]);
    for (const name of ['schema', 'name', 'now']) {
      const without = changed(SINGLE, [name], undefined);
      expect([readCases(without).ok, validate(without)], name).toEqual([false, false]);
    }
    const without = changed(SINGLE, ['expect'], undefined);
    expect([readCases(without).ok, validate(without)]).toEqual([true, true]);
  });

  it.each<readonly [string, Plain]>([
    ['expect', 'PERHAPS'],
    ['pay', [{ to: 'hot-1', amount: 100 }]],
    ['pay', [{ to: 'hot-1' }]],
    ['mtp', '2 h ago'],
    ['inputs', [{ times: 0 }]],
    ['inputs', [{ sighash: 'some' }]],
    ['approvals', [{ touch: true }]],
    ['requests', { xml: '' }],
    ['change', [{ amount: '1', at: '2/1' }]],
    ['cases', []],
    ['defaults', {}],
  ])('refuses %s: %j, as the reader does', (name, to) => {
    const value = changed(SINGLE, [name], to);
    expect([readCases(value).ok, validate(value)]).toEqual([false, false]);
  });

  it.each<readonly [string, Plain]>([
    ['mtp', '23h 1s ago'],
    ['inputs', [{ times: 1000, sighash: 'all+anyonecanpay', at: '1/42' }]],
    ['approvals', ['bob', { person: 'carol', at: '2h ago' }]],
    ['book', { 'hot-1': 'x', 'hot-2': { address: 'y', since: 'now' } }],
    ['expect', { decision: 'DENY', codes: ['LIMIT_24H'], findings: [{ code: 'LIMIT_24H', measured: '-1.5' }] }],
    ['with', { 'limits.rolling.24h': '0' }],
  ])('takes %s: %j, as the reader does', (name, to) => {
    const value = changed(SINGLE, [name], to);
    expect([readCases(value).ok, validate(value)]).toEqual([true, true]);
  });
});

it.each([
  ['example.yaml', 'policy'],
  ['cold-storage.yaml', 'policy'],
  ['sweep-to-hot.yaml', 'policy'],
  ['multisig-treasury.yaml', 'policy'],
  ['example-book.yaml', 'book'],
] as const)('%s says in its first line where its schema is', (name, kind) => {
  const [first = ''] = shipped(name).split('\n');
  expect(first).toBe(modeline(kind));
  expect(JSON.parse(shipped(first.split('$schema=')[1] ?? ''))).toMatchObject({ $id: PUBLICATIONS[kind].id });
});

it.each(['cold-storage.yaml', 'multisig-treasury.yaml', 'sweep-to-hot.yaml'])('so do the cases of %s', (name) => {
  const [first = ''] = shipped(`cases/${name}`).split('\n');
  expect(first).toBe(modeline('case').replace('=', '=../'));
});

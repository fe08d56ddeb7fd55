import { describe, expect, it } from 'vitest';
import type { JsonSchema } from '../../../src/domain/json-schema.js';
import { schemaOf } from '../../../src/domain/source-reader.js';
import { bookEntry, target } from '../../../src/policy/bench/book-fields.js';
import { expectation } from '../../../src/policy/bench/expect.js';
import { readContent } from '../../../src/policy/bench/fields.js';
import { caseFileSchema } from '../../../src/policy/bench/load.js';
import { moment } from '../../../src/policy/bench/moment.js';
import { A, inputIn, PAY, run } from './support.js';

// The form of a file of cases as editors see it; json-schema.test.ts holds it against the reader, document by document.

const part = (schema: JsonSchema | undefined, name: string): JsonSchema => {
  const found = schema?.properties?.[name];
  if (found === undefined) throw new Error(`the form has no ${name}`);
  return found;
};
const takes = (schema: JsonSchema, text: string): boolean => new RegExp(schema.pattern ?? '$^', 'u').test(text);

describe('the form of a file of cases', () => {
  const several = () => caseFileSchema().anyOf?.[0];
  const single = () => caseFileSchema().anyOf?.[1];

  it('is one case with everything mandatory in it, or several over defaults', () => {
    expect(caseFileSchema().anyOf).toHaveLength(2);
    expect(several()?.required).toEqual(['schema', 'cases']);
    expect(Object.keys(several()?.properties ?? {})).toEqual(['schema', 'defaults', 'cases']);
    expect(single()?.required).toEqual(['schema', 'name', 'now']);
    expect(single()?.additionalProperties).toBe(false);
    expect(single()?.type).toBe('object');
    for (const name of ['schema', 'name', 'about', 'policy', 'with', 'expect', 'now', 'book', 'pay', 'withdrawn'])
      part(single(), name);
  });

  it('asks for nothing in defaults and in cases over them, however deep', () => {
    const defaults = part(several(), 'defaults');
    const laid = part(several(), 'cases').items;
    for (const one of [defaults, laid]) {
      expect(one?.required).toBeUndefined();
      expect(one?.additionalProperties).toBe(false);
      expect(part(one, 'vault').required).toBeUndefined();
      expect(Object.keys(part(one, 'vault').properties ?? {})).toEqual(['id', 'network', 'descriptor']);
      const entries = Object.values(part(one, 'book').patternProperties ?? {});
      expect(entries).toHaveLength(1);
      expect(entries[0]?.anyOf?.map(({ required }) => required)).toEqual([undefined, undefined, undefined]);
    }
    expect(part(single(), 'book').patternProperties).not.toEqual({});
    expect(laid?.beyond).toEqual([expect.stringContaining('no other case has its name')]);
    expect(defaults.beyond).toBeUndefined();
    expect(part(laid, 'with')).toMatchObject({ type: 'object', beyond: [expect.stringContaining('such a place')] });
  });
});

describe('the forms of values', () => {
  const content = (name: string) => part(schemaOf(readContent), name);

  it('targets and entries of the book', () => {
    expect(schemaOf(target)).toMatchObject({ type: 'string', form: expect.stringContaining('okx/5') });
    expect(schemaOf(target).beyond).toHaveLength(1);
    const forms = schemaOf(bookEntry).anyOf ?? [];
    expect(forms.map(({ required }) => required)).toEqual([undefined, ['address'], ['descriptor']]);
    expect(part(forms[2], 'descriptor')).toMatchObject({
      type: 'string',
      beyond: [expect.stringContaining('as a book may hold it')],
    });
  });

  it('moments', () => {
    const schema = schemaOf(moment);
    for (const text of ['now', '2h ago', '23h 1s ago', '10m ahead', '2026-06-01T12:00:00Z'])
      expect(takes(schema, text)).toBe(true);
    for (const text of ['now ', 'ago', '2h', 'x2h ago', '2h ago x', '2026-06-01'])
      expect(takes(schema, text)).toBe(false);
    expect(schema.beyond).toHaveLength(1);
  });

  it('expectations', () => {
    const [short, long] = schemaOf(expectation).anyOf ?? [];
    if (short === undefined) throw new Error('no short form');
    for (const text of ['ALLOW', 'DENY LIMIT_24H', 'REFUSED E_PARSE']) expect(takes(short, text)).toBe(true);
    for (const text of ['MAYBE', 'ALLOW  X', 'DENY limit']) expect(takes(short, text)).toBe(false);
    expect(long?.required).toEqual(['decision']);
    expect(part(long, 'codes').items?.pattern).toBe('^[A-Z0-9_]+$');
    expect(schemaOf(expectation).beyond).toHaveLength(1);
    expect(part(long, 'codes').items?.beyond).toHaveLength(1);
  });

  it('people, halts, requests, coins', () => {
    expect(content('approvals').items?.anyOf?.map(({ required }) => required)).toEqual([undefined, ['person']]);
    expect(content('halts').items?.anyOf).toHaveLength(2);
    expect(content('requests').anyOf).toHaveLength(2);
    expect(content('requests').beyond).toHaveLength(1);
    const coin = content('inputs').items;
    expect(part(coin, 'times')).toMatchObject({ minimum: 1, maximum: 1000 });
    expect(part(coin, 'at').beyond).toHaveLength(1);
    expect(takes(part(coin, 'at'), '1/42')).toBe(true);
    expect(takes(part(coin, 'at'), 'x1/42')).toBe(false);
    const [number, word] = part(coin, 'sighash').anyOf ?? [];
    expect(number).toMatchObject({ minimum: 0, maximum: 0xffffffff });
    expect(takes(word ?? {}, 'all+anyonecanpay')).toBe(true);
    expect(takes(word ?? {}, 'all+')).toBe(false);
    expect(content('last_change')).toMatchObject({ maximum: 0x7fffffff });
    expect(content('used_change').items).toMatchObject({ maximum: 0x7fffffff });
  });
});

describe('what a case may not say', () => {
  const tags = (text: string) => run(`${PAY}${text}\n`).refused.map(({ tag }) => tag);

  it.each([
    'last_change: 2147483648',
    'used_change: [2147483648]',
    'inputs: [{ coin: "#x" }]',
    'inputs: [{ coin: "x#" }]',
    'inputs: [5]',
    'inputs: [{ times: x }]',
    'inputs: [{ times: 2, value: 5 }]',
    'reused_requests: ["a b"]',
    'reused_requests: ["a#"]',
    'reused_requests: ["#a"]',
    'approvals: [5]',
    'halts: [nonsense]',
    'requests: 5',
    'requests: [5]',
    'outputs: [{ to: warm-1, amount: "1", claims: "x/y" }]',
    'inputs: [{ sighash: [] }]',
    'inputs: [{ from: [warm-1, warm-1] }]',
    'book: { b: { address: 5 } }',
    'book: { b: 5 }',
    'book: { b: { descriptor: 5 } }',
  ])('%s', (text) => {
    const given = text.startsWith('book') ? run(`${text}\npay: []\n`).refused : run(`${PAY}${text}\n`).refused;
    expect(given.length).toBeGreaterThan(0);
    expect(run(`${PAY}${text.startsWith('book') ? 'fee: "1"' : text}\n`).judged === null).toBe(
      !text.startsWith('book'),
    );
  });

  it('and what it may: the last of each', () => {
    expect(tags('last_change: 2147483647')).toEqual([]);
    expect(tags('reused_requests: ["a.B_c:1-2"]')).toEqual([]);
    expect(tags('inputs: [{ coin: "a b.c:d-e_f" }]')).toEqual([]);
  });

  it('says what to write where a moment or a place is wrong', () => {
    const remedy = (text: string) => run(`${PAY}${text}\n`).refused[0]?.remedy;
    expect(remedy('mtp: yesterday')).toContain('write a distance from now');
    expect(remedy('inputs: [{ at: 2/1 }]')).toContain('"1/42" for change address 42');
  });

  it('a claim is of a place of the vault only where it is short and not hardened', () => {
    const own = (claims: string) =>
      inputIn(`${PAY}outputs: [{ to: ${A}, amount: "9000", claims: ${claims} }]\n`).facts.outputs[1]?.own;
    for (const path of ['1/42', '0/3', 'm/1/42', '2/3', '1/42h', 'm/1', '1/2/3'])
      expect(own(path)).toMatchObject({ own: false });
  });
});

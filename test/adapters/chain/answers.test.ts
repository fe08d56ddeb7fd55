import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { btc, btcPerKvb, count, hash, hex, readAnswer } from '../../../src/adapters/chain/answers.js';

const read = (schema: v.GenericSchema, value: unknown): unknown => {
  const answer = readAnswer(schema, value, 'a node', 'a call');
  return answer.ok ? answer.value : answer.error.tag;
};
const REFUSED = 'E_CHAIN_ANSWER';

describe('parts of answers', () => {
  it.each([
    [btc, '0.00000001', 1n],
    [btc, '21000000', 2_100_000_000_000_000n],
    [btc, '0.10000000', 10_000_000n],
    [btc, '-0.1', REFUSED],
    [btc, '0.000000001', REFUSED],
    [btc, '1e8', REFUSED],
    [btc, 'NaN', REFUSED],
    [btc, null, REFUSED],
    [btc, { toString: (): string => '1' }, REFUSED],
    [btcPerKvb, '1e-05', 1000n],
    [btcPerKvb, '1.0240000000000001e-05', 1025n],
    [btcPerKvb, '0.00001', 1000n],
    [btcPerKvb, '0.000010001', 1001n],
    [btcPerKvb, '1E-08', 1n],
    [btcPerKvb, '1e-9', 1n],
    [btcPerKvb, '0.0', 0n],
    [btcPerKvb, '2.1e+7', 2_100_000_000_000_000n],
    [btcPerKvb, '2.10000001e7', REFUSED],
    [btcPerKvb, '1e99', REFUSED],
    [btcPerKvb, '-1e-05', REFUSED],
    [btcPerKvb, '1e-100', REFUSED],
    [btcPerKvb, '1e', REFUSED],
    [btcPerKvb, 'e-05', REFUSED],
    [btcPerKvb, '0x1', REFUSED],
    [count, '0', 0],
    [count, '9999999999', 9_999_999_999],
    [count, '10000000000', REFUSED],
    [count, '-1', REFUSED],
    [count, '01', REFUSED],
    [count, '1.0', REFUSED],
    [count, '', REFUSED],
    [hash, 'ab'.repeat(32), 'ab'.repeat(32)],
    [hash, 'AB'.repeat(32), REFUSED],
    [hash, 'ab'.repeat(31), REFUSED],
    [hash, `${'ab'.repeat(32)}\n`, REFUSED],
    [hex, '', ''],
    [hex, 'abc', REFUSED],
    [hex, 'abcg', REFUSED],
  ] as const)('%#: %j', (schema, value, due) => {
    expect(read(schema, value)).toEqual(due);
  });

  it('say who answers what where, with no escape and not at any length', () => {
    const schema = v.object({ coins: v.array(v.object({ value: count })) });
    const answer = readAnswer(
      schema,
      { coins: [{ value: `\u001b[31m${'9'.repeat(1_000_000)}` }] },
      'a node',
      'listunspent',
    );
    if (answer.ok) throw new Error('was taken');
    expect(answer.error.message).toMatch(
      /^a node answers listunspent in a form that is not known: "coins\.0\.value": /,
    );
    expect(answer.error.message).not.toContain('\u001b');
    expect(answer.error.message.length).toBeLessThan(300);
  });

  it('names of fields are repeated no longer and no less safely', () => {
    const schema = v.record(v.pipe(v.string(), v.regex(/^[0-9]+$/)), count);
    const answer = readAnswer(schema, { [`\u202e${'x'.repeat(100_000)}`]: '1' }, 'a node', 'fees');
    if (answer.ok) throw new Error('was taken');
    expect(answer.error.message).not.toContain('\u202e');
    expect(answer.error.message.length).toBeLessThan(400);
  });
});

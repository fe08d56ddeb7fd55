import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { evaluate as evaluateCel } from '@marcbachmann/cel-js';
import { describe, expect, it } from 'vitest';
import type { Sats } from '../../src/domain/sats.js';
import type { Facts } from '../../src/policy/types.js';
import { type BatchChange, btc, codes, judge, type PolicyChange } from './fixture.js';

// Why the limits are typed code and no policy language: requests that must be denied, which two such languages allow. Each
// case runs the engine, first on a plain excess so that its policy is seen to work, and then countersign on the same.

const WHO = {
  principal: { type: 'Person', id: 'ivan' },
  action: { type: 'Action', id: 'sign' },
  resource: { type: 'Wallet', id: 'cold-btc-1' },
  entities: [],
};

/** What Cedar decides by one forbid beside a general permit, and the errors that it only mentions. */
function inCedar(forbidWhen: string, context: cedar.Context, schema?: string) {
  const answer = cedar.isAuthorized({
    ...WHO,
    context,
    policies: {
      staticPolicies: `permit(principal, action, resource);
        forbid(principal, action, resource) when { ${forbidWhen} };`,
    },
    ...(schema === undefined ? {} : { schema, validateRequest: true }),
  });
  if (answer.type === 'failure') return { refused: answer.errors.map(({ message }) => message).join('; ') };
  const { decision, diagnostics } = answer.response;
  return { decision, errors: diagnostics.errors.map(({ error }) => error.message) };
}

/** What countersign decides on a batch that is sound in itself. */
function ours(batch: BatchChange, policy: PolicyChange = {}) {
  const verdict = judge({ policy, batch });
  return { decision: verdict.decision, codes: codes(verdict, 'deny') };
}

/** The same where the spend is no amount, or lies about its type. */
const oursOn = (spend: unknown, policy?: PolicyChange) => ours({ facts: { spend } as Partial<Facts> }, policy);

/** A batch of which exactly this leaves, fee included. */
const spending = (spend: Sats): BatchChange => ({ fee: 100_000n, pay: [['A', spend - 100_000n]] });

const LIMIT = btc('100');
const ABOVE = Number(LIMIT) + 1;
const OVER_BATCH = `context.spend > ${LIMIT}`;

describe('Cedar: a forbid that cannot be evaluated does not forbid', () => {
  it('denies a plain excess, and allows up to the limit', () => {
    expect(inCedar(OVER_BATCH, { spend: ABOVE })).toEqual({ decision: 'deny', errors: [] });
    expect(inCedar(OVER_BATCH, { spend: Number(LIMIT) })).toEqual({ decision: 'allow', errors: [] });
  });

  it('allows a request that lacks the attribute; countersign denies', () => {
    expect(inCedar(OVER_BATCH, {})).toEqual({
      decision: 'allow',
      errors: [expect.stringContaining('does not have the attribute')],
    });
    const { decision, codes: why } = oursOn(undefined);
    expect(decision).toBe('DENY');
    expect(why).toContain('EVAL_ERROR');
  });

  it('allows an excess whose amount is a text; countersign denies', () => {
    expect(inCedar(OVER_BATCH, { spend: String(ABOVE) })).toEqual({
      decision: 'allow',
      errors: [expect.stringContaining('type error')],
    });
    expect(oursOn(String(ABOVE)).decision).toBe('DENY');
    // Not because it is too much: a text within the limit is no amount either.
    expect(oursOn('1')).toMatchObject({ decision: 'DENY', codes: expect.arrayContaining(['EVAL_ERROR']) });
  });

  describe('a fee of 10,000,000 BTC on 1 BTC', () => {
    const FEE: Sats = btc('10000000');
    const EXTERNAL: Sats = btc('1');
    const context = { fee: Number(FEE), external: Number(EXTERNAL) };
    const OVER_FRACTION = 'context.fee * 10000 > context.external * 50';

    it('overflows and is allowed; countersign denies', () => {
      expect(inCedar(OVER_FRACTION, { ...context, fee: 600_000 })).toEqual({ decision: 'deny', errors: [] });
      expect(inCedar(OVER_FRACTION, context)).toEqual({
        decision: 'allow',
        errors: [expect.stringContaining('overflow')],
      });
      const verdict = judge({ batch: { pay: [['A', EXTERNAL]], fee: FEE } });
      const why = codes(verdict, 'deny');
      expect(verdict.decision).toBe('DENY');
      expect(why).toContain('FEE_FRACTION');
      expect(why).not.toContain('EVAL_ERROR');
    });

    it('is allowed under a schema that refuses what is missing or mistyped', () => {
      const schema = `
        entity Person; entity Wallet;
        action sign appliesTo { principal: Person, resource: Wallet, context: { fee: Long, external: Long } };`;
      expect(inCedar(OVER_FRACTION, { external: 1 }, schema)).toHaveProperty('refused');
      expect(inCedar(OVER_FRACTION, { ...context, fee: '600000' }, schema)).toHaveProperty('refused');
      expect(inCedar(OVER_FRACTION, context, schema)).toEqual({
        decision: 'allow',
        errors: [expect.stringContaining('overflow')],
      });
    });
  });
});

describe('numbers of JSON: an excess of one beyond 2^53 is lost before any engine sees it', () => {
  const CAP: Sats = 2n ** 53n;
  // As it arrives in a request: the text holds the excess, the number that JavaScript makes of it does not.
  const request: { spend: number } = JSON.parse(`{ "spend": ${CAP + 1n} }`);

  it('Cedar takes nothing but such numbers, and allows', () => {
    expect(inCedar(`context.spend > ${CAP}`, { spend: Number(CAP + 2n) })).toEqual({ decision: 'deny', errors: [] });
    expect(inCedar(`context.spend > ${CAP}`, request)).toEqual({ decision: 'allow', errors: [] });
  });

  it('CEL takes them for doubles and allows; given a bigint it denies', () => {
    expect(evaluateCel(`spend <= ${CAP}`, request)).toBe(true);
    expect(evaluateCel(`spend <= ${CAP}`, { spend: CAP + 1n })).toBe(false);
  });

  it('countersign counts to the last satoshi, and takes no number for an amount', () => {
    const limits = { batch: CAP };
    expect(ours(spending(CAP), { limits }).codes).not.toContain('LIMIT_BATCH');
    expect(ours(spending(CAP + 1n), { limits }).codes).toContain('LIMIT_BATCH');
    expect(oursOn(request.spend, { limits })).toMatchObject({
      decision: 'DENY',
      codes: expect.arrayContaining(['EVAL_ERROR']),
    });
  });
});

describe('CEL: nothing is above a limit that compares with nothing', () => {
  const NOT_ABOVE = '!(spend > 100.0)';

  it('denies a plain excess', () => {
    expect(evaluateCel(NOT_ABOVE, { spend: 100.5 })).toBe(false);
    expect(evaluateCel(NOT_ABOVE, { spend: 99.5 })).toBe(true);
  });

  it('allows NaN where the rule says what is forbidden; countersign denies', () => {
    expect(evaluateCel(NOT_ABOVE, { spend: Number.NaN })).toBe(true);
    const { decision, codes: why } = oursOn(Number.NaN);
    expect(decision).toBe('DENY');
    expect(why).toContain('EVAL_ERROR');
  });

  it('throws where a value is missing, mistyped or overflows: there the caller decides whether that denies', () => {
    expect(() => evaluateCel('spend <= 10', {})).toThrow(/spend/);
    expect(() => evaluateCel('spend <= 10', { spend: '5' })).toThrow(/overload/);
    expect(() => evaluateCel('used + spend <= 10', { used: 2n ** 63n - 1n, spend: 1n })).toThrow(/overflow/);
  });
});

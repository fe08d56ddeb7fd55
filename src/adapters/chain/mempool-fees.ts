import * as v from 'valibot';
import { type Fault, fail } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';
import type { FeeEstimator } from '../../vault/fees.js';
import { readAnswer, satPerVbyte } from './answers.js';
import { parseExactJson } from './exact-json.js';
import { exchange } from './http.js';

const IDLE_LIMIT = 15_000;
const TOTAL_LIMIT = 30_000;
const MAX_ANSWER = 100_000;

/**
 * GET /v1/fees/recommended of mempool's REST API. `economyFee` and `minimumFee` are promised for no number of blocks, so
 * nothing is taken from them.
 */
const recommended = v.object({ fastestFee: satPerVbyte, halfHourFee: satPerVbyte, hourFee: satPerVbyte });

/** A service that answers as mempool does, by the base address of its API (often https://HOST/api). It learns nothing but that it is asked. */
export function createMempoolFees(base: URL): FeeEstimator {
  const root = base.href.replace(/\/+$/, '');
  const name = `mempool ${root}`;
  const path = '/v1/fees/recommended';
  return {
    name,
    isEstimate: true,
    async estimate(blocks) {
      const answer = await exchange({
        url: new URL(`${root}${path}`),
        method: 'GET',
        idleLimit: IDLE_LIMIT,
        totalLimit: TOTAL_LIMIT,
        maxBytes: MAX_ANSWER,
        from: name,
      });
      if (!answer.ok) return answer;
      const { status, text } = answer.value;
      if (status !== 200) return unusable(name, path, status, text);
      const parsed = parseExactJson(text, name);
      if (!parsed.ok) return parsed;
      const read = readAnswer(recommended, parsed.value, name, path);
      if (!read.ok) return read;
      // Half an hour are three blocks, an hour six: the slowest that is still in time.
      const { fastestFee, halfHourFee, hourFee } = read.value;
      const rate = blocks >= 6 ? hourFee : blocks >= 3 ? halfHourFee : fastestFee;
      return ok(rate === 0n ? null : rate);
    },
    close: async () => undefined,
  };
}

function unusable(name: string, path: string, status: number, text: string): Result<never, Fault> {
  return fail('E_CHAIN_ANSWER', `${name} answers ${path} with HTTP ${status}: ${quoted(text.trim(), 60)}`, {
    remedy: 'check that the address is that of the API (often it ends in /api)',
  });
}

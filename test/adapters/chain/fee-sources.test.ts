import { afterEach, describe, expect, it } from 'vitest';
import { feesOf } from '../../../src/adapters/chain/fee-sources.js';
import { openFees } from '../../../src/adapters/chain/open-fees.js';
import { parseYaml } from '../../../src/adapters/source-text.js';
import type { FeeEstimator } from '../../../src/vault/fees.js';
import { NOBODY, Servers } from './servers.js';

function read(text: string) {
  const node = parseYaml(text, 'countersign.yaml');
  if (!node.ok) throw new Error(node.error.message);
  return feesOf(node.value, 'countersign.yaml');
}

describe('the field fees of countersign.yaml', () => {
  it('names sources in their order, with bounds that are kept exactly', () => {
    const text =
      'sources: [chain, "mempool:https://mempool.example/api", "esplora:https://e.example/api", "fixed:12.5"]\ntarget: 3\nmax_factor: "2.5"\nfloor: "1"\nceiling: "80.125"\n';
    expect(read(text)).toEqual({
      ok: true,
      value: {
        sources: [
          { kind: 'chain' },
          { kind: 'mempool', url: 'https://mempool.example/api' },
          { kind: 'backend', source: { kind: 'esplora', url: 'https://e.example/api' } },
          { kind: 'fixed', rate: 12_500n },
        ],
        target: 3,
        maxFactor: 2_500n,
        floor: 1_000n,
        ceiling: 80_125n,
      },
    });
    expect(read('sources: [chain]')).toMatchObject({
      ok: true,
      value: { target: 6, maxFactor: null, floor: null, ceiling: null },
    });
  });

  it.each([
    ['sources: [core:http://127.0.0.1:8332]', 'E_CHAIN_CONFIG'],
    ['sources: ["core:http://u:secret@127.0.0.1:8332"]', 'E_CHAIN_CONFIG'],
    ['sources: ["mempool:ftp://h/api"]', 'E_CHAIN_CONFIG'],
    ['sources: ["mempool:ftp://u:secret@h/api"]', 'E_CHAIN_CONFIG'],
    ['sources: ["mempool:https://u:secret@h/api"]', 'E_CHAIN_CONFIG'],
    ['sources: ["mempool:https://h/api?key=secret"]', 'E_CHAIN_CONFIG'],
    ['sources: ["fixed:0"]', 'E_FEERATE_SYNTAX'],
    ['sources: ["fixed:1.0001"]', 'E_FEERATE_SYNTAX'],
    ['sources: [chain, chain]', 'E_FIELD_TYPE'],
    ['sources: ["fixed:1", "fixed:1"]', 'E_FIELD_TYPE'],
    ['sources: [chain]\ntarget: 0', 'E_FIELD_TYPE'],
    ['sources: [chain]\ntarget: 1009', 'E_FIELD_TYPE'],
    ['sources: [chain]\nmax_factor: "1.0005"', 'E_FIELD_TYPE'],
    ['sources: [chain]\nmax_factor: 2', 'E_FIELD_TYPE'],
    ['target: 6', 'E_MISSING_FIELD'],
    ['sources: [chain]\nsecond: 1', 'E_UNKNOWN_FIELD'],
  ])('refuses %s', (text, tag) => {
    const refused = read(text);
    expect(refused).toMatchObject({ ok: false, error: { tag } });
    expect(JSON.stringify(refused)).not.toContain('secret');
  });
});

describe('sources of feerates', () => {
  const servers = new Servers();
  afterEach(() => servers.stop());

  const only = (list: readonly FeeEstimator[]): FeeEstimator => {
    const [first] = list;
    if (first === undefined || list.length !== 1) throw new Error('not one source');
    return first;
  };
  const mempool = async (answer: string, status = 200): Promise<FeeEstimator & { paths: string[] }> => {
    const paths: string[] = [];
    const url = await servers.http((request, response) => {
      paths.push(request.url ?? '');
      response.writeHead(status).end(answer);
    });
    return { ...only(openFees([{ kind: 'mempool', url: `${url.href}api` }], [], (path) => path)), paths };
  };

  // As mempool.space's API documents GET /api/v1/fees/recommended; newer servers answer with decimals.
  const RECOMMENDED = '{"fastestFee":31,"halfHourFee":17.5,"hourFee":9.0004,"economyFee":2,"minimumFee":1}';

  it.each([
    [1, 31_000n],
    [2, 31_000n],
    [3, 17_500n],
    [5, 17_500n],
    [6, 9_001n],
    [1008, 9_001n],
  ])('mempool for %s blocks', async (blocks, rate) => {
    const fees = await mempool(RECOMMENDED);
    expect(await fees.estimate(blocks)).toEqual({ ok: true, value: rate });
    expect(fees.paths).toEqual(['/api/v1/fees/recommended']);
    expect(fees.name).toMatch(/^mempool http:\/\/127\.0\.0\.1:[0-9]+\/api$/);
  });

  it.each([
    ['{"fastestFee":-1,"halfHourFee":1,"hourFee":1}', 200, 'E_CHAIN_ANSWER'],
    ['{"fastestFee":1e3,"halfHourFee":1,"hourFee":1}', 200, 'E_CHAIN_ANSWER'],
    ['{"fastestFee":"","halfHourFee":1,"hourFee":1}', 200, 'E_CHAIN_ANSWER'],
    ['{"halfHourFee":1,"hourFee":1}', 200, 'E_CHAIN_ANSWER'],
    ['<html>', 200, 'E_CHAIN_ANSWER'],
    [RECOMMENDED.slice(0, 20), 200, 'E_CHAIN_ANSWER'],
    ['busy', 503, 'E_CHAIN_ANSWER'],
    [RECOMMENDED, 302, 'E_CHAIN_ANSWER'],
  ])('mempool that answers %s with %s is a fault and no rate', async (answer, status, tag) => {
    expect(await (await mempool(answer, status)).estimate(6)).toMatchObject({ ok: false, error: { tag } });
  });

  it('a mempool that nobody serves is a fault; one that knows nothing has no estimate', async () => {
    const nobody = only(openFees([{ kind: 'mempool', url: NOBODY.href }], [], (path) => path));
    expect(await nobody.estimate(6)).toMatchObject({ ok: false, error: { tag: 'E_CHAIN_UNREACHABLE' } });
    expect(await (await mempool('{"fastestFee":0,"halfHourFee":0,"hourFee":0}')).estimate(1)).toEqual({
      ok: true,
      value: null,
    });
  });

  it('esplora answers for the slowest target that is still in time; chain stands for every back end', async () => {
    const url = await servers.http((request, response) => {
      response.end(request.url === '/fee-estimates' ? '{"1":20.0001,"3":10.5,"25":0,"144":1.0}' : '');
    });
    const esplora = { kind: 'esplora' as const, url: url.href };
    const [first, second, fixed] = openFees(
      [{ kind: 'chain' }, { kind: 'backend', source: esplora }, { kind: 'fixed', rate: 1_500n }],
      [esplora],
      (path) => path,
    );
    expect(await first?.estimate(1)).toEqual({ ok: true, value: 20_001n });
    expect(await second?.estimate(24)).toEqual({ ok: true, value: 10_500n });
    expect(await second?.estimate(100)).toEqual({ ok: true, value: null });
    expect(await second?.estimate(1008)).toEqual({ ok: true, value: 1_000n });
    expect(fixed).toMatchObject({ name: 'fixed:1.5', isEstimate: false });
    expect(await fixed?.estimate(1)).toEqual({ ok: true, value: 1_500n });
  });
});

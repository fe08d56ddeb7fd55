import { describe, expect, it } from 'vitest';
import { decodeAddress } from '../../../src/domain/address.js';
import { toHex } from '../../../src/domain/bytes.js';
import { evaluate } from '../../../src/policy/evaluate.js';
import { buildPsbt } from '../../../src/psbt/build.js';
import { createDeriver } from '../../../src/vault/derive.js';
import { descriptorChecksum, parseVault } from '../../../src/vault/descriptor.js';
import { simplePlan, valueOrThrow } from '../../psbt/fixtures.js';
import { DAY, DESCRIPTOR, HOUR, NOW } from '../fixture.js';
import { OKX, okxAddress } from '../okx.js';
import { A, inputIn, newRunner, P0, PAY, run } from './support.js';

const parsed = parseVault('cold-btc-1', 'main', DESCRIPTOR);
if (!parsed.ok) throw new Error(parsed.error.message);
const vault = createDeriver(parsed.value);
const ours = (branch: 0 | 1, index: number): string => toHex(vault.at(branch, index).script);
const B = '36S7fkdDmtGLStagu5qRVxhcYodeook7eY';

function scriptOf(address: string): string {
  const decoded = decodeAddress(address, 'main');
  if (!decoded.ok) throw new Error(address);
  return toHex(decoded.value.script);
}

/** The only input, output or whatever a case has one of. */
function only<T>(items: readonly T[]): T {
  const [one] = items;
  if (one === undefined || items.length !== 1) throw new Error(`${items.length} in place of one`);
  return one;
}

describe('requests', () => {
  const requests = (text: string) => inputIn(`${PAY}${text}\n`).requests;

  it('as a list, with ids where it says them', () => {
    expect(requests('requests: [{ to: warm-1, amount: "5" }, { id: x-9, to: warm-1, amount: "6" }]')).toMatchObject([
      { id: 'r-1', amount: 5n },
      { id: 'x-9', amount: 6n },
    ]);
    expect(requests('requests: []')).toEqual([]);
    expect(requests('requests: [{ to: warm-1, amount: "5", destination: other, index: 3 }]')).toMatchObject([
      { destination: 'other', index: 3 },
    ]);
  });

  it('as the text of a file', () => {
    const csv = requests(`requests: { csv: "id,address,amount\\nw-1,${A},100000000\\n" }`);
    expect(csv).toMatchObject([{ id: 'w-1', amount: 100_000_000n }]);
    expect(run(`${PAY}requests: { csv: "id" }`).refused).not.toEqual([]);
    for (const text of ['{}', '{ csv: "a", json: "b" }']) {
      expect(run(`${PAY}requests: ${text}`).refused.map(({ tag }) => tag)).toEqual(['E_FIELD_TYPE']);
    }
  });
});

describe('the book', () => {
  const ages = (text: string) => [
    ...inputIn(`book: { ${text} }\npay: [{ to: ${A}, amount: "100000000" }]\n`).state.destinations.values(),
  ];

  it('entries are as old and as proven as they say', () => {
    expect(ages(`warm-1: { address: ${A}, since: 1d ago, proven: true }`)).toEqual([
      { id: 'warm-1', label: 'warm-1', script: scriptOf(A), since: NOW - DAY, proven: true },
    ]);
    expect(ages(`warm-1: { address: ${A}, proven: false }`)[0]).not.toHaveProperty('proven');
  });

  it('descriptors are paid by index', () => {
    const okx = `book: { okx: { descriptor: "${OKX}", max_index: 9, since: 2d ago } }\n`;
    const input = inputIn(`${okx}pay: [{ to: okx/5, amount: "100000000" }]\n`);
    expect(input.requests).toMatchObject([{ address: 'okx/5', destination: 'okx', index: 5 }]);
    expect(toHex(only(input.requests).script)).toBe(scriptOf(okxAddress(5)));
    expect([...input.state.destinations.values()]).toMatchObject([{ id: 'okx', index: 5, since: NOW - 2 * DAY }]);
    expect(input.state.counterparties.entries.get('okx')?.maxIndex).toBe(9);
    expect(evaluate(input).decision).toBe('DENY');
    expect(
      inputIn(
        `${okx.replace(', max_index: 9', '')}pay: [{ to: okx/5, amount: "1" }]\n`,
      ).state.counterparties.entries.get('okx')?.maxIndex,
    ).toBe(999);
    const { refused } = run(`${okx}pay: [{ to: okx, amount: "1" }]\n`);
    expect(refused).toMatchObject([{ tag: 'E_FIELD_TYPE', remedy: expect.stringContaining('okx/0') }]);
  });

  it('knows the batches that paid an index before', () => {
    const okx = `book: { okx: { descriptor: "${OKX}" } }\n`;
    const paidIn = (pays: string) =>
      inputIn(
        `${okx}pay: [{ to: okx/5, amount: "1000000" }]\nearlier: [{ spend: "9", pays: [{ ${pays}, amount: "9" }] }]\n`,
      ).state.counterparties.paidBefore;
    expect([...paidIn('to: okx/5')]).toEqual([[scriptOf(okxAddress(5)), ['earlier-1']]]);
    expect([...paidIn(`to: ${okxAddress(5)}, index: 5`)]).toEqual([[scriptOf(okxAddress(5)), ['earlier-1']]]);
    expect([...paidIn('to: okx/6')]).toEqual([]);
  });

  it('refuses one script under two names, and descriptors that cannot be read, all at once', () => {
    const twice = run(`book: { a: ${A}, b: { address: ${A} } }\npay: []\n`).refused;
    expect(twice).toMatchObject([{ tag: 'E_BOOK_DUPLICATE', message: 'b pays the same script as a' }]);
    const bad = run(`book: { c: { descriptor: odd }, d: { descriptor: odd } }\npay: []\n`).refused;
    expect(bad).toHaveLength(2);
    expect(bad[0]?.where).toMatchObject({ file: 'x.yaml', line: 4 });
  });

  it('targets: ids, addresses of the network, scripts, and nothing else', () => {
    const script = (to: string) =>
      toHex(only(inputIn(`book: { warm-1: ${A} }\npay: [{ to: "${to}", amount: "1000" }]\n`).requests).script);
    expect(script('warm-1')).toBe(scriptOf(A));
    expect(script(B)).toBe(scriptOf(B));
    expect(script('script:51')).toBe('51');
    const refused = (to: string) => run(`book: { warm-1: ${A} }\npay: [{ to: "${to}", amount: "1000" }]\n`).refused;
    expect(refused('script:5')).toHaveLength(1);
    expect(refused('cold-9')).toMatchObject([
      { tag: 'E_FIELD_TYPE', remedy: expect.stringContaining('known here: warm-1;') },
    ]);
    expect(refused('cold-9/4')).toMatchObject([{ tag: 'E_FIELD_TYPE' }]);
    expect(refused('tb1qrjqln9462l3yg4uk93nhheyw75kp2jmazy27fq')[0]?.tag).not.toBe('E_FIELD_TYPE');
    expect(run('pay: [{ to: cold-9, amount: "1000" }]\n').refused[0]?.remedy).toContain('known here: nothing;');
  });
});

describe('screening lists', () => {
  const policy = P0.replace(
    'screening: { lists: [],',
    'screening: { lists: [{ id: ofac, sha256_pinned_by: compliance, max_age: "48h", max_shrink_bp: 1000 }],',
  );
  const list = (text: string, id = 'ofac') =>
    inputIn(`${PAY}screening: { ${id}: ${text} }\n`, policy).state.screening.get(id);

  it('are an hour old, signed by somebody of the role, and replace nothing, unless they say so', () => {
    expect(list('{}')).toEqual({
      issuedAt: NOW - HOUR,
      expiresAt: null,
      pinnedBy: 'erin',
      scripts: new Set(),
      before: null,
      own: [],
    });
    expect(list('{}', 'other')?.pinnedBy).toBe('');
  });

  it('are as they say', () => {
    const said = `{ entries: [warm-1], text: "${B}\\n", issued: 2h ago, expires: 1h ahead, pinned_by: alice, before: 10, removed: 3, own: [0/2, 1/3] }`;
    expect(list(said)).toEqual({
      issuedAt: NOW - 2 * HOUR,
      expiresAt: NOW + HOUR,
      pinnedBy: 'alice',
      scripts: new Set([scriptOf(A), scriptOf(B)]),
      before: { scripts: 10, removed: 3 },
      own: [ours(0, 2), ours(1, 3)],
    });
    expect(list('{ before: 10 }')?.before).toEqual({ scripts: 10, removed: 0 });
  });
});

describe('a real PSBT', () => {
  const { plan, deriver, previous } = simplePlan('wpkh');
  const { descriptor, network } = deriver.vault;
  const policy = P0.replace(/descriptor: ".*"/, () => `descriptor: "${descriptor}"`)
    .replace('network: main', `network: ${network}`)
    .replace('app: Bitcoin,', "app: 'Bitcoin Test',");
  const base64 = Buffer.from(valueOrThrow(buildPsbt(plan, deriver, previous))).toString('base64');
  const paid = plan.outputs.filter(({ kind }) => kind !== 'change');
  const list = paid.map(({ script, value }) => `{ to: "script:${toHex(script)}", amount: "${value}" }`);
  const asked = `requests: [${list.join(', ')}]\n`;

  it('is decoded; its coins of the vault are known, and a hundred blocks deep', () => {
    const { facts, requests } = inputIn(`psbt: ${base64}\n${asked}`, policy);
    expect(requests).toHaveLength(paid.length);
    expect(facts.locktime).toBe(plan.locktime);
    expect(facts.outputs.map(({ value }) => value)).toEqual(plan.outputs.map(({ value }) => value));
    expect(
      facts.inputs.map(({ outpoint, origin, coin, frozen, sources }) => ({ outpoint, origin, coin, frozen, sources })),
    ).toEqual(
      plan.inputs.map(({ outpoint, origin, value }) => ({
        outpoint,
        origin,
        coin: { confirmations: 100, coinbase: false, value, leftOnScript: 0 },
        frozen: null,
        sources: { scripts: [], untold: 0 },
      })),
    );
    expect(inputIn(`psbt: ${base64}\n${asked}tip: 1000\n`, policy).facts.inputs[0]?.coin?.confirmations).toBe(100);
  });

  it('of another vault spends coins that nobody knows', () => {
    const { facts } = inputIn(
      `psbt: ${base64}\n${asked}`,
      policy
        .replace(/descriptor: ".*"/, () => `descriptor: "${DESCRIPTOR}"`)
        .replace(`network: ${network}`, 'network: main')
        .replace("'Bitcoin Test'", 'Bitcoin'),
    );
    expect(facts.inputs.map(({ origin, coin }) => [origin, coin])).toEqual(plan.inputs.map(() => [null, null]));
  });

  it('that is none is refused, in base64 and in what it holds', () => {
    expect(run('psbt: "nonsense!"\npay: []\n').refused).toHaveLength(1);
    expect(run(`psbt: ${base64.slice(0, 40)}\npay: []\n`).refused).toHaveLength(1);
  });
});

describe('a target', () => {
  const refused = (to: string) =>
    run(`book: { warm-1: ${A}, okx: { descriptor: "${OKX}" } }\npay: [{ to: "${to}", amount: "1000" }]\n`).refused;

  it('is one word from its beginning to its end', () => {
    for (const text of [
      'xscript:51',
      'script:51x',
      'okx/5x',
      'x okx/5',
      'okx/05',
      'okx/5/5',
      'Warm-1',
      'warm-1 ',
      'okx/1234567890',
    ]) {
      expect(refused(text), text).toHaveLength(1);
    }
    expect(refused('okx/123456789')).toEqual([]);
    expect(refused('nobody/12')[0]?.remedy).toContain('known here: warm-1, okx;');
    expect(refused('a-very-long-name-of-24-ch')[0]?.remedy ?? '').not.toContain('known here');
  });

  it('that is an address of something else is refused as an address, where it stands', () => {
    const [fault] = refused('tb1qrjqln9462l3yg4uk93nhheyw75kp2jmazy27fq');
    expect(fault).toMatchObject({ tag: 'E_ADDRESS_WRONG_NETWORK', where: { file: 'x.yaml', line: 5 } });
  });
});

describe('what came out against what was expected', () => {
  const problems = (text: string) => run(`${PAY}${text}`).problems;

  it('names each code that is missing, with what its rule said, or that no rule spoke of it', () => {
    const said = problems('expect: DENY LIMIT_24H OWN_LISTED');
    expect(said[0]).toBe('expected DENY LIMIT_24H OWN_LISTED, got ALLOW');
    expect(said[1]).toMatch(/^missing LIMIT_24H: What leaves within 24 hours/);
    expect(said[2]).toMatch(/^missing OWN_LISTED: /);
    expect(problems('expect: DENY EVAL_ERROR')[1]).toBe('missing EVAL_ERROR: no rule spoke of it');
  });

  it('looks at warnings only where they are expected', () => {
    const final = 'inputs: [{ sequence: 4294967295 }]\n';
    expect(problems(`${final}expect: ALLOW`)).toEqual([]);
    expect(problems(`${final}expect: ALLOW WARN SEQUENCE`)).toEqual([]);
    expect(problems(`${final}expect: { decision: ALLOW, warns: [] }`)[0]).toBe(
      'expected ALLOW, got ALLOW WARN SEQUENCE',
    );
    expect(problems(`${final}expect: ALLOW WARN LOOKALIKE`)).toEqual([
      'expected ALLOW WARN LOOKALIKE, got ALLOW WARN SEQUENCE',
      expect.stringMatching(/^unexpected SEQUENCE: .* \(p0\.yaml:\d+(?::\d+)?\)$/),
      expect.stringMatching(/^missing LOOKALIKE: /),
    ]);
  });

  it('refusals by their tags, each once, in any order', () => {
    const twice = 'pay: [{ to: nobody, amount: 1 }, { to: nobody, amount: 2 }]\n';
    const outcome = run(`${twice}expect: REFUSED E_AMOUNT_SYNTAX E_AMOUNT_SYNTAX`);
    expect(outcome.summary).toBe('REFUSED E_AMOUNT_SYNTAX');
    expect(outcome.problems).toEqual([]);
    expect(outcome.judged).toBeNull();
    const other = run(`${twice}expect: REFUSED E_FIELD_TYPE`).problems;
    expect(other[0]).toBe('expected REFUSED E_FIELD_TYPE, got REFUSED E_AMOUNT_SYNTAX');
    expect(other[1]).toMatch(/^E_AMOUNT_SYNTAX: x\.yaml:\d+/);
    expect(run(twice).problems).toEqual([]);
  });

  it('findings by their subject, and each number that they are to have', () => {
    const finding = (text: string) =>
      problems(`fee: "400"\nexpect: { decision: ALLOW, findings: [{ code: DEST_CAP, ${text} }] }`);
    expect(finding('subject: "warm-1"')).toEqual([]);
    expect(finding('outcome: pass, measured: "100000000"')).toEqual([]);
    expect(finding('subject: nobody')[0]).toBe('expected a finding with code DEST_CAP, subject nobody; got none');
    expect(finding('frees_at: "x"')[0]).toMatch(/; got code DEST_CAP, freesAt -$/);
  });
});

describe('one runner', () => {
  const inputOf = (outcome: ReturnType<typeof run>) => only(outcome.judged?.input.facts.inputs ?? []);

  it('keeps vaults apart, and what it remembers of one is the same again', () => {
    const legacy = `pkh(${DESCRIPTOR.slice('wpkh('.length).replace(/#.*/, '')}`;
    const other = P0.replace(/descriptor: ".*"/, () => `descriptor: "${legacy}#${descriptorChecksum(legacy)}"`);
    const runner = newRunner();
    const scripts = [P0, other, P0, other].map((policy) => toHex(inputOf(run(PAY, policy, runner)).script));
    expect(scripts[0]).toBe(ours(0, 0));
    expect(scripts[1]).toMatch(/^76a914/);
    expect(scripts.slice(2)).toEqual(scripts.slice(0, 2));
  });

  it('refuses a policy whose vault cannot be read, and says where a change finds no place', () => {
    const broken = P0.replace('/<0;1>/*)', '/<0;1>/*');
    expect(run(PAY, broken, newRunner()).judged).toBeNull();
    expect(run(`${PAY}with: { limits.rollin.24h: "0" }`).refused).toMatchObject([
      {
        tag: 'E_UNKNOWN_FIELD',
        message: 'with: the policy p0.yaml has no place limits.rollin.24h',
        where: { file: 'x.yaml' },
        remedy: expect.stringContaining('limits.rolling.24h'),
      },
    ]);
    expect(run(`${PAY}with: { limits.batch: "1" }`).summary).toMatch(/^DENY .*LIMIT_BATCH/);
  });
});

it('a request whose payee bears the fee says so', () => {
  const requests = (text: string) => inputIn(`${PAY}requests: [{ to: warm-1, amount: "100000000"${text} }]\n`).requests;
  expect(requests(', fee_payer: payee')).toMatchObject([{ feePayer: 'payee' }]);
  expect(only(requests(''))).not.toHaveProperty('feePayer');
});

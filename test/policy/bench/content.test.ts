import { describe, expect, it } from 'vitest';
import { decodeAddress } from '../../../src/domain/address.js';
import { sha256Hex, toHex } from '../../../src/domain/bytes.js';
import { createDeriver } from '../../../src/vault/derive.js';
import { descriptorChecksum, parseVault } from '../../../src/vault/descriptor.js';
import { DAY, DESCRIPTOR, HOUR, NOW } from '../fixture.js';
import { A, inputIn, P0, PAY, run } from './support.js';

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

describe('what a case leaves out', () => {
  it('is as docs/policy-cases.md says: the journal', () => {
    const { state } = inputIn(PAY);
    expect(state).toMatchObject({
      spends: [],
      confirmedBalance: 1_000_000_000_000n,
      tip: { height: 950_000, medianTimePast: NOW - HOUR },
      snapshotAt: NOW - 600,
      lastEntryAt: NOW - 60,
      lastUsedChange: 41,
      initiator: 'initiator',
      reusedRequests: [],
      halts: [],
      objections: [],
    });
    expect(state.usedChange.size).toBe(0);
    expect(state.screening.size).toBe(0);
    expect([...state.destinations.values()]).toEqual([
      { id: 'warm-1', label: 'warm-1', script: scriptOf(A), since: NOW - 400 * DAY },
    ]);
  });

  it('the approvals of everybody but the initiator', () => {
    const { state } = inputIn(PAY);
    expect(state.approvals).toEqual(
      ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace'].map((person) => ({
        person,
        at: NOW - 600,
        validUntil: NOW - 600 + 4 * HOUR,
        touch: true,
      })),
    );
    const byAlice = inputIn(`${PAY}initiator: alice\n`).state;
    expect(byAlice.initiator).toBe('alice');
    expect(byAlice.approvals.map(({ person }) => person)).toEqual(['bob', 'carol', 'dave', 'erin', 'frank', 'grace']);
  });

  it('the transaction and its coin', () => {
    const { facts, kind } = inputIn(PAY);
    expect(kind).toBe('withdrawal');
    expect(facts).toMatchObject({ version: 2, locktime: 950_000, malformed: null });
    expect(facts.vault).toEqual({ id: 'cold-btc-1', network: 'main', descriptor: DESCRIPTOR });
    expect(only(facts.inputs)).toMatchObject({
      sequence: 0xfffffffd,
      proof: 'proven',
      sighashType: null,
      presigned: false,
      foreignFields: [],
      frozen: null,
      origin: { branch: 0, index: 0 },
      coin: { confirmations: 100, coinbase: false, leftOnScript: 0 },
      sources: { scripts: [], untold: 0 },
    });
    expect(toHex(only(facts.inputs).script)).toBe(ours(0, 0));
    expect(only(facts.inputs).value).toBe(100_000_000n + facts.fee);
    expect(facts.fee).toBe(facts.vsize);
  });

  it('the requests: one for each payment', () => {
    const { requests } = inputIn(PAY);
    expect(requests).toMatchObject([{ id: 'r-1', address: 'warm-1', amount: 100_000_000n }]);
    expect(only(requests)).not.toHaveProperty('destination');
    expect(only(requests)).not.toHaveProperty('index');
    expect(only(requests).where).toMatchObject({ file: 'x.yaml', line: 5 });
  });

  it('and the lowest feerate of the policy, where that is more than 1 sat/vB', () => {
    const dear = inputIn(PAY, P0.replace('min_rate_sat_vb: 1,', 'min_rate_sat_vb: 7,')).facts;
    expect(dear.fee).toBe(dear.vsize * 7n);
    const free = inputIn(PAY, P0.replace('min_rate_sat_vb: 1,', 'min_rate_sat_vb: "0.5",')).facts;
    expect(free.fee).toBe(free.vsize);
  });
});

describe('what a case says of the state', () => {
  it.each<[string, Record<string, unknown>]>([
    ['balance: "5"', { confirmedBalance: 5n }],
    ['tip: 800000', { tip: { height: 800_000, medianTimePast: NOW - HOUR } }],
    ['mtp: 2h ago', { tip: { height: 950_000, medianTimePast: NOW - 2 * HOUR } }],
    ['snapshot: 3h ago', { snapshotAt: NOW - 3 * HOUR }],
    ['last_entry: 5m ahead', { lastEntryAt: NOW + 300 }],
    ['last_change: 7', { lastUsedChange: 7 }],
    ['used_change: [3]', { usedChange: new Set([ours(1, 3)]) }],
    ['reused_requests: [r-1]', { reusedRequests: ['r-1'] }],
    ['rejected: [alice]', { objections: [{ kind: 'rejected', person: 'alice', at: NOW - 600 }] }],
    ['withdrawn: [bob]', { objections: [{ kind: 'withdrawn', person: 'bob', at: NOW - 600 }] }],
    ['approvals: []', { approvals: [] }],
    [
      'approvals: [alice]',
      { approvals: [{ person: 'alice', at: NOW - 600, validUntil: NOW - 600 + 4 * HOUR, touch: true }] },
    ],
    [
      'approvals: [{ person: alice, at: 1h ago, until: 1h ahead, touch: false }]',
      { approvals: [{ person: 'alice', at: NOW - HOUR, validUntil: NOW + HOUR, touch: false }] },
    ],
    [
      'approvals: [{ person: alice, at: 1h ago }]',
      { approvals: [{ person: 'alice', at: NOW - HOUR, validUntil: NOW + 3 * HOUR, touch: true }] },
    ],
    [
      'halts: [all]',
      {
        halts: [
          {
            id: 'halt-1',
            scope: { kind: 'all' },
            script: null,
            names: [],
            since: NOW - 600,
            reason: 'a reason',
            source: 'person',
          },
        ],
      },
    ],
    [
      'halts: ["initiator:bob", { scope: "destination:warm-1", since: 1h ago, reason: why, source: automatic }]',
      {
        halts: [
          { id: 'halt-1', scope: { kind: 'initiator', person: 'bob' }, script: null, names: [] },
          {
            id: 'halt-2',
            scope: { kind: 'destination', id: 'warm-1' },
            script: scriptOf(A),
            names: ['warm-1'],
            since: NOW - HOUR,
            reason: 'why',
            source: 'automatic',
          },
        ],
      },
    ],
    ['halts: ["destination:nobody"]', { halts: [{ script: null, names: ['nobody'] }] }],
    ['halts: [{}]', { halts: [{ scope: { kind: 'all' } }] }],
  ])('%s', (text, expected) => {
    expect(inputIn(`${PAY}${text}\n`).state).toMatchObject(expected);
  });

  it('kind', () => {
    expect(inputIn('kind: consolidation\nchange: [{ amount: "100000000" }]\n').kind).toBe('consolidation');
  });
});

describe('earlier batches', () => {
  const earlier = (text: string) => inputIn(`${PAY}earlier: [${text}]\n`).state.spends;

  it('hold budget since a minute ago, of a coin of their own, and are not confirmed, unless it is said', () => {
    expect(earlier('{ spend: "7" }')).toEqual([
      {
        batch: 'earlier-1',
        spend: 7n,
        fee: 0n,
        outputs: [],
        inputs: [`${sha256Hex('coin coin of earlier-1')}:0`],
        reservedAt: NOW - 60,
        confirmed: null,
      },
    ]);
  });

  it('are as they say', () => {
    const said =
      '{ batch: b-1, spend: "7", fee: "2", pays: [{ to: warm-1, amount: "5" }], confirmed: 2h ago, reserved: 3h ago, height: 900000, inputs: [u1] }';
    expect(earlier(said)).toEqual([
      {
        batch: 'b-1',
        spend: 7n,
        fee: 2n,
        outputs: [{ script: scriptOf(A), amount: 5n }],
        inputs: [`${sha256Hex('coin u1')}:0`],
        reservedAt: NOW - 3 * HOUR,
        confirmed: { at: NOW - 2 * HOUR, height: 900_000 },
      },
    ]);
    const txid = 'ab'.repeat(32);
    expect(earlier(`{ spend: "7", inputs: ["${txid}:3"] }`)[0]?.inputs).toEqual([`${txid}:3`]);
  });

  it('took their budget when they were confirmed, ten minutes a block ago', () => {
    const [spend] = earlier('{ spend: "7", confirmed: 2h ago }');
    expect(spend).toMatchObject({
      reservedAt: NOW - 2 * HOUR,
      confirmed: { at: NOW - 2 * HOUR, height: 950_000 - 12 },
    });
    expect(earlier('{ spend: "7", confirmed: 1199s ago }')[0]?.confirmed?.height).toBe(949_999);
    expect(earlier('{ spend: "7", confirmed: 1h ahead }')[0]?.confirmed?.height).toBe(950_000);
  });

  it('are many where it says so, each with a name and a coin of its own', () => {
    const many = earlier('{ spend: "1" }, { spend: "2", times: 3 }');
    expect(many.map(({ batch, spend }) => `${batch} ${spend}`)).toEqual([
      'earlier-1 1',
      'earlier-2 2',
      'earlier-2-2 2',
      'earlier-2-3 2',
    ]);
    expect(new Set(many.flatMap(({ inputs }) => inputs)).size).toBe(4);
  });
});

describe('coins', () => {
  const coin = (text: string) => only(inputIn(`${PAY}inputs: [{ ${text} }]\n`).facts.inputs);

  it.each<[string, Record<string, unknown>]>([
    ['coin: u1', { outpoint: { txid: sha256Hex('coin u1'), vout: 0 } }],
    ['value: "123456789"', { value: 123_456_789n }],
    ['at: 1/5', { origin: { branch: 1, index: 5 }, script: vault.at(1, 5).script }],
    ['at: 0/9', { origin: { branch: 0, index: 9 } }],
    ['confirmations: 6', { coin: { confirmations: 6 } }],
    ['confirmations: 0', { coin: { confirmations: 0 } }],
    ['coinbase: true', { coin: { coinbase: true } }],
    ['proof: claimed', { proof: 'claimed' }],
    ['frozen: a dispute', { frozen: 'a dispute' }],
    ['in_snapshot: false', { coin: null }],
    ['snapshot_value: "5"', { coin: { value: 5n } }],
    ['others_on_script: 2', { coin: { leftOnScript: 2 } }],
    ['sighash: all', { sighashType: 1 }],
    ['sighash: default', { sighashType: 0 }],
    ['sighash: none', { sighashType: 2 }],
    ['sighash: single+anyonecanpay', { sighashType: 0x83 }],
    ['sighash: 77', { sighashType: 77 }],
    ['sequence: 5', { sequence: 5 }],
    ['presigned: true', { presigned: true }],
    ['foreign_fields: [odd]', { foreignFields: ['odd'] }],
    ['coin: u1, from: [warm-1]', { sources: { scripts: [scriptOf(A)], untold: 0 } }],
    ['proof: absent, value: "5000"', { proof: 'absent', value: 0n }],
    ['proof: mismatch, value: "5000"', { proof: 'mismatch', value: 0n }],
    ['from: [warm-1], untold: 3', { sources: { scripts: [scriptOf(A)], untold: 3 } }],
  ])('%s', (text, expected) => {
    expect(coin(text)).toMatchObject(expected);
  });

  it.each([
    'sighash: many',
    'sighash: all+anyonecanpay+x',
    'sighash: all+x',
    'sighash: toString',
    'at: 2/1',
    'at: 0/01',
    'at: 0/2147483648',
    'at: "0/1 "',
  ])('refuses %s', (text) => {
    expect(run(`${PAY}inputs: [{ ${text} }]\n`).refused.map(({ tag }) => tag)).toEqual(['E_FIELD_TYPE']);
  });

  it('of others are not known to the snapshot unless it says so, and no place of the vault', () => {
    expect(coin(`of: ${B}`)).toMatchObject({ origin: null, coin: null });
    expect(toHex(coin(`of: ${B}`).script)).toBe(scriptOf(B));
    expect(coin(`of: ${B}, in_snapshot: true`).coin).not.toBeNull();
  });

  it('that a PSBT does not show carry nothing; the others carry the batch', () => {
    const { inputs } = inputIn(`${PAY}inputs: [{ proof: absent, value: "5000" }, {}]\n`).facts;
    expect(inputs.map(({ proof }) => proof)).toEqual(['absent', 'proven']);
    expect(inputs[1]?.value).toBeGreaterThanOrEqual(100_000_000n);
    const shown = inputIn(`${PAY}fee: "1000"\ninputs: [{ value: "5000" }, {}]\n`).facts;
    expect(shown.inputs.map(({ value }) => value)).toEqual([5000n, 100_001_000n - 5000n]);
    expect(shown.fee).toBe(1000n);
    const enough = inputIn(`${PAY}inputs: [{ value: "200000000" }, {}]\n`).facts;
    expect(enough.inputs.map(({ value }) => value)).toEqual([200_000_000n, 0n]);
    const mismatch = inputIn(`${PAY}fee: "1000"\ninputs: [{ proof: mismatch, value: "5000" }, {}]\n`).facts;
    expect(mismatch.inputs[1]?.value).toBe(100_001_000n);
  });

  it('are those of the kind of the vault, whose change is claimed by its keys', () => {
    const taproot = `tr(${DESCRIPTOR.slice('wpkh('.length).replace(/#.*/, '')}`;
    const policy = P0.replace(/descriptor: ".*"/, () => `descriptor: "${taproot}#${descriptorChecksum(taproot)}"`);
    const { facts } = inputIn(`${PAY}change: [{ amount: "5000" }]\n`, policy);
    expect(only(facts.inputs)).toMatchObject({ origin: { branch: 0, index: 0 }, coin: { confirmations: 100 } });
    expect(facts.outputs[1]).toMatchObject({ kind: 'p2tr', own: { own: true, claimed: true } });
  });

  it('that are alike are written once', () => {
    const { inputs } = inputIn(`${PAY}inputs: [{ times: 3, value: "50000000" }, { value: "7" }]\n`).facts;
    expect(inputs.map(({ value }) => value)).toEqual([50_000_000n, 50_000_000n, 50_000_000n, 7n]);
    expect(inputs.map(({ origin }) => origin?.index)).toEqual([0, 1, 2, 3]);
    expect(new Set(inputs.map(({ outpoint }) => outpoint.txid)).size).toBe(4);
    expect(run(`${PAY}inputs: [{ times: 0 }]\n`).refused).toHaveLength(1);
  });
});

describe('outputs', () => {
  const outputs = (text: string) => inputIn(`${PAY}${text}\n`).facts.outputs;

  it('that nobody asked for stand between payments and change', () => {
    const all = outputs(`outputs: [{ to: "script:6a", amount: "0" }]\nchange: [{ amount: "5000" }]`);
    expect(all.map(({ value, isChange, kind }) => [value, isChange, kind])).toEqual([
      [100_000_000n, false, 'p2wpkh'],
      [0n, false, 'op_return'],
      [5000n, true, 'p2wpkh'],
    ]);
    expect(inputIn(`${PAY}outputs: [{ to: ${B}, amount: "9000" }]\n`).requests).toHaveLength(1);
  });

  it('change is at the next indexes, or where it says, and claimed unless it says not', () => {
    const change = (text: string, more = '') =>
      outputs(`change: [${text}]\n${more}`)
        .slice(1)
        .map(({ own, isChange }) => ({ isChange, ...own }));
    expect(change('{ amount: "5000" }, { amount: "6000" }')).toMatchObject([
      { own: true, origin: { branch: 1, index: 42 }, claimed: true, isChange: true },
      { own: true, origin: { branch: 1, index: 43 }, claimed: true },
    ]);
    expect(change('{ amount: "5000" }', 'last_change: 7')).toMatchObject([{ origin: { branch: 1, index: 8 } }]);
    expect(change('{ amount: "5000", at: 1/50 }')).toMatchObject([{ origin: { branch: 1, index: 50 } }]);
    expect(change('{ amount: "5000", at: 0/3 }')).toMatchObject([{ isChange: false, origin: { branch: 0, index: 3 } }]);
    expect(change('{ amount: "5000", claimed: false }')).toMatchObject([{ own: true, claimed: false }]);
  });

  it("claims: the true key of a place of the vault, or one that is nobody's", () => {
    const own = (claims: string, to = 'warm-1') =>
      outputs(`outputs: [{ to: ${to}, amount: "9000", claims: ${claims} }]`)[1]?.own;
    expect(own('1/42')).toMatchObject({ own: false, problem: expect.anything() });
    expect(own('m/84h/0h/0h/1/42')).toMatchObject({ own: false, problem: expect.anything() });
    expect(own('1/42', `"script:${ours(1, 42)}"`)).toMatchObject({ own: true, claimed: true });
    expect(own('7/42', `"script:${ours(1, 42)}"`)).toMatchObject({ own: false, problem: expect.anything() });
    expect(own('m/84h/0h/0h/1/42', `"script:${ours(1, 42)}"`)).toMatchObject({ own: false });
    expect(run(`${PAY}outputs: [{ to: warm-1, amount: "9", claims: up }]`).refused).toHaveLength(1);
  });

  it('the form of the transaction', () => {
    const text = 'version: 1\nlocktime: 5\nmalformed: odd\nvsize: 777\nfee: "888"';
    expect(inputIn(`${PAY}${text}\n`).facts).toMatchObject({
      version: 1,
      locktime: 5,
      malformed: 'odd',
      vsize: 777n,
      fee: 888n,
    });
    expect(inputIn(`${PAY}vsize: 777\n`).facts.fee).toBe(777n);
    expect(inputIn(`${PAY}vault: { id: other }\n`).facts.vault).toMatchObject({ id: 'other', network: 'main' });
    expect(inputIn(`${PAY}vault: { network: testnet4, descriptor: x }\n`).facts.vault).toEqual({
      id: 'cold-btc-1',
      network: 'testnet4',
      descriptor: 'x',
    });
  });
});

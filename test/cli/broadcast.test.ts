import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fail } from '../../src/domain/fault.js';
import { ok } from '../../src/domain/result.js';
import type { Acceptance, ChainBackend, TransactionStatus } from '../../src/vault/chain.js';
import { type Session, stage } from './session.js';

/** Back ends that say what they are told to; what they are asked is kept. */
interface Told {
  readonly tested?: Acceptance;
  readonly sent?: Acceptance | 'silent';
  readonly status?: () => TransactionStatus | 'silent';
}

const silence = fail('E_CHAIN_UNREACHABLE', 'no answer \u001b[2J');

function backend(name: string, { tested, sent = { state: 'accepted' }, status }: Told): ChainBackend {
  return {
    name,
    kind: 'core',
    network: async () => ok('testnet3' as const),
    tip: async () => ok({ height: 200, hash: '00'.repeat(32), medianTimePast: 0 }),
    testAccept: async () => ok(tested ?? { state: 'unsupported' }),
    broadcast: async () => (sent === 'silent' ? silence : ok(sent)),
    status: async () => {
      const said = status?.() ?? { state: 'unknown' as const };
      return said === 'silent' ? silence : ok(said);
    },
    scan: async () => silence,
    close: async () => undefined,
  } as Partial<ChainBackend> as ChainBackend;
}

const FLAGS = ['--backend', 'esplora:http://127.0.0.1:1'] as const;
const REFUSED: Acceptance = { state: 'rejected', reason: '"bad-txns-inputs-missingorspent"' };

describe('broadcasting to several back ends', () => {
  let session: Session;
  let id: string;

  const told = (...all: readonly Told[]): void => {
    const real = session.composition.bind(session);
    session.composition = async (workspace) => ({
      ...(await real(workspace)),
      openChain: async () => all.map((one, index) => backend(`back end ${index}`, one)),
    });
  };

  beforeEach(async () => {
    session = await stage();
    id = await session.ready('withdrawals.csv');
    await session.expect(0, 'batch', 'sign', id);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    session.remove();
  });

  it('a refusal after another has taken it is told, and the journal knows that it is public', async () => {
    told({}, { sent: REFUSED });
    const said = await session.json(0, 'batch', 'broadcast', id, ...FLAGS);
    expect(said).toMatchObject({
      taken_by: [{ name: 'back end 0', answer: 'accepted' }],
      refused_by: [{ name: 'back end 1', reason: '"bad-txns-inputs-missingorspent"' }],
      not_asked: [],
    });
    expect(await session.stateOf(id)).toBe('BROADCAST');
  });

  it('a refusal before another takes it is told as well', async () => {
    told({ sent: REFUSED }, {}, { sent: 'silent' });
    const { stdout } = await session.expect(0, 'batch', 'broadcast', id, ...FLAGS);
    expect(stdout).toMatch(/WARNING: back end 0 refuses it: "bad-txns/);
    expect(stdout).toMatch(/WARNING: back end 2 could not be asked: no answer/);
    expect(stdout).not.toContain('\u001b');
    expect(await session.stateOf(id)).toBe('BROADCAST');
  });

  it.each([
    ['refused by all', [{ sent: REFUSED }, { sent: REFUSED }], 31, 'E_NODE_REJECTED'],
    ['refused by one, the other is silent', [{ sent: 'silent' }, { sent: REFUSED }], 31, 'E_NODE_REJECTED'],
    ['refused when tested', [{}, { tested: REFUSED }], 31, 'E_NODE_REJECTED'],
    ['all are silent', [{ sent: 'silent' }, { sent: 'silent' }], 30, 'E_CHAIN_UNREACHABLE'],
  ] as const)('%s: nothing is noted', async (_, all, code, tag) => {
    told(...all);
    await session.untouched(async () => {
      expect(await session.faultOf(code, 'batch', 'broadcast', id, ...FLAGS)).toBe(tag);
    });
  });

  it('silence may have been a yes: the remedy says that sending twice does no harm', async () => {
    told({ sent: 'silent' });
    const { faults } = await session.json(30, 'batch', 'broadcast', id, ...FLAGS);
    expect(faults[0].remedy).toMatch(/run the command again.*sending twice does no harm/);
  });

  it('a node that has it in a block, and misses its coins for that, knows it', async () => {
    const status = (): TransactionStatus => ({ state: 'confirmed', height: 200, blockHash: '00'.repeat(32), time: 0 });
    told({ tested: REFUSED, sent: REFUSED, status });
    const said = await session.json(0, 'batch', 'broadcast', id, ...FLAGS);
    expect(said.taken_by).toEqual([{ name: 'back end 0', answer: 'known' }]);
  });

  it('follow --wait waits over a restart of the node, and not where it was never there', async () => {
    const real = setTimeout;
    const waits = vi.spyOn(globalThis, 'setTimeout').mockImplementation((work) => real(work, 0));
    const confirmed: TransactionStatus = { state: 'confirmed', height: 195, blockHash: '00'.repeat(32), time: 0 };
    const answers: (TransactionStatus | 'silent')[] = [{ state: 'mempool' }, 'silent', 'silent', confirmed];
    told({ status: () => answers.shift() ?? confirmed });
    const { stdout, stderr } = await session.expect(0, 'batch', 'follow', id, '--wait', ...FLAGS);
    expect(stdout).toMatch(/6 confirmations/);
    expect(stderr).toMatch(/asked again in 30 s/);
    expect(stderr).not.toContain('\u001b');
    expect(waits.mock.calls.filter(([, wait]) => wait === 30_000)).toHaveLength(3);
    told({ status: () => 'silent' });
    expect(await session.faultOf(30, 'batch', 'follow', id, '--wait', ...FLAGS)).toBe('E_CHAIN_UNREACHABLE');
  });
});

import { describe, expect, it } from 'vitest';
import { coreCalls } from '../../../src/adapters/chain/core-calls.js';
import type { CoreRpc, RpcOutcome } from '../../../src/adapters/chain/core-rpc.js';
import { walletHistory } from '../../../src/adapters/chain/core-wallet.js';
import { ok } from '../../../src/domain/result.js';
import { regtestVault } from '../../node/vault.js';

/**
 * A node with a wallet, as far as its calls are used here, in the words of Bitcoin Core's documentation of them
 * (listwallets, loadwallet, createwallet, getwalletinfo, deriveaddresses, getaddressinfo, importdescriptors, importmulti,
 * listaddressgroupings). Numbers are texts, as parseExactJson leaves them. test/node has a real one.
 */
class Node {
  wallets = new Map<string, { loaded: boolean; keys: boolean; descriptors: boolean; ranges: Map<string, number> }>();
  /** Addresses that something ever paid. */
  paid: (until: number) => string[] = () => [];
  hasSqlite = true;
  asked: string[] = [];
  refuses: string | null = null;

  private answer(wallet: string | null, method: string, params: readonly unknown[]): RpcOutcome {
    this.asked.push(method);
    const yes = (value: unknown): RpcOutcome => ({ ok: true, value });
    const no = (code: number, message: string): RpcOutcome => ({ ok: false, error: { code, message } });
    const [first = ''] = params as string[];
    const own = this.wallets.get(wallet ?? first);
    switch (method) {
      case 'listwallets':
        return yes([...this.wallets].filter(([, { loaded }]) => loaded).map(([name]) => name));
      case 'loadwallet':
        if (own === undefined)
          return no(-18, `Wallet file verification failed. Failed to load database path '${first}'.`);
        own.loaded = true;
        return yes({ name: first, warning: '' });
      case 'createwallet':
        if (this.refuses !== null) return no(-4, this.refuses);
        if (params[5] === true && !this.hasSqlite)
          return no(-4, 'Compiled without sqlite support (required for descriptor wallets)');
        expect(params.slice(1)).toEqual([true, true, '', false, this.hasSqlite]);
        this.wallets.set(first, { loaded: true, keys: false, descriptors: this.hasSqlite, ranges: new Map() });
        return yes({ name: first, warning: '' });
      case 'getwalletinfo':
        return yes({
          walletname: wallet,
          private_keys_enabled: own?.keys,
          descriptors: own?.descriptors,
          scanning: false,
        });
      case 'deriveaddresses': {
        const [from, until] = params[1] as [number, number];
        return yes(Array.from({ length: until - from + 1 }, (_, offset) => `${branchOf(first)}/${from + offset}`));
      }
      case 'getaddressinfo': {
        const [branch = '', index = ''] = first.split('/');
        const isWatched = Number(index) <= (own?.ranges.get(branch) ?? -1);
        return yes(
          own?.descriptors === true
            ? { address: first, ismine: isWatched }
            : { address: first, ismine: false, iswatchonly: isWatched },
        );
      }
      case 'importdescriptors':
      case 'importmulti': {
        expect(method === 'importdescriptors').toBe(own?.descriptors);
        const wanted = params[0] as {
          desc: string;
          range: [number, number];
          timestamp: number;
          internal: boolean;
          watchonly?: boolean;
        }[];
        if (this.refuses !== null)
          return yes(wanted.map(() => ({ success: false, error: { code: '-1', message: this.refuses } })));
        for (const { desc, range, timestamp, internal, watchonly = false } of wanted) {
          expect(watchonly).toBe(method === 'importmulti');
          expect([timestamp, internal]).toEqual([0, branchOf(desc) === '1']);
          expect(desc).toMatch(/#[a-z0-9]{8}$/);
          own?.ranges.set(branchOf(desc), range[1]);
        }
        return yes(wanted.map(() => ({ success: true })));
      }
      case 'listaddressgroupings': {
        const paid = this.paid(Math.max(...(own?.ranges.values() ?? [])));
        return yes([paid.map((address) => [address, '0.00000000']), [['elsewhere', '0.10000000', 'a label']]]);
      }
      default:
        throw new Error(`nobody asks for ${method}`);
    }
  }

  rpc(wallet: string | null = null): CoreRpc {
    return {
      name: 'core http://127.0.0.1:8332',
      call: async (method, params) => ok(this.answer(wallet, method, params)),
      batch: async (method, params) => ok(params.map((one) => this.answer(wallet, method, one))),
    };
  }
}

const branchOf = (descriptor: string): string => /\/([01])\/\*/.exec(descriptor)?.[1] ?? '';
const deriver = regtestVault();
const history = (node: Node, lastUsed: readonly [number, number] = [-1, -1]) =>
  walletHistory(coreCalls(node.rpc()), coreCalls(node.rpc('w')), 'w', { deriver, lastUsed, gap: 20 });

describe('the history of a watch-only wallet', () => {
  it('is of a wallet that is made once, blank and without keys, with one descriptor a branch from the first block on', async () => {
    const node = new Node();
    node.paid = () => ['0/3', '0/41', '1/2', 'elsewhere'];
    expect(await history(node)).toEqual({ ok: true, value: [41, 2] });
    expect(node.asked.filter((method) => /create|import/.test(method))).toEqual(['createwallet', 'importdescriptors']);
    node.asked = [];
    expect(await history(node)).toEqual({ ok: true, value: [41, 2] });
    expect(node.asked).not.toContain('importdescriptors');
    const own = node.wallets.get('w');
    if (own !== undefined) own.loaded = false;
    expect(await history(node, [50, 1])).toMatchObject({ ok: true, value: [50, 2] });
    expect(node.asked).toContain('loadwallet');
  });

  it('goes on where something was used near the end of what it watches', async () => {
    const node = new Node();
    node.paid = () => ['0/1010'];
    expect(await history(node)).toEqual({ ok: true, value: [1010, -1] });
    expect(node.wallets.get('w')?.ranges.get('0')).toBe(1010 + 20 + 4000);
    expect(node.asked.filter((method) => method === 'importdescriptors')).toHaveLength(2);
  });

  it('ends where a node calls every address used', async () => {
    const node = new Node();
    node.paid = (until) => [`0/${until}`];
    expect(await history(node)).toMatchObject({ ok: false, error: { tag: 'E_CHAIN_ANSWER' } });
  }, 60_000);

  it('on a node without wallets of descriptors is of one from before them', async () => {
    const node = new Node();
    node.hasSqlite = false;
    node.paid = () => ['0/3', '1/7'];
    expect(await history(node)).toEqual({ ok: true, value: [3, 7] });
    expect(node.asked.filter((method) => /create|import/.test(method))).toEqual([
      'createwallet',
      'createwallet',
      'importmulti',
    ]);
    node.asked = [];
    expect(await history(node)).toEqual({ ok: true, value: [3, 7] });
    expect(node.asked).not.toContain('importmulti');
  });

  it.each([true, false])('a wallet that holds keys is left alone (of descriptors: %s)', async (descriptors) => {
    const node = new Node();
    node.wallets.set('w', { loaded: true, ranges: new Map(), keys: true, descriptors });
    expect(await history(node)).toMatchObject({ ok: false, error: { tag: 'E_CHAIN_CONFIG' } });
    expect(node.asked).toEqual(['listwallets', 'getwalletinfo']);
  });

  it('a node that has no such wallets, or has thrown its blocks away, says so', async () => {
    const node = new Node();
    node.refuses = 'Wallet support is not there';
    expect(await history(node)).toMatchObject({ ok: false, error: { tag: 'E_CHAIN_ANSWER' } });
    const pruned = new Node();
    pruned.wallets.set('w', { loaded: true, keys: false, descriptors: true, ranges: new Map() });
    pruned.refuses = 'Rescan failed for descriptor with timestamp 0: pruned';
    const refused = await history(pruned);
    expect(refused).toMatchObject({ ok: false, error: { tag: 'E_CHAIN_ANSWER' } });
    expect(refused.ok || refused.error.remedy).toContain('pruned');
  });
});

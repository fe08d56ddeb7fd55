import { describe, expect, it } from 'vitest';
import { coreCalls } from '../../../src/adapters/chain/core-calls.js';
import type { CoreRpc, RpcOutcome } from '../../../src/adapters/chain/core-rpc.js';
import { walletHistory } from '../../../src/adapters/chain/core-wallet.js';
import { ok } from '../../../src/domain/result.js';
import { spend } from '../../node/spend.js';
import { regtestVault } from '../../node/vault.js';

/**
 * A node with a wallet, as far as its calls are used here, in the words of Bitcoin Core's documentation of them
 * (listwallets, loadwallet, createwallet, getwalletinfo, deriveaddresses, getaddressinfo, importdescriptors,
 * listsinceblock, gettransaction). Numbers are texts, as parseExactJson leaves them.
 */
class Node {
  wallets = new Map<string, { loaded: boolean; keys: boolean; descriptors: boolean; ranges: Map<string, number> }>();
  received: string[] = [];
  sent: { txid: string; hex: string }[] = [];
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
        expect(params.slice(1)).toEqual([true, true, '', false, true]);
        this.wallets.set(first, { loaded: true, keys: false, descriptors: true, ranges: new Map() });
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
        return yes({ address: first, ismine: Number(index) <= (own?.ranges.get(branch) ?? -1) });
      }
      case 'importdescriptors': {
        const wanted = params[0] as { desc: string; range: [number, number]; timestamp: number; internal: boolean }[];
        if (this.refuses !== null)
          return yes(wanted.map(() => ({ success: false, error: { code: '-1', message: this.refuses } })));
        for (const { desc, range, timestamp, internal } of wanted) {
          expect([timestamp, internal]).toEqual([0, branchOf(desc) === '1']);
          expect(desc).toMatch(/#[a-z0-9]{8}$/);
          own?.ranges.set(branchOf(desc), range[1]);
        }
        return yes(wanted.map(() => ({ success: true })));
      }
      case 'listsinceblock':
        return yes({
          transactions: [
            ...this.received.map((address) => ({ address, category: 'receive', txid: 'cd'.repeat(32), vout: '0' })),
            ...this.sent.map(({ txid }) => ({ address: 'elsewhere', category: 'send', txid, vout: '0' })),
          ],
          lastblock: 'ef'.repeat(32),
        });
      case 'gettransaction':
        return yes({ hex: this.sent.find(({ txid }) => txid === first)?.hex });
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
    node.received = ['0/3', '0/41', '1/2', 'elsewhere'];
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
    node.received = ['0/1010'];
    expect(await history(node)).toEqual({ ok: true, value: [1010, -1] });
    expect(node.wallets.get('w')?.ranges.get('0')).toBe(1010 + 20 + 1000);
    expect(node.asked.filter((method) => method === 'importdescriptors')).toHaveLength(2);
  });

  it('finds change by the bytes of what was sent, and takes no other bytes for them', async () => {
    const node = new Node();
    const { hex, txid } = await change(7);
    node.received = ['0/0'];
    node.sent = [{ hex, txid }];
    expect(await history(node)).toEqual({ ok: true, value: [0, 7] });
    node.sent = [{ hex, txid: 'ab'.repeat(32) }];
    expect(await history(node)).toMatchObject({ ok: false, error: { tag: 'E_CHAIN_ANSWER' } });
  });

  it.each([
    ['holds keys', { keys: true, descriptors: true }],
    ['is none of descriptors', { keys: false, descriptors: false }],
  ])('a wallet that %s is left alone', async (_, kind) => {
    const node = new Node();
    node.wallets.set('w', { loaded: true, ranges: new Map(), ...kind });
    expect(await history(node)).toMatchObject({ ok: false, error: { tag: 'E_CHAIN_CONFIG' } });
    expect(node.asked).toEqual(['listwallets', 'getwalletinfo']);
  });

  it('a node that has no such wallets, or has thrown its blocks away, says so', async () => {
    const node = new Node();
    node.refuses = 'Compiled without sqlite support (required for descriptor wallets)';
    expect(await history(node)).toMatchObject({ ok: false, error: { tag: 'E_CHAIN_ANSWER' } });
    const pruned = new Node();
    pruned.wallets.set('w', { loaded: true, keys: false, descriptors: true, ranges: new Map() });
    pruned.refuses = 'Rescan failed for descriptor with timestamp 0: pruned';
    const refused = await history(pruned);
    expect(refused).toMatchObject({ ok: false, error: { tag: 'E_CHAIN_ANSWER' } });
    expect(refused.ok || refused.error.remedy).toContain('pruned');
  });
});

/** A transaction that pays change index `index`, made by the public seed. */
async function change(index: number): Promise<{ hex: string; txid: string }> {
  const { Transaction } = await import('bitcoinjs-lib');
  const previous = new Transaction();
  previous.addInput(Buffer.alloc(32, 1), 0);
  previous.addOutput(Buffer.from(deriver.at(0, 0).script), 10_000n);
  const raw = previous.toHex();
  // Only the previous transaction is asked of it.
  const node = { rpc: async () => raw } as unknown as Parameters<typeof spend>[0];
  return spend(node, { txid: previous.getId(), vout: 0, branch: 0, index: 0 }, [
    { script: deriver.at(1, index).script, value: 9_000n },
  ]);
}

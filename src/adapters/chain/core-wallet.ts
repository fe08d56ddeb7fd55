import * as v from 'valibot';
import { toHex, trustedHex } from '../../domain/bytes.js';
import type { Branch } from '../../domain/coin.js';
import { type Fault, fail } from '../../domain/fault.js';
import { err, ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';
import type { ScanRequest } from '../../vault/chain.js';
import type { Vault } from '../../vault/types.js';
import { hash, hex, readAnswer } from './answers.js';
import { branchDescriptor } from './branch-descriptor.js';
import { type CoreCalls, watched } from './core-calls.js';
import { rpcFault } from './core-rpc.js';
import { AHEAD } from './core-scan.js';
import { transactionOf } from './raw-transaction.js';

/** RPC_WALLET_NOT_FOUND: there is no such wallet, or it is not loaded. */
const WALLET_NOT_FOUND = -18;
/** RPC_WALLET_ALREADY_LOADED, since Core 25; before it is RPC_WALLET_ERROR with these words. */
const ALREADY_LOADED = /already loaded/i;

const names = v.array(v.string());
const walletInfo = v.object({ private_keys_enabled: v.boolean(), descriptors: v.optional(v.boolean(), false) });
const addressInfo = v.object({ ismine: v.boolean() });
const imported = v.array(
  v.object({ success: v.boolean(), error: v.optional(v.object({ message: v.optional(v.string(), '') })) }),
);
const since = v.object({
  transactions: v.array(v.object({ txid: hash, category: v.string(), address: v.optional(v.string()) })),
});
const rawAnswer = v.object({ hex });
const scanning = v.object({ scanning: v.object({ progress: v.pipe(v.string(), v.regex(/^[01](?:\.[0-9]+)?$/)) }) });

type LastUsed = readonly [receive: number, change: number];

/**
 * The highest index of each branch that the vault ever used, as a watch-only descriptor wallet of the node knows it: also
 * where everything there is spent. The wallet is made, and the vault's descriptors imported, where that is not done yet;
 * the node then looks through its whole chain once. A wallet that holds keys, or is none of descriptors, is left alone.
 *
 * `node` are calls of the node, `wallet` calls of the wallet by its own address.
 */
export async function walletHistory(
  node: CoreCalls,
  wallet: CoreCalls,
  walletName: string,
  { deriver, lastUsed, gap, onProgress }: ScanRequest,
): Promise<Result<LastUsed, Fault>> {
  const ready = await ensureWallet(node, wallet, walletName);
  if (!ready.ok) return ready;
  let reach: LastUsed = lastUsed;
  for (;;) {
    const until: LastUsed = [reach[0] + gap + AHEAD, reach[1] + gap + AHEAD];
    const watching = await ensureImported(node, wallet, deriver.vault, until, onProgress);
    if (!watching.ok) return watching;
    const used = await usedIndexes(node, wallet, deriver, until);
    if (!used.ok) return used;
    const [receive, change] = used.value;
    const furthest: LastUsed = [Math.max(reach[0], receive), Math.max(reach[1], change)];
    if (furthest[0] + gap <= until[0] && furthest[1] + gap <= until[1]) return ok(furthest);
    reach = furthest;
  }
}

async function ensureWallet(node: CoreCalls, wallet: CoreCalls, name: string): Promise<Result<void, Fault>> {
  const loaded = await node.ask(names, 'listwallets');
  if (!loaded.ok) return loaded;
  if (!loaded.value.includes(name)) {
    const opened = await openWallet(node, name);
    if (!opened.ok) return opened;
  }
  const info = await wallet.ask(walletInfo, 'getwalletinfo');
  if (!info.ok) return info;
  if (!info.value.private_keys_enabled && info.value.descriptors) return ok(undefined);
  return fail(
    'E_CHAIN_CONFIG',
    `the wallet ${quoted(name)} of ${node.name} is not a watch-only wallet of descriptors`,
    {
      remedy: 'name another one in countersign.yaml: countersign makes it, and puts nothing but public keys into it',
    },
  );
}

/** Loads a wallet that is there, or makes it: no private keys, blank, of descriptors. */
async function openWallet({ rpc, name }: CoreCalls, wallet: string): Promise<Result<void, Fault>> {
  const loaded = await rpc.call('loadwallet', [wallet]);
  if (!loaded.ok) return loaded;
  if (loaded.value.ok || ALREADY_LOADED.test(loaded.value.error.message)) return ok(undefined);
  if (loaded.value.error.code !== WALLET_NOT_FOUND) return err(rpcFault(name, 'loadwallet', loaded.value.error));
  const made = await rpc.call('createwallet', [wallet, true, true, '', false, true]);
  if (!made.ok) return made;
  return made.value.ok ? ok(undefined) : err(rpcFault(name, 'createwallet', made.value.error));
}

async function addressesOf(
  { ask }: CoreCalls,
  vault: Vault,
  branch: Branch,
  from: number,
  until: number,
): Promise<Result<readonly string[], Fault>> {
  return ask(names, 'deriveaddresses', [branchDescriptor(vault, branch), [from, until]], true);
}

async function ensureImported(
  node: CoreCalls,
  wallet: CoreCalls,
  vault: Vault,
  until: LastUsed,
  onProgress: ScanRequest['onProgress'],
): Promise<Result<void, Fault>> {
  const missing: Branch[] = [];
  for (const branch of [0, 1] as const) {
    const last = await addressesOf(node, vault, branch, until[branch], until[branch]);
    if (!last.ok) return last;
    const info = await wallet.ask(addressInfo, 'getaddressinfo', [last.value[0] ?? '']);
    if (!info.ok) return info;
    if (!info.value.ismine) missing.push(branch);
  }
  if (missing.length === 0) return ok(undefined);
  const wanted = missing.map((branch) => ({
    desc: branchDescriptor(vault, branch),
    range: [0, until[branch]],
    internal: branch === 1,
    // From the first block on: nobody has to know how old the vault is.
    timestamp: 0,
  }));
  const howFar = async (): Promise<void> => {
    const info = await wallet.rpc.call('getwalletinfo', []);
    const read = info.ok && info.value.ok ? v.safeParse(scanning, info.value.value) : null;
    if (read?.success === true) onProgress?.(Math.floor(Number(read.output.scanning.progress) * 100), 100, 'percent');
  };
  const done = await watched(wallet.ask(imported, 'importdescriptors', [wanted], true), howFar);
  if (!done.ok) return done;
  const refused = done.value.find(({ success }) => !success);
  if (refused === undefined && done.value.length === wanted.length) return ok(undefined);
  return fail(
    'E_CHAIN_ANSWER',
    `${node.name} does not take the descriptor into its wallet: ${quoted(refused?.error?.message ?? 'no reason given')}`,
    {
      remedy:
        'a pruned node has no old blocks to look through, and taproot needs Bitcoin Core 22; without wallet: in countersign.yaml it is not needed',
    },
  );
}

/** By the wallet's list of what was received, and by the outputs of what it sent, whose change no version before 24 lists. */
async function usedIndexes(
  node: CoreCalls,
  wallet: CoreCalls,
  deriver: ScanRequest['deriver'],
  until: LastUsed,
): Promise<Result<LastUsed, Fault>> {
  const list = await wallet.ask(since, 'listsinceblock', ['', 1, true, false], true);
  if (!list.ok) return list;
  const seen = new Set(
    list.value.transactions.flatMap(({ address, category }) =>
      category === 'send' || address === undefined ? [] : [address],
    ),
  );
  const used: [number, number] = [-1, -1];
  for (const branch of [0, 1] as const) {
    const addresses = await addressesOf(node, deriver.vault, branch, 0, until[branch]);
    if (!addresses.ok) return addresses;
    for (const [index, address] of addresses.value.entries()) if (seen.has(address)) used[branch] = index;
  }
  const sent = [
    ...new Set(list.value.transactions.flatMap(({ txid, category }) => (category === 'send' ? [txid] : []))),
  ];
  const paid = await scriptsPaid(wallet, sent);
  if (!paid.ok) return paid;
  if (paid.value.size === 0) return ok(used);
  for (const branch of [0, 1] as const) {
    for (let index = used[branch] + 1; index <= until[branch]; index += 1) {
      if (paid.value.has(toHex(deriver.at(branch, index).script))) used[branch] = index;
    }
  }
  return ok(used);
}

/** Every script that these transactions pay, in hex; each is hashed first. */
async function scriptsPaid(
  { rpc, name }: CoreCalls,
  txids: readonly string[],
): Promise<Result<ReadonlySet<string>, Fault>> {
  const answers = await rpc.batch(
    'gettransaction',
    txids.map((txid) => [txid, true]),
  );
  if (!answers.ok) return answers;
  const scripts = new Set<string>();
  for (const [index, txid] of txids.entries()) {
    const outcome = answers.value[index];
    if (outcome === undefined) throw new Error('a batch answers each of its calls');
    if (!outcome.ok) return err(rpcFault(name, 'gettransaction', outcome.error));
    const read = readAnswer(rawAnswer, outcome.value, name, 'gettransaction');
    if (!read.ok) return read;
    const transaction = transactionOf(txid, trustedHex(read.value.hex));
    if (transaction === null)
      return fail('E_CHAIN_ANSWER', `${name} answers ${txid} with bytes that are not that transaction`);
    for (const { script } of transaction.outs) scripts.add(toHex(script));
  }
  return ok(scripts);
}

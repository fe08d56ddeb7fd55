import * as v from 'valibot';
import type { Branch } from '../../domain/coin.js';
import { type Fault, fail } from '../../domain/fault.js';
import { err, ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';
import type { ScanRequest } from '../../vault/chain.js';
import { endless, MOST_SCANNED } from '../../vault/gap-scan.js';
import type { Vault } from '../../vault/types.js';
import { branchDescriptor } from './branch-descriptor.js';
import { type CoreCalls, watched } from './core-calls.js';
import { type CoreRpc, rpcFault } from './core-rpc.js';
import { AHEAD } from './core-scan.js';

/** RPC_WALLET_NOT_FOUND: there is no such wallet, or it is not loaded. */
const WALLET_NOT_FOUND = -18;
/** RPC_WALLET_ALREADY_LOADED, since Core 25; before it is RPC_WALLET_ERROR with these words. */
const ALREADY_LOADED = /already loaded/i;
/** "Compiled without sqlite support (required for descriptor wallets)", as Debian's litecoind says. */
const NO_SQLITE = /sqlite/i;

const names = v.array(v.string());
const walletInfo = v.object({ private_keys_enabled: v.boolean(), descriptors: v.optional(v.boolean(), false) });
/** What is watched is the wallet's own in one of descriptors; one before them tells it apart. */
const addressInfo = v.object({ ismine: v.boolean(), iswatchonly: v.optional(v.boolean(), false) });
const imported = v.array(
  v.object({ success: v.boolean(), error: v.optional(v.object({ message: v.optional(v.string(), '') })) }),
);
/** Groups of addresses that were spent together, each with its balance and perhaps a label. */
const groupings = v.array(v.array(v.looseTuple([v.string()])));
const scanning = v.object({ scanning: v.object({ progress: v.pipe(v.string(), v.regex(/^[01](?:\.[0-9]+)?$/)) }) });

/** The call that takes ranged descriptors, by the wallet's form: of descriptors, or from before them (BDB). */
type Import = 'importdescriptors' | 'importmulti';
type LastUsed = readonly [receive: number, change: number];

/**
 * The highest index of each branch that the vault ever used, as a watch-only wallet of the node knows it: also where
 * everything there is spent. The wallet is made, and the vault's descriptors imported, where that is not done yet; the node
 * then looks through its whole chain once. It is a wallet of descriptors, or on a node that is built without those, of the
 * older form. A wallet that holds keys is left alone.
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
  // Each import has the node look through its chain again: a large vault takes few of them.
  for (let ahead = AHEAD; ; ahead *= 4) {
    const until: LastUsed = [reach[0] + gap + ahead, reach[1] + gap + ahead];
    const watching = await ensureImported(node, wallet, ready.value, deriver.vault, until, onProgress);
    if (!watching.ok) return watching;
    const used = await usedIndexes(node, wallet, deriver.vault, until);
    if (!used.ok) return used;
    const [receive, change] = used.value;
    const furthest: LastUsed = [Math.max(reach[0], receive), Math.max(reach[1], change)];
    if (furthest[0] + gap <= until[0] && furthest[1] + gap <= until[1]) return ok(furthest);
    for (const branch of [0, 1] as const) {
      if (furthest[branch] - lastUsed[branch] > MOST_SCANNED) return endless(node.name, branch);
    }
    reach = furthest;
  }
}

async function ensureWallet(node: CoreCalls, wallet: CoreCalls, name: string): Promise<Result<Import, Fault>> {
  const loaded = await node.ask(names, 'listwallets');
  if (!loaded.ok) return loaded;
  if (!loaded.value.includes(name)) {
    const opened = await openWallet(node, name);
    if (!opened.ok) return opened;
  }
  const info = await wallet.ask(walletInfo, 'getwalletinfo');
  if (!info.ok) return info;
  if (!info.value.private_keys_enabled) return ok(info.value.descriptors ? 'importdescriptors' : 'importmulti');
  return fail('E_CHAIN_CONFIG', `the wallet ${quoted(name)} of ${node.name} is not a watch-only one`, {
    remedy: 'name another one in countersign.yaml: countersign makes it, and puts nothing but public keys into it',
  });
}

/** Loads a wallet that is there, or makes it: no private keys, blank, of descriptors where the node has such. */
async function openWallet({ rpc, name }: CoreCalls, wallet: string): Promise<Result<void, Fault>> {
  const loaded = await rpc.call('loadwallet', [wallet]);
  if (!loaded.ok) return loaded;
  if (loaded.value.ok || ALREADY_LOADED.test(loaded.value.error.message)) return ok(undefined);
  if (loaded.value.error.code !== WALLET_NOT_FOUND) return err(rpcFault(name, 'loadwallet', loaded.value.error));
  const make = (ofDescriptors: boolean): ReturnType<CoreRpc['call']> =>
    rpc.call('createwallet', [wallet, true, true, '', false, ofDescriptors]);
  let made = await make(true);
  if (made.ok && !made.value.ok && NO_SQLITE.test(made.value.error.message)) made = await make(false);
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
  call: Import,
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
    if (!info.value.ismine && !info.value.iswatchonly) missing.push(branch);
  }
  if (missing.length === 0) return ok(undefined);
  const wanted = missing.map((branch) => ({
    desc: branchDescriptor(vault, branch),
    range: [0, until[branch]],
    internal: branch === 1,
    ...(call === 'importmulti' ? { watchonly: true } : {}),
    // From the first block on: nobody has to know how old the vault is.
    timestamp: 0,
  }));
  const howFar = async (): Promise<void> => {
    const info = await wallet.rpc.call('getwalletinfo', []);
    const read = info.ok && info.value.ok ? v.safeParse(scanning, info.value.value) : null;
    if (read?.success === true) onProgress?.(Math.floor(Number(read.output.scanning.progress) * 100), 100, 'percent');
  };
  const done = await watched(wallet.ask(imported, call, [wanted], true), howFar);
  if (!done.ok) return done;
  const refused = done.value.find(({ success }) => !success);
  if (refused === undefined && done.value.length === wanted.length) return ok(undefined);
  return fail(
    'E_CHAIN_ANSWER',
    `${node.name} does not take the descriptor into its wallet: ${quoted(refused?.error?.message ?? 'no reason given')}`,
    {
      remedy:
        'a pruned node has no old blocks to look through, and taproot needs Bitcoin Core 22 with SQLite; without wallet: in countersign.yaml it is not needed',
    },
  );
}

/**
 * By the addresses that the wallet ever saw, those of change among them. Its lists of transactions do not do: no version before
 * 24 lists change, and a transaction that pays nothing else (a consolidation, a cancellation) is in none of them.
 */
async function usedIndexes(
  node: CoreCalls,
  wallet: CoreCalls,
  vault: Vault,
  until: LastUsed,
): Promise<Result<LastUsed, Fault>> {
  const listed = await wallet.ask(groupings, 'listaddressgroupings', [], true);
  if (!listed.ok) return listed;
  const seen = new Set(listed.value.flatMap((group) => group.map(([address]) => address)));
  const used: [number, number] = [-1, -1];
  for (const branch of [0, 1] as const) {
    const addresses = await addressesOf(node, vault, branch, 0, until[branch]);
    if (!addresses.ok) return addresses;
    for (const [index, address] of addresses.value.entries()) if (seen.has(address)) used[branch] = index;
  }
  return ok(used);
}

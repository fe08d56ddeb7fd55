import { deviceAddress } from '../device/screens.js';
import { encodeAddress } from '../domain/address.js';
import type { Hex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import type { Network } from '../domain/network.js';
import { formatOutpoint } from '../domain/outpoint.js';
import { HARDENED } from '../domain/path.js';
import { ok, type Result } from '../domain/result.js';
import { quoted } from '../domain/safe-text.js';
import type { BatchRecord } from '../journal/state.js';
import { decodePsbt } from '../psbt/decode.js';
import type { DecodedPsbt } from '../psbt/types.js';
import { signingKeys } from '../vault/signing-keys.js';
import { branchDescriptor, scriptOfDescriptor } from '../vault/single-descriptor.js';
import type { Vault } from '../vault/types.js';
import { sayNothingKept } from './broken-off.js';
import { showAddress } from './device.js';
import { join, keptParts } from './gather-parts.js';
import { type OpenVault, openVault } from './open-vault.js';
import type { Composition, Desk, DeviceRequest } from './ports.js';
import { checkCosigner } from './registrations.js';
import { findBatch } from './situation.js';

/**
 * What Bitcoin Core asks of an external signer (doc/external-signer.md, src/external_signer.cpp). The node may ask; what it
 * is given is what a person at this workspace would be given, and nothing is signed here that `batch sign` would not sign.
 */

/** The names that a node has for its chains (src/util/chaintype.cpp). */
const CHAINS: ReadonlyMap<string, Network> = new Map([
  ['main', 'main'],
  ['test', 'testnet3'],
  ['testnet4', 'testnet4'],
  ['signet', 'signet'],
  ['regtest', 'regtest'],
]);

/** Whom a node means, as it says with every call but `enumerate`; undefined where it does not. */
export interface NodeCall {
  readonly fingerprint: string | undefined;
  readonly chain: string | undefined;
}

/** The vault, where it is of the node's chain and has the signer that the node names. Faults: E_SIGNER_CHAIN, E_USAGE. */
async function vaultFor(desk: Desk, { fingerprint, chain }: NodeCall): Promise<Result<OpenVault, Fault>> {
  const open = await openVault(desk);
  if (!open.ok) return open;
  const { vault } = open.value;
  if (chain !== undefined && CHAINS.get(chain) !== vault.network) {
    return fail(
      'E_SIGNER_CHAIN',
      `the node is on ${quoted(chain, 40)}, and the vault ${vault.id} is on ${vault.network}`,
      {
        remedy: 'name the workspace of that network with --workspace, or start the node on the network of the vault',
      },
    );
  }
  const known = fingerprint === undefined ? ok(undefined) : checkCosigner(vault, fingerprint);
  return known.ok ? open : known;
}

export interface CalledVault extends OpenVault {
  readonly fingerprint: Hex;
}

/** The same, where a call has to say for which signer and chain it is. */
export async function calledVault(desk: Desk, { fingerprint, chain }: NodeCall): Promise<Result<CalledVault, Fault>> {
  if (fingerprint === undefined || chain === undefined) {
    const missing = fingerprint === undefined ? '--fingerprint' : '--chain';
    return fail('E_USAGE', `${missing} is missing`, {
      remedy: 'give --fingerprint FINGERPRINT --chain CHAIN, as a node does: main, test, testnet4, signet or regtest',
    });
  }
  const open = await vaultFor(desk, { fingerprint, chain });
  return open.ok ? ok({ ...open.value, fingerprint }) : open;
}

/**
 * The signers of the vault, from the journal: a node asks for them before everything that it does, and no device has to be
 * there, or be let go by another command, for its address to be looked up.
 */
export async function listSigners(
  desk: Desk,
  call: NodeCall,
): Promise<Result<{ readonly vault: Vault; readonly signers: readonly Hex[] }, Fault>> {
  const open = await vaultFor(desk, call);
  if (!open.ok) return open;
  const { vault } = open.value;
  const all = [...new Set(signingKeys(vault).map(({ fingerprint }) => fingerprint))];
  return ok({ vault, signers: call.fingerprint === undefined ? all : [call.fingerprint] });
}

export interface SignerDescriptors {
  readonly receive: readonly string[];
  readonly internal: readonly string[];
}

/** The vault's descriptor, as one for each branch. Faults: E_SIGNER_ACCOUNT. */
export function signerDescriptors(
  { vault, fingerprint }: CalledVault,
  account: number,
): Result<SignerDescriptors, Fault> {
  const own = vault.keys.filter((key) => key.fingerprint === fingerprint);
  const accounts = own.map(({ path }) => (path[2] ?? 0) - HARDENED);
  if (!accounts.includes(account)) {
    return fail(
      'E_SIGNER_ACCOUNT',
      `the node asks for account ${account}, and the vault ${vault.id} is account ${accounts.join(', ')} of ${fingerprint}`,
      { remedy: 'make a blank wallet and take in what countersign vault show prints: importdescriptors' },
    );
  }
  return ok({ receive: [branchDescriptor(vault, 0)], internal: [branchDescriptor(vault, 1)] });
}

/**
 * Has the device show the address of a descriptor of the vault, and returns it as the node writes it.
 * Faults: those of `scriptOfDescriptor` and `showAddress`, E_DEVICE_MISMATCH.
 */
export async function displayAddress(
  openDevice: Composition['openDevice'],
  request: DeviceRequest,
  open: CalledVault,
  descriptor: string,
): Promise<Result<string, Fault>> {
  const { vault, deriver, fingerprint } = open;
  const derived = scriptOfDescriptor(deriver, descriptor);
  if (!derived.ok) return derived;
  const { script, origin } = derived.value;
  const shown = await showAddress(openDevice, request, open, origin.branch, origin.index, fingerprint);
  if (!shown.ok) return sayNothingKept(shown);
  const due = deviceAddress(script, vault.network);
  const address = encodeAddress(script, vault.network);
  if (address !== null && shown.value.address === due) return ok(address);
  return fail('E_DEVICE_MISMATCH', `the device shows ${shown.value.address}, and the descriptor gives ${due}`, {
    remedy: 'do not use either address: find out which of the two is not what it claims to be',
  });
}

/** Batches that were given up come last: the same transaction may have been planned again. */
const isAbandoned = ({ state }: BatchRecord): boolean => state === 'ABANDONED';

/**
 * The batch that a PSBT of a node is, by its unsigned transaction; what else the PSBT says is of no account, since the
 * batch's own bytes are what was judged and will be signed. Faults: E_PSBT_PARSE and its like, E_SIGNER_UNPLANNED.
 */
export async function batchOfPsbt(
  desk: Desk,
  { state, vault }: OpenVault,
  psbt: Uint8Array,
): Promise<Result<BatchRecord, Fault>> {
  const decoded = decodePsbt(psbt);
  if (!decoded.ok) return decoded;
  const asked = decoded.value;
  const spent = asked.inputs.map(({ outpoint }) => formatOutpoint(outpoint));
  const batches = [...state.batches.values()].reverse();
  const candidates = batches.filter(
    ({ inputs }) => inputs.length === spent.length && spent.every((one) => inputs.includes(one)),
  );
  for (const batch of [...candidates].sort((a, b) => Number(isAbandoned(a)) - Number(isAbandoned(b)))) {
    const kept = await desk.journal.blob(batch.psbt);
    const planned = kept.ok ? decodePsbt(kept.value) : kept;
    if (!planned.ok) return planned;
    if (planned.value.unsignedTxid === asked.unsignedTxid) return ok(batch);
  }
  return unplanned(
    asked,
    vault,
    batches.find(({ inputs, state: at }) => at !== 'ABANDONED' && spent.some((one) => inputs.includes(one))),
  );
}

function unplanned({ unsignedTxid }: DecodedPsbt, { id }: Vault, rival: BatchRecord | undefined): Result<never, Fault> {
  const near = rival === undefined ? '' : `; batch ${rival.id} spends some of its coins in another transaction`;
  return fail('E_SIGNER_UNPLANNED', `no batch of the journal is the transaction ${unsignedTxid}${near}`, {
    remedy: `the vault ${id} signs only what was planned, judged and approved: plan the payments with countersign batch plan, have the batch approved, and give its unsigned.psbt to the node's walletprocesspsbt`,
  });
}

export interface SignedForNode {
  readonly psbt: Uint8Array;
  /** Whether the transaction has all signatures that it needs. */
  readonly complete: boolean;
}

/** What there is of a batch after it was signed: whole, or with the signatures of some cosigners. */
export async function signedForNode(desk: Desk, id: string): Promise<Result<SignedForNode, Fault>> {
  const open = await openVault(desk);
  if (!open.ok) return open;
  const found = findBatch(open.value.state, id);
  if (!found.ok) return found;
  const { signed, psbt } = found.value;
  const kept = await desk.journal.blob(signed?.signedPsbt ?? psbt);
  if (!kept.ok) return kept;
  if (signed !== null) return ok({ psbt: kept.value, complete: true });
  const { deriver } = open.value;
  const parts = await keptParts(desk, deriver, found.value, kept.value);
  if (!parts.ok) return parts;
  const gathered = join(kept.value, deriver, parts.value);
  return gathered.ok ? ok({ psbt: gathered.value.psbt, complete: false }) : gathered;
}

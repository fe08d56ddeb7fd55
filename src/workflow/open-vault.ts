import { type Fault, fail } from '../domain/fault.js';
import { parseNetwork } from '../domain/network.js';
import { ok, type Result } from '../domain/result.js';
import type { Journal } from '../journal/port.js';
import type { JournalState } from '../journal/state.js';
import { createDeriver } from '../vault/derive.js';
import { parseVault } from '../vault/descriptor.js';
import type { Snapshot } from '../vault/snapshot-types.js';
import type { Deriver, Vault } from '../vault/types.js';
import type { Desk } from './ports.js';

/** The vault of a workspace, with its deriver. */
export interface OpenVault {
  readonly state: JournalState;
  readonly vault: Vault;
  readonly deriver: Deriver;
}

/** What one run has read and derived, so that each of its steps does not do it again. */
interface Held {
  deriver: Deriver | null;
  snapshot: Snapshot | null;
}

const heldAt = new WeakMap<Journal, Held>();

function heldBy({ journal }: Pick<Desk, 'journal'>): Held {
  const held = heldAt.get(journal) ?? { deriver: null, snapshot: null };
  heldAt.set(journal, held);
  return held;
}

export async function openVault(desk: Desk): Promise<Result<OpenVault, Fault>> {
  const read = await desk.journal.read();
  if (!read.ok) return read;
  const open = vaultOf(read.value);
  if (!open.ok) return open;
  const held = heldBy(desk);
  const { id, network, descriptor } = open.value.vault;
  const vault = held.deriver?.vault;
  if (vault?.descriptor !== descriptor || vault.id !== id || vault.network !== network) {
    held.deriver = open.value.deriver;
    held.snapshot = null;
  }
  return ok({ ...open.value, deriver: held.deriver ?? open.value.deriver });
}

/** The vault that a state names. Faults: E_VAULT_MISSING. */
export function vaultOf(state: JournalState): Result<OpenVault, Fault> {
  if (state.vault === null) {
    return fail('E_VAULT_MISSING', 'this workspace has no vault yet', {
      remedy: 'import the output descriptor of the cold wallet: countersign vault import NAME DESCRIPTOR_FILE',
    });
  }
  const network = parseNetwork(state.vault.network);
  if (!network.ok) return network;
  const vault = parseVault(state.vault.id, network.value, state.vault.descriptor);
  if (!vault.ok) return vault;
  return ok({ state, vault: vault.value, deriver: createDeriver(vault.value) });
}

export async function latestSnapshot(desk: Desk, open: OpenVault): Promise<Result<Snapshot, Fault>> {
  if (open.state.coins === null) {
    return fail('E_COINS_MISSING', 'this workspace knows no coins yet', {
      remedy: 'bring a coin snapshot from an online machine: countersign coins import FILE',
    });
  }
  const { snapshot } = open.state.coins;
  const held = heldBy(desk);
  if (held.snapshot?.sha256 === snapshot && held.deriver === open.deriver) return ok(held.snapshot);
  const bytes = await desk.journal.blob(snapshot);
  if (!bytes.ok) return bytes;
  const read = desk.ports.documents.knownSnapshot(bytes.value, 'the imported snapshot', open.deriver);
  if (read.ok && held.deriver === open.deriver) held.snapshot = read.value;
  return read;
}

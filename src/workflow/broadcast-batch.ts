import type { Hex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { liveReplacement } from '../journal/rivals.js';
import type { BatchRecord } from '../journal/state.js';
import { parseTransaction, txidOf } from '../psbt/transaction.js';
import type { Acceptance, ChainBackend } from '../vault/chain.js';
import { reviewBatch } from './approve-batch.js';
import { checkNetwork } from './chain-views.js';
import { checkHalts } from './halt-scene.js';
import type { Desk } from './ports.js';
import { proveGround } from './proven-ground.js';
import { recordDenial } from './record-denial.js';
import { findBatch } from './situation.js';

export interface Broadcast {
  readonly batch: string;
  readonly txid: Hex;
  /** What each back end said, in the order of asking. */
  readonly answers: readonly { readonly name: string; readonly answer: Exclude<Acceptance, { state: 'rejected' }> }[];
  /** Back ends that refuse it, in their own words, after at least one other has taken it. */
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
  /** Back ends that could not be asked; at least one other has taken it. */
  readonly silent: readonly { readonly name: string; readonly fault: Fault }[];
}

/**
 * Sends a signed transaction. Before it is public, the policy is asked once more: it may have changed, been halted or
 * run out since the signing, and what it denies now stays here. Missing approvals are no reason: they were complete when it
 * was signed, and they run out while somebody carries a stick. What is public already is only sent again.
 *
 * Every node that can is asked whether it would take it before any is given it; one that refuses stops all. From the first
 * that took it on it is public, and the journal has to say so whatever the others say. Sending twice does no harm, so a
 * crash after sending is cured by the same command.
 */
export async function broadcastBatch(
  desk: Desk,
  backends: readonly ChainBackend[],
  id: string,
): Promise<Result<Broadcast, Fault>> {
  const signed = await signedTransaction(desk, id);
  if (!signed.ok) return signed;
  const { batch, transaction, txid } = signed.value;
  const wanted = await stillWanted(desk, batch);
  if (!wanted.ok) return wanted;
  if (batch.state === 'SIGNED') {
    const allowed = await stillAllowed(desk, id);
    if (!allowed.ok) return allowed;
  }
  for (const backend of backends) {
    const right = await checkNetwork(backend, desk.config.network);
    if (!right.ok && right.error.tag !== 'E_CHAIN_UNREACHABLE') return right;
  }
  for (const backend of backends) {
    const tested = await backend.testAccept(transaction);
    if (!tested.ok || tested.value.state !== 'rejected') continue;
    if (!(await isKnown(backend, signed.value))) return rejected(backend.name, tested.value.reason, batch);
  }
  // Nodes take their time to answer: somebody may have halted meanwhile.
  const open = batch.state === 'SIGNED' ? await notHaltedNow(desk, batch) : ok(undefined);
  if (!open.ok) return open;
  const answers: Broadcast['answers'][number][] = [];
  const refused: Broadcast['refused'][number][] = [];
  const silent: Broadcast['silent'][number][] = [];
  for (const backend of backends) {
    const { name } = backend;
    const sent = await backend.broadcast(transaction);
    if (!sent.ok) silent.push({ name, fault: sent.error });
    else if (sent.value.state !== 'rejected') answers.push({ name, answer: sent.value });
    else if (await isKnown(backend, signed.value)) answers.push({ name, answer: { state: 'known' } });
    else refused.push({ name, reason: sent.value.reason });
  }
  const nobody = answers.length === 0 ? takenByNone(refused, silent, batch) : ok(undefined);
  if (!nobody.ok) return nobody;
  const noted = await desk.journal.transact(async (tx) => {
    const found = findBatch(tx.state, id);
    if (!found.ok) return found;
    // A second run of the same command, or news of the chain, may have come in between.
    if (found.value.state === 'SIGNED' || found.value.state === 'BROADCAST') {
      tx.append({ kind: 'batch.broadcast', batch: id, txid, to: answers.map(({ name }) => name) });
    }
    return ok(undefined);
  });
  return noted.ok ? ok({ batch: id, txid, answers, refused, silent }) : noted;
}

/**
 * A batch that lost its coins has nothing to send. One that was never public, and in whose place another one is signed, is
 * not made public any more: least of all where that one cancels it.
 */
async function stillWanted(desk: Desk, batch: BatchRecord): Promise<Result<void, Fault>> {
  const { id, state, reason } = batch;
  if (state === 'REPLACED' || state === 'CONFLICTED') {
    return fail('E_BATCH_STATE', `batch ${id} is ${state}: ${reason ?? ''}`, {
      remedy: 'its coins are spent by that one: no node would take it any more',
    });
  }
  const read = await desk.journal.read();
  if (!read.ok) return read;
  const other = liveReplacement(read.value.batches, batch);
  if (state !== 'SIGNED' || other === null || other.signed === null) return ok(undefined);
  return fail('E_BATCH_STATE', `batch ${other.id} is signed in the place of batch ${id}, which was never sent`, {
    remedy: `send that one: countersign batch broadcast ${other.id}`,
  });
}

/** A node that has it in a block may refuse it for its spent coins, where all its outputs are spent as well. */
async function isKnown(backend: ChainBackend, { batch, txid }: SignedTransaction): Promise<boolean> {
  const status = await backend.status(txid, batch.plannedHeight);
  return status.ok && status.value.state !== 'unknown';
}

function takenByNone(
  [refused]: Broadcast['refused'],
  [silent]: Broadcast['silent'],
  batch: BatchRecord,
): Result<never, Fault> {
  if (refused !== undefined) return rejected(refused.name, refused.reason, batch);
  if (silent !== undefined) {
    const { message, tag } = silent.fault;
    return fail(tag, message, {
      ...silent.fault,
      remedy: `${silent.fault.remedy ?? 'see what it logs'}; then run the command again: it may have been sent all the same, and sending twice does no harm`,
    });
  }
  return fail('E_CHAIN_NONE', 'no chain back end is named', {
    remedy: 'write chain: into countersign.yaml, or give --backend core:http://127.0.0.1:8332 --cookie FILE',
  });
}

async function notHaltedNow(desk: Desk, batch: BatchRecord): Promise<Result<void, Fault>> {
  const read = await desk.journal.read();
  if (!read.ok) return read;
  // That a halt is over counts as little as anything else until it is proven.
  const proven = await proveGround(desk, read.value);
  return proven.ok ? checkHalts(read.value, desk.config.network, batch) : proven;
}

interface SignedTransaction {
  readonly batch: BatchRecord;
  readonly transaction: Uint8Array;
  readonly txid: Hex;
}

/** The transaction of a batch as the journal keeps it: hashed again, so that what is sent is what was proven. */
export async function signedTransaction(desk: Desk, id: string): Promise<Result<SignedTransaction, Fault>> {
  const read = await desk.journal.read();
  if (!read.ok) return read;
  const found = findBatch(read.value, id);
  if (!found.ok) return found;
  const { signed, state } = found.value;
  if (signed === null) {
    return fail('E_BATCH_STATE', `batch ${id} is ${state}: there is no signed transaction of it`, {
      remedy: `sign it first: countersign batch sign ${id}`,
    });
  }
  const transaction = await desk.journal.blob(signed.transaction);
  if (!transaction.ok) return transaction;
  const parsed = parseTransaction(transaction.value);
  if (!parsed.ok || txidOf(parsed.value) !== signed.txid) {
    return fail('E_JOURNAL_TAMPERED', `the transaction that the journal keeps for batch ${id} is not ${signed.txid}`, {
      remedy: 'send nothing, and find out who changed the journal: countersign audit verify',
    });
  }
  return ok({ batch: found.value, transaction: transaction.value, txid: signed.txid });
}

async function stillAllowed(desk: Desk, id: string): Promise<Result<void, Fault>> {
  const looked = await reviewBatch(desk, id);
  if (!looked.ok) return looked;
  const review = await recordDenial(desk, looked.value);
  if (!review.ok) return review;
  const { situation, batch } = review.value;
  const halted = checkHalts(situation.state, situation.vault.network, batch);
  if (!halted.ok) return halted;
  const { decision, findings } = review.value.assessment.verdict;
  if (decision !== 'DENY') return ok(undefined);
  const denied = findings.filter(({ outcome }) => outcome === 'deny');
  const codes = [...new Set(denied.map(({ code }) => code))].sort().join(', ');
  return fail(
    'E_DENIED',
    `batch ${id} is signed, and the policy denies it by now: ${codes}. ${denied[0]?.text ?? ''}`,
    {
      ...(denied[0] === undefined ? {} : { where: denied[0].where }),
      remedy: `countersign batch check ${id} shows every rule; the transaction stays in the journal and counts as spent`,
    },
  );
}

/** Bitcoin Core's words for why it does not take a transaction (src/validation.cpp, src/policy/), and what helps. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [
    /missing-?or-?spent|missing inputs/i,
    'a coin of it is spent by another transaction: countersign chain sync, and ask which one',
  ],
  [
    /mempool-conflict|insufficient fee|replacement/i,
    'another transaction that spends the same coins is on its way, and it does not outbid that one: bump it again, higher',
  ],
  [
    /min relay fee|mempool min fee|fee not met/i,
    'its fee is below what nodes take at the moment: wait, or replace it for a higher one (countersign batch bump)',
  ],
  [/non-final|non-BIP68-final/i, 'its locktime lies ahead of that node: wait for the next block'],
  [/dust/i, 'one of its outputs is too small to be relayed'],
  [
    /script-verify|signature/i,
    'a signature of it does not hold: send nothing, and verify the journal: countersign audit verify',
  ],
];

function rejected(name: string, reason: string, { id }: BatchRecord): Result<never, Fault> {
  const remedy =
    REMEDIES.find(([words]) => words.test(reason))?.[1] ?? 'look the reason up in the documents of the node';
  return fail('E_NODE_REJECTED', `${name} does not take the transaction of batch ${id}: ${reason}`, {
    remedy: `${remedy}. The batch stays as it is and counts as spent`,
  });
}

import type { HaltFields } from '../approval/halt-statement.js';
import { type Fault, fail } from '../domain/fault.js';
import type { Network } from '../domain/network.js';
import { ok, type Result } from '../domain/result.js';
import type { UnixSeconds } from '../domain/time.js';
import { type DestinationOf, haltedNames, haltsAgainst, notHalted, unknownHalt } from '../journal/halts.js';
import { governingPolicy } from '../journal/policies.js';
import type { BatchRecord, HaltRecord, JournalState } from '../journal/state.js';
import type { Halt, LoadedPolicy } from '../policy/types.js';
import { readPolicyRecord } from './active-policy.js';
import { destinationsOf } from './destinations.js';
import type { Archive, Desk } from './ports.js';

/** A statement made elsewhere, as it was brought. */
export interface BroughtStatement {
  readonly armored: string;
  readonly statement: Uint8Array;
}

/**
 * What halts are judged by: the journal and the policy that it keeps. The policy's file in the workspace is not looked at,
 * nor are coins: who has to stop everything must not have to mend those first.
 */
export interface HaltScene {
  readonly state: JournalState;
  readonly policy: LoadedPolicy;
  /** Of which journal statements have to be. */
  readonly home: Pick<HaltFields, 'network' | 'vault' | 'journal'>;
  /** Journal time: the later of the clock and the newest entry. */
  readonly now: UnixSeconds;
}

export async function haltScene(desk: Desk): Promise<Result<HaltScene, Fault>> {
  const read = await desk.journal.read();
  return read.ok ? haltSceneOf(desk, read.value, desk.ports.clock()) : read;
}

/** The same at a moment of the past, for an audit. E_POLICY_MISSING where no policy says who may halt. */
export async function haltSceneOf(
  desk: Archive,
  state: JournalState,
  clock: UnixSeconds,
): Promise<Result<HaltScene, Fault>> {
  const now = Math.max(clock, state.head?.at ?? 0);
  const record = governingPolicy(state, now);
  if (record === null || state.origin === null) {
    return fail(
      'E_POLICY_MISSING',
      'no policy was ever activated: nothing may leave, and there is nothing yet to halt',
      {
        remedy: 'activate one: countersign policy activate FILE',
      },
    );
  }
  const policy = await readPolicyRecord(desk, record);
  if (!policy.ok) return policy;
  const home = { network: state.network ?? '', vault: state.vault?.id ?? null, journal: state.origin };
  return ok({ state, policy: policy.value, home, now });
}

/** The halt of that name, or the one that stands where none is named. E_HALT_UNKNOWN. */
export function standingHalt({ halts }: JournalState, id: string | null): Result<HaltRecord, Fault> {
  if (id !== null) {
    const halt = halts.get(id);
    return halt === undefined ? unknownHalt(id) : ok(halt);
  }
  const [only, ...others] = [...halts.values()];
  if (only === undefined) {
    return fail('E_HALT_UNKNOWN', 'no halt stands', { remedy: 'nothing is left to do: batches can be signed' });
  }
  if (others.length === 0) return ok(only);
  const names = [...halts.keys()].join(', ');
  return fail('E_HALT_UNKNOWN', `${halts.size} halts stand, and it is not said which one: ${names}`, {
    remedy: `name it: countersign halt resume ${only.id}`,
  });
}

/** Halts as rules see them. */
export function policyHalts({ halts, book }: Pick<JournalState, 'halts' | 'book'>): readonly Halt[] {
  return [...halts.values()].map((halt) => policyHalt(halt, book));
}

export function policyHalt(halt: HaltRecord, book: JournalState['book']): Halt {
  const { id, scope, payable, at, reason, source } = halt;
  const script = payable !== null && 'script' in payable ? payable.script : null;
  return { id, scope, script, names: haltedNames(halt, book), since: at, reason, source: source.kind };
}

/** The halts that stand against a batch, those of a destination by a descriptor among them. */
export function haltsHolding(
  state: Pick<JournalState, 'halts' | 'book'>,
  network: Network,
  batch: BatchRecord,
): readonly HaltRecord[] {
  return haltsAgainst(state, batch, finder(state, network));
}

/** E_HALTED where a halt stands against the batch, also one of a destination by a descriptor. */
export function checkHalts(
  state: Pick<JournalState, 'halts' | 'book'>,
  network: Network,
  batch: BatchRecord,
): Result<void, Fault> {
  return notHalted(state, batch, finder(state, network));
}

/** Descriptors are derived only while a destination is halted that is one. */
function finder(state: Pick<JournalState, 'halts' | 'book'>, network: Network): DestinationOf {
  const isAsked = [...state.halts.values()].some(({ payable }) => payable !== null && 'descriptor' in payable);
  if (!isAsked) return () => undefined;
  const destinations = destinationsOf(state, network);
  return (script) => destinations.find(script)?.id;
}

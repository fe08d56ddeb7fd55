import { encodeAddress } from '../../domain/address.js';
import { sha256Hex, toHex, trustedHex } from '../../domain/bytes.js';
import { MAX_SATS, minSats, type Sats } from '../../domain/sats.js';
import { scriptKind } from '../../domain/script.js';
import { parseTime, type UnixSeconds } from '../../domain/time.js';
import { NO_SOURCES } from '../../psbt/sources.js';
import type { Vault } from '../../vault/types.js';
import { evaluate } from '../evaluate.js';
import type { DestinationAge, Facts, Finding, LoadedPolicy, PolicyState, Verdict } from '../types.js';
import { createSpendIndex } from '../windows.js';

/** A payment that nobody planned: one output to one destination, with every approval given. */
export interface Hypothesis {
  readonly policy: LoadedPolicy;
  readonly state: PolicyState;
  readonly vault: Vault;
  readonly to: DestinationAge;
  /** What the one transaction would cost, and its size in vB. */
  readonly fee: Sats;
  readonly vsize: bigint;
  /** Coins that could be spent now, less the fee. */
  readonly available: Sats;
  readonly now: UnixSeconds;
}

export interface Outlook {
  /** The most that one batch may pay there now; 0 where nothing may go. */
  readonly most: Sats;
  /** What stands against one satoshi more; empty where the coins end first. */
  readonly binding: readonly Finding[];
  /** The next moment at which more may go if nothing else happens, and how much then; null where time alone frees nothing. */
  readonly frees: { readonly at: UnixSeconds; readonly most: Sats } | null;
  /** Who has to approve the most: the tier of the policy. */
  readonly quorum: Verdict['quorum'];
}

/** Codes that a larger amount cures, as the one coin is made to fit it: they bound a payment from below. */
const TOO_SMALL: readonly string[] = ['DEST_DUST', 'FEE_FRACTION', 'INPUT_DUST'];

/**
 * How much can go to one destination, found by asking the rules themselves: every other denial only grows with the amount,
 * so the border is found by halving, and both of its sides are judged. That the border lies where it is said to be is thus
 * shown by two verdicts: the most is allowed, and one satoshi more is denied.
 */
export function outlook(hypothesis: Hypothesis): Outlook {
  const ask = judge(hypothesis);
  const { most, beyond } = border(ask, hypothesis.now, hypothesis);
  const binding = beyond === null ? [] : deniedBy(beyond);
  const quorum = ask(most > 0n ? most : 1n, hypothesis.now).quorum;
  return { most, binding, frees: nextMore(ask, hypothesis, most, beyond), quorum };
}

/** The verdict on one amount now, as if everybody had approved it. */
export function whatIf(hypothesis: Hypothesis, amount: Sats): Verdict {
  return judge(hypothesis)(amount, hypothesis.now);
}

type Ask = (amount: Sats, time: UnixSeconds) => Verdict;

interface Border {
  readonly most: Sats;
  /** The verdict on one satoshi more; null where the coins end first. */
  readonly beyond: Verdict | null;
}

function border(ask: Ask, time: UnixSeconds, { available, fee }: Hypothesis): Border {
  const against = (amount: Sats): readonly Finding[] =>
    deniedBy(ask(amount, time)).filter(({ code }) => !TOO_SMALL.includes(code));
  const top = minSats(available > 0n ? available : 0n, MAX_SATS) + 1n;
  let low = 0n;
  let high = top;
  // The rules say themselves how much room they leave, with the fee or without. Whatever they say is tried, not believed.
  const rooms = against(top).flatMap(({ headroom, unit }) =>
    headroom === undefined || unit !== 'sat' ? [] : [BigInt(headroom)],
  );
  for (const room of rooms.length === 0 ? [] : guesses(rooms, fee)) {
    if (room <= low || room >= high) continue;
    if (against(room).length > 0) high = room;
    else low = room;
    if (low + 1n < high && low === room && against(room + 1n).length > 0) high = room + 1n;
  }
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (against(middle).length > 0) high = middle;
    else low = middle;
  }
  // Where even the most is too small for a rule that wants it larger, nothing can go.
  const highest = low === 0n ? null : ask(low, time);
  if (highest !== null && highest.decision === 'DENY') return { most: 0n, beyond: highest };
  const isCoins = low > 0n && low >= available;
  return { most: low, beyond: isCoins ? null : ask(low + 1n, time) };
}

function guesses(rooms: readonly Sats[], fee: Sats): readonly Sats[] {
  const least = rooms.reduce(minSats);
  return [1n, least - fee, least];
}

const deniedBy = ({ findings }: Verdict): readonly Finding[] => findings.filter(({ outcome }) => outcome === 'deny');

/** Steps from one moment at which a rule frees to the next; a calendar of closed days may ask for a few. */
const MOMENTS = 64;

function nextMore(ask: Ask, hypothesis: Hypothesis, most: Sats, beyond: Verdict | null): Outlook['frees'] {
  const { now, available } = hypothesis;
  if (beyond === null || most >= available) return null;
  let time = now;
  let verdict = beyond;
  for (let step = 0; step < MOMENTS; step += 1) {
    const denied = deniedBy(verdict).filter(({ code }) => !TOO_SMALL.includes(code));
    if (denied.length === 0) {
      const then = border(ask, time, hypothesis).most;
      return then > most ? { at: time, most: then } : null;
    }
    const moments = denied.map(({ freesAt }) => (freesAt === undefined ? null : parseTime(freesAt)));
    if (moments.includes(null)) return null;
    const next = Math.max(...moments.map((moment) => moment ?? 0));
    if (next <= time) return null;
    time = next;
    verdict = ask(most + 1n, time);
  }
  return null;
}

/** Chain, lists and approvals keep up with time: a look ahead is not stopped by data that will have been renewed. */
function judge({ policy, state, vault, to, fee, vsize, now }: Hypothesis): Ask {
  const index = createSpendIndex(state.spends);
  const people = new Set([...policy.document.roles.values()].flatMap((role) => [...role.keys()]));
  return (amount, time) => {
    const later = time - now;
    const validUntil = time + policy.document.approvals.validFor;
    const moved: PolicyState = {
      ...state,
      tip: { ...state.tip, medianTimePast: state.tip.medianTimePast + later },
      snapshotAt: state.snapshotAt + later,
      initiator: '',
      approvals: [...people].map((person) => ({ person, at: time, validUntil, touch: true })),
      reusedRequests: [],
      screening: new Map([...state.screening].map(([id, list]) => [id, { ...list, issuedAt: list.issuedAt + later }])),
      objections: [],
    };
    const facts = factsOf(amount, fee, vsize, to, vault, state.tip.height);
    const script = trustedHex(to.script);
    const declared = to.index === undefined ? {} : { destination: to.id, index: to.index };
    const requests = [{ id: 'what-if', address: to.id, script, amount, ...declared }];
    return evaluate({ policy, kind: 'withdrawal', facts, requests, state: moved, now: time }, index);
  };
}

function factsOf(amount: Sats, fee: Sats, vsize: bigint, to: DestinationAge, vault: Vault, tip: number): Facts {
  const script = trustedHex(to.script);
  const value = amount + fee;
  // A coin that no batch has spent: it replaces nothing, and what is said of coins is said of real ones when they are chosen.
  const outpoint = { txid: sha256Hex(`what if ${to.script}`), vout: 0 };
  const own = trustedHex(`0014${sha256Hex('what if').slice(0, 40)}`);
  return {
    psbtSha256: sha256Hex(`what if ${toHex(script)} ${amount}`),
    vault: { id: vault.id, network: vault.network, descriptor: vault.descriptor },
    version: 2,
    locktime: tip,
    malformed: null,
    inputs: [
      {
        index: 0,
        outpoint,
        sequence: 0xfffffffd,
        value,
        script: own,
        proof: 'proven',
        sighashType: null,
        presigned: false,
        foreignFields: [],
        origin: { branch: 0, index: 0 },
        coin: { confirmations: 1_000_000, coinbase: false, value, leftOnScript: 0 },
        frozen: null,
        sources: NO_SOURCES,
      },
    ],
    outputs: [
      {
        index: 0,
        value: amount,
        script,
        kind: scriptKind(script),
        address: encodeAddress(script, vault.network),
        own: { own: false, problem: null },
        isChange: false,
      },
    ],
    fee,
    external: amount,
    spend: value,
    vsize,
  };
}

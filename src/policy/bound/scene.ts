import { encodeAddress } from '../../domain/address.js';
import { sha256Hex, toHex, trustedHex } from '../../domain/bytes.js';
import { formatOutpoint } from '../../domain/outpoint.js';
import type { WithdrawalRequest } from '../../domain/request.js';
import { type Sats, sumSats } from '../../domain/sats.js';
import { type PayableKind, scriptKind } from '../../domain/script.js';
import type { UnixSeconds } from '../../domain/time.js';
import { NO_SOURCES } from '../../psbt/sources.js';
import { NO_COUNTERPARTIES } from '../counterparties.js';
import type {
  DestinationAge,
  EvaluationInput,
  Facts,
  InputFact,
  LoadedPolicy,
  OutputFact,
  PolicyDocument,
  ScreeningState,
  SpendRecord,
} from '../types.js';
import { canTouch } from './people.js';

/** A batch that is well formed in everything but what it is to show. */
export interface Scene {
  readonly policy: LoadedPolicy;
  readonly at: UnixSeconds;
  /** Tells this batch's coin and request ids from those of others. */
  readonly name: string;
  readonly payments: readonly { readonly script: Uint8Array; readonly amount: Sats }[];
  readonly fee: Sats;
  readonly vsize: bigint;
  readonly destinations: readonly DestinationAge[];
  readonly spends: readonly SpendRecord[];
  readonly approvedBy: readonly string[];
  readonly initiator: string;
  /** Confirmed coins of the vault before the batch. */
  readonly balance: Sats;
  /** Height of the chain's tip. */
  readonly tip: number;
}

/** Far from what any wallet reaches, and far below where heights become times (nLockTime). */
export const FIRST_HEIGHT = 1_000_000;

const LAST_USED_CHANGE = 0;

/** What evaluate is asked: the facts as decoding a PSBT would give them, and the state as the journal would. */
export function inputOf(scene: Scene): EvaluationInput {
  const { policy, at, payments, destinations, spends, approvedBy, initiator, balance, tip } = scene;
  const { document } = policy;
  return {
    policy,
    kind: 'withdrawal',
    facts: factsOf(scene),
    requests: payments.map(
      ({ script, amount }, index): WithdrawalRequest => ({
        id: `${scene.name}-${index + 1}`,
        address: addressOf(script, document),
        script,
        amount,
      }),
    ),
    state: {
      spends,
      destinations: new Map(destinations.map((entry) => [entry.script, entry])),
      counterparties: NO_COUNTERPARTIES,
      confirmedBalance: balance,
      tip: { height: tip, medianTimePast: at },
      snapshotAt: at,
      lastEntryAt: at,
      usedChange: new Set(),
      lastUsedChange: LAST_USED_CHANGE,
      initiator,
      approvals: approvedBy.map((person) => ({
        person,
        at,
        validUntil: at + document.approvals.validFor,
        touch: canTouch(person, document),
      })),
      reusedRequests: [],
      screening: screeningIn(document, at),
      halts: [],
      objections: [],
    },
    now: at,
  };
}

/** Every list that the policy names, as of this moment, and with nothing on it that the batch shows. */
export function screeningIn(
  { screening, roles }: PolicyDocument,
  at: UnixSeconds,
): ReadonlyMap<string, ScreeningState> {
  return new Map(
    screening.lists.map(({ id, pinnedBy }) => {
      const [person = ''] = roles.get(pinnedBy)?.keys() ?? [];
      const scripts = new Set([toHex(scriptNamed(`listed in ${id}`, 'p2wpkh'))]);
      return [id, { issuedAt: at, expiresAt: null, pinnedBy: person, scripts, before: null, own: [] }];
    }),
  );
}

function factsOf({ policy, name, payments, fee, vsize, tip }: Scene): Facts {
  const { wallet, transaction, inputs, change } = policy.document;
  const external = sumSats(payments.map(({ amount }) => amount));
  const spend = external + fee;
  // Change only where the coin would otherwise be too small to be spent.
  const kept = spend < inputs.minValue && change.maxOutputs > 0 ? inputs.minValue : 0n;
  const outputs = payments.map(
    ({ script, amount }, index): OutputFact => ({
      index,
      value: amount,
      script,
      kind: scriptKind(script),
      address: addressOf(script, policy.document),
      own: { own: false, problem: null },
      isChange: false,
    }),
  );
  if (kept > 0n) outputs.push(changeOutput(name, kept, outputs.length, policy.document));
  return {
    psbtSha256: sha256Hex(`psbt ${name}`),
    vault: { id: wallet.id, network: wallet.network, descriptor: wallet.descriptor },
    version: Math.max(...transaction.versions),
    locktime: tip,
    malformed: null,
    inputs: [coinOf(name, spend + kept, policy.document)],
    outputs,
    fee,
    external,
    spend,
    vsize,
  };
}

function coinOf(name: string, value: Sats, { inputs }: PolicyDocument): InputFact {
  return {
    index: 0,
    outpoint: { txid: sha256Hex(`coin ${name}`), vout: 0 },
    sequence: 0xfffffffd,
    value,
    script: scriptNamed(`coin ${name}`, 'p2wpkh'),
    proof: 'proven',
    sighashType: null,
    presigned: false,
    foreignFields: [],
    origin: { branch: 0, index: 0 },
    coin: { confirmations: Math.max(inputs.minConfirmations, 100), coinbase: false, value, leftOnScript: 0 },
    frozen: null,
    sources: NO_SOURCES,
  };
}

function changeOutput(name: string, value: Sats, index: number, document: PolicyDocument): OutputFact {
  const script = scriptNamed(`change ${name}`, 'p2wpkh');
  const own = { own: true, origin: { branch: 1, index: LAST_USED_CHANGE + 1 }, claimed: true } as const;
  return { index, value, script, kind: 'p2wpkh', address: addressOf(script, document), own, isChange: true };
}

/** The budget that a batch holds from its confirmation on; at once, and in the block of its tip. */
export function spendOf({ facts, now, state }: EvaluationInput, batch: string): SpendRecord {
  return {
    batch,
    spend: facts.spend,
    fee: facts.fee,
    outputs: facts.outputs
      .filter(({ isChange }) => !isChange)
      .map(({ script, value }) => ({ script: toHex(script), amount: value })),
    inputs: facts.inputs.map(({ outpoint }) => formatOutpoint(outpoint)),
    reservedAt: now,
    confirmed: { at: now, height: state.tip.height },
  };
}

const PREFIX: Readonly<Record<PayableKind, readonly [before: string, bytes: number, after: string]>> = {
  p2pkh: ['76a914', 20, '88ac'],
  p2sh: ['a914', 20, '87'],
  p2wpkh: ['0014', 20, ''],
  p2wsh: ['0020', 32, ''],
  p2tr: ['5120', 32, ''],
};

/** A script of a kind, made from a hash: nobody holds its key. About half of all hashes are points of the curve. */
export function scriptNamed(name: string, kind: PayableKind): Uint8Array {
  const [before, bytes, after] = PREFIX[kind];
  for (let attempt = 0; ; attempt += 1) {
    const hash = sha256Hex(attempt === 0 ? name : `${name} ${attempt}`).slice(0, 2 * bytes);
    const script = trustedHex(`${before}${hash}${after}`);
    if (scriptKind(script) === kind) return script;
  }
}

export function addressOf(script: Uint8Array, { wallet }: PolicyDocument): string {
  return encodeAddress(script, wallet.network) ?? toHex(script);
}

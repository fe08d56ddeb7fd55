import { BATCH_KINDS } from '../domain/batch-kind.js';
import type { HaltScope } from '../domain/halt-scope.js';
import { PAYABLE_KINDS } from '../domain/script.js';
import type {
  CounterpartyAge,
  DestinationAge,
  EvaluationInput,
  Facts,
  InputFact,
  OutputFact,
  PolicyState,
  ScreeningState,
  SpendRecord,
} from './types.js';

/** Null for a sound value, else the place of the fault in it, such as ".inputs[0].value". */
type Check = (value: unknown) => string | null;

const HERE = '';
const that = (holds: (value: unknown) => boolean): Check => {
  return (value) => (holds(value) ? null : HERE);
};
const whole = (from: number, to: number = Number.MAX_SAFE_INTEGER): Check =>
  that((value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= from && value <= to);
const oneOf = (...values: readonly unknown[]): Check => that((value) => values.includes(value));
const orNull = (check: Check): Check => {
  return (value) => (value === null ? null : check(value));
};

const ifSaid = (check: Check): Check => {
  return (value) => (value === undefined ? null : check(value));
};

/** Every field of T has its check: a new field of a type without one does not compile. */
function shape<T>(fields: { readonly [K in keyof T]-?: Check }): Check {
  const checks = Object.entries<Check>(fields);
  return (value) => {
    if (typeof value !== 'object' || value === null) return HERE;
    for (const [name, check] of checks) {
      const fault = check(Reflect.get(value, name));
      if (fault !== null) return `.${name}${fault}`;
    }
    return null;
  };
}

function list(item: Check): Check {
  return (value) => {
    if (!Array.isArray(value)) return HERE;
    for (const [index, one] of value.entries()) {
      const fault = item(one);
      if (fault !== null) return `[${index}]${fault}`;
    }
    return null;
  };
}

function mapOf(item: Check): Check {
  return (value) => {
    if (!(value instanceof Map)) return HERE;
    for (const [key, one] of value) {
      const fault = typeof key === 'string' ? item(one) : HERE;
      if (fault !== null) return `[${String(key)}]${fault}`;
    }
    return null;
  };
}

const text = that((value) => typeof value === 'string');
const flag = that((value) => typeof value === 'boolean');
const bytes = that((value) => value instanceof Uint8Array);
const amount = that((value) => typeof value === 'bigint' && value >= 0n);
/** May be negative: a PSBT can pay more than it spends, which is for the rules to deny. */
const difference = that((value) => typeof value === 'bigint');
const hash = that((value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value));
const time = whole(0);
const UINT32 = 0xffffffff;
const UNHARDENED = 0x7fffffff;
const index = whole(0, UNHARDENED);

const origin = shape<NonNullable<InputFact['origin']>>({ branch: oneOf(0, 1), index: whole(0, UNHARDENED) });

const input = shape<InputFact>({
  index: whole(0),
  outpoint: shape<InputFact['outpoint']>({ txid: hash, vout: whole(0, UINT32) }),
  sequence: whole(0, UINT32),
  value: amount,
  script: bytes,
  proof: oneOf('proven', 'claimed', 'mismatch', 'absent'),
  sighashType: orNull(whole(0, UINT32)),
  presigned: flag,
  foreignFields: list(text),
  origin: orNull(origin),
  coin: orNull(
    shape<NonNullable<InputFact['coin']>>({
      confirmations: whole(0),
      coinbase: flag,
      value: amount,
      leftOnScript: whole(0),
      isParentChange: oneOf(undefined, true),
    }),
  ),
  frozen: orNull(text),
  sources: orNull(shape<NonNullable<InputFact['sources']>>({ scripts: list(text), untold: whole(0) })),
});

type Own = Extract<OutputFact['own'], { own: true }>;
type Other = Extract<OutputFact['own'], { own: false }>;

const ours = shape<Own>({ own: oneOf(true), origin, claimed: flag });
const others = shape<Other>({
  own: oneOf(false),
  problem: oneOf(null, 'CHANGE_UNPROVEN', 'CHANGE_PATH', 'CHANGE_GAP'),
});

const output = shape<OutputFact>({
  index: whole(0),
  value: amount,
  script: bytes,
  kind: oneOf(...PAYABLE_KINDS, 'p2a', 'op_return', 'witness_unknown', 'p2tr_off_curve', 'nonstandard'),
  address: orNull(text),
  own: (value) => (ours(value) === null ? null : others(value)),
  isChange: flag,
});

const facts = shape<Facts>({
  psbtSha256: hash,
  vault: shape<Facts['vault']>({ id: text, network: text, descriptor: text }),
  version: whole(-0x80000000, UINT32),
  locktime: whole(0, UINT32),
  malformed: orNull(text),
  inputs: list(input),
  outputs: list(output),
  fee: difference,
  external: amount,
  spend: difference,
  vsize: that((value) => typeof value === 'bigint' && value > 0n),
});

const spend = shape<SpendRecord>({
  batch: text,
  spend: amount,
  fee: amount,
  outputs: list(shape<SpendRecord['outputs'][number]>({ script: text, amount })),
  asked: ifSaid(list(shape<SpendRecord['outputs'][number]>({ script: text, amount }))),
  inputs: list(text),
  reservedAt: time,
  confirmed: orNull(shape<NonNullable<SpendRecord['confirmed']>>({ at: time, height: whole(0) })),
});

const screening = shape<ScreeningState>({
  issuedAt: time,
  expiresAt: orNull(time),
  pinnedBy: text,
  // Its 100,000 items are not looked at one by one: what is no text of hex is never asked for.
  scripts: that((value) => value instanceof Set),
  before: orNull(shape<NonNullable<ScreeningState['before']>>({ scripts: whole(0), removed: whole(0) })),
  own: list(text),
});
const destination = shape<DestinationAge>({
  id: text,
  label: text,
  script: text,
  since: time,
  index: ifSaid(index),
  proven: ifSaid(oneOf(true)),
});
const scopes: readonly Check[] = [
  shape<Extract<HaltScope, { kind: 'all' }>>({ kind: oneOf('all') }),
  shape<Extract<HaltScope, { kind: 'destination' }>>({ kind: oneOf('destination'), id: text }),
  shape<Extract<HaltScope, { kind: 'initiator' }>>({ kind: oneOf('initiator'), person: text }),
];
const haltScope: Check = (value) => (scopes.some((check) => check(value) === null) ? null : HERE);

const state = shape<Omit<PolicyState, 'spends' | 'destinations'>>({
  counterparties: shape<PolicyState['counterparties']>({
    entries: mapOf(
      shape<CounterpartyAge>({
        id: text,
        label: text,
        since: time,
        maxIndex: whole(0, UNHARDENED),
        scripts: that((value) => value instanceof Set),
      }),
    ),
    paidBefore: mapOf(list(text)),
    alike: list(destination),
  }),
  confirmedBalance: amount,
  tip: shape<PolicyState['tip']>({ height: whole(0), medianTimePast: time }),
  snapshotAt: time,
  lastEntryAt: time,
  usedChange: that((value) => value instanceof Set),
  // Below -1 it narrows the gap, no more.
  lastUsedChange: whole(Number.MIN_SAFE_INTEGER, UNHARDENED),
  initiator: text,
  approvals: list(shape<PolicyState['approvals'][number]>({ person: text, at: time, validUntil: time, touch: flag })),
  reusedRequests: list(text),
  screening: mapOf(screening),
  halts: list(
    shape<PolicyState['halts'][number]>({
      id: text,
      scope: haltScope,
      script: orNull(text),
      names: list(text),
      since: time,
      reason: text,
      source: oneOf('person', 'unverified', 'automatic'),
    }),
  ),
  objections: list(
    shape<PolicyState['objections'][number]>({ kind: oneOf('rejected', 'withdrawn'), person: text, at: time }),
  ),
});

type Asked = EvaluationInput['requests'][number];
const request = shape<Pick<Asked, 'id' | 'address' | 'script' | 'amount' | 'feePayer' | 'destination' | 'index'>>({
  id: text,
  address: text,
  script: bytes,
  amount,
  feePayer: ifSaid(oneOf('payee')),
  destination: ifSaid(text),
  index: ifSaid(index),
});

const whatIsJudged = shape<Omit<EvaluationInput, 'policy'>>({
  kind: oneOf(...BATCH_KINDS),
  facts,
  requests: list(request),
  state,
  now: time,
});
const spends = list(spend);
const destinations = mapOf(destination);

/** The place of the first fault in the ages of a book, such as "[0014ab].since"; null where there is none. */
export function faultOfAges(ages: unknown): string | null {
  return destinations(ages);
}

/**
 * What is wrong with what a verdict is to rest on, in words; null where nothing is. The types say the same, but nothing
 * holds them at run time: a field that is missing or of another type must deny, and not slip through a comparison. The
 * sums of the facts are added up again, so that no rule rests on a total that its parts contradict.
 *
 * What was arranged before is not looked at again: spends throw there where they are unsound, a book keeps its fault.
 */
export function unsoundness(
  judged: EvaluationInput,
  arranged: { readonly spends: boolean; readonly book: { readonly fault: string | null } | undefined },
): string | null {
  const fault = whatIsJudged(judged);
  if (fault !== null) return `${fault.slice(1)} is missing or mistyped`;
  const book = arranged.book === undefined ? faultOfAges(judged.state.destinations) : arranged.book.fault;
  if (book !== null) return `state.destinations${book} is missing or mistyped`;
  const earlier = arranged.spends ? null : spends(judged.state.spends);
  if (earlier !== null) return `state.spends${earlier} is missing or mistyped`;
  return contradiction(judged.facts);
}

function contradiction({ inputs, outputs, fee, external, spend: claimed }: Facts): string | null {
  let spent = 0n;
  let own = 0n;
  let created = 0n;
  let change = 0n;
  for (const { value, origin: place } of inputs) {
    spent += value;
    if (place !== null) own += value;
  }
  for (const { value, own: proof, isChange, index } of outputs) {
    if (isChange !== (proof.own && proof.origin.branch === 1)) {
      return `facts.outputs: output ${index} is called ${isChange ? 'change' : 'no change'} against its proof`;
    }
    created += value;
    if (isChange) change += value;
  }
  if (fee !== spent - created) return 'facts.fee is not what inputs and outputs leave';
  if (external !== created - change) return 'facts.external is not what the outputs add up to';
  if (claimed !== own - change) return 'facts.spend is not what own inputs and change leave';
  return null;
}

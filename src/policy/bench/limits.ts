import type { EvaluationInput, Finding, PolicyDocument, Verdict } from '../types.js';

const DAY = 86_400;

/** A number of a policy that rules compare something with. */
export interface NumericLimit {
  /** "limits.rolling.24h". */
  readonly field: string;
  readonly limit: bigint;
  /** What a case brings up against it, in the unit of the limit; several where it has several destinations or coins. */
  measure(input: EvaluationInput, verdict: Verdict): readonly bigint[];
}

/**
 * Every number of a policy that a verdict depends on, but for those that cannot be met: "unlimited", and 0 where nothing
 * can be less.
 */
export function numericLimits(document: PolicyDocument): readonly NumericLimit[] {
  return [...reported(document), ...ages(document), ...ofCoins(document), ...ofFees(document), ...ofPeople(document)]
    .concat(ofTime(document), ofLists(document))
    .filter(({ limit }) => limit > 0n);
}

const whole = (text: string | undefined): readonly bigint[] =>
  text !== undefined && /^-?[0-9]+$/.test(text) ? [BigInt(text)] : [];

/** Limits whose findings carry the measured number, whether they pass or deny. */
function reported(document: PolicyDocument): NumericLimit[] {
  const { limits, destinations, fees, inputs, change, clock, screening } = document;
  const one = (
    field: string,
    limit: bigint | null,
    keep: (finding: Finding) => boolean = () => true,
  ): NumericLimit[] =>
    limit === null
      ? []
      : [
          {
            field,
            limit,
            measure: (_, { findings }) =>
              findings.filter((finding) => finding.rule === field && keep(finding)).flatMap((f) => whole(f.measured)),
          },
        ];
  return [
    ...one('limits.batch', limits.batch),
    ...one('limits.output', limits.output),
    ...one('limits.rolling.1h', limits.rolling['1h']),
    ...one('limits.rolling.24h', limits.rolling['24h']),
    ...one('limits.rolling.7d', limits.rolling['7d']),
    ...[...limits.rollingBlocks].flatMap(([blocks, cap]) => one(`limits.rolling_blocks.${blocks}`, cap)),
    ...one('limits.signed_unconfirmed', limits.signedUnconfirmed),
    ...one('limits.batches_24h', BigInt(limits.batches24h)),
    ...one('limits.outputs_per_batch', BigInt(limits.outputsPerBatch)),
    ...one('limits.reserve_floor', limits.reserveFloor),
    ...one('limits.lifetime', limits.lifetime ?? null),
    ...one('destinations.default_cap_24h', destinations.defaultCap24h),
    ...[...destinations.caps24h].flatMap(([id, cap]) => one(`destinations.caps_24h.${id}`, cap)),
    ...one('destinations.young.each_24h', destinations.young.each24h),
    ...one('destinations.young.all_24h', destinations.young.all24h),
    ...one('fees.max_abs', fees.maxAbs, ({ code }) => code === 'FEE_ABS'),
    ...one('fees.max_24h', fees.max24h),
    ...one('inputs.max', BigInt(inputs.max)),
    ...one('change.max_outputs', BigInt(change.maxOutputs)),
    ...one('clock.max_back', BigInt(clock.maxBack)),
    ...one('clock.max_ahead_of_mtp', BigInt(clock.maxAheadOfMtp)),
    ...one('clock.chain_snapshot_max_age', BigInt(clock.chainSnapshotMaxAge)),
    ...screening.lists.flatMap(({ maxAge }, index) => one(`screening.lists[${index}].max_age`, BigInt(maxAge))),
  ];
}

/** How many basis points a list has lost, rounded up, as a case says it. */
function ofLists({ screening }: PolicyDocument): NumericLimit[] {
  return screening.lists.map(({ id, maxShrinkBp }, index) => ({
    field: `screening.lists[${index}].max_shrink_bp`,
    limit: BigInt(maxShrinkBp),
    measure: ({ state }) => {
      const before = state.screening.get(id)?.before ?? null;
      if (before === null || before.scripts === 0) return [];
      const [removed, scripts] = [BigInt(before.removed), BigInt(before.scripts)];
      return [(removed * 10_000n + scripts - 1n) / scripts];
    },
  }));
}

function ages({ destinations }: PolicyDocument): NumericLimit[] {
  const measure = ({ facts, state }: EvaluationInput, { evaluatedAt }: Verdict): bigint[] =>
    facts.outputs.flatMap(({ script }) => {
      const entry = state.destinations.get(Buffer.from(script).toString('hex'));
      return entry === undefined ? [] : [BigInt(evaluatedAt - entry.since)];
    });
  return [
    { field: 'destinations.cooldown', limit: BigInt(destinations.cooldown), measure },
    { field: 'destinations.young.until_age', limit: BigInt(destinations.young.untilAge), measure },
  ];
}

function ofCoins({ inputs, change }: PolicyDocument): NumericLimit[] {
  return [
    {
      field: 'inputs.min_confirmations',
      limit: BigInt(inputs.minConfirmations),
      measure: ({ facts }) => facts.inputs.flatMap(({ coin }) => (coin === null ? [] : [BigInt(coin.confirmations)])),
    },
    {
      field: 'inputs.min_value',
      limit: inputs.minValue,
      measure: ({ facts }) => facts.inputs.map(({ value }) => value),
    },
    {
      // Change beyond the gap is no longer proven: its finding tells that it was seen one further.
      field: 'change.max_gap',
      limit: BigInt(change.maxGap),
      measure: ({ facts, state, policy }, { findings }) => [
        ...facts.outputs.flatMap(({ own, isChange }) =>
          own.own && isChange ? [BigInt(own.origin.index - state.lastUsedChange)] : [],
        ),
        ...findings
          .filter(({ code, outcome }) => code === 'CHANGE_GAP' && outcome === 'deny')
          .map(() => BigInt(policy.document.change.maxGap + 1)),
      ],
    },
  ];
}

/** Of the fee rules the largest or smallest fee, in sats, that passes for this case. */
function ofFees({ fees }: PolicyDocument): NumericLimit[] {
  const against = (field: string, limit: bigint, edge: (input: EvaluationInput) => bigint | null): NumericLimit => ({
    field,
    limit,
    measure: (input) => {
      const at = edge(input);
      return at === null ? [] : [limit + input.facts.fee - at];
    },
  });
  return [
    against('fees.max_rate_sat_vb', fees.maxRate, ({ facts }) => (fees.maxRate * facts.vsize) / 1000n),
    against('fees.min_rate_sat_vb', fees.minRate, ({ facts }) => (fees.minRate * facts.vsize + 999n) / 1000n),
    against('fees.max_bp_of_external', BigInt(fees.maxBpOfExternal), ({ facts }) => {
      const most = (facts.external * BigInt(fees.maxBpOfExternal)) / 10_000n;
      return facts.external > 0n && most > fees.bpAppliesAbove ? most : null;
    }),
    against('fees.bp_applies_above', fees.bpAppliesAbove, () => fees.bpAppliesAbove),
  ];
}

function ofPeople({ approvals }: PolicyDocument): NumericLimit[] {
  return [
    ...approvals.tiers.flatMap(({ upTo, m }, index): NumericLimit[] => [
      {
        field: `approvals.tiers[${index}].up_to`,
        limit: upTo ?? 0n,
        measure: (_, { findings }) =>
          findings.filter(({ code }) => code === 'APPROVALS_NO_TIER').flatMap((finding) => whole(finding.measured)),
      },
      {
        // One person more than enough changes nothing, so it counts as seen wherever the quorum is complete.
        field: `approvals.tiers[${index}].m`,
        limit: BigInt(m),
        measure: (_, { quorum }) => {
          if (quorum === null || quorum.tier.upTo !== upTo) return [];
          const count = BigInt(quorum.approved.length);
          return count >= BigInt(m) ? [count, BigInt(m) + 1n] : [count];
        },
      },
    ]),
    {
      field: 'approvals.valid_for',
      limit: BigInt(approvals.validFor),
      measure: ({ state }, { evaluatedAt }) => state.approvals.map(({ at }) => BigInt(evaluatedAt - at)),
    },
  ];
}

function ofTime({ hours, effectiveAt, expiresAt }: PolicyDocument): NumericLimit[] {
  const second = (_: EvaluationInput, { evaluatedAt }: Verdict): bigint[] => [BigInt(evaluatedAt % DAY)];
  const now = (_: EvaluationInput, { evaluatedAt }: Verdict): bigint[] => [BigInt(evaluatedAt)];
  const isOpenEver = hours.days.length > 0;
  return [
    { field: 'hours.from', limit: isOpenEver ? BigInt(hours.from) : 0n, measure: second },
    { field: 'hours.to', limit: isOpenEver && hours.to < DAY ? BigInt(hours.to) : 0n, measure: second },
    { field: 'effective_at', limit: BigInt(effectiveAt), measure: now },
    { field: 'expires_at', limit: BigInt(expiresAt), measure: now },
  ];
}

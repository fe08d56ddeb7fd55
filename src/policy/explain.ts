import { formatFeeRate } from '../domain/feerate.js';
import { formatAmount } from '../domain/sats.js';
import { formatTime } from '../domain/time.js';
import {
  capText,
  counted,
  durationText,
  keyText,
  listText,
  quorumText,
  timeOfDayText,
  weekdayText,
} from './describe.js';
import { NOT_ENFORCED } from './not-enforced.js';
import { MOST_HOPS } from './screening/hits.js';
import type { LoadedPolicy, PolicyDocument } from './types.js';

/** A part of a policy in plain English. */
export interface ExplainedSection {
  readonly title: string;
  /** The fields of the document that the sentences speak of; everything below a field is included. */
  readonly fields: readonly string[];
  readonly sentences: readonly string[];
}

/** What a policy says, complete: every field of the document is in one of the sections, and no word depends on a clock. */
export function explainPolicy({ document }: LoadedPolicy): readonly ExplainedSection[] {
  return SECTIONS.map(({ title, fields, say }) => ({ title, fields, sentences: say(document) }));
}

interface Section {
  readonly title: string;
  readonly fields: readonly string[];
  readonly say: (policy: PolicyDocument) => readonly string[];
}

const SECTIONS: readonly Section[] = [
  {
    title: 'What this policy is',
    fields: ['schema', 'engine', 'version', 'prev', 'effective_at', 'expires_at'],
    say: ({ schema, engine, version, prev, effectiveAt, expiresAt }) => [
      `This is version ${version} of the policy, a document of ${schema} for engines ${engine}.`,
      prev === null ? 'There is no version before it.' : `It replaces the version with the digest ${prev}.`,
      `It applies from ${formatTime(effectiveAt)} on and ends at ${formatTime(expiresAt)}; after that nothing may leave.`,
    ],
  },
  {
    title: 'The wallet and its devices',
    fields: ['wallet'],
    say: ({ wallet: { id, network, descriptor, device } }) => [
      `It governs the wallet ${id} on the network ${network}, whose descriptor is ${descriptor}`,
      `Signatures come from a Ledger of the kinds ${listText(device.kinds)} with the app "${device.app}", version ${device.minAppVersion} or later.`,
    ],
  },
  {
    title: 'The people',
    fields: ['roles'],
    say: ({ roles }) =>
      [...roles].flatMap(([role, people]) => [
        `The role ${role} has ${people.size === 1 ? '1 person' : `${people.size} people`}: ${listText([...people.keys()])}.`,
        ...[...people].map(([person, keys]) => `${person} (${role}) signs with ${listText(keys.map(keyText), 'or')}.`),
      ]),
  },
  {
    title: 'Changing this policy',
    fields: ['change_control'],
    say: ({ changeControl }) => [
      `A new version has to be signed by ${quorumText(changeControl.sign)}.`,
      `What loosens the policy waits ${durationText(changeControl.looseningNotice)}; what tightens it applies at once.`,
    ],
  },
  { title: 'Where coins may go', fields: ['destinations'], say: sayDestinations },
  { title: 'How much may leave', fields: ['limits'], say: sayLimits },
  { title: 'What fees may cost', fields: ['fees'], say: sayFees },
  { title: 'Who has to approve', fields: ['approvals'], say: sayApprovals },
  { title: 'Which coins may be spent', fields: ['inputs'], say: sayInputs },
  {
    title: 'Change and the form of transactions',
    fields: ['change', 'transaction'],
    say: ({ change, transaction }) => [
      `A transaction has at most ${counted(change.maxOutputs, 'change output')}, on branch ${change.branch} of the descriptor, at most ${change.maxGap} beyond the last one used. An address that was used before is no change address (${change.reuse}).`,
      `Every signature covers the whole transaction (sighash ${transaction.sighash}). The lock time is a block height up to the tip (${transaction.locktime}), the version ${listText(transaction.versions.map(String), 'or')}.`,
      transaction.mergeOutputs === true
        ? 'Payments to one address may stand as one output of exactly their sum.'
        : 'Each payment that was asked for is an output of its own.',
      `Data outputs (OP_RETURN): ${transaction.opReturn}. Payments to the wallet's own receiving addresses: ${transaction.selfReceive}.`,
    ],
  },
  {
    title: 'When coins may leave',
    fields: ['hours'],
    say: ({ hours }) => [
      hours.days.length === 0
        ? `No day of the week is open, though hours from ${timeOfDayText(hours.from)} to ${timeOfDayText(hours.to)} UTC are named.`
        : `Coins may leave on ${listText(hours.days.map(weekdayText))}, from ${timeOfDayText(hours.from)} up to but not including ${timeOfDayText(hours.to)} UTC.`,
      `Closed days: ${listText(hours.closedDates)}.`,
    ],
  },
  {
    title: 'Screening',
    fields: ['screening'],
    say: ({ screening }) =>
      [
        screening.lists.length === 0 ? 'No screening list is in use.' : '',
        ...screening.lists.map(
          ({ id, pinnedBy, maxAge, maxShrinkBp }) =>
            `The list ${id}, whose digest ${pinnedBy} pins, may be ${durationText(maxAge)} old and may shrink by ${maxShrinkBp} bp (hundredths of a percent) between two versions. Without such a list nothing leaves.`,
        ),
        `A destination on a list: ${screening.onHit}. A script of the wallet itself on a list: nothing leaves.`,
        `Coins are traced back over ${counted(screening.inputsHops, 'hop')}.`,
        ...sayHops(screening),
      ].filter((sentence) => sentence !== ''),
  },
  {
    title: 'Clocks',
    fields: ['clock'],
    say: ({ clock }) => [
      `This machine's clock may be at most ${durationText(clock.maxBack)} behind the newest journal entry and at most ${durationText(clock.maxAheadOfMtp)} ahead of the median time past of the chain.`,
      `What is known of the chain may be ${durationText(clock.chainSnapshotMaxAge)} old.`,
    ],
  },
  {
    title: 'Stopping everything',
    fields: ['halt'],
    say: ({ halt, approvals }) => [
      `A halt is raised by ${quorumText(halt.raise)}. While it stands, nothing that it concerns is approved, signed or released.`,
      ...(halt.raise.m === 1 ? [] : ['One of them is enough all the same: a halt never waits for a second word.']),
      `It is lifted by ${quorumText(halt.resume)}, no sooner than ${durationText(halt.resume.notBefore)} after it was raised. Their word is good for ${durationText(approvals.validFor)}, and a new halt voids it.`,
      `A halt that nobody verifiable raised stops as well, until one person of ${listText(halt.resume.from)} clears it.`,
      `These raise it by themselves: ${listText(halt.auto.map((trigger) => trigger.replaceAll('_', ' ')))}.`,
      halt.denials === undefined
        ? 'No number of denials raises it.'
        : `${counted(halt.denials.count, 'denial')} within ${durationText(halt.denials.within)} raise it as well.`,
    ],
  },
  {
    title: 'The log',
    fields: ['log'],
    say: ({ log }) => [
      `The log is named ${log.origin}. Its head is witnessed by ${log.witnesses.m} of ${counted(log.witnesses.keys.length, 'key')}: ${listText(log.witnesses.keys)}.`,
    ],
  },
  {
    title: 'What this version of countersign does not enforce yet',
    fields: [],
    say: () => NOT_ENFORCED.map(({ field, reason }) => `${field}: ${reason}.`),
  },
];

function sayDestinations({ destinations }: PolicyDocument): readonly string[] {
  const { young, caps24h } = destinations;
  return [
    `Only destinations that the address book names may be paid; for all others the answer is ${destinations.default}. The book is signed by ${quorumText(destinations.bookSign)}.`,
    destinations.proof === 'required'
      ? 'A destination is paid only if its entry in the book holds a proof that its owner controls it (BIP322).'
      : 'No proof is asked for that the owner of a destination controls it.',
    `Scripts may be of the types ${listText(destinations.scriptTypes)}.`,
    `A new destination may not be paid for its first ${durationText(destinations.cooldown)}.`,
    `Until it is ${durationText(young.untilAge)} old it is young: each young destination may get ${capText(young.each24h)} in 24 hours, and all young ones together ${capText(young.all24h)}.`,
    `Any destination may get ${capText(destinations.defaultCap24h)} in 24 hours, where no cap of its own is named.`,
    ...[...caps24h].map(([id, cap]) => `${id} has a cap of its own: ${capText(cap)} in 24 hours.`),
  ];
}

function sayLimits({ limits }: PolicyDocument): readonly string[] {
  return [
    'All limits apply together. What counts is what leaves the wallet, fees included.',
    `One batch may take out ${capText(limits.batch)}, and one output of it ${capText(limits.output)}.`,
    `In any 1 hour, ${capText(limits.rolling['1h'])} may leave.`,
    `In any 24 hours, ${capText(limits.rolling['24h'])} may leave.`,
    `In any 7 days, ${capText(limits.rolling['7d'])} may leave.`,
    ...[...limits.rollingBlocks].map(
      ([blocks, cap]) => `In any ${counted(blocks, 'block')}, ${capText(cap)} may leave.`,
    ),
    ...(limits.rollingBlocks.size === 0 ? ['No limit is counted in blocks.'] : []),
    `What is signed and not confirmed may sum up to ${capText(limits.signedUnconfirmed)}.`,
    `There may be ${limits.batches24h} batches in 24 hours, of ${counted(limits.outputsPerBatch, 'output')} each.`,
    `At least ${formatAmount(limits.reserveFloor)} has to stay in the wallet, confirmed.`,
    (limits.lifetime ?? null) === null
      ? 'There is no limit on all that ever leaves.'
      : `All that ever leaves may sum up to ${capText(limits.lifetime ?? null)}.`,
  ];
}

function sayFees({ fees }: PolicyDocument): readonly string[] {
  return [
    `A transaction pays from ${formatFeeRate(fees.minRate)} to ${formatFeeRate(fees.maxRate)}.`,
    `Its fee may be ${capText(fees.maxAbs)}. Above ${formatAmount(fees.bpAppliesAbove)} it may also not be more than ${fees.maxBpOfExternal} bp (hundredths of a percent) of what it pays to others.`,
    'Batches that replace one another, as far as they share coins directly or through others, count together against the limit of one fee.',
    `All fees of 24 hours together may be ${capText(fees.max24h)}.`,
  ];
}

function sayApprovals({ approvals }: PolicyDocument): readonly string[] {
  const last = approvals.tiers.at(-1)?.upTo ?? null;
  return [
    `How many people have to approve follows from the larger of the batch and all that leaves in 24 hours (${approvals.tierBasis}), so that splitting a batch gains nothing. Who asked for it does not count as an approver. An approval is good for ${durationText(approvals.validFor)}. Whoever of any tier rejects a batch, or takes an approval of it back, stops it for good.`,
    ...approvals.tiers.map((tier) => {
      const reach = tier.upTo === null ? 'For any larger sum' : `Up to ${formatAmount(tier.upTo)}`;
      const touch = tier.touchRequired ? ', each with a key that has to be touched' : '';
      return `${reach}: ${quorumText(tier)}${touch}.`;
    }),
    approvals.duplicateGuard === 'approve'
      ? 'A batch that repeats a payment of the last 24 hours, the same amount to the same destination, needs one person more.'
      : 'A batch that repeats a payment of the last 24 hours, the same amount to the same destination, brings a warning and no more.',
    ...(last === null ? [] : [`No number of approvals lets more than ${formatAmount(last)} leave.`]),
  ];
}

function sayInputs({ inputs }: PolicyDocument): readonly string[] {
  return [
    `A coin needs ${counted(inputs.minConfirmations, 'confirmation')} and a value of at least ${formatAmount(inputs.minValue)}; a transaction spends at most ${counted(inputs.max, 'coin')}.`,
    'A batch that pays nobody and puts coins of the wallet together into one, a consolidation, may spend coins of any value. Its fee counts in every limit and is approved like any other batch.',
    `Coins of others: ${inputs.foreign}. Small coins sent to an address that was used before: ${inputs.forcedReuse}.`,
    `The transaction that made a coin has to be shown to the device (${inputs.prevtx}).`,
  ];
}

/** What the number of hops comes to, which is less than it may say. */
function sayHops({ lists, inputsHops }: PolicyDocument['screening']): readonly string[] {
  if (lists.length === 0 || inputsHops === 0) return [];
  if (inputsHops > MOST_HOPS) {
    return [`No data reach further back than ${counted(MOST_HOPS, 'hop')}, so this policy lets nothing leave.`];
  }
  return [
    'A coin that comes from a listed script is not spent, nor is one of which nothing tells where it comes from.',
  ];
}

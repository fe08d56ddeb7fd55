import { formatAmount, formatBtc } from '../../domain/sats.js';
import type { Denials } from '../../workflow/report/denials.js';
import type { ForEyes } from '../../workflow/report/eyes.js';
import type { AuditReport } from '../../workflow/report/fold.js';
import type { HaltStory, Halts } from '../../workflow/report/halts.js';
import type { People } from '../../workflow/report/people.js';
import { note, right, type Section } from './section.js';
import { spanText } from './span.js';
import type { Style } from './style.js';
import { table } from './table.js';
import { plural, printable } from './text.js';

/** What people asked for, agreed to and refused, and what somebody should look at. */
export function peopleSections({ eyes, denials, people, halts }: AuditReport, style: Style): readonly Section[] {
  return [
    { title: 'For a person to look at', lines: eyesLines(eyes, style) },
    { title: 'Denials', lines: denialLines(denials, style) },
    { title: 'People', lines: personLines(people, style) },
    { title: "Approved by the initiator's own group alone", lines: ownGroupLines(people, style) },
    { title: 'Halts', lines: haltLines(halts) },
  ];
}

function eyesLines(eyes: readonly ForEyes[], style: Style): string[] {
  if (eyes.length === 0) return ['nothing'];
  return eyes.flatMap(({ seq, at, batch, text }) => {
    const where = seq === null ? 'at the end' : `entry ${seq} of ${at}`;
    return [
      `${where}${batch === null ? '' : `, batch ${batch}`}`,
      ...note(printable(text), style).map((line) => `    ${line}`),
    ];
  });
}

function denialLines({ asked, verdicts, codes }: Denials, style: Style): string[] {
  const { plan, sign } = verdicts;
  const sum = `${plan + sign} of ${plural(asked, 'verdict')}: ${plan} when planned, ${sign} when it was to be signed`;
  if (codes.length === 0) return [sum];
  const columns = [
    { title: 'code' },
    right('verdicts'),
    { title: 'first' },
    { title: 'last' },
    { title: 'asked for by' },
  ];
  const rows = codes.map(({ code, verdicts: count, first, last, initiators }) => [
    code,
    `${count}`,
    first,
    last,
    [...initiators].map(([name, times]) => `${printable(name)} ${times}`).join(', '),
  ]);
  return [
    sum,
    ...table(columns, rows, style),
    ...note('A verdict can have several codes, and the parts of one plan have a verdict each.', style),
  ];
}

function personLines({ people, standing }: People, style: Style): string[] {
  if (people.length === 0) return ['nobody did anything'];
  const asked = people.filter(({ planned, signed }) => planned.batches + signed.batches > 0);
  const rows = asked.map(({ person, planned, signed }) => [
    printable(person),
    `${planned.batches}`,
    `${planned.spend}`,
    formatBtc(planned.spend),
    `${signed.batches}`,
    `${signed.spend}`,
    formatBtc(signed.spend),
  ]);
  const columns = ['planned', 'sat', 'BTC', 'signed', 'sat', 'BTC'].map(right);
  const words = ['given', 'used', 'withdrawn', 'rejected', 'expired', 'halts', 'resumes', 'docs'];
  const did = people.map((one) => [
    printable(one.person),
    ...[one.given, one.used, one.withdrawn, one.rejected, one.expired].map(String),
    ...[one.haltsRaised, one.resumesAgreed, one.documents].map(String),
  ]);
  return [
    ...(asked.length === 0 ? ['nobody asked for a batch'] : table([{ title: 'asked for' }, ...columns], rows, style)),
    '',
    ...table([{ title: 'approvals' }, ...words.map(right)], did, style),
    ...note(
      `${plural(standing, 'approval')} can still be used at the end. Expired: ran out in the period and was never used. Docs: policies and books signed, screening lists vouched for.`,
      style,
    ),
  ];
}

function ownGroupLines({ ownGroup, wentOut }: People, style: Style): string[] {
  const sum = `${ownGroup.length} of ${plural(wentOut, 'batch', 'batches')} that went out to be signed`;
  if (ownGroup.length === 0) return [sum];
  const columns = [
    { title: 'batch' },
    { title: 'asked for by' },
    { title: 'approved by' },
    { title: 'roles' },
    { title: 'amount' },
  ];
  const rows = ownGroup.map(({ batch, initiator, approvers, roles, spend }) => [
    batch,
    printable(initiator),
    approvers.length === 0 ? 'nobody' : approvers.map(printable).join(', '),
    roles.length === 0 ? 'none' : roles.join(', '),
    formatAmount(spend),
  ]);
  return [sum, ...table(columns, rows, style), 'Each of those who approved has a role that the initiator has as well.'];
}

function haltLines({ raised, resumed, halts }: Halts): string[] {
  return [`${raised} raised, ${resumed} resumed`, ...halts.flatMap(haltStory)];
}

function haltStory({ halt, raisedAt, scope, source, by, reason, resumedAt, approvers, length }: HaltStory): string[] {
  const who = source === 'person' ? printable(by) : `${source}: ${printable(by)}`;
  const end =
    resumedAt === null
      ? `stands, for ${spanText(length)} so far`
      : `resumed ${resumedAt} by ${approvers.map(printable).join(', ')}, after ${spanText(length)}`;
  return [`${halt}  ${scope}, raised ${raisedAt} by ${who}`, `    ${printable(reason)}`, `    ${end}`];
}

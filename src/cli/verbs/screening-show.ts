import { encodeAddress } from '../../domain/address.js';
import { trustedHex } from '../../domain/bytes.js';
import { FAULTS } from '../../domain/fault.js';
import { ok } from '../../domain/result.js';
import { formatTime, type UnixSeconds } from '../../domain/time.js';
import { durationText } from '../../policy/describe.js';
import { type ShownList, viewScreening } from '../../workflow/screening.js';
import type { Verb } from '../command.js';
import { unusableLines } from '../render/screening.js';
import type { Style } from '../render/style.js';
import { fields } from '../render/table.js';
import { printable } from '../render/text.js';
import { withWorkspace } from '../with-workspace.js';

export const run: Verb = async (_words, context) =>
  withWorkspace(context, async (desk) => {
    const view = await viewScreening(desk);
    if (!view.ok) return view;
    const { lists, now } = view.value;
    const address = (script: string): string => encodeAddress(trustedHex(script), desk.config.network) ?? script;
    return ok({
      schema: 'countersign.screening-show/1',
      exit: 'OK',
      data: { lists: lists.map((list) => listData(list, now, address)) },
      text:
        lists.length === 0
          ? ['No screening list: the policy names none, and none was taken in.']
          : lists.flatMap((list) => listLines(list, now, address, context.style)),
    });
  });

type Name = (script: string) => string;

/** What a verdict of now makes of it. */
function stateOf(
  { named, record, staleFrom }: ShownList,
  now: UnixSeconds,
): 'current' | 'missing' | 'stale' | 'unused' {
  if (named === null) return 'unused';
  if (record === null) return 'missing';
  return staleFrom !== null && now >= staleFrom ? 'stale' : 'current';
}

function listData(list: ShownList, now: UnixSeconds, address: Name): Record<string, unknown> {
  const { id, named, record, unusable, staleFrom } = list;
  return {
    list: id,
    state: stateOf(list, now),
    ...(named === null
      ? {}
      : { pinned_by_role: named.pinnedBy, max_age: named.maxAge, max_shrink_bp: named.maxShrinkBp }),
    ...(record === null
      ? {}
      : {
          digest: `sha256:${record.document}`,
          issuer: record.issuer,
          issued_at: formatTime(record.issuedAt),
          imported_at: formatTime(record.importedAt),
          pinned_by: record.pinnedBy,
          scripts: record.scripts,
          unusable,
          own_listed: record.own.map(address),
        }),
    ...(staleFrom === null ? {} : { stale_from: formatTime(staleFrom) }),
  };
}

function listLines(list: ShownList, now: UnixSeconds, address: Name, style: Style): string[] {
  const { id, named, record, unusable, staleFrom } = list;
  const state = stateOf(list, now);
  const said: Readonly<Record<typeof state, string>> = {
    current: 'in force',
    missing: 'MISSING: every batch is denied until it is taken in',
    stale: 'TOO OLD: every batch is denied until a newer one is taken in',
    unused: 'not named by the policy in force: it is not asked',
  };
  const title = `${style.bold(id)}  ${said[state]}`;
  if (record === null) return [title];
  return [
    title,
    ...fields(
      [
        ['  scripts', `${record.scripts}`],
        [
          '  issued',
          `${formatTime(record.issuedAt)}${record.issuer === null ? '' : ` by ${printable(record.issuer)}`}`,
        ],
        ['  pinned by', record.pinnedBy],
        ['  taken in', formatTime(record.importedAt)],
        ...(staleFrom === null || named === null
          ? []
          : [
              ['  too old from', `${formatTime(staleFrom)} on (max_age ${durationText(named.maxAge)})`] as [
                string,
                string,
              ],
            ]),
        ['  digest', `sha256:${record.document}`],
      ],
      style,
    ),
    ...unusableLines(unusable.map(({ line, tag }) => ({ line, reason: meaning(tag) }))),
    ...record.own.map((script) => `  ALARM: it holds ${address(script)}, an address of this vault`),
  ];
}

function meaning(tag: string): string {
  const known = Object.entries(FAULTS).find(([name]) => name === tag);
  return known === undefined ? tag : `${known[1].meaning} (${tag})`;
}

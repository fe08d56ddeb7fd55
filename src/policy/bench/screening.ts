import { type Hex, toHex } from '../../domain/bytes.js';
import { readTextList } from '../screening/list.js';
import type { ScreeningState } from '../types.js';
import { type Ground, scriptHex } from './build.js';
import { ago, resolveMoment } from './moment.js';
import type { CaseContent, CaseScreening } from './types.js';

/** When a list was issued that does not say it; docs/policy-cases.md lists these values. */
const ISSUED = ago(3600);

/** The screening lists of a case. One that the policy names and the case does not give is missing. */
export function screeningOf(content: CaseContent, ground: Ground): ReadonlyMap<string, ScreeningState> {
  const { screening = new Map<string, CaseScreening>(), now } = content;
  return new Map(
    [...screening].map(([id, list]): [string, ScreeningState] => [
      id,
      {
        issuedAt: resolveMoment(list.issued ?? ISSUED, now),
        expiresAt: list.expires === undefined ? null : resolveMoment(list.expires, now),
        pinnedBy: list.pinnedBy ?? pinner(id, ground),
        scripts: scriptsOf(list, ground),
        before: list.before === undefined ? null : { scripts: list.before, removed: list.removed ?? 0 },
        own: (list.own ?? []).map(({ branch, index }) => toHex(ground.deriver.at(branch, index).script)),
      },
    ]),
  );
}

function scriptsOf({ entries = [], text = '' }: CaseScreening, ground: Ground): ReadonlySet<Hex> {
  const read = readTextList(text, ground.policy.document.wallet.network).scripts;
  return new Set([...entries.map((target) => scriptHex(target, ground)), ...read]);
}

/** Somebody of the role that the policy names; whoever it is, a list that it does not name is not asked. */
function pinner(id: string, { policy }: Ground): string {
  const { screening, roles } = policy.document;
  const role = screening.lists.find((list) => list.id === id)?.pinnedBy ?? '';
  const [person = ''] = roles.get(role)?.keys() ?? [];
  return person;
}

import { encodeAddress, groupedAddress } from '../../domain/address.js';
import { trustedHex } from '../../domain/bytes.js';
import { type Fault, fail } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import { formatTime, type UnixSeconds } from '../../domain/time.js';
import type { BookAge } from '../../journal/state.js';
import type { Destinations } from '../../policy/counterparties.js';
import { entryName } from '../../policy/rules/payee.js';
import { MOST_INDEXES } from '../../policy/scripts-of-book.js';
import { activePolicy } from '../../workflow/active-policy.js';
import { destinationsOf } from '../../workflow/destinations.js';
import type { Desk } from '../../workflow/ports.js';
import type { Report, Verb, VerbContext } from '../command.js';
import { table } from '../render/table.js';
import { plural, printable } from '../render/text.js';
import { wholeNumber, withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const written = words.text('index');
    const index = written === undefined ? ok(null) : wholeNumber(written, MOST_INDEXES, 'an index of a descriptor');
    if (!index.ok) return index;
    const read = await desk.journal.read();
    if (!read.ok) return read;
    const { book } = read.value;
    const destinations = destinationsOf(read.value, desk.config.network);
    const entries = [...(book?.entries.values() ?? [])].sort((a, b) => (a.id < b.id ? -1 : 1));
    const shown = chosen(entries, words.args[0] ?? null, index.value);
    if (!shown.ok) return shown;
    const rows = addressRows(shown.value, index.value ?? 0, destinations, desk);
    if (!rows.ok) return rows;
    const policy = await activePolicy(desk, read.value);
    const cooldown = policy.ok ? policy.value.document.destinations.cooldown : null;
    return ok(report(book?.digest ?? null, shown.value, rows.value, cooldown, context));
  });

/** All entries, or the one of an id. An index asks for one address of a descriptor. */
function chosen(
  entries: readonly BookAge[],
  id: string | null,
  index: number | null,
): Result<readonly BookAge[], Fault> {
  if (id === null) {
    if (index === null) return ok(entries);
    return fail('E_USAGE', '--index says which address of a descriptor, and not of which one', {
      remedy: 'name it: countersign book show ID --index NUMBER',
    });
  }
  const entry = entries.find((one) => one.id === id);
  if (entry === undefined) {
    return fail('E_USAGE', `the book has no ${JSON.stringify(id)}`, {
      remedy: 'countersign book show lists all of it',
    });
  }
  if (index === null || 'descriptor' in entry) return ok([entry]);
  return fail('E_USAGE', `${id} is a single address, without an index`, { remedy: 'leave --index out' });
}

interface AddressRow {
  readonly entry: BookAge;
  /** "warm-1", "okx /0". */
  readonly name: string;
  readonly address: string;
}

function addressRows(
  entries: readonly BookAge[],
  index: number,
  destinations: Destinations,
  { config }: Desk,
): Result<readonly AddressRow[], Fault> {
  const rows: AddressRow[] = [];
  for (const entry of entries) {
    const found = 'script' in entry ? entry : destinations.at(entry.id, index);
    if (found === null && 'maxIndex' in entry) {
      return fail('E_USAGE', `the book allows ${entry.id} the indexes 0 to ${entry.maxIndex}, and not ${index}`, {
        remedy: 'a higher max_index has to be signed into the book, and is as new as a new destination',
      });
    }
    if (found === null) continue;
    const address = encodeAddress(trustedHex(found.script), config.network);
    rows.push({ entry, name: entryName(found), address: address ?? found.script });
  }
  return ok(rows);
}

function report(
  digest: string | null,
  entries: readonly BookAge[],
  addresses: readonly AddressRow[],
  /** In seconds; null where no policy is in force. */
  cooldown: number | null,
  { compose, style }: VerbContext,
): Report {
  const now = compose.clock();
  const rows = addresses.map(({ entry: { since, label, proven }, name, address }) => [
    name,
    formatTime(since),
    `${Math.floor((now - since) / 86_400)}`,
    proven === true ? 'yes' : '',
    groupedAddress(address),
    printable(label),
  ]);
  const columns = [
    { title: 'id' },
    { title: 'in the book since' },
    { title: 'days', align: 'right' as const },
    { title: 'proof' },
    { title: 'address' },
    { title: 'label' },
  ];
  const ranged = entries.flatMap((entry) => ('descriptor' in entry ? [entry] : []));
  return {
    schema: 'countersign.book-show/1',
    exit: 'OK',
    data: {
      digest: digest === null ? null : `sha256:${digest}`,
      entries: entries.map(({ since, ...entry }) => ({ ...entry, since: formatTime(since) })),
      addresses: addresses.map(({ name, address }) => ({ name, address })),
    },
    text:
      entries.length === 0
        ? ['The address book is empty: nothing may leave.']
        : [
            `Address book sha256:${digest}`,
            '',
            ...table(columns, rows, style),
            ...coolingLines(entries, cooldown, now),
            ...ranged.flatMap(({ id, descriptor, maxIndex }) => [
              '',
              `${id} is a descriptor: ${plural(maxIndex + 1, 'address', 'addresses')}, /0 to /${maxIndex}, one destination`,
              `  ${descriptor}`,
            ]),
          ],
  };
}

/** Until when the policy in force lets nothing go to those that are new, the next one first. */
function coolingLines(entries: readonly BookAge[], cooldown: number | null, now: UnixSeconds): string[] {
  if (cooldown === null) return [];
  const until = new Map<UnixSeconds, string[]>();
  for (const { id, since } of entries) {
    const end = since + cooldown;
    if (now < end) until.set(end, [...(until.get(end) ?? []), id]);
  }
  if (until.size === 0) return [];
  const ends = [...until].sort(([a], [b]) => a - b);
  return ['', ...ends.map(([end, ids]) => `cooling down, not paid before ${formatTime(end)}: ${ids.join(' ')}`)];
}

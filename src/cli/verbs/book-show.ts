import { encodeAddress, groupedAddress } from '../../domain/address.js';
import { trustedHex } from '../../domain/bytes.js';
import { ok } from '../../domain/result.js';
import { formatTime } from '../../domain/time.js';
import type { Verb } from '../command.js';
import { table } from '../render/table.js';
import { printable } from '../render/text.js';
import { withWorkspace } from '../with-workspace.js';

export const run: Verb = async (_words, context) =>
  withWorkspace(context, async (desk) => {
    const read = await desk.journal.read();
    if (!read.ok) return read;
    const entries = [...(read.value.book?.entries.values() ?? [])].sort((a, b) => (a.id < b.id ? -1 : 1));
    const now = context.compose.clock();
    const rows = entries.map(({ id, script, label, since }) => [
      id,
      formatTime(since),
      `${Math.floor((now - since) / 86_400)}`,
      groupedAddress(encodeAddress(trustedHex(script), desk.config.network) ?? script),
      printable(label),
    ]);
    const columns = [
      { title: 'id' },
      { title: 'in the book since' },
      { title: 'days', align: 'right' as const },
      { title: 'address' },
      { title: 'label' },
    ];
    return ok({
      schema: 'countersign.book-show/1',
      exit: 'OK',
      data: {
        digest: read.value.book === null ? null : `sha256:${read.value.book.digest}`,
        entries: entries.map(({ id, script, label, since }) => ({ id, script, label, since: formatTime(since) })),
      },
      text:
        entries.length === 0
          ? ['The address book is empty: nothing may leave.']
          : [`Address book sha256:${read.value.book?.digest}`, '', ...table(columns, rows, context.style)],
    });
  });

import { ok } from '../../domain/result.js';
import { formatTime } from '../../domain/time.js';
import { importScreening } from '../../workflow/screening.js';
import { readSignatures } from '../../workflow/sign-document.js';
import type { Verb } from '../command.js';
import { haltText } from '../render/automatic-halt.js';
import { unusableLines } from '../render/screening.js';
import { plural } from '../render/text.js';
import { argument, timeOption, withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const [id, file] = [argument(words, 0), argument(words, 1)];
    const bytes = await context.compose.files.read(file);
    if (!bytes.ok) return bytes;
    const issuedAt = timeOption(words, 'issued-at');
    if (!issuedAt.ok) return issuedAt;
    const pins = await readSignatures(context.compose.files, file, words.list('pin'));
    if (!pins.ok) return pins;
    const brought = { id, file, bytes: bytes.value, issuedAt: issuedAt.value, pins: pins.value };
    const imported = await importScreening(desk, brought);
    if (!imported.ok) return imported;
    const { list, digest, named, pin, removed, before, own, halt } = imported.value;
    const { scripts, unusable, stated } = list;
    const issued = formatTime(imported.value.issuedAt);
    const staleFrom = formatTime(Math.min(imported.value.issuedAt + named.maxAge + 1, stated?.expiresAt ?? NEVER));
    return ok({
      schema: 'countersign.screening-import/1',
      exit: halt?.kind === 'raised' || halt?.kind === 'known' ? 'HALTED' : 'OK',
      data: {
        list: id,
        digest: `sha256:${digest}`,
        issued_at: issued,
        ...(stated === null ? {} : { issuer: stated.issuer }),
        stale_from: staleFrom,
        scripts: scripts.length,
        unusable: unusable.map(({ line, tag, reason }) => ({ line, tag, reason })),
        pinned_by: pin.person,
        ...(before === null ? {} : { before, removed }),
        own_listed: own,
        halt,
      },
      text: [
        `The screening list ${id} is in force: ${plural(scripts.length, 'script')}`,
        `  digest sha256:${digest}`,
        `  issued ${issued}, pinned by ${pin.person}; from ${staleFrom} on it is too old, and every batch is denied`,
        `  ${before === null ? 'the first list of this id' : `${removed} of the ${plural(before, 'script')} of the list before are gone`}`,
        ...unusableLines(unusable),
        ...own.map((address) => `  ALARM: ${address} is an address of this vault: every batch is denied (OWN_LISTED)`),
        ...(halt === null ? [] : [`  ${haltText(halt)}`]),
      ],
    });
  });

/** A year that no list reaches. */
const NEVER = 253_402_300_799;

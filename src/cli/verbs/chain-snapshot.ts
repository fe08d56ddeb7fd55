import { sha256Hex } from '../../domain/bytes.js';
import { ok } from '../../domain/result.js';
import type { Verb } from '../command.js';
import { proposedData, proposedLines } from '../render/feerate.js';
import { plural } from '../render/text.js';
import { takeFrom, withBackends } from '../take-from.js';
import { argument } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withBackends(words, context, async (desk, backends, sources) => {
    const out = argument(words, 0);
    const taken = await takeFrom(words, context, desk, backends, sources);
    if (!taken.ok) return taken;
    const { bytes, from, coins, feerate } = taken.value;
    const written = await context.compose.files.writeNew(out, bytes);
    if (!written.ok) return written;
    const sha256 = sha256Hex(bytes);
    return ok({
      schema: 'countersign.chain-snapshot/1',
      exit: 'OK',
      data: { file: out, sha256, from, coins, bytes: bytes.length, feerate: proposedData(feerate) },
      text: [
        `Wrote ${plural(coins, 'coin')} as ${from} knows them to ${out}`,
        `  SHA-256 ${sha256}`,
        ...proposedLines(feerate),
        `  carry it to the offline machine, and take it in there: countersign coins import ${out}`,
      ],
    });
  });

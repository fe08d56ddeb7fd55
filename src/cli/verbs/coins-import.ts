import type { Coin } from '../../domain/coin.js';
import type { Fault } from '../../domain/fault.js';
import { formatOutpoint } from '../../domain/outpoint.js';
import { ok, type Result } from '../../domain/result.js';
import { formatAmount, sumSats } from '../../domain/sats.js';
import { formatTime, type UnixSeconds } from '../../domain/time.js';
import type { Snapshot } from '../../vault/snapshot-types.js';
import type { Arrivals } from '../../workflow/arrivals.js';
import type { Desk } from '../../workflow/ports.js';
import { readSignatures } from '../../workflow/sign-document.js';
import type { BroughtSignature } from '../../workflow/signatures.js';
import { importCoins } from '../../workflow/vault.js';
import type { Report, Verb } from '../command.js';
import { haltText } from '../render/automatic-halt.js';
import { plural } from '../render/text.js';
import { argument, withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const file = argument(words, 0);
    const bytes = await context.compose.files.read(file);
    if (!bytes.ok) return bytes;
    const brought = await readSignatures(context.compose.files, file, words.list('signature'));
    if (!brought.ok) return brought;
    return importedReport(desk, bytes.value, file, context.compose.clock(), brought.value);
  });

/** Takes a snapshot in, wherever it comes from, and says what it held. */
export async function importedReport(
  desk: Desk,
  bytes: Uint8Array,
  file: string,
  now: UnixSeconds,
  brought: readonly BroughtSignature[] | null,
): Promise<Result<Report, Fault>> {
  const imported = await importCoins(desk, bytes, file, brought);
  if (!imported.ok) return imported;
  const {
    snapshot,
    provenBefore,
    confirmed,
    fallen,
    replaced,
    conflicted,
    appeared,
    revived,
    farChange,
    arrivals,
    signer,
  } = imported.value;
  const { doubtful, stolen, missing } = imported.value;
  // Of coins that this machine has just asked for itself, chain sync and reconcile say who spent them.
  const unexplained = brought === null ? [] : missing;
  const total = sumSats(snapshot.coins.map((coin) => coin.value));
  return ok({
    schema: 'countersign.coins-import/1',
    // Whoever runs it by a timer has to see that something was found; what halted before is found no more.
    exit: stolen.some(({ halt }) => halt.kind === 'raised') ? 'HALTED' : 'OK',
    data: {
      snapshot: snapshot.sha256,
      height: snapshot.tip.height,
      taken_at: formatTime(snapshot.takenAt),
      coins: snapshot.coins.length,
      coins_proven_before: provenBefore,
      total,
      signed_by: signer?.name ?? null,
      deposits: { coins: arrivals.deposits.length, total: sumSats(arrivals.deposits.map(({ value }) => value)) },
      quarantined: arrivals.quarantined,
      confirmed_batches: confirmed,
      unconfirmed_batches: fallen,
      replaced_batches: replaced,
      conflicted_batches: conflicted,
      appeared_batches: appeared,
      revived_batches: revived,
      out_of_band: stolen.map(({ outpoint, txid, halt }) => ({ outpoint, spent_by: txid, halt })),
      doubtful_spends: doubtful,
      missing: missing.map(({ outpoint, value }) => ({ outpoint: formatOutpoint(outpoint), value })),
      change_beyond_gap: farChange.map(({ outpoint, origin }) => ({
        outpoint: formatOutpoint(outpoint),
        index: origin.index,
      })),
    },
    text: [
      `Imported ${plural(snapshot.coins.length, 'coin')} at height ${snapshot.tip.height}: ${formatAmount(total)}`,
      `  taken ${formatTime(snapshot.takenAt)}, ${ageText(now - snapshot.takenAt)}; SHA-256 ${snapshot.sha256}`,
      `  ${provenText(snapshot, provenBefore)}`,
      ...(signer === null ? [] : [`  signed by ${signer.name}`]),
      ...arrivalLines(arrivals),
      ...appeared.map((batch) => `  batch ${batch} was signed: the chain shows its transaction`),
      ...confirmed.map((batch) => `  batch ${batch} is confirmed`),
      ...replaced.map((batch) => `  batch ${batch} is replaced: another batch that spends its coins is confirmed`),
      ...fallen.map(
        (batch) =>
          `  WARNING: batch ${batch} was confirmed and is no longer: the chain was reorganised. It counts as unconfirmed; broadcast it again`,
      ),
      ...conflicted.map(
        (batch) =>
          `  WARNING: batch ${batch} is in conflict: a coin of it was spent by a transaction of no batch, and it can never confirm. Find out who signed that one`,
      ),
      ...stolen.flatMap(({ outpoint, txid, halt }) => [
        `  OUT OF BAND: ${outpoint} is spent by ${txid}, which the keys of the vault signed and this journal never authorised`,
        `    ${haltText(halt)}`,
      ]),
      ...missingLines(unexplained),
      ...doubtful.map(
        ({ batch, outpoint, txid }) =>
          `  WARNING: ${outpoint} of batch ${batch} is said to be spent by ${txid}, and no signature of the vault's keys shows it: the batch goes on counting. Ask where that comes from`,
      ),
      ...revived.map(
        (batch) =>
          `  WARNING: batch ${batch} was settled and may confirm again: the chain was reorganised. It counts as before; see that its payments are not made twice`,
      ),
      ...farChange.slice(0, MOST_NAMED).map(warning),
      ...(farChange.length > MOST_NAMED ? [`  and ${plural(farChange.length - MOST_NAMED, 'more coin')} like it`] : []),
    ],
  });
}

/** What came in, and what of it is frozen until somebody has looked at it. */
function arrivalLines({ deposits, quarantined }: Arrivals): string[] {
  if (deposits.length === 0) return [];
  const total = formatAmount(sumSats(deposits.map(({ value }) => value)));
  return [
    `  ${plural(deposits.length, 'deposit')} since the snapshot before: ${total}`,
    ...quarantined.slice(0, MOST_NAMED).map(({ outpoint, reason }) => `  QUARANTINED: ${outpoint}: ${reason}`),
    ...(quarantined.length > MOST_NAMED
      ? [`  and ${plural(quarantined.length - MOST_NAMED, 'more coin')} like it`]
      : []),
    ...(quarantined.length > 0
      ? ['  look at them; then countersign coins unfreeze TXID:VOUT --reason TEXT, or leave them']
      : []),
  ];
}

/** Coins that went, and nothing says where to. */
function missingLines(missing: readonly Coin[]): string[] {
  if (missing.length === 0) return [];
  const total = formatAmount(sumSats(missing.map(({ value }) => value)));
  const names = missing.slice(0, MOST_NAMED).map(({ outpoint }) => formatOutpoint(outpoint));
  const more = missing.length > MOST_NAMED ? ` and ${missing.length - MOST_NAMED} more` : '';
  const isOne = missing.length === 1;
  return [
    `  WARNING: ${plural(missing.length, 'coin')} of ${total} ${isOne ? 'is' : 'are'} no longer there, and no batch of this journal spent ${isOne ? 'it' : 'them'}: ${names.join(', ')}${more}`,
    '    find out who did, where a node can be asked: countersign reconcile; stop everything until then: countersign halt raise',
  ];
}

/** A vault of taproot coins needs no previous transactions: what was not there was not compared. */
function provenText({ coins, previous }: Snapshot, provenBefore: number): string {
  const compared = coins.filter(({ outpoint }) => previous.has(outpoint.txid)).length;
  const isNew = provenBefore < coins.length;
  const earlier = `${provenBefore} of ${plural(coins.length, 'coin')} stand as they were proven in the snapshot before`;
  const derived = [
    ...(provenBefore === 0 ? [] : [earlier]),
    ...(isNew ? [`every ${provenBefore === 0 ? '' : 'other '}coin was derived again from the descriptor`] : []),
  ].join('; ');
  if (compared === coins.length) return isNew ? `${derived} and compared with its previous transaction` : derived;
  if (compared === 0) return `${derived}; the file holds no previous transactions, so none was compared with one`;
  return `${derived}; ${compared} of ${coins.length} were compared with their previous transactions: the file holds no others`;
}

function ageText(seconds: number): string {
  if (seconds < 60) return 'less than a minute ago';
  const [count, unit] =
    seconds < 3600
      ? [Math.floor(seconds / 60), 'minute']
      : seconds < 172_800
        ? [Math.floor(seconds / 3600), 'hour']
        : [Math.floor(seconds / 86_400), 'day'];
  return `${plural(count, unit)} ago`;
}

const MOST_NAMED = 5;

function warning({ outpoint, origin }: Coin): string {
  return `  WARNING: ${formatOutpoint(outpoint)} is change at index ${origin.index}, beyond the gap: new change does not follow it there. Ask whose snapshot this is if no such coin is known`;
}

import { fail } from '../../domain/fault.js';
import { formatFeeRate, parseFeeRate } from '../../domain/feerate.js';
import { ok } from '../../domain/result.js';
import { formatAmount, formatBtc, parseSats, type Sats } from '../../domain/sats.js';
import { formatTime } from '../../domain/time.js';
import type { Outlook } from '../../policy/bench/outlook.js';
import { type SimulatedDestination, type Simulation, simulate, simulateAmount } from '../../workflow/simulate.js';
import type { Report, Verb } from '../command.js';
import type { Style } from '../render/style.js';
import { table } from '../render/table.js';
import { plural, printable } from '../render/text.js';
import { verdictExit, verdictJson, verdictLines } from '../render/verdict.js';
import { withWorkspace } from '../with-workspace.js';

/** What-if on the journal as it is; nothing is written. */
export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const { style } = context;
    const to = words.text('to') ?? null;
    const rate = words.text('feerate');
    const feerate = rate === undefined ? ok(null) : parseFeeRate(rate);
    if (!feerate.ok) return feerate;
    const text = words.text('amount');
    if (text === undefined) {
      const simulated = await simulate(desk, { to, feerate: feerate.value });
      return simulated.ok ? ok(report(simulated.value, style)) : simulated;
    }
    const amount = parseSats(text);
    if (!amount.ok) return amount;
    if (to === null) {
      return fail('E_USAGE', '--amount says how much, but not to whom', { remedy: 'add --to ID, an id of the book' });
    }
    const verdict = await simulateAmount(desk, to, amount.value, feerate.value);
    if (!verdict.ok) return verdict;
    return ok({
      schema: 'countersign.policy-simulate/1',
      exit: verdictExit(verdict.value),
      data: { to, amount: amount.value, verdict: verdictJson(verdict.value) },
      text: [
        style.bold(`${formatAmount(amount.value)} to ${printable(to)}, with every approval given`),
        '',
        ...verdictLines(verdict.value, style),
      ],
    });
  });

function report({ situation, feerate, available, destinations }: Simulation, style: Style): Report {
  const { policy, now } = situation;
  return {
    schema: 'countersign.policy-simulate/1',
    exit: 'OK',
    data: {
      policy: policy.digest,
      now: formatTime(now),
      available,
      feerate: formatFeeRate(feerate),
      destinations: destinations.map(destinationData),
    },
    text: [
      style.bold(`What one batch may pay to each destination at ${formatTime(now)}`),
      ...table(
        [
          { title: 'to' },
          { title: 'sat', align: 'right' },
          { title: 'BTC', align: 'right' },
          { title: 'bound by' },
          { title: 'more at' },
          { title: 'then sat', align: 'right' },
          { title: 'approvals' },
        ],
        destinations.map(({ destination, outlook }) => [
          printable(destination.id),
          `${outlook.most}`,
          formatBtc(outlook.most),
          boundBy(outlook),
          outlook.frees === null ? '-' : formatTime(outlook.frees.at),
          outlook.frees === null ? '' : `${outlook.frees.most}`,
          approvalsText(outlook),
        ]),
        style,
      ).map((line) => `  ${line}`),
      '',
      style.dim(`  ${formatAmount(available)} in coins can be spent now; fees at ${formatFeeRate(feerate)}`),
      style.dim('  each line stands alone: what goes to one destination is no longer there for the others'),
    ],
  };
}

/** The codes that deny one satoshi more, each once; the coins where they end first. */
function boundBy({ binding }: Outlook): string {
  return binding.length === 0 ? 'coins' : [...new Set(binding.map(({ code }) => code))].join(' ');
}

function approvalsText({ quorum, most }: Outlook): string {
  if (quorum === null || most === 0n) return '';
  const { m, include } = quorum.tier;
  return `${plural(m, 'approval')}${include === undefined ? '' : `, one of ${include}`}`;
}

function destinationData({ destination, outlook }: SimulatedDestination): Record<string, unknown> {
  const { most, binding, frees, quorum } = outlook;
  const shown = (amount: Sats): string => amount.toString();
  return {
    id: destination.id,
    script: destination.script,
    most: shown(most),
    bound_by: binding.map(({ code, rule, where }) => ({ code, rule, line: where.line })),
    frees: frees === null ? null : { at: formatTime(frees.at), most: shown(frees.most) },
    approvals:
      quorum === null ? null : { m: quorum.tier.m, from: quorum.tier.from, include: quorum.tier.include ?? null },
  };
}

import { encodeAddress } from '../../../domain/address.js';
import { trustedHex } from '../../../domain/bytes.js';
import { asksSources, type Quarantine, quarantineOf } from '../../screening/hits.js';
import type { InputFact } from '../../types.js';
import { inputName } from '../inputs.js';
import { listed, plural, type Rule, type RuleContext } from '../rule.js';

const NOT_ASKED = 'The policy does not ask where coins come from.';

type Kept<K> = Extract<Quarantine, { readonly kind: K }>;

/** Coins that the snapshot knows; the others are the matter of INPUT_UNKNOWN and INPUT_FOREIGN. */
function kept<K extends Quarantine['kind']>(
  { facts, document, state }: RuleContext,
  kind: K,
): readonly (readonly [InputFact, Kept<K>])[] {
  const isOfKind = (one: Quarantine): one is Kept<K> => one.kind === kind;
  return facts.inputs
    .filter(({ coin }) => coin !== null)
    .flatMap((input) =>
      quarantineOf(input.sources, document, state.screening)
        .filter(isOfKind)
        .map((one) => [input, one] as const),
    );
}

/** A coin from a listed script stays where it is: to spend it would mix it with the others, and move what was reported. */
export const screeningOfInputs: Rule = {
  tag: 'screening-inputs',
  codes: ['INPUT_TAINTED'],
  check: (context) =>
    listed(
      context,
      'INPUT_TAINTED',
      asksSources(context.document) ? 'No coin is known to come from a script of a screening list.' : NOT_ASKED,
      kept(context, 'tainted').map(([input, { list, script }]) => ({
        subject: inputName(input),
        text: `Coin ${inputName(input)} comes from ${sourceName(script, context)}, which is on the screening list ${list}.`,
        remedy: 'plan the batch again, with other coins, and hand the case to compliance',
      })),
    ),
};

function sourceName(script: string, { document }: RuleContext): string {
  return encodeAddress(trustedHex(script), document.wallet.network) ?? `script ${script}`;
}

/** What nobody can tell may be a listed script. Who could leave it out would otherwise choose what is screened. */
export const screeningPossible: Rule = {
  tag: 'screening-possible',
  codes: ['INPUT_UNSCREENED'],
  check: (context) =>
    listed(
      context,
      'INPUT_UNSCREENED',
      asksSources(context.document) ? 'Of every coin all the scripts that it comes from are known.' : NOT_ASKED,
      kept(context, 'unscreened').map(([input, { untold }]) => ({
        subject: inputName(input),
        measured: `${untold}`,
        limit: '0',
        unit: 'count',
        text: `Of ${plural(untold, 'script')} that coin ${inputName(input)} comes from, nothing tells which it is.`,
        remedy: 'import a coin snapshot that states the sources (docs/snapshot.md), or plan the batch with other coins',
      })),
    ),
};

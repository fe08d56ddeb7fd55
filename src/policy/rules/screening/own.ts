import { encodeAddress } from '../../../domain/address.js';
import { type Hex, toHex, trustedHex } from '../../../domain/bytes.js';
import { listsWith } from '../../screening/hits.js';
import { isOwn } from '../inputs.js';
import { listed, type Rule, type RuleContext } from '../rule.js';

/**
 * A list that holds a script of the vault is wrong, or somebody knows something of these coins: either way nothing leaves
 * before people have found out. It stops every batch, whichever coins it spends.
 */
export const screeningOfOwn: Rule = {
  tag: 'screening-own',
  codes: ['OWN_LISTED'],
  check: (context) =>
    listed(
      context,
      'OWN_LISTED',
      context.document.screening.lists.length === 0
        ? 'No script of the vault is screened: the policy names no list.'
        : 'No script of the vault is known to be on a screening list.',
      hits(context).map(([script, list]) => ({
        subject: `${list} ${script}`,
        text: `${nameOf(script, context)}, a script of the vault itself, is on the screening list ${list}.`,
        remedy: 'let nobody sign: ask who issues the list what it is about, and take in a list that is right',
      })),
    ),
};

function hits({ document, facts, state }: RuleContext): readonly (readonly [Hex, string])[] {
  const shown = [
    ...facts.inputs.filter(isOwn).map(({ script }) => toHex(script)),
    ...facts.outputs.filter(({ own }) => own.own).map(({ script }) => toHex(script)),
  ];
  const found = new Map<string, readonly [Hex, string]>();
  for (const script of shown) {
    for (const list of listsWith(script, document, state.screening)) found.set(`${list} ${script}`, [script, list]);
  }
  for (const { id } of document.screening.lists) {
    for (const script of state.screening.get(id)?.own ?? []) found.set(`${id} ${script}`, [script, id]);
  }
  return [...found.values()];
}

function nameOf(script: Hex, { document }: RuleContext): string {
  return encodeAddress(trustedHex(script), document.wallet.network) ?? `Script ${script}`;
}

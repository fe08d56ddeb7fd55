import fc from 'fast-check';
import { outpoint, story } from './story.js';

/** Entries about three batches that share coins and requests, most of them legal somewhere. */
export const anyBody = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('a', 'b', 'c'),
      fc.uniqueArray(fc.nat(4), { minLength: 1, maxLength: 3 }),
      fc.uniqueArray(fc.nat(3), { maxLength: 2 }),
    )
    .map(([batch, coins, ids]) =>
      story.planned(batch, { inputs: coins.map(outpoint), requests: ids.map((id) => `w-${id}`) }),
    ),
  fc
    .tuple(
      fc.constantFrom('a', 'b', 'c'),
      fc.constantFrom('verdict', 'reserved', 'sent', 'released', 'unknown', 'signed', 'abandoned', 'confirmed'),
    )
    .map(([batch, kind]) => story[kind as 'sent'](batch)),
);

const NAMES = fc.constantFrom('a', 'b', 'c', 'd');

/** The same with batches that replace one another, objections, exports and what the chain says, and entries that are of no batch. */
export const everyBody = fc.oneof(
  { weight: 6, arbitrary: anyBody },
  fc
    .tuple(NAMES, NAMES, fc.integer({ min: 2_000, max: 9_000 }))
    .map(([batch, replaces, fee]) =>
      story.planned(batch, { inputs: [0, 1, 2, 3, 4].map(outpoint), requests: [], replaces, fee: `${fee}` }),
    ),
  fc
    .tuple(
      NAMES,
      fc.constantFrom(
        'exported',
        'partial',
        'declined',
        'conflicted',
        'unsettled',
        'unconfirmed',
        'broadcast',
        'abandoned',
      ),
    )
    .map(([batch, kind]) => story[kind as 'sent'](batch)),
  fc
    .tuple(NAMES, fc.constantFrom('alice', 'bob'), fc.constantFrom('approved', 'rejected', 'withdrawn'))
    .map(([batch, person, kind]) => story[kind as 'approved'](batch, person)),
  fc.tuple(NAMES, NAMES).map(([batch, by]) => story.replaced(batch, by)),
  fc.constant(story.frozen()),
);

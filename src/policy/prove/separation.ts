import { toHex } from '../../domain/bytes.js';
import { formatAmount, minSats } from '../../domain/sats.js';
import { calendarOf } from '../bound/calendar.js';
import { leastFee, limitsOf, shut, USUAL_VSIZE } from '../bound/limits.js';
import { canMeet, everybody } from '../bound/people.js';
import { isEnforced } from '../bound/powers.js';
import { judged } from '../bound/rehearse.js';
import { FIRST_HEIGHT, scriptNamed } from '../bound/scene.js';
import { binding, type Limits } from '../bound/types.js';
import { durationText, quorumText } from '../describe.js';
import type { LoadedPolicy } from '../types.js';
import { type Answer, type Argument, open, proven } from './types.js';

/** No single person can both put an address into the book and have it paid by their own word alone. */
export function proveSeparation(policy: LoadedPolicy): Answer {
  const { document } = policy;
  const closed = shut(policy);
  if (closed !== null) return proven({ text: closed.by.text, by: [closed.by] });
  const bookIsHeld = isEnforced('destinations.book_sign');
  const argument: Argument[] = [];
  for (const person of everybody(document)) {
    const alone = new Set([person]);
    const limits = limitsOf({ policy, people: alone, book: null, bookGrows: true });
    const { basis } = limits;
    const pays = basis.cap === null || basis.cap > 0n;
    const adds = !bookIsHeld || canMeet(document.destinations.bookSign, alone, document);
    if (pays && adds) return addsAndPays(policy, person, limits);
    const words = pays ? `${person} can pay alone, and cannot add` : `${person} cannot pay alone`;
    const field = 'destinations.book_sign';
    const rule = binding(policy, 'DEST_NOT_ALLOWED', field, `${field}: ${quorumText(document.destinations.bookSign)}`);
    argument.push({ text: words, by: [pays ? rule : basis.by] });
  }
  if (!bookIsHeld) {
    argument.push({
      text: 'destinations.book_sign is not enforced by this version, so anybody at the program can add: the approval tiers alone carry this',
      by: [],
    });
  }
  return proven(...argument);
}

/** The person adds an address, waits, and approves a payment to it that is asked for in somebody else's name. */
function addsAndPays(policy: LoadedPolicy, person: string, limits: Limits): Answer {
  const { document } = policy;
  const { destinations } = document;
  const [kind = 'p2wpkh'] = destinations.scriptTypes;
  const script = scriptNamed('the address that one person added', kind);
  const [at] = calendarOf(document).starts(1);
  if (at === undefined) return open('no hour is open');
  const caps = [destinations.young.each24h, destinations.young.all24h].flatMap((cap) => (cap === null ? [] : [cap]));
  const young = caps.length === 0 ? null : caps.reduce(minSats);
  const fee = leastFee(document);
  const how = isEnforced('destinations.book_sign')
    ? `${person} alone can sign the book`
    : 'signatures under the book are not enforced by this version, so anybody at the program can add';
  // At once within the caps for young destinations; or when the destination is young no more.
  const waits = [
    { wait: destinations.cooldown, cap: young },
    { wait: Math.max(destinations.cooldown, destinations.young.untilAge), cap: null },
  ];
  for (const { wait, cap } of waits) {
    const caps = [limits.batch.cap, document.limits.output, destinations.defaultCap24h, cap].flatMap((most) =>
      most === null ? [] : [most],
    );
    const spend = caps.length === 0 ? limits.least : caps.reduce(minSats);
    if (spend < limits.least) continue;
    const amount = spend - fee;
    const step = judged(
      'batch-1',
      {
        policy,
        at,
        name: 'batch-1',
        payments: [{ script, amount }],
        fee,
        vsize: USUAL_VSIZE,
        destinations: [{ id: 'added', label: 'added', script: toHex(script), since: at - wait }],
        spends: [],
        balance: document.limits.reserveFloor + spend,
        tip: FIRST_HEIGHT,
      },
      new Set([person]),
    );
    if (step.verdict.decision !== 'ALLOW') continue;
    const story = `${how}; ${durationText(wait)} after an address was added, ${person} alone can approve ${formatAmount(amount)} to it`;
    return { outcome: 'refuted', story: [story], steps: [step] };
  }
  return open(`${person} can add and approve alone, and no payment was found that the other rules let pass`);
}

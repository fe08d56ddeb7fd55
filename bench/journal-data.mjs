/**
 * A made journal of the size of years: batches as a vault has them (planned, judged three times, approved by two, reserved,
 * sent, signed, broadcast, confirmed), with coins imported before every twelfth. All name the same few documents, and its
 * signatures are made up: it verifies as a chain, and not as decisions. What it rests on is made up as well, unless a real
 * policy is in force in it already.
 */
import { createHash } from 'node:crypto';
import { formatTime } from '../dist/domain/time.js';

export const START = 1_600_000_000;
export const ENTRIES_A_BATCH = 11;
const BATCHES_A_SNAPSHOT = 12;
const BATCHES_A_TRANSACTION = 1_000;

const hash = (text) => createHash('sha256').update(text).digest('hex');
const DOCUMENT = Buffer.from('a document');
const nameOf = (bytes) => createHash('sha256').update(bytes).digest('hex');
const NAME = nameOf(DOCUMENT);
/** The policy that judges, the coins that are imported, the first batch's time, and seconds from one to the next. */
const MADE_UP = { policy: hash('policy'), coins: DOCUMENT, start: START, every: 600 };
const PEOPLE = ['alice', 'bob'];
/** As long as a signature by an ed25519 key of a FIDO2 token is in its armour. */
const SIGNATURE = `-----BEGIN SSH SIGNATURE-----\n${'U1NIU0lHAAAAAQAAAEoAAAAac2stc3NoLWVkMjU1MTlAb3BlbnNzaC5jb20AAAAgx8\n'.repeat(7)}-----END SSH SIGNATURE-----\n`;

const script = (text) => `0014${hash(text).slice(0, 40)}`;

/** The entries of one batch, the coins before it among them where they are due. */
export function bodiesOf(number, { policy, coins, start, every } = MADE_UP) {
  const at = start + number * every;
  const batch = `${formatTime(at).slice(0, 10).replaceAll('-', '')}-${hash(`batch ${number}`).slice(0, 8)}`;
  const bodies = [];
  if (number % BATCHES_A_SNAPSHOT === 0) {
    const tip = { height: 700_000 + number, hash: hash(`block ${number}`), medianTimePast: at - 3_600 };
    bodies.push({ kind: 'coins.imported', snapshot: nameOf(coins), ...tip, coins: 2_000, total: '250000000000' });
  }
  const requests = Array.from({ length: 3 }, (_, index) => ({
    id: `W-${number}-${index}`,
    address: `bc1q${hash(`address ${number} ${index}`).slice(0, 38)}`,
    script: script(`payee ${(number * 7 + index) % 90}`),
    amount: `${10_000_000 + index}`,
    destination: `customer-${(number * 7 + index) % 90}`,
  }));
  const outputs = [
    ...requests.map(({ script, amount }) => ({ script, amount })),
    { script: script(`change ${number}`), amount: '970000000', change: number },
  ];
  const debit = { spend: '30010003', fee: '10000', outputs };
  const verdict = (stage, decision) => ({
    kind: 'batch.verdict',
    batch,
    stage,
    psbt: NAME,
    policy,
    decision,
    codes: decision === 'NEED' ? ['APPROVALS_MISSING'] : [],
    verdict: NAME,
  });
  const validUntil = formatTime(at + 86_400);
  const txid = hash(`transaction ${number}`);
  bodies.push(
    {
      kind: 'batch.planned',
      batch,
      psbt: NAME,
      plan: NAME,
      requests,
      inputs: [`${hash(`coin ${number}`)}:0`, `${hash(`coin ${number}`)}:1`],
      ...debit,
      initiator: 'dave',
      parts: [batch],
    },
    verdict('plan', 'NEED'),
    ...PEOPLE.map((person) => ({
      kind: 'batch.approved',
      batch,
      person,
      statement: NAME,
      signature: SIGNATURE,
      validUntil,
    })),
    verdict('sign', 'ALLOW'),
    { kind: 'batch.reserved', batch, psbt: NAME, ...debit, approvers: PEOPLE },
    verdict('sign', 'ALLOW'),
    {
      kind: 'batch.sent',
      batch,
      psbt: NAME,
      device: { app: 'Bitcoin', version: '2.2.3', fingerprint: 'f5acc2fd' },
      approvers: PEOPLE,
    },
    { kind: 'batch.signed', batch, psbt: NAME, signedPsbt: NAME, transaction: NAME, txid, signatures: 2 },
    { kind: 'batch.broadcast', batch, txid, to: ['the node'] },
    { kind: 'batch.confirmed', batch, txid, height: 700_001 + number, time: formatTime(at + 3_600) },
  );
  return bodies;
}

/** Writes so many entries into a journal, whose clock is `clock.now`; answers how many batches there are. */
export async function fill(journal, entries, clock, scene = MADE_UP) {
  const appended = async (bodies) => {
    const done = await journal.transact(async (tx) => {
      tx.keep(DOCUMENT);
      tx.keep(scene.coins);
      for (const body of bodies) tx.append(body);
      return { ok: true, value: undefined };
    });
    if (!done.ok) throw new Error(JSON.stringify(done.error));
  };
  const read = await journal.read();
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  let written = read.value.head.seq + 1;
  if (read.value.policy === null) {
    const effectiveAt = formatTime(scene.start);
    const signatures = [{ person: 'frank', signature: SIGNATURE }];
    const digest = scene.policy;
    await appended([{ kind: 'policy.activated', digest, version: 1, document: NAME, effectiveAt, signatures }]);
    written += 1;
  }
  let batches = 0;
  while (written < entries) {
    clock.now = scene.start + batches * scene.every;
    const bodies = [];
    const last = batches + BATCHES_A_TRANSACTION;
    for (; batches < last && written + bodies.length < entries; batches += 1) bodies.push(...bodiesOf(batches, scene));
    await appended(bodies);
    written += bodies.length;
  }
  return batches;
}

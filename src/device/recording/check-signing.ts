import { equalBytes, toHex } from '../../domain/bytes.js';
import { type Command, OK } from './conversation.js';
import type { Findings } from './findings.js';
import { givenFields, givenSubject } from './given-psbt.js';
import { mapName, type Reading } from './meaning.js';
import { parseYield } from './protocol.js';
import { SignatureCheck, type YieldedSignature } from './signature.js';
import { type SignedSubject, streamedTransaction } from './streamed.js';

/** What the device read of the PSBT against the PSBT, where that is given, and every signature against the transaction. */
export function checkSigning(command: Command, reading: Reading, psbt: Uint8Array | null, findings: Findings): void {
  const { start, first, last, status } = command;
  if (start.kind !== 'sign') return;
  checkHmac(start.hmac, first, reading, findings);
  if (psbt !== null) checkGiven(command, reading, psbt, findings);
  const streamed = streamedTransaction(start, reading);
  if (streamed.kind === 'contradiction') findings.contradict(last, 'request', streamed.message);
  if (streamed.kind === 'whole') findings.prove('the transaction can be put together from what the device read');
  const given = psbt === null ? null : givenSubject(psbt);
  const subject: SignedSubject | null = streamed.kind === 'whole' ? streamed.subject : given;
  if (streamed.kind === 'partial') {
    const why = `the device did not read ${streamed.lacks}${psbt === null ? ': give the PSBT with --psbt' : ''}`;
    findings.leave('the transaction as a whole', why);
  }
  const signed = checkYields(command, subject, findings);
  if (status !== OK || streamed.kind !== 'whole') return;
  for (let input = 0; input < start.inputs.size; input++) {
    if (!signed.has(input))
      findings.leave('inputs without a signature', 'the device may have none of their keys', [last, 'response']);
  }
}

/** Default policies have no name, no registration, and zeros where the HMAC of one would be. */
function checkHmac(hmac: Uint8Array, exchange: number, { policy }: Reading, findings: Findings): void {
  const isDefault = policy !== null && policy.name.length === 0;
  if (!isDefault) {
    findings.leave('the HMAC of the registration that was signed with', 'only the device can compute it', [
      exchange,
      'request',
    ]);
  } else if (hmac.some((byte) => byte !== 0)) {
    findings.contradict(
      exchange,
      'request',
      'an HMAC is sent with a wallet policy that has no name and no registration',
    );
  }
}

/** The inputs that have a signature. */
function checkYields({ turns }: Command, subject: SignedSubject | null, findings: Findings): ReadonlySet<number> {
  const check = subject === null ? null : new SignatureCheck(subject);
  const seen: YieldedSignature[] = [];
  for (const { ask, asked } of turns) {
    if (ask.kind !== 'yield') continue;
    const exchange = asked[0] ?? 0;
    const signature = parseYield(ask.data);
    if (signature === null) {
      findings.contradict(exchange, 'response', 'the yield is no signature: input, key and signature are due');
      continue;
    }
    if (seen.some((one) => one.input === signature.input && equalBytes(one.publicKey, signature.publicKey))) {
      findings.contradict(
        exchange,
        'response',
        `input ${signature.input} is signed twice by ${toHex(signature.publicKey)}`,
      );
    }
    seen.push(signature);
    const verdict = check?.check(signature) ?? {
      kind: 'untold' as const,
      why: 'the transaction is not known: give the PSBT with --psbt',
    };
    if (verdict.kind === 'proven')
      findings.prove('signatures are valid, each by a key of the script that its input spends');
    if (verdict.kind === 'wrong') findings.contradict(exchange, 'response', verdict.message);
    if (verdict.kind === 'untold')
      findings.leave(`the signature of input ${signature.input}`, verdict.why, [exchange, 'response']);
  }
  return new Set(seen.map(({ input }) => input));
}

/** Every field that the device read is one of the PSBT. */
function checkGiven(
  { start, first, turns }: Command,
  { maps, meanings }: Reading,
  psbt: Uint8Array,
  findings: Findings,
): void {
  if (start.kind !== 'sign') return;
  const given = givenFields(psbt);
  if (given === null) return;
  if (start.inputs.size !== given.inputs || start.outputs.size !== given.outputs) {
    findings.contradict(
      first,
      'request',
      `the device is sent ${start.inputs.size} inputs and ${start.outputs.size} outputs, and the PSBT has ${given.inputs} and ${given.outputs}`,
    );
  }
  for (const [at, meaning] of meanings.entries()) {
    const turn = turns[at];
    if (meaning.about !== 'value' || turn === undefined || turn.ask.kind !== 'preimage') continue;
    const map = maps.get(mapName(meaning.scope, meaning.map));
    const key = map?.keys.get(meaning.position);
    const value = map?.values.get(meaning.position);
    if (key === undefined || value === undefined) continue;
    const due = given.fields.get(`${mapName(meaning.scope, meaning.map)} ${toHex(key)}`) ?? null;
    if (due !== null && equalBytes(due, value)) findings.prove('fields that the device read are those of the PSBT');
    else {
      const where = mapName(meaning.scope, meaning.map);
      findings.contradict(
        turn.answered ?? first,
        'request',
        `${where}: the field ${toHex(key)} is not what the PSBT has`,
      );
    }
  }
}

import { formatNote, openNote, signNote, withSignature } from '../approval/note.js';
import { parseVerifierKey, type SignerKey, sameKey, type VerifierKey } from '../approval/note-key.js';
import { equalBytes, utf8 } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ownValue, parsedJson } from '../domain/json-difference.js';
import { ok, type Result } from '../domain/result.js';
import type { UnixSeconds } from '../domain/time.js';
import { parseCheckpoint } from '../journal/checkpoint.js';
import { type Hash, verifyConsistency } from '../journal/merkle.js';
import { parseProofFile } from '../journal/proof-file.js';
import { type SignedCheckpoint, signedCheckpoint } from './checkpoint-files.js';
import type { Files } from './ports.js';

const SCHEMA = 'countersign.witness/1';

/** What a witness remembers of one log: by which key it knows it, and the newest checkpoint that it cosigned, as a note. */
interface KnownLog {
  readonly origin: string;
  readonly key: string;
  readonly checkpoint: string;
}

export interface WitnessRequest {
  /** The checkpoint, or what `audit checkpoint --old` wrote: with a proof in front of it. */
  readonly file: string;
  readonly key: SignerKey;
  readonly stateFile: string;
  /** The log's key, brought in person: needed the first time. */
  readonly log: VerifierKey | null;
  readonly out: string;
}

export interface Cosigned {
  readonly origin: string;
  readonly size: number;
  readonly root: Hash;
  readonly at: UnixSeconds;
  /** The size that was cosigned before; null the first time. */
  readonly before: number | null;
}

/**
 * Cosigns a checkpoint that goes on from the last one that was cosigned, and remembers it before the signature is handed
 * out (c2sp.org/tlog-witness). E_WITNESS_LOG, E_NOTE_SIGNATURE, E_NOTE_UNTRUSTED, E_CHECKPOINT_ORIGIN, E_WITNESS_ROLLBACK,
 * E_WITNESS_FORK, E_WITNESS_PROOF; nothing is written then.
 */
export async function cosign(
  { files, clock }: { readonly files: Files; readonly clock: () => UnixSeconds },
  { file, key, stateFile, log, out }: WitnessRequest,
): Promise<Result<Cosigned, Fault>> {
  if (key.verifier.kind !== 'witness') {
    return fail('E_NOTE_KEY', `the key of ${key.verifier.name} is one of a log, and cosigns nothing`, {
      remedy: 'make one of a witness: countersign audit key FILE --witness NAME',
    });
  }
  if (await files.exists(out)) {
    return fail('E_FILE_EXISTS', `${out} is there already, and is not overwritten`, {
      remedy: 'give another name: --out FILE',
      where: { file: out },
    });
  }
  const bytes = await files.read(file);
  if (!bytes.ok) return bytes;
  const asked = readRequest(bytes.value, file);
  if (!asked.ok) return asked;
  const before = (await files.exists(stateFile)) ? await files.read(stateFile) : ok(null);
  if (!before.ok) return before;
  const state = readState(before.value, stateFile);
  if (!state.ok) return state;
  const { checkpoint, note } = asked.value.signed;
  const known = state.value.find(({ origin }) => origin === checkpoint.origin) ?? null;
  const trusted = logKey(known, log, checkpoint.origin, file);
  if (!trusted.ok) return trusted;
  const opened = openNote(note, [trusted.value], file);
  if (!opened.ok) return opened;
  const goesOn = checkGoesOn(known, asked.value);
  if (!goesOn.ok) return goesOn;
  const at = clock();
  const kept = state.value.filter(({ origin }) => origin !== checkpoint.origin);
  const signatures = note.signatures.filter(({ name, id }) => name === trusted.value.name && id === trusted.value.id);
  const cosigned = withSignature({ text: note.text, signatures }, signNote(key, note.text, at));
  const next = [...kept, { origin: checkpoint.origin, key: trusted.value.text, checkpoint: formatNote(cosigned) }];
  const written = await files.replace(stateFile, stateBytes(next), before.value);
  if (!written.ok) return written;
  const handed = await files.writeNew(out, utf8(formatNote(withSignature(note, signNote(key, note.text, at)))));
  if (!handed.ok) return handed;
  return ok({ origin: checkpoint.origin, size: checkpoint.size, root: checkpoint.root, at, before: goesOn.value });
}

interface Asked {
  readonly signed: SignedCheckpoint;
  /** Null where the file is a checkpoint alone. */
  readonly old: number | null;
  readonly proof: readonly Hash[];
}

function readRequest(bytes: Uint8Array, file: string): Result<Asked, Fault> {
  const carried = parseProofFile(bytes, file);
  if (!carried.ok) return carried;
  if (carried.value?.kind === 'inclusion') {
    return fail('E_PROOF_FORM', `${file}: it proves one entry, and is not what a witness is asked with`, {
      remedy: 'give what countersign audit checkpoint wrote',
      where: { file },
    });
  }
  const signed = signedCheckpoint(carried.value === null ? bytes : utf8(carried.value.checkpoint), file);
  if (!signed.ok) return signed;
  return ok({ signed: signed.value, old: carried.value?.old ?? null, proof: carried.value?.proof ?? [] });
}

/** By which key the log is known here. One that is brought must be the one that is remembered. */
function logKey(
  known: KnownLog | null,
  brought: VerifierKey | null,
  origin: string,
  file: string,
): Result<VerifierKey, Fault> {
  if (known === null && brought === null) {
    return fail('E_WITNESS_LOG', `${file}: it is of ${origin}, which this witness has never cosigned`, {
      remedy: 'give --log KEY with the verifier key of that journal, as its officers read it to you in person',
      where: { file },
    });
  }
  const remembered = known === null ? null : parseVerifierKey(known.key);
  if (remembered?.ok === false) return remembered;
  if (brought !== null && remembered !== null && !sameKey(brought, remembered.value)) {
    return fail(
      'E_WITNESS_LOG',
      `${origin} is known here by the key ${remembered.value.text}, and --log is another one`,
      {
        remedy:
          'leave --log out; if the journal has a new key, find out in person why, and begin a new state file with it',
      },
    );
  }
  const key = remembered?.value ?? brought;
  if (key === null) throw new Error('one of the two keys is there');
  if (key.name === origin) return ok(key);
  return fail('E_CHECKPOINT_ORIGIN', `${file}: it is of ${origin}, and the key of the log is that of ${key.name}`, {
    remedy: 'take the key and the checkpoint from the same journal; believe nothing of this file otherwise',
    where: { file },
  });
}

/** Whether the checkpoint begins with the last one that was cosigned, whose size is the answer; null the first time. */
function checkGoesOn(known: KnownLog | null, { signed, old, proof }: Asked): Result<number | null, Fault> {
  const { checkpoint, file } = signed;
  if (known === null) return old === null ? ok(null) : neverCosigned(signed, old);
  const newest = lastCosigned(known);
  if (!newest.ok) return newest;
  const last = newest.value.checkpoint;
  if (checkpoint.size < last.size) {
    return fail(
      'E_WITNESS_ROLLBACK',
      `${file}: the journal has ${checkpoint.size} entries by it, and had ${last.size} when it was cosigned last`,
      {
        remedy:
          'cosign nothing: entries are gone, or this file is an old one. Ask for the newest, and where the rest is',
        where: { file },
      },
    );
  }
  if (checkpoint.size === last.size)
    return equalBytes(checkpoint.root, last.root) ? ok(last.size) : fork(file, last.size);
  if (old !== last.size) {
    const carried = old === null ? 'it carries no proof' : `its proof begins at ${old} entries`;
    return fail('E_WITNESS_PROOF', `${file}: ${carried}, and ${last.size} entries were cosigned last`, {
      remedy: `ask for one with a proof: countersign audit checkpoint FILE --old ${last.size} --key KEY`,
      where: { file },
    });
  }
  return verifyConsistency(last, checkpoint, proof) ? ok(last.size) : fork(file, last.size);
}

/** Another state file would have said. Begun anew here, the journal could go on from anything. */
function neverCosigned({ checkpoint, file }: SignedCheckpoint, old: number): Result<never, Fault> {
  return fail(
    'E_WITNESS_PROOF',
    `${file}: its proof begins at ${old} entries, and by this state file none of ${checkpoint.origin} was ever cosigned`,
    {
      remedy: 'name the state file of the last time (--state); a witness that is new takes a checkpoint without --old',
      where: { file },
    },
  );
}

function fork(file: string, size: number): Result<never, Fault> {
  return fail('E_WITNESS_FORK', `${file}: it does not begin with the ${size} entries that were cosigned last`, {
    remedy:
      'cosign nothing, and keep this file and the state file: both carry the signature of the journal, which together prove that it was written anew',
    where: { file },
  });
}

function lastCosigned({ checkpoint }: KnownLog): Result<SignedCheckpoint, Fault> {
  return signedCheckpoint(utf8(checkpoint), 'the state of the witness');
}

function stateBytes(logs: readonly KnownLog[]): Uint8Array {
  const sorted = [...logs].sort((a, b) => (a.origin < b.origin ? -1 : 1));
  return utf8(`${JSON.stringify({ schema: SCHEMA, logs: sorted }, null, 2)}\n`);
}

function readState(bytes: Uint8Array | null, file: string): Result<readonly KnownLog[], Fault> {
  if (bytes === null) return ok([]);
  const said = parsedJson(bytes);
  const logs = ownValue(said, 'logs');
  if (ownValue(said, 'schema') !== SCHEMA || !Array.isArray(logs)) return noState(file, 'it is not a state file');
  const known: KnownLog[] = [];
  for (const log of logs) {
    const [origin, key, checkpoint] = [ownValue(log, 'origin'), ownValue(log, 'key'), ownValue(log, 'checkpoint')];
    if (typeof origin !== 'string' || typeof key !== 'string' || typeof checkpoint !== 'string') {
      return noState(file, 'a log in it lacks its origin, key or checkpoint');
    }
    const signed = signedCheckpoint(utf8(checkpoint), file);
    const stands = signed.ok && parseCheckpoint(signed.value.note.text, file).ok;
    if (!stands || signed.value.checkpoint.origin !== origin)
      return noState(file, `its checkpoint of ${origin} is damaged`);
    known.push({ origin, key, checkpoint });
  }
  return ok(known);
}

function noState(file: string, why: string): Result<never, Fault> {
  return fail('E_WITNESS_STATE', `${file}: ${why}`, {
    remedy: 'restore it from a copy; without it nobody can tell whether a checkpoint goes on from what was cosigned',
    where: { file },
  });
}

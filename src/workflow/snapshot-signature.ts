import { keyOfLine } from '../approval/people.js';
import { SNAPSHOT_NAMESPACE, type SnapshotFields, snapshotStatement } from '../approval/snapshot-statement.js';
import { type VerifiedSshsig, verifySshsig } from '../approval/sshsig.js';
import { utf8 } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { SnapshotSigner } from '../journal/entries.js';
import type { Snapshot } from '../vault/snapshot-types.js';
import type { Composition } from './ports.js';
import { signBeside } from './sign-document.js';
import type { BroughtSignature } from './signatures.js';

/** What a signature of a snapshot is over. */
function fieldsOf({ network, vault, tip, takenAt, sha256 }: Snapshot): SnapshotFields {
  return { network, vault, height: tip.height, takenAt, sha256 };
}

/** Signs a snapshot that was just made, and writes the signature beside its file; returns the file. */
export async function signSnapshot(
  ports: Pick<Composition, 'ssh' | 'files'>,
  snapshot: Snapshot,
  file: string,
  keyFile: string,
  name: string,
): Promise<Result<string, Fault>> {
  const said = { namespace: SNAPSHOT_NAMESPACE, statement: snapshotStatement(fieldsOf(snapshot)) };
  return signBeside(ports, said, file, keyFile, name);
}

/** Whose key signed these bytes, whoever that is. The faults of verifySshsig. */
export function snapshotKey(snapshot: Snapshot, armored: string): Result<VerifiedSshsig, Fault> {
  return verifySshsig(armored, utf8(snapshotStatement(fieldsOf(snapshot))), SNAPSHOT_NAMESPACE);
}

/**
 * Holds a snapshot that somebody brought to the keys that countersign.yaml names. Every signature that comes with it has to
 * be over these bytes, also where no key is named, and by a named key where some are: a stale or foreign one is noticed and
 * not skipped. Answers the first signature that counts; null where no key is named. E_SNAPSHOT_SIG.
 */
export function checkSnapshotSignature(
  snapshot: Snapshot,
  file: string,
  brought: readonly BroughtSignature[],
  signers: ReadonlyMap<string, string>,
): Result<SnapshotSigner | null, Fault> {
  const counted: SnapshotSigner[] = [];
  for (const { from, armored } of brought) {
    const where = { file: from };
    const verified = snapshotKey(snapshot, armored);
    if (!verified.ok) {
      return fail('E_SNAPSHOT_SIG', `${from} is no signature over ${file}: ${verified.error.message}`, {
        where,
        remedy: 'bring the signature that was made with this very file, or take the snapshot again with --key',
      });
    }
    const { publicKey } = verified.value;
    const [name] = [...signers].find(([, line]) => keyOfLine(line) === publicKey) ?? [];
    if (name !== undefined) counted.push({ name, signature: armored });
    else if (signers.size > 0) {
      return fail(
        'E_SNAPSHOT_SIG',
        `${from} was made with a key that snapshot_signers of countersign.yaml does not name`,
        {
          where,
          remedy: `have it signed by ${[...signers.keys()].join(' or ')}, or name that key after looking into whose it is`,
        },
      );
    }
  }
  const [first] = counted;
  if (first !== undefined || signers.size === 0) return ok(first ?? null);
  return fail('E_SNAPSHOT_SIG', `${file} is not signed, and snapshot_signers of countersign.yaml names who has to`, {
    where: { file },
    remedy: `countersign chain snapshot ${file} --key FILE writes the signature beside it; bring both`,
  });
}

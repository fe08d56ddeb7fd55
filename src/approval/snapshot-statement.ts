import { canonicalJson } from '../domain/canonical-json.js';
import { formatTime, type UnixSeconds } from '../domain/time.js';

/** SSHSIG namespace of its own: a signature of a coin snapshot never counts for a policy, a book or a batch. */
export const SNAPSHOT_NAMESPACE = 'countersign-snapshot@v1';

/** What is said of a coin snapshot by the machine that made it. */
export interface SnapshotFields {
  readonly network: string;
  readonly vault: string;
  readonly height: number;
  readonly takenAt: UnixSeconds;
  /** SHA-256 of the file's bytes, in hex. */
  readonly sha256: string;
}

/** The text that is signed: canonical JSON (RFC 8785) of schema countersign.snapshot-signature/1, without a line end. */
export function snapshotStatement({ network, vault, height, takenAt, sha256 }: SnapshotFields): string {
  return canonicalJson({
    schema: 'countersign.snapshot-signature/1',
    network,
    vault,
    height,
    taken_at: formatTime(takenAt),
    digest: `sha256:${sha256}`,
  });
}

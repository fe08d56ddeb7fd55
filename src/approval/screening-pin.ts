import { canonicalJson } from '../domain/canonical-json.js';
import { formatTime, type UnixSeconds } from '../domain/time.js';

/** SSHSIG namespace of its own: a signature for a list never counts for a policy, a book or a batch. */
export const SCREENING_NAMESPACE = 'countersign-screening@v1';

/** What is said of a screening list by who pins it. */
export interface PinFields {
  /** The id that the policy has for it. */
  readonly list: string;
  /** SHA-256 of the list's bytes, in hex: a list has no other form than the one that was compared with its source. */
  readonly digest: string;
  readonly issuedAt: UnixSeconds;
}

/** The text that is signed: canonical JSON (RFC 8785) of schema countersign.screening-pin/1, without a line end. */
export function pinStatement({ list, digest, issuedAt }: PinFields): string {
  const issued_at = formatTime(issuedAt);
  return canonicalJson({ schema: 'countersign.screening-pin/1', list, digest: `sha256:${digest}`, issued_at });
}

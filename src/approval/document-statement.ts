import { canonicalJson } from '../domain/canonical-json.js';

/** SSHSIG namespaces, one a kind of document: a signature for one never counts for another. */
export const DOCUMENT_NAMESPACES = {
  policy: 'countersign-policy@v1',
  book: 'countersign-book@v1',
} as const;

export type DocumentKind = keyof typeof DOCUMENT_NAMESPACES;

/** What is said of a policy or an address book by who signs it. */
export interface DocumentFields {
  readonly kind: DocumentKind;
  /** The id of the wallet that it is for. */
  readonly wallet: string;
  readonly version: number;
  /** "sha256:..." of the version before; null in a first version: "none" in the statement. */
  readonly prev: string | null;
  /** "sha256:..." of the document's RFC 8785 form. */
  readonly digest: string;
}

/**
 * The text that is signed: canonical JSON (RFC 8785) of schema countersign.document/1, without a line end. It holds the
 * digest of the parsed document and not of the file, so comments may change after signing and meaning may not.
 */
export function documentStatement({ kind, wallet, version, prev, digest }: DocumentFields): string {
  return canonicalJson({ schema: 'countersign.document/1', kind, wallet, version, prev: prev ?? 'none', digest });
}

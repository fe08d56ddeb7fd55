import { DOCUMENT_NAMESPACES, type DocumentFields, documentStatement } from '../approval/document-statement.js';
import { verifySshsig } from '../approval/sshsig.js';
import { utf8 } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { NETWORKS, type Network } from '../domain/network.js';
import { err, ok, type Result } from '../domain/result.js';
import type { Book } from '../policy/book.js';
import type { ScreeningList } from '../policy/screening/list.js';
import type { Composition, Documents, Files } from './ports.js';
import type { BroughtSignature } from './signatures.js';

const SUFFIX = '.sig';

/** FILE.PERSON.sig: the name in it is for people, the key in the signature says whose it is. */
function signatureFile(file: string, person: string): string {
  return `${file}.${person}${SUFFIX}`;
}

/**
 * Signs a policy or a book and writes the signature beside its file. Needs no workspace: whoever signs has the file and a
 * key. E_SSH_KEY, E_SSH_KEYGEN, E_FILE_EXISTS; returns the file that was written.
 */
export async function signDocument(
  ports: Pick<Composition, 'ssh' | 'files'>,
  fields: DocumentFields,
  file: string,
  keyFile: string,
  person: string,
): Promise<Result<string, Fault>> {
  const said = { namespace: DOCUMENT_NAMESPACES[fields.kind], statement: documentStatement(fields) };
  return signBeside(ports, said, file, keyFile, person);
}

/** Signs what is said of a file, and writes the signature beside it. The faults of signDocument. */
export async function signBeside(
  { ssh, files }: Pick<Composition, 'ssh' | 'files'>,
  said: { readonly namespace: string; readonly statement: string },
  file: string,
  keyFile: string,
  person: string,
): Promise<Result<string, Fault>> {
  const { namespace } = said;
  const statement = utf8(said.statement);
  const armored = await ssh.sign(keyFile, namespace, statement);
  if (!armored.ok) return armored;
  // A signature that would not count later is better found out by the one who makes it.
  const verified = verifySshsig(armored.value, statement, namespace);
  if (!verified.ok) return verified;
  const path = signatureFile(file, person);
  const written = await files.writeNew(path, utf8(armored.value));
  return written.ok ? ok(path) : written;
}

/** The signatures that come with a document: the files named, or all that lie beside it. */
export async function readSignatures(
  files: Files,
  file: string,
  named: readonly string[],
): Promise<Result<readonly BroughtSignature[], Fault>> {
  const paths = named.length > 0 ? named : await files.beside(file, SUFFIX);
  const signatures: BroughtSignature[] = [];
  for (const path of paths) {
    const bytes = await files.read(path);
    if (!bytes.ok) return bytes;
    signatures.push({ from: path, armored: Buffer.from(bytes.value).toString('utf8') });
  }
  return ok(signatures);
}

/**
 * Reads a book where no workspace says of which network it is: it is of one on which all of its addresses exist. The
 * digest is the same on each of them. Where there is none, the faults are those of the network that fits best.
 */
export function readBookOfAnyNetwork(
  documents: Documents,
  bytes: Uint8Array,
  file: string,
): Result<Book, readonly Fault[]> {
  let best: readonly Fault[] | null = null;
  for (const network of NETWORKS satisfies readonly Network[]) {
    const book = documents.book(bytes, file, network);
    if (book.ok) return book;
    if (best === null || book.error.length < best.length) best = book.error;
  }
  return err(best ?? []);
}

/**
 * Reads a screening list where no workspace says of which network it is: as of the one of which it lists most. What is
 * signed are its bytes, so this only tells who signs what is in them.
 */
export function readListOfAnyNetwork(
  documents: Documents,
  bytes: Uint8Array,
  file: string,
): Result<ScreeningList & { readonly network: Network }, readonly Fault[]> {
  let best: (ScreeningList & { readonly network: Network }) | null = null;
  for (const network of NETWORKS satisfies readonly Network[]) {
    const read = documents.screening(bytes, file, network);
    if (!read.ok) return read;
    if (best === null || read.value.unusable.length < best.unusable.length) best = { ...read.value, network };
    if (best.unusable.length === 0) break;
  }
  if (best === null) throw new Error('there is no network');
  return ok(best);
}

/** A name that can stand in the name of a file. */
export function signerName(name: string | null): Result<string, Fault> {
  if (name !== null && /^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) return ok(name);
  return fail(
    'E_USAGE',
    name === null ? 'it is not said who signs' : `${JSON.stringify(name)} is not a name of a person`,
    {
      remedy: 'give --as NAME, as the roles of the policy name you: lower-case letters, digits, -',
    },
  );
}

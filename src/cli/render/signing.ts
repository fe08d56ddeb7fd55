import { DOCUMENT_NAMESPACES, type DocumentFields, documentStatement } from '../../approval/document-statement.js';
import type { Fault } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import { signDocument, signerName } from '../../workflow/sign-document.js';
import type { Report, VerbContext, VerbResult, Words } from '../command.js';
import { required } from '../with-workspace.js';
import { printable } from './text.js';

const schemaOf = ({ kind }: DocumentFields): string => `countersign.${kind}-sign/1`;

/** The exact bytes to sign, and nothing else on stdout: they can be piped into ssh-keygen. */
export function statementReport(fields: DocumentFields): Report {
  const statement = documentStatement(fields);
  const { kind, version, digest } = fields;
  const data = { kind, version, digest, namespace: DOCUMENT_NAMESPACES[kind], statement };
  return { schema: schemaOf(fields), exit: 'OK', data, text: [statement], verbatim: statement };
}

/**
 * Signs with --key in the name of --as, or of the person whom `nameOf` finds to hold the key. `doubtOf` says why that
 * person's signature may not be one that is asked for.
 */
export async function signingReport(
  words: Words,
  { compose, style }: Pick<VerbContext, 'compose' | 'style'>,
  fields: DocumentFields,
  file: string,
  nameOf: (keyFile: string) => Promise<Result<string | null, Fault>>,
  doubtOf: (person: string) => string | null = () => null,
): Promise<VerbResult> {
  const keyFile = required(words, 'key', '~/.ssh/id_ed25519');
  if (!keyFile.ok) return keyFile;
  const as = words.text('as');
  const found = as === undefined ? await nameOf(keyFile.value) : ok(as);
  if (!found.ok) return found;
  const person = signerName(found.value);
  if (!person.ok) return person;
  const signed = await signDocument(compose, fields, file, keyFile.value, person.value);
  if (!signed.ok) return signed;
  const { kind, wallet, version, prev, digest } = fields;
  const doubt = doubtOf(person.value);
  return ok({
    schema: schemaOf(fields),
    exit: 'OK',
    data: {
      kind,
      version,
      digest,
      person: person.value,
      signature: signed.value,
      ...(doubt === null ? {} : { doubt }),
    },
    text: [
      `${style.bold(person.value)} signed version ${version} of the ${kind} of ${wallet}`,
      `  digest     ${digest}`,
      `  prev       ${prev ?? 'none'}`,
      `  signature  ${printable(signed.value)}`,
      ...(doubt === null ? [] : [`  ${style.warn(printable(doubt))}`]),
    ],
  });
}

import { pinStatement, SCREENING_NAMESPACE } from '../../approval/screening-pin.js';
import { sha256Hex } from '../../domain/bytes.js';
import { ok } from '../../domain/result.js';
import { formatTime } from '../../domain/time.js';
import { notEmpty } from '../../policy/screening/list.js';
import { issueTime } from '../../workflow/screening-life.js';
import { readListOfAnyNetwork, signBeside, signerName } from '../../workflow/sign-document.js';
import type { Verb } from '../command.js';
import { unusableLines } from '../render/screening.js';
import { printable } from '../render/text.js';
import { argument, required, timeOption } from '../with-workspace.js';

const SCHEMA = 'countersign.screening-sign/1';

/** Needs no workspace: whoever pins a list has the file and a key, and compares it with its source on a machine online. */
export const run: Verb = async (words, { compose, style }) => {
  const [id, file] = [argument(words, 0), argument(words, 1)];
  const bytes = await compose.files.read(file);
  if (!bytes.ok) return bytes;
  const read = readListOfAnyNetwork(compose.documents, bytes.value, file);
  if (!read.ok) return read;
  const usable = notEmpty(read.value, file);
  if (!usable.ok) return usable;
  const given = timeOption(words, 'issued-at');
  if (!given.ok) return given;
  const issued = issueTime({ list: read.value, issuedAt: given.value, file });
  if (!issued.ok) return issued;
  const digest = sha256Hex(bytes.value);
  const statement = pinStatement({ list: id, digest, issuedAt: issued.value });
  const data = { list: id, digest: `sha256:${digest}`, issued_at: formatTime(issued.value) };
  if (words.flag('statement')) {
    const namespace = SCREENING_NAMESPACE;
    return ok({
      schema: SCHEMA,
      exit: 'OK',
      data: { ...data, namespace, statement },
      text: [statement],
      verbatim: statement,
    });
  }
  const keyFile = required(words, 'key', '~/.ssh/id_ed25519');
  if (!keyFile.ok) return keyFile;
  const person = signerName(words.text('as') ?? null);
  if (!person.ok) return person;
  const said = { namespace: SCREENING_NAMESPACE, statement };
  const signed = await signBeside(compose, said, file, keyFile.value, person.value);
  if (!signed.ok) return signed;
  const { scripts, unusable, network } = read.value;
  return ok({
    schema: SCHEMA,
    exit: 'OK',
    data: {
      ...data,
      network,
      scripts: scripts.length,
      unusable: unusable.map(({ line, tag }) => ({ line, tag })),
      person: person.value,
      signature: signed.value,
    },
    text: [
      `${style.bold(person.value)} signed ${printable(file)} as the screening list ${printable(id)}`,
      `  digest     sha256:${digest}`,
      `  issued at  ${formatTime(issued.value)}`,
      `  scripts    ${scripts.length}, read as of ${network}`,
      ...unusableLines(unusable),
      `  signature  ${printable(signed.value)}`,
    ],
  });
};

import { formatPosition } from '../../domain/fault.js';
import { ok } from '../../domain/result.js';
import { lintPolicy } from '../../policy/lint.js';
import type { Verb } from '../command.js';
import { sentenceWidth } from '../render/style.js';
import { plural, printable, wrap } from '../render/text.js';
import { argument } from '../with-workspace.js';

/** Needs no workspace: an auditor has only the file. */
export const run: Verb = async (words, { compose, style }) => {
  const file = argument(words, 0);
  const bytes = await compose.files.read(file);
  if (!bytes.ok) return bytes;
  const policy = compose.documents.policy(bytes.value, file);
  if (!policy.ok) return policy;
  const findings = lintPolicy(policy.value, { now: compose.clock() });
  const warnings = findings.filter((finding) => finding.level === 'warning').length;
  return ok({
    schema: 'countersign.policy-lint/1',
    exit: 'OK',
    data: { digest: policy.value.digest, version: policy.value.document.version, findings },
    text: [
      `${style.good('valid')}  ${printable(file)}, version ${policy.value.document.version}, ${policy.value.digest}`,
      ...findings.flatMap(({ level, field, where, text }) => [
        `  ${level === 'warning' ? style.warn('warning') : style.dim('note   ')} ${field}  ${style.dim(printable(formatPosition(where)))}`,
        ...wrap(printable(text), sentenceWidth(style, 100, 10)).map((line) => `          ${line}`),
      ]),
      `${plural(warnings, 'warning')}, ${plural(findings.length - warnings, 'note')}`,
    ],
  });
};

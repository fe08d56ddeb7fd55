import { ok } from '../../domain/result.js';
import { explainPolicy } from '../../policy/explain.js';
import type { LoadedPolicy } from '../../policy/types.js';
import { activePolicy } from '../../workflow/active-policy.js';
import type { Report, Verb } from '../command.js';
import { type Style, sentenceWidth } from '../render/style.js';
import { printable, wrap } from '../render/text.js';
import { withWorkspace } from '../with-workspace.js';

/** Of a file, or of the active policy of the workspace where none is named. */
export const run: Verb = async (words, context) => {
  const { compose, style } = context;
  const file = words.args[0];
  if (file !== undefined) {
    const bytes = await compose.files.read(file);
    if (!bytes.ok) return bytes;
    const policy = compose.documents.policy(bytes.value, file);
    return policy.ok ? ok(report(policy.value, style)) : policy;
  }
  return withWorkspace(context, async (desk) => {
    const read = await desk.journal.read();
    if (!read.ok) return read;
    const policy = await activePolicy(desk, read.value);
    return policy.ok ? ok(report(policy.value, style)) : policy;
  });
};

function report(policy: LoadedPolicy, style: Style): Report {
  const sections = explainPolicy(policy);
  return {
    schema: 'countersign.policy-explain/1',
    exit: 'OK',
    data: { version: policy.document.version, digest: policy.digest, sections },
    text: sections.flatMap(({ title, sentences }) => [
      style.bold(title),
      ...sentences.flatMap((sentence) => {
        const [first = '', ...rest] = wrap(printable(sentence), sentenceWidth(style, 98, 4));
        return [`  - ${first}`, ...rest.map((line) => `    ${line}`)];
      }),
      '',
    ]),
  };
}

import type { ExitName } from '../../domain/exit-codes.js';
import { type Fault, type FaultTag, fail, fault } from '../../domain/fault.js';
import { err, ok, type Result } from '../../domain/result.js';
import type { Finding } from '../../policy/types.js';
import { batchOfPsbt, calledVault, signedForNode } from '../../workflow/external-signer.js';
import type { Desk } from '../../workflow/ports.js';
import type { Report, Verb, VerbContext, VerbResult, Words } from '../command.js';
import { nodeCall } from '../node-answer.js';
import { psbtOfStdin } from '../node-call.js';
import { inWorkspace, withWorkspace } from '../with-workspace.js';
import { run as signBatch } from './batch-sign.js';

/**
 * Finds the batch that a node asks to have signed, and hands its id to `batch sign`: there is no other way to a signature
 * from here. What the node gets is what the journal then has.
 */
export const run: Verb = async (words, context) => {
  const psbt = await takePsbt(words, context);
  if (!psbt.ok) return psbt;
  const found = await inWorkspace(context, async (desk) => {
    const open = await calledVault(desk, nodeCall(words));
    return open.ok ? batchOfPsbt(desk, open.value, psbt.value) : open;
  });
  const batch = found.ok ? found.value : found;
  if (!batch.ok) return batch;
  const { id } = batch.value;
  // The node's own log is no screen: whoever signs has the pages from batch plan or batch show before them.
  const quiet: VerbContext = { ...context, attended: false, notice: () => {}, progress: () => {} };
  const signed = await signBatch(signingWords(words, id), quiet);
  if (!signed.ok) return signed;
  if (signed.value.exit !== 'OK') return refused(id, signed.value);
  return withWorkspace(context, (desk) => answerWith(desk, id));
};

async function takePsbt(words: Words, { compose }: VerbContext): Promise<Result<Uint8Array, Fault>> {
  const [file] = words.args;
  if (words.flag('stdin') === (file !== undefined)) {
    return fail('E_USAGE', 'a PSBT comes from a file or with --stdin, and one of them it has to be', {
      remedy: 'countersign signer signtx FILE --fingerprint FINGERPRINT --chain CHAIN',
    });
  }
  const name = file ?? 'standard input';
  const bytes = await compose.files.read(file ?? '-');
  if (!bytes.ok || file !== undefined) return bytes.ok ? compose.documents.psbt(bytes.value, name) : bytes;
  const text = psbtOfStdin(Buffer.from(bytes.value).toString('latin1'));
  return text.ok ? compose.documents.psbt(Buffer.from(text.value), name) : text;
}

/** The command line of `batch sign` for it. */
function signingWords(words: Words, id: string): Words {
  return {
    args: [id],
    text: (name) => (name === 'signer' ? words.text('fingerprint') : words.text(name)),
    list: words.list,
    flag: () => false,
  };
}

const TAGS: Partial<Readonly<Record<ExitName, FaultTag>>> = {
  DENIED: 'E_DENIED',
  APPROVALS_MISSING: 'E_APPROVALS_MISSING',
  HALTED: 'E_HALTED',
};

/** A node shows one line: the first reasons against it, and where all of them can be read. */
function refused(id: string, { exit, data }: Report): VerbResult {
  const tag = TAGS[exit] ?? 'E_DENIED';
  const reasons = reasonsIn(data.verdict);
  const more = reasons.length > MOST_REASONS ? `; and ${reasons.length - MOST_REASONS} more` : '';
  const why = reasons.length === 0 ? 'it is held by a halt' : reasons.slice(0, MOST_REASONS).join('; ') + more;
  const refusal = fault(tag, `batch ${id} is not signed: ${why}`, {
    remedy: `countersign batch check ${id} says of every rule what it asks for`,
  });
  return err({ faults: [refusal], data, text: [] });
}

const MOST_REASONS = 3;

/** Of a verdict in JSON (countersign.verdict/1), as `batch sign` reports it. */
function reasonsIn(verdict: unknown): string[] {
  if (typeof verdict !== 'object' || verdict === null || !('findings' in verdict)) return [];
  const { findings } = verdict as { readonly findings: readonly Pick<Finding, 'code' | 'outcome' | 'text'>[] };
  const against = findings.filter(({ outcome }) => outcome === 'deny' || outcome === 'need');
  return against.map(({ code, text }) => `${code}: ${text}`);
}

async function answerWith(desk: Desk, id: string): Promise<VerbResult> {
  const signed = await signedForNode(desk, id);
  if (!signed.ok) return signed;
  const { psbt, complete } = signed.value;
  const answer = { psbt: Buffer.from(psbt).toString('base64'), complete };
  return ok({ schema: 'countersign.signer-signtx/1', exit: 'OK', data: { batch: id, ...answer }, text: [], answer });
}

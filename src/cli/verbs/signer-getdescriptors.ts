import { ok } from '../../domain/result.js';
import { calledVault, signerDescriptors } from '../../workflow/external-signer.js';
import type { Verb } from '../command.js';
import { nodeCall } from '../node-answer.js';
import { wholeNumber, withWorkspace } from '../with-workspace.js';

/** The last account that BIP32 allows. */
const LAST_ACCOUNT = 2 ** 31 - 1;

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const account = wholeNumber(words.text('account') ?? '0', LAST_ACCOUNT, 'an account');
    if (!account.ok) return account;
    const open = await calledVault(desk, nodeCall(words));
    if (!open.ok) return open;
    const descriptors = signerDescriptors(open.value, account.value);
    if (!descriptors.ok) return descriptors;
    const answer = { ...descriptors.value };
    return ok({ schema: 'countersign.signer-getdescriptors/1', exit: 'OK', data: answer, text: [], answer });
  });

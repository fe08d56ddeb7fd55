import { ok } from '../../domain/result.js';
import { calledVault, displayAddress } from '../../workflow/external-signer.js';
import type { Verb } from '../command.js';
import { nodeCall } from '../node-answer.js';
import { required, withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const descriptor = required(words, 'desc', '"wpkh([FINGERPRINT/84h/0h/0h/0/0]KEY)"');
    if (!descriptor.ok) return descriptor;
    const open = await calledVault(desk, nodeCall(words));
    if (!open.ok) return open;
    const { compose } = context;
    const shown = await compose.interruptible((signal) => {
      const spec = words.text('device') ?? desk.config.device;
      const request = { spec, record: words.text('record') ?? null, psbt: null, signal };
      return displayAddress(compose.openDevice, request, open.value, descriptor.value);
    });
    if (!shown.ok) return shown;
    const answer = { address: shown.value };
    return ok({ schema: 'countersign.signer-displayaddress/1', exit: 'OK', data: answer, text: [], answer });
  });

import { ok } from '../../domain/result.js';
import { inspectDevice } from '../../workflow/device.js';
import { openVault } from '../../workflow/situation.js';
import type { Verb } from '../command.js';
import { fields } from '../render/table.js';
import { withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const open = await openVault(desk);
    const vault = open.ok ? open.value.vault : null;
    const request = {
      spec: words.text('device') ?? desk.config.device,
      record: words.text('record') ?? null,
      psbt: null,
    };
    const report = await inspectDevice(context.compose.openDevice, request, vault);
    if (!report.ok) return report;
    const { name, app, fingerprint, vaultKey } = report.value;
    const belongs = vaultKey === null ? 'there is no vault here yet' : vaultKey ? 'yes' : 'no';
    return ok({
      schema: 'countersign.device-info/1',
      exit: 'OK',
      data: { device: name, app, fingerprint, ...(vaultKey === null ? {} : { key_of_vault: vaultKey }) },
      text: fields(
        [
          ['device', name],
          ['app', `${app.name} ${app.version}`],
          ['fingerprint', fingerprint],
          ['key of the vault', belongs],
        ],
        context.style.dim,
      ),
    });
  });

import { RECOMMENDED } from '../../device/preflight.js';
import { FAULTS } from '../../domain/fault.js';
import { ok } from '../../domain/result.js';
import { inspectDevice } from '../../workflow/device.js';
import { anyDevice } from '../../workflow/meeting.js';
import { openVault } from '../../workflow/open-vault.js';
import type { Verb } from '../command.js';
import { presenceOf } from '../presence.js';
import { fields } from '../render/table.js';
import { withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const open = await openVault(desk);
    const vault = open.ok ? open.value.vault : null;
    const presence = presenceOf(words, context);
    if (!presence.ok) return presence;
    const request = {
      meeting: anyDevice(words.text('signer') ?? null, desk.config.network, presence.value),
      spec: words.text('device') ?? desk.config.device,
      record: words.text('record') ?? null,
      psbt: null,
    };
    const report = await inspectDevice(context.compose.openDevice, request, desk.config.network, vault);
    if (!report.ok) return report;
    const { name, app, fingerprint, vaultKey, problem, recommended } = report.value;
    const { style } = context;
    const belongs =
      vaultKey === null ? (open.ok ? 'not known' : 'there is no vault here yet') : vaultKey ? 'yes' : 'no';
    const advice = recommended ? 'yes' : `yes; ${RECOMMENDED} or newer is recommended`;
    return ok({
      schema: 'countersign.device-info/1',
      exit: problem === null ? 'OK' : FAULTS[problem.tag].exit,
      data: {
        device: name,
        app,
        fingerprint,
        ...(vaultKey === null ? {} : { key_of_vault: vaultKey }),
        usable: problem === null,
        ...(problem === null ? {} : { problem: { ...problem } }),
        recommended_version: RECOMMENDED,
      },
      text: [
        ...fields(
          [
            ['device', name],
            ['app', `${app.name} ${app.version}`],
            ['fingerprint', fingerprint ?? 'the app that is open does not tell it'],
            ['key of the vault', belongs],
            ['can sign', problem === null ? advice : `no: ${problem.message}`],
          ],
          style,
        ),
        ...(problem?.remedy === undefined ? [] : [`  ${style.bold('remedy')}: ${problem.remedy}`]),
      ],
    });
  });

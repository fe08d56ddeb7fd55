import { ok } from '../../domain/result.js';
import { signingKeys } from '../../vault/signing-keys.js';
import { type RegisterEvents, registerDevice } from '../../workflow/register-device.js';
import type { Verb } from '../command.js';
import { presenceOf } from '../presence.js';
import { predictionLines } from '../render/device.js';
import { fields } from '../render/table.js';
import { withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const { style, notice, compose } = context;
    const presence = presenceOf(words, context);
    if (!presence.ok) return presence;
    const options = {
      presence: presence.value,
      device: words.text('device') ?? desk.config.device,
      record: words.text('record') ?? null,
      signer: words.text('signer') ?? null,
    };
    const events: RegisterEvents = {
      identified: ({ app, fingerprint }, name, screens) => {
        notice(
          `device: ${name}, app ${app.name} ${app.version}, fingerprint ${fingerprint}, account key is the vault's`,
        );
        for (const line of predictionLines(screens, style)) notice(line);
        notice('Compare every key with the list that its holder gave you, not with this screen alone.');
      },
    };
    const registered = await compose.interruptible((signal) => {
      signal.addEventListener('abort', () => notice(INTERRUPTED));
      return registerDevice(desk, compose.openDevice, { ...options, signal }, events);
    });
    if (!registered.ok) return registered;
    const { registration, vault, again } = registered.value;
    const missing = [...new Set(signingKeys(vault).map(({ fingerprint }) => fingerprint))].filter(
      (fingerprint) => !registered.value.devices.includes(fingerprint),
    );
    return ok({
      schema: 'countersign.device-register/1',
      exit: 'OK',
      data: { ...registration, again, not_registered: missing },
      text: fields(
        [
          ['registered', `${registration.name} on ${registration.fingerprint}${again ? ', again' : ''}`],
          ['policy id', `${registration.policy}, as computed here`],
          ['first address', 'derived by the device under this registration, the same'],
          ['hmac', `${registration.hmac}, kept in the journal`],
          ['still to do', missing.length === 0 ? 'none: every signer is registered' : missing.join(', ')],
        ],
        style,
      ),
    });
  });

const INTERRUPTED = 'interrupted: the device is let go, and nothing is kept; once more ends the program at once';

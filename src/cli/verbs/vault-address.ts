import { deviceAddress } from '../../device/screens.js';
import { groupedAddress } from '../../domain/address.js';
import { toHex } from '../../domain/bytes.js';
import { fail } from '../../domain/fault.js';
import { formatPath } from '../../domain/path.js';
import { ok } from '../../domain/result.js';
import { sayNothingKept } from '../../workflow/broken-off.js';
import { showAddress } from '../../workflow/device.js';
import { meeting } from '../../workflow/meeting.js';
import { checkCosigner } from '../../workflow/registrations.js';
import { vaultAddress } from '../../workflow/vault.js';
import type { Verb } from '../command.js';
import { presenceOf } from '../presence.js';
import { predictionLines } from '../render/device.js';
import { fields } from '../render/table.js';
import { argument, wholeNumber, withWorkspace } from '../with-workspace.js';

/** The last index that BIP32 allows without hardening. */
const LAST_INDEX = 2 ** 31 - 1;

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const index = wholeNumber(argument(words, 0), LAST_INDEX, 'an index');
    if (!index.ok) return index;
    const branch = words.flag('change') ? 1 : 0;
    const own = await vaultAddress(desk, branch, index.value);
    if (!own.ok) return own;
    const { address, derived, open } = own.value;
    const expected = words.text('signer') ?? null;
    const known = expected === null ? ok(undefined) : checkCosigner(open.vault, expected);
    if (!known.ok) return known;
    const presence = presenceOf(words, context);
    if (!presence.ok) return presence;
    const onDevice = deviceAddress(derived.script, open.vault.network);
    const verify = words.flag('verify');
    let verifiedOn: string | null = null;
    if (verify) {
      context.notice(`Compare with the device: ${groupedAddress(onDevice)}`);
      const { openDevice, interruptible } = context.compose;
      const shown = await interruptible((signal) => {
        const spec = words.text('device') ?? desk.config.device;
        const meets = meeting(open.vault.network, null, presence.value);
        const request = { spec, record: words.text('record') ?? null, psbt: null, signal, meeting: meets };
        return showAddress(openDevice, request, open, branch, index.value, expected, (prediction) => {
          for (const line of predictionLines(prediction, context.style)) context.notice(line);
        });
      });
      if (!shown.ok) return sayNothingKept(shown);
      verifiedOn = shown.value.fingerprint;
      if (shown.value.address !== onDevice) {
        return fail(
          'E_DEVICE_MISMATCH',
          `the device shows ${shown.value.address}, and the descriptor gives ${onDevice}`,
          {
            remedy: 'do not use either address: find out which of the two is not what it claims to be',
          },
        );
      }
    }
    return ok({
      schema: 'countersign.vault-address/1',
      exit: 'OK',
      data: {
        address,
        branch,
        index: index.value,
        script: toHex(derived.script),
        verified_on_device: verify,
        ...(verifiedOn === null ? {} : { device_fingerprint: verifiedOn }),
      },
      text: fields(
        [
          ['address', address],
          ['in groups', groupedAddress(address)],
          ...derived.keys.map((key): [string, string] => ['key', `[${key.fingerprint}/${formatPath(key.path)}]`]),
          ['on the device', verifiedOn === null ? 'not compared (--verify does)' : `the same, on ${verifiedOn}`],
        ],
        context.style,
      ),
    });
  });

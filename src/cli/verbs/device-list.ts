import { modelName } from '../../device/models.js';
import { ok } from '../../domain/result.js';
import type { Verb } from '../command.js';
import { table } from '../render/table.js';
import { plural, printable } from '../render/text.js';

/** USB as the operating system sees it: no device is opened, so another program may be in the middle of a signing. */
export const run: Verb = async (_words, { compose, style }) => {
  const listed = await compose.listDevices();
  if (!listed.ok) return listed;
  const devices = listed.value.map(({ path, model, productId, serial }) => ({
    path,
    model: modelName(model),
    product_id: productId === null ? null : productId.toString(16).padStart(4, '0'),
    serial,
  }));
  const rows = devices.map(({ path, model, product_id, serial }) =>
    [path, model, product_id ?? '', serial ?? ''].map(printable),
  );
  const columns = [{ title: 'path' }, { title: 'model' }, { title: 'product id' }, { title: 'serial' }];
  return ok({
    schema: 'countersign.device-list/1',
    exit: 'OK',
    data: { devices },
    text:
      devices.length === 0
        ? ['no Ledger is attached to this machine']
        : [`${style.bold(plural(devices.length, 'Ledger'))} on USB`, ...table(columns, rows, style)],
  });
};

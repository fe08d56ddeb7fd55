import type { Signer } from '../../src/device/types.js';
import type { Fault } from '../../src/domain/fault.js';
import { err } from '../../src/domain/result.js';
import type { Journal } from '../../src/journal/port.js';
import type { Session } from '../cli/session.js';
import { softSigner } from '../cli/soft-device.mjs';

/** Makes the journal fail so often once the device has signed, and counts how often it was tried then. */
export function failingAfterwards(
  s: Session,
  failure: Fault,
  times: number,
  device: Signer = softSigner(),
): { tries: number } {
  const count = { tries: 0 };
  let hasSigned = false;
  s.signer = () => ({
    ...device,
    close: async () => {
      hasSigned = true;
      return device.close();
    },
  });
  const failing = (journal: Journal): Journal => ({
    read: () => journal.read(),
    entries: (from) => journal.entries(from),
    written: (from) => journal.written(from),
    blob: (hash) => journal.blob(hash),
    blobs: (names) => journal.blobs(names),
    blobNames: () => journal.blobNames(),
    lineRows: () => journal.lineRows(),
    size: () => journal.size(),
    treeHashes: (level, from, count) => journal.treeHashes(level, from, count),
    treeRows: () => journal.treeRows(),
    close: () => journal.close(),
    transact: async (work) => {
      if (!hasSigned) return journal.transact(work);
      count.tries += 1;
      return count.tries <= times ? err(failure) : journal.transact(work);
    },
  });
  const composition = s.composition.bind(s);
  s.composition = async (workspace) => {
    const real = await composition(workspace);
    return {
      ...real,
      openWorkspace: async () => {
        const opened = await real.openWorkspace();
        return opened.ok ? { ok: true, value: { ...opened.value, journal: failing(opened.value.journal) } } : opened;
      },
    };
  };
  return count;
}

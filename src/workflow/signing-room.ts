import type { Fault } from '../domain/fault.js';
import { fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { signingKeys } from '../vault/signing-keys.js';
import type { ReviewedBatch } from './approve-batch.js';
import type { Desk, SetAside } from './ports.js';

/** A signature in a PSBT with its key (BIP174): 2 + 33 and 1 + 73 bytes; and what an input's final scripts add around it. */
const SIGNATURE = 112;
const INPUT = 160;

/** SQLite's pages, as the write-ahead log has them: each with a header of its own. Of one, so much holds what is written. */
const PAGE = 4096 + 24;
const PAYLOAD = 4000;
/** Pages of the trees that one transaction changes, whatever it writes: entries, blobs and hashes, each split to its root. */
const TREES = 32;
/** A cosigner's part, the transaction, and what went wrong. */
const TRANSACTIONS = 3;
/** Entries of those, with the longest reason that an entry takes. */
const ENTRIES = 16 * 1024;
/** A file of its own takes whole blocks, and its name room in a folder. */
const FILE = 3 * 4096;

/**
 * The most that signing writes after the device was asked, in bytes: into the journal (a part, the signed PSBT and the
 * transaction, once into the write-ahead log and once into the file) and the files of the batch (a part, the signed PSBT, and
 * the transaction in hex). A transaction is never longer than the PSBT that holds all of it.
 */
export function roomFor(psbt: number, inputs: number, keys: number): number {
  const signed = psbt + inputs * (INPUT + keys * SIGNATURE);
  const pages = Math.ceil((3 * signed + ENTRIES) / PAYLOAD) + TRANSACTIONS * TREES;
  return 2 * pages * PAGE + 4 * signed + 3 * FILE;
}

/** Room on the medium of the journal that nobody else can fill while a device is asked. */
export interface SigningRoom {
  /** Sets it aside, unless it is. E_JOURNAL_ROOM, E_JOURNAL_IO. */
  hold(): Promise<Result<void, Fault>>;
  /** Gives it back: to what is written next. */
  release(): Promise<void>;
}

/** That of a batch. A shared journal is on the disk of its server, of which nothing can be said here. */
export function signingRoom(desk: Desk, { batch, psbt, situation }: ReviewedBatch): SigningRoom {
  const { files } = desk.ports;
  const path = files.inWorkspace(desk.root, desk.config.journal);
  const needed = roomFor(psbt.length, batch.inputs.length, signingKeys(situation.vault).length);
  let held: SetAside | null = null;
  return {
    hold: async () => {
      if (held !== null || desk.config.store !== null) return ok(undefined);
      const free = await files.freeBytes(path);
      if (free !== null && free < BigInt(needed)) return noRoom(path, needed, free);
      const aside = await files.setAside(path, needed);
      if (!aside.ok)
        return aside.error.tag === 'E_JOURNAL_ROOM' ? noRoom(path, needed, await files.freeBytes(path)) : aside;
      held = aside.value;
      return ok(undefined);
    },
    release: async () => {
      const aside = held;
      held = null;
      await aside?.release();
    },
  };
}

function noRoom(file: string, needed: number, free: bigint | null): Result<never, Fault> {
  const there = free === null ? '' : `; ${free} bytes are free`;
  return fail(
    'E_JOURNAL_ROOM',
    `its disk has no room for what is written once the device has signed: ${needed} bytes${there}`,
    {
      remedy: 'make room on the disk of the journal, and run the command again; the device was not asked',
      where: { file },
    },
  );
}

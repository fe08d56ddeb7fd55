import type { Hex } from '../domain/bytes.js';
import { unreachable } from '../domain/result.js';
import type { EntryBody, HaltRaised } from './entries.js';

/** The blobs that an entry rests on and that must be kept with it: SHA-256 of their bytes. */
export function namedBlobs(body: EntryBody): readonly Hex[] {
  switch (body.kind) {
    case 'policy.activated':
    case 'book.changed':
      return [body.document];
    case 'coins.imported':
      return [body.snapshot];
    case 'screening.imported':
      return [body.document, body.set];
    case 'batch.planned':
      return [body.psbt, body.plan];
    case 'batch.verdict':
      return [body.verdict];
    case 'batch.approved':
    case 'batch.rejected':
    case 'batch.withdrawn':
    case 'halt.resume-approved':
      return [body.statement];
    case 'halt.raised':
      return haltBlobs(body);
    case 'batch.partial':
      return [body.part];
    case 'batch.signed':
      return [body.signedPsbt, body.transaction];
    case 'batch.reserved':
    case 'batch.sent':
    case 'batch.exported':
    case 'batch.declined':
    case 'batch.released':
    case 'batch.unknown':
    case 'batch.broadcast':
    case 'batch.unconfirmed':
    case 'batch.confirmed':
    case 'batch.replaced':
    case 'batch.conflicted':
    case 'batch.unsettled':
    case 'batch.abandoned':
    case 'journal.opened':
    case 'journal.moved':
    case 'vault.imported':
    case 'device.registered':
    case 'coin.frozen':
    case 'coin.unfrozen':
    case 'halt.resumed':
      return [];
    default:
      return unreachable(body);
  }
}

function haltBlobs(body: HaltRaised): readonly Hex[] {
  switch (body.source) {
    case 'person':
      return [body.statement];
    case 'unverified':
      return [body.statement, body.signature].filter((name) => name !== undefined);
    case 'automatic':
      return [body.evidence];
  }
}

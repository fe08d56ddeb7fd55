import type { Fault } from '../domain/fault.js';
import { err, type Result } from '../domain/result.js';

/**
 * What a person who broke a conversation off has to know where no batch is part of it: nothing was written, and the device
 * may still show its question.
 */
export function sayNothingKept<T>(result: Result<T, Fault>): Result<T, Fault> {
  if (result.ok || result.error.tag !== 'E_DEVICE_INTERRUPTED') return result;
  return err({
    ...result.error,
    remedy: 'refuse on the device what it may still show, and run the command again: the journal is as it was',
  });
}

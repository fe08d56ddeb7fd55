import type { Presence } from '../device/types.js';
import type { Fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { VerbContext, Words } from './command.js';
import { wholeNumber } from './with-workspace.js';

const LONGEST = 86_400;

/**
 * How long a verb waits for a person to connect, unlock and open: --wait, or at a terminal until that person breaks it off, and
 * elsewhere not at all. --open-app lets it ask the device for the app.
 */
export function presenceOf(words: Words, { attended, notice }: VerbContext): Result<Presence, Fault> {
  const text = words.text('wait');
  const seconds = text === undefined ? ok(attended ? null : 0) : wholeNumber(text, LONGEST, 'seconds for --wait');
  return seconds.ok ? ok({ patience: seconds.value, openApp: words.flag('open-app'), notice }) : seconds;
}

import type { DevicePreview, Screen, SigningProgress } from '../../device/types.js';
import type { Style } from './style.js';
import { plural } from './text.js';

/** The screens in the order of the device, to be compared with it word by word. */
export function previewLines(preview: DevicePreview, style: Style): string[] {
  return [
    ...screenLines(preview.screens, preview.approvals, style),
    style.dim(`  about ${preview.exchanges} exchanges, ${preview.seconds} s of the device's time besides yours`),
  ];
}

/** Pages to be compared with those of the device word by word, and how often both buttons are pressed. */
export function screenLines(screens: readonly Screen[], approvals: number, style: Style): string[] {
  const width = Math.max(...screens.map((screen) => screen.title.length));
  return [
    `${style.bold('The device will show')}  ${plural(screens.length, 'screen')}, ${plural(approvals, 'approval')} to give`,
    ...screens.map((screen, index) => {
      const number = `${index + 1}`.padStart(`${screens.length}`.length);
      return `  ${style.dim(number)}  ${screen.title.padEnd(width)}  ${screen.text}`.trimEnd();
    }),
  ];
}

const BAR = 24;

export function progressLine({ phase, exchanges, expected, signatures }: SigningProgress): string {
  const done = Math.min(BAR, Math.floor((BAR * exchanges) / Math.max(1, expected)));
  const bar = `${'#'.repeat(done)}${'.'.repeat(BAR - done)}`;
  return `${phase.padEnd(9)} [${bar}] ${exchanges}/${expected} exchanges, ${plural(signatures, 'signature')}`;
}

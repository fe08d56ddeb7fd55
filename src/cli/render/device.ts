import { modelName } from '../../device/models.js';
import type { DevicePreview, Prediction, SigningProgress } from '../../device/types.js';
import type { Style } from './style.js';
import { plural } from './text.js';

/** The pages in the order of the device, to be compared with it word by word, and how long it takes. */
export function previewLines({ prediction, exchanges, seconds }: DevicePreview, style: Style): string[] {
  return [
    ...predictionLines(prediction, style),
    style.dim(`  about ${exchanges} exchanges, ${seconds} s of the device's time besides yours`),
  ];
}

/** The same for each kind of device that may sign; those of which no page is known are said in one go. */
export function previewsLines(previews: readonly DevicePreview[], style: Style): string[] {
  const whys = previews.flatMap(({ prediction }) => (prediction.kind === 'unpredicted' ? [prediction.why] : []));
  const known = previews.filter(({ prediction }) => prediction.kind === 'predicted');
  return [
    ...known.flatMap((preview) => previewLines(preview, style)),
    ...(whys.length === 0 ? [] : unpredictedLines(whys, style)),
  ];
}

function unpredictedLines(whys: readonly string[], style: Style): string[] {
  const head = style.bold('What the device will show is not predicted:');
  return [
    ...(whys.length === 1 ? [`${head} ${whys[0]}`] : [head, ...whys.map((why) => `  ${why}`)]),
    '  compare every amount and address on it with the plan',
  ];
}

/**
 * Pages to be compared with those of the device word by word, and how often both buttons are pressed; or that they are not
 * predicted, and why. A page of several lines stands in several lines.
 */
export function predictionLines(prediction: Prediction, style: Style): string[] {
  if (prediction.kind === 'unpredicted') {
    return unpredictedLines([prediction.why], style);
  }
  const { model, recorded, version, screens, approvals } = prediction;
  const width = Math.max(...screens.map((screen) => screen.title.length));
  const digits = `${screens.length}`.length;
  const other =
    version === null || version === recorded
      ? []
      : [`  as recorded with app ${recorded}; version ${version} is open, whose pages may differ in details`];
  return [
    `${style.bold(`A ${modelName(model)} will show`)}  ${plural(screens.length, 'screen')}, ${plural(approvals, 'approval')} to give`,
    ...other,
    ...screens.flatMap(({ title, text }, index) => {
      const [first = '', ...more] = text.split('\n');
      const number = `${index + 1}`.padStart(digits);
      const indent = ' '.repeat(2 + digits + 2 + width + 2);
      return [
        `  ${style.dim(number)}  ${title.padEnd(width)}  ${first}`.trimEnd(),
        ...more.map((line) => `${indent}${line.trimStart()}`),
      ];
    }),
  ];
}

const BAR = 24;

export function progressLine({ phase, exchanges, expected, signatures, output }: SigningProgress): string {
  const done = Math.min(BAR, Math.floor((BAR * exchanges) / Math.max(1, expected)));
  const bar = `${'#'.repeat(done)}${'.'.repeat(BAR - done)}`;
  const review = output === null ? '' : `, output #${output.number} of ${output.of}`;
  return `${phase.padEnd(9)} [${bar}] ${exchanges}/${expected} exchanges, ${plural(signatures, 'signature')}${review}`;
}

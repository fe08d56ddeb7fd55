const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
] as const;

/** A length of time by its two largest units, rounded down: "40 d 3 h", "2 h 5 min", "59 s". */
export function spanText(seconds: number): string {
  const index = UNITS.findIndex(([, size]) => seconds >= size);
  const [unit, size] = UNITS[index] ?? ['s', 1];
  const [smaller, small] = UNITS[index + 1] ?? ['s', 1];
  const whole = `${Math.floor(seconds / size)} ${unit}`;
  const rest = Math.floor((seconds % size) / small);
  return rest === 0 ? whole : `${whole} ${rest} ${smaller}`;
}

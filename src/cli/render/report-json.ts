import { toHex } from '../../domain/bytes.js';
import type { AuditReport, Border } from '../../workflow/report/fold.js';

/** The report for --json: names in lower case with _, amounts as decimal strings, times as they stand in the journal. */
export function reportJson(report: AuditReport): Record<string, unknown> {
  const { begin, end, denials, ...rest } = report;
  return {
    ...(snakeCase(rest) as Record<string, unknown>),
    begin: borderJson(begin),
    end: borderJson(end),
    denials: {
      ...denials,
      codes: denials.codes.map((one) => ({ ...one, initiators: Object.fromEntries(one.initiators) })),
    },
  };
}

/** The root as a checkpoint writes it. */
function borderJson({ size, head, root }: Border): Record<string, unknown> {
  return { size, head, root: Buffer.from(root).toString('base64'), root_hex: toHex(root) };
}

/** Field names of the program as the fields of its JSON: inForceFrom as in_force_from. Values stay as they are. */
function snakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCase);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      snakeCase(inner),
    ]),
  );
}

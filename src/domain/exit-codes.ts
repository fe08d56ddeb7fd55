/** The one table of exit codes: printed by `countersign help exit-codes`, documented from here, append-only. */
export const EXIT_CODES = [
  { code: 0, name: 'OK', meaning: 'done or allowed' },
  { code: 1, name: 'FAULT', meaning: 'fault in the program' },
  { code: 2, name: 'USAGE', meaning: 'usage or unreadable input' },
  { code: 10, name: 'DENIED', meaning: 'denied by policy' },
  { code: 11, name: 'APPROVALS_MISSING', meaning: 'approvals missing' },
  { code: 12, name: 'HALTED', meaning: 'halted' },
  { code: 13, name: 'INTEGRITY', meaning: 'integrity: journal, policy or signature tampered' },
  { code: 14, name: 'DATA_STALE', meaning: 'data stale or missing' },
  { code: 15, name: 'LOCKED', meaning: 'locked, or a conflicting writer' },
  { code: 20, name: 'DEVICE_ABSENT', meaning: 'no device, or it cannot be opened' },
  { code: 21, name: 'DEVICE_LOCKED', meaning: 'device locked' },
  { code: 22, name: 'DEVICE_APP', meaning: 'wrong app or version on the device' },
  { code: 23, name: 'DEVICE_REFUSED', meaning: 'refused on the device' },
  { code: 24, name: 'DEVICE_MISMATCH', meaning: 'wrong device or key' },
  { code: 25, name: 'DEVICE_PROTOCOL', meaning: 'device protocol failure' },
  { code: 30, name: 'CHAIN_UNREACHABLE', meaning: 'chain back end unreachable' },
  { code: 31, name: 'NODE_REJECTED', meaning: 'rejected by the node' },
] as const;

export type ExitName = (typeof EXIT_CODES)[number]['name'];
export type ExitCode = (typeof EXIT_CODES)[number]['code'];

const BY_NAME = new Map<ExitName, ExitCode>(EXIT_CODES.map(({ name, code }) => [name, code]));

export function exitCode(name: ExitName): ExitCode {
  const code = BY_NAME.get(name);
  if (code === undefined) throw new Error(`no exit code is named ${name}`);
  return code;
}

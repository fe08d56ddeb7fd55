/** What this version reads, checks for form, and then does not act upon. */
export const NOT_ENFORCED: readonly { readonly field: string; readonly reason: string }[] = [
  {
    field: 'wallet.device.kinds',
    reason: 'an app does not prove which kind of device it runs on; its name and version are enforced',
  },
  {
    field: 'log.witnesses',
    reason:
      'nothing waits for these witnesses: have checkpoints cosigned (audit witness), and verify with them (audit verify --trust)',
  },
];

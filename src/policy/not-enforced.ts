/** What this version reads, checks for form, and then does not act upon. */
export const NOT_ENFORCED: readonly { readonly field: string; readonly reason: string }[] = [
  {
    field: 'wallet.device.kinds',
    reason: 'an app does not prove which kind of device it runs on; its name and version are enforced',
  },
  {
    field: 'halt.auto',
    reason:
      'a spend outside the journal and a listed address of our own are not looked for yet: halt by hand when you learn of one',
  },
  { field: 'log.witnesses', reason: 'the head of the journal is not witnessed yet: keep a copy of it elsewhere' },
];

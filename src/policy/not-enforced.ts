/** What this version reads, checks for form, and then does not act upon. */
export const NOT_ENFORCED: readonly { readonly field: string; readonly reason: string }[] = [
  {
    field: 'change_control.sign',
    reason:
      'signatures under policy files are not checked yet: whoever may run `policy activate` may change the policy',
  },
  {
    field: 'change_control.loosening_notice',
    reason: 'no machine classifies changes yet, so a loosening applies as soon as its effective_at has come',
  },
  {
    field: 'destinations.book_sign',
    reason: 'signatures under the address book are not checked yet; its cool-down is enforced',
  },
  {
    field: 'wallet.device.kinds',
    reason: 'an app does not prove which kind of device it runs on; its name and version are enforced',
  },
  { field: 'screening', reason: 'screening lists are not read yet: every batch is denied while one is named' },
  { field: 'halt', reason: 'halts are not built yet: to stop everything, let nobody approve' },
  { field: 'log.witnesses', reason: 'the head of the journal is not witnessed yet: keep a copy of it elsewhere' },
];

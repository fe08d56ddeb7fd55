import { createDeriver } from '../../src/vault/derive.js';
import { descriptorChecksum, parseVault } from '../../src/vault/descriptor.js';
import type { Deriver } from '../../src/vault/types.js';

/** The account key of the public seed that the Speculos emulator starts with. */
const BODY =
  'wpkh([f5acc2fd/84h/1h/0h]tpubDCtKfsNyRhULjZ9XMS4VKKtVcPdVDi8MKUbcSD9MJDyjRu1A2ND5MiipozyyspBT9bg8upEp7a8EAgFxNxXn1d7QkdbL52Ty5jiSLcxPt1P/<0;1>/*)';

export const DESCRIPTOR = `${BODY}#${descriptorChecksum(BODY)}`;

export function regtestVault(): Deriver {
  const vault = parseVault('cold', 'regtest', DESCRIPTOR);
  if (!vault.ok) throw new Error(vault.error.message);
  return createDeriver(vault.value);
}

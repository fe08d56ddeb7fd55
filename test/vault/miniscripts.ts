import { createDeriver } from '../../src/vault/derive.js';
import { parseVault } from '../../src/vault/descriptor.js';
import type { Deriver, Vault } from '../../src/vault/types.js';
import { keyText, withChecksum } from './fixtures.js';

/** Account keys of `master(1)`, `master(2)` and so on, as a descriptor has them. */
export const keyOf = (seed: number): string => `${keyText(seed, '48h/1h/0h/2h')}/<0;1>/*`;

/** Miniscript whose keys are written as @1, @2, ... for the seeds of the tests, as a descriptor with its checksum. */
export function descriptorOf(miniscript: string): string {
  return withChecksum(`wsh(${miniscript.replace(/@(\d+)/g, (_, seed) => keyOf(Number(seed)))})`);
}

export function miniscriptVault(miniscript: string, network: Vault['network'] = 'testnet3'): Vault {
  const vault = parseVault('recovery', network, descriptorOf(miniscript));
  if (!vault.ok) throw new Error(vault.error.message);
  return vault.value;
}

export const miniscriptDeriver = (miniscript: string, network: Vault['network'] = 'testnet3'): Deriver =>
  createDeriver(miniscriptVault(miniscript, network));

/** Policies that a vault may have, with the seeds of the keys that sign without a time lock, and how many of them must. */
export const MINISCRIPTS: readonly (readonly [string, readonly number[], number])[] = [
  ['or_d(pk(@1),and_v(v:pkh(@2),older(65535)))', [1], 1],
  ['or_d(multi(2,@1,@2),and_v(v:pkh(@3),older(52560)))', [1, 2], 2],
  ['or_d(multi(2,@1,@2,@3),and_v(v:multi(2,@4,@5,@6),older(144)))', [1, 2, 3], 2],
  ['or_i(and_v(v:pkh(@1),older(10)),pk(@2))', [2], 1],
  ['andor(pk(@1),older(5),pk(@2))', [2], 1],
  ['or_d(pk(@1),and_v(v:pkh(@2),after(800000)))', [1], 1],
  ['thresh(3,pk(@1),s:pk(@2),s:pk(@3),sln:older(12960))', [1, 2, 3], 3],
  ['thresh(2,pk(@1),s:pk(@2),s:pk(@3))', [1, 2, 3], 2],
  ['and_v(v:pk(@1),pk(@2))', [1, 2], 2],
  ['and_v(or_c(pk(@1),v:older(1000)),pk(@2))', [1, 2], 2],
  ['t:or_c(multi(1,@1,@2),v:pkh(@3))', [1, 2, 3], 1],
  [
    'or_d(multi(3,@1,@2,@3,@4,@5,@6,@7,@8),and_v(v:thresh(2,pkh(@9),a:pkh(@10)),older(4194305)))',
    [1, 2, 3, 4, 5, 6, 7, 8],
    3,
  ],
];

/**
 * The checksum of output descriptors (BIP380): a BCH code over 5-bit symbols, kin to bech32's. Characters stand in three
 * groups of 32, so that a case error or a wrong digit costs one symbol each.
 */
const INPUT = '0123456789()[],\'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#"\\ ';
const OUTPUT = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATOR = [0xf5dee51989n, 0xa9fdca3312n, 0x1bab10e32dn, 0x3706b1677an, 0x644d626ffdn];

export const CHECKSUM_FORM = /^[qpzry9x8gf2tvdw0s3jn54khce6mua7l]{8}$/;

/** Index of the first character that no descriptor may hold, or -1. */
export function foreignCharacter(text: string): number {
  return [...text].findIndex((character) => !INPUT.includes(character));
}

/** The eight characters that follow `#`. Throws on characters outside BIP380's set: foreignCharacter finds them first. */
export function descriptorChecksum(body: string): string {
  const symbols: number[] = [];
  let groups: number[] = [];
  for (const character of body) {
    const value = INPUT.indexOf(character);
    if (value < 0) throw new Error(`no descriptor holds ${JSON.stringify(character)}`);
    symbols.push(value & 31);
    groups.push(value >> 5);
    if (groups.length === 3) {
      symbols.push(groupSymbol(groups));
      groups = [];
    }
  }
  if (groups.length > 0) symbols.push(groupSymbol(groups));
  const checksum = polymod([...symbols, 0, 0, 0, 0, 0, 0, 0, 0]) ^ 1n;
  return Array.from({ length: 8 }, (_, index) => OUTPUT[Number((checksum >> BigInt(5 * (7 - index))) & 31n)]).join('');
}

function groupSymbol(groups: readonly number[]): number {
  return groups.reduce((symbol, group) => symbol * 3 + group, 0);
}

function polymod(symbols: readonly number[]): bigint {
  let checksum = 1n;
  for (const symbol of symbols) {
    const top = checksum >> 35n;
    checksum = ((checksum & 0x7ffffffffn) << 5n) ^ BigInt(symbol);
    GENERATOR.forEach((generator, bit) => {
      if ((top >> BigInt(bit)) & 1n) checksum ^= generator;
    });
  }
  return checksum;
}

/** The first two words of an OpenSSH public key line, "type base64"; the comment says nothing that could be checked. */
export function keyOfLine(line: string): string {
  return line.trim().split(/\s+/).slice(0, 2).join(' ');
}

/**
 * The person whom the roles of a policy give a public key ("type base64"), or null where it is nobody's. A key that two
 * people share proves neither, so it is nobody's too: people count, not keys.
 */
export function whoseKey(
  roles: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>,
  publicKey: string,
): string | null {
  const owners = new Set<string>();
  for (const people of roles.values()) {
    for (const [person, lines] of people) {
      if (lines.some((line) => keyOfLine(line) === publicKey)) owners.add(person);
    }
  }
  const [owner] = owners;
  return owners.size === 1 && owner !== undefined ? owner : null;
}

/** Something that weighs in a limit and spends inputs. Two of them that share an input cannot both confirm. */
export interface Member {
  readonly weight: bigint;
  readonly inputs: readonly string[];
}

/** The heaviest set that can confirm together, with and without the batch that is being judged. */
export interface Weighed {
  /** The batch counted in. */
  readonly together: bigint;
  /** The batch left out. */
  readonly without: bigint;
  /** What can confirm beside the batch: the limit minus this is what the batch may weigh. */
  readonly beside: bigint;
}

/** Groups of more conflicting members than this count as their sum, which is never below the exact answer. */
export const EXACT_UP_TO = 20;

/**
 * The weight of the heaviest set of members of which no two share an input: a maximum-weight independent set, exact for
 * groups of up to 20 conflicting members and the sum of the group beyond that. Weights are 0 or more.
 */
export function heaviestSet(members: readonly Member[]): bigint {
  return groups(members).reduce((total, group) => total + heaviestOfGroup(group), 0n);
}

/** Weighs a batch among members that it may share inputs with; the same bound of exactness as heaviestSet. */
export function weighAmong(batch: Member, members: readonly Member[]): Weighed {
  const inputs = new Set(batch.inputs);
  const all = groups([...members, batch]);
  const own = all.find((group) => group.includes(batch)) ?? [batch];
  const others = own.filter((member) => member !== batch);
  const rest = all.filter((group) => group !== own).reduce((total, group) => total + heaviestOfGroup(group), 0n);
  if (own.length > EXACT_UP_TO) {
    const sum = sumOf(others);
    return { together: rest + sum + batch.weight, without: rest + heaviestSet(others), beside: rest + sum };
  }
  const beside = others.filter((member) => !member.inputs.some((input) => inputs.has(input)));
  return {
    together: rest + exact(own),
    without: rest + exact(others),
    beside: rest + exact(beside),
  };
}

/** Splits members into groups that are connected by shared inputs. */
export function groups<M extends Member>(members: readonly M[]): M[][] {
  const parent = members.map((_, index) => index);
  const root = (index: number): number => {
    let at = index;
    for (let up = parent[at]; up !== undefined && up !== at; up = parent[at]) {
      parent[at] = parent[up] ?? up;
      at = up;
    }
    return at;
  };
  const firstWith = new Map<string, number>();
  for (const [index, member] of members.entries()) {
    for (const input of member.inputs) {
      const first = firstWith.get(input);
      if (first === undefined) firstWith.set(input, index);
      else parent[root(index)] = root(first);
    }
  }
  const byRoot = new Map<number, M[]>();
  for (const [index, member] of members.entries()) {
    const group = byRoot.get(root(index));
    if (group === undefined) byRoot.set(root(index), [member]);
    else group.push(member);
  }
  return [...byRoot.values()];
}

function heaviestOfGroup(group: readonly Member[]): bigint {
  return group.length > EXACT_UP_TO ? sumOf(group) : exact(group);
}

function sumOf(members: readonly Member[]): bigint {
  return members.reduce((sum, member) => sum + member.weight, 0n);
}

/**
 * Branches on the member with the most conflicts: either it confirms and its rivals do not, or it does not. Sets are bit
 * masks; answers are remembered, so 20 members take a few thousand steps at most.
 */
function exact(members: readonly Member[]): bigint {
  const inputs = members.map((member) => new Set(member.inputs));
  const rivals = members.map((member, index) =>
    inputs.reduce(
      (mask, other, bit) =>
        bit !== index && member.inputs.some((input) => other.has(input)) ? mask | (1 << bit) : mask,
      0,
    ),
  );
  const known = new Map<number, bigint>();
  const best = (mask: number): bigint => {
    const remembered = known.get(mask);
    if (remembered !== undefined) return remembered;
    let pivot = -1;
    let most = 0;
    let sum = 0n;
    for (const [bit, member] of members.entries()) {
      if ((mask & (1 << bit)) === 0) continue;
      sum += member.weight;
      const degree = bitCount((rivals[bit] ?? 0) & mask);
      if (degree > most) [pivot, most] = [bit, degree];
    }
    if (pivot === -1) return sum;
    const left = mask & ~(1 << pivot);
    const included = (members[pivot]?.weight ?? 0n) + best(left & ~(rivals[pivot] ?? 0));
    const excluded = best(left);
    const answer = included > excluded ? included : excluded;
    known.set(mask, answer);
    return answer;
  };
  return best((1 << members.length) - 1);
}

function bitCount(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

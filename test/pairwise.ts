/** What can be chosen, each with its values. */
export type Choices = Readonly<Record<string, readonly string[]>>;
export type Combination = Readonly<Record<string, string>>;

/**
 * Combinations in which every value of every choice meets every value of every other. The same choices give the same
 * combinations. Those that `isPossible` refuses are left out; a pair that occurs in none other is then not covered.
 */
export function pairwise(
  choices: Choices,
  isPossible: (combination: Combination) => boolean = () => true,
): Combination[] {
  const all = allOf(choices).filter(isPossible);
  const open = new Set(all.flatMap(pairsOf));
  const chosen: Combination[] = [];
  while (open.size > 0) {
    let best: Combination = {};
    let bestCount = 0;
    for (const combination of all) {
      const count = pairsOf(combination).filter((pair) => open.has(pair)).length;
      if (count > bestCount) [best, bestCount] = [combination, count];
    }
    chosen.push(best);
    for (const pair of pairsOf(best)) open.delete(pair);
  }
  return chosen;
}

function allOf(choices: Choices): Combination[] {
  let all: Combination[] = [{}];
  for (const [name, values] of Object.entries(choices)) {
    all = all.flatMap((some) => values.map((value) => ({ ...some, [name]: value })));
  }
  return all;
}

function pairsOf(combination: Combination): string[] {
  const words = Object.entries(combination).map(([name, value]) => `${name}=${value}`);
  return words.flatMap((one, n) => words.slice(n + 1).map((other) => `${one} ${other}`));
}

/**
 * Whether a name is among those that a pattern of LIST means: `*` stands for anything, `%` for anything within one level
 * (RFC 9051 §6.3.9). By hand, since a regular expression takes exponential time for `*%*%*%x`.
 */
export function matchesPattern(name: string, pattern: string): boolean {
  // The set of places in the pattern that the name may have come to; each character moves all of them.
  let places = withoutText(new Set([0]), pattern);
  for (const character of name) {
    const next = new Set<number>();
    for (const place of places) {
      const wanted = pattern.charAt(place);
      if (wanted === "*" || (wanted === "%" && character !== "/")) next.add(place);
      else if (pattern.startsWith(character, place)) next.add(place + character.length);
    }
    places = withoutText(next, pattern);
    if (places.size === 0) return false;
  }
  return places.has(pattern.length);
}

/** Wildcards may also stand for nothing. */
function withoutText(places: ReadonlySet<number>, pattern: string): ReadonlySet<number> {
  const reached = new Set(places);
  for (const place of reached) if ("*%".includes(pattern.charAt(place) || " ")) reached.add(place + 1);
  return reached;
}

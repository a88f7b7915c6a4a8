/** Options by letter or name, as getopt(3) finds them, and the words that are none. */
export interface ParsedOptions {
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, string>;
  readonly words: readonly string[];
}

/** `withValue`: the options that take a word, by letter or by name without dashes. */
export function parseOptions(args: readonly string[], withValue: readonly string[] = []): ParsedOptions {
  const flags = new Set<string>();
  const values = new Map<string, string>();
  const words: string[] = [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === "--") {
      words.push(...rest);
      break;
    }
    if (arg.startsWith("--")) {
      const [name = "", value] = arg.slice(2).split(/=(.*)/s, 2);
      if (value !== undefined) values.set(name, value);
      else if (withValue.includes(name)) values.set(name, rest.shift() ?? "");
      else flags.add(name);
    } else if (/^-./.test(arg)) {
      for (let letters = arg.slice(1); letters !== ""; letters = letters.slice(1)) {
        const letter = letters.charAt(0);
        if (!withValue.includes(letter)) flags.add(letter);
        else {
          values.set(letter, letters.length > 1 ? letters.slice(1) : (rest.shift() ?? ""));
          break;
        }
      }
    } else words.push(arg);
  }
  return { flags, values, words };
}

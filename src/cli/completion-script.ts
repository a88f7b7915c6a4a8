import type { Command, CommandGroup, Option } from "./command.ts";

/** A command for a completion script: what may be typed after it. */
interface Completion {
  readonly words: readonly string[];
  readonly summary: string;
  readonly options: readonly CompletionOption[];
  readonly operandWords: readonly string[];
}

interface CompletionOption {
  readonly name: string;
  readonly short: string | undefined;
  readonly help: string;
  readonly takesValue: boolean;
  readonly isRepeatable: boolean;
  /** What the value may be; empty where it may be anything, such as a file. */
  readonly values: readonly string[];
}

/** What bash evaluates to complete `holdfast`. */
export function bashCompletion(commands: readonly Command[]): string {
  const completions = commands.map(completionOf);
  const cases = completions.map(({ words, options, operandWords }) => {
    const valueCases = options.filter(({ takesValue }) => takesValue).map(bashValueCase);
    const names = options.flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]);
    return `    ${shellQuoted(words.join(" "))})
      options=${shellQuoted(names.join(" "))} operands=${shellQuoted(operandWords.join(" "))}
      case "$previous" in${["", ...valueCases].join("\n")}
      esac ;;`;
  });
  const groupCases = prefixesOf(completions).map((prefix) => {
    const verbs = nextOf(prefix, completions).map(({ word }) => word);
    const condition = `[[ $COMP_CWORD -eq ${prefix.length + 1} ]]`;
    return `    ${shellQuoted(prefix.join(" "))}) ${condition} && operands=${shellQuoted(verbs.join(" "))} ;;`;
  });
  const longer = prefixesOf(completions).map((prefix) => {
    const [at, pattern] = [prefix.length + 1, shellQuoted(prefix.join(" "))];
    return `  case "$command" in ${pattern}) [[ $COMP_CWORD -gt ${at} ]] && command+=" \${COMP_WORDS[${at}]}" ;; esac`;
  });
  return `# bash completion of holdfast, made by: holdfast completion bash
_holdfast() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local command=\${COMP_WORDS[1]} options='--help' operands='' values=''
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W ${shellQuoted([...firstWordsOf(commands), "help", "--version", "--help"].join(" "))} -- "$current"))
    return
  fi
${longer.join("\n")}
  case "$command" in
${[...cases, ...groupCases].join("\n")}
  esac
  if [[ $values == . ]]; then COMPREPLY=($(compgen -f -- "$current"))
  elif [[ -n $values ]]; then COMPREPLY=($(compgen -W "$values" -- "$current"))
  elif [[ $current == -* ]]; then COMPREPLY=($(compgen -W "$options" -- "$current"))
  elif [[ -n $operands ]]; then COMPREPLY=($(compgen -W "$operands" -- "$current"))
  else COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _holdfast holdfast
`;
}

function bashValueCase({ name, short, values }: CompletionOption): string {
  const names = [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
  return `        ${names.join("|")}) values=${shellQuoted(values.length === 0 ? "." : values.join(" "))} ;;`;
}

/** What zsh autoloads to complete `holdfast`. */
export function zshCompletion(commands: readonly Command[], groups: readonly CommandGroup[]): string {
  const completions = commands.map(completionOf);
  const cases = completions.map((completion) => {
    const { words, options, operandWords } = completion;
    const operands = operandWords.length === 0 ? "*:file:_files" : `*:word:(${operandWords.join(" ")})`;
    const specs = [...options.flatMap(zshOptionSpecs), shellQuoted(operands)];
    return `    ${shellQuoted(words.join(" "))}) _arguments -s ${specs.join(" ")} ;;`;
  });
  const groupCases = prefixesOf(completions).map((prefix) => {
    const verbs = nextOf(prefix, completions).map(({ word, summary }) => zshDescribed(word, summary));
    return `    ${shellQuoted(prefix.join(" "))}) verbs=(${verbs.join(" ")}); _describe verb verbs ;;`;
  });
  const longer = prefixesOf(completions).map((prefix) => {
    const taken = prefix.length + 1;
    const joined = `command="$command $words[${taken + 1}]"; taken=${taken}`;
    return `  case $command in (${shellQuoted(prefix.join(" "))}) (( CURRENT > ${taken + 1} )) && { ${joined} } ;; esac`;
  });
  const singles = completions.filter(({ words }) => words.length === 1);
  const firsts = [
    ...groups.map(({ name, summary }) => zshDescribed(name, summary)),
    ...singles.map(({ words, summary }) => zshDescribed(words[0] ?? "", summary)),
    zshDescribed("help", "say more of a command"),
  ];
  return `#compdef holdfast
# zsh completion of holdfast, made by: holdfast completion zsh
local -a verbs
if (( CURRENT == 2 )); then
  verbs=(${firsts.join(" ")})
  _describe command verbs
else
  local command=$words[2]
  integer taken=1
${longer.join("\n")}
  shift $taken words
  (( CURRENT -= taken ))
  case $command in
${[...cases, ...groupCases].join("\n")}
  esac
fi
`;
}

/** An option is spelled twice, short and long: zsh's brace form would not survive the quotes. */
function zshOptionSpecs({ name, short, help, takesValue, isRepeatable, values }: CompletionOption): string[] {
  const action = values.length === 0 ? "_files" : `(${values.join(" ")})`;
  const value = takesValue ? `:value:${action}` : "";
  const names = [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
  const prefix = isRepeatable ? "*" : names.length > 1 ? `(${names.join(" ")})` : "";
  const described = help.replace(/[[\]\\:]/g, String.raw`\$&`);
  return names.map((written) => shellQuoted(`${prefix}${written}[${described}]${value}`));
}

function zshDescribed(word: string, text: string): string {
  return shellQuoted(`${word}:${text.replaceAll(":", String.raw`\:`)}`);
}

/** What fish loads to complete `holdfast`. */
export function fishCompletion(commands: readonly Command[], groups: readonly CommandGroup[]): string {
  const completions = commands.map(completionOf);
  const line = (condition: string, rest: string): string => `complete -c holdfast -n ${shellQuoted(condition)} ${rest}`;
  const first = "test (count (commandline -opc)) -eq 1";
  const seen = (words: readonly string[]): string =>
    words.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ");
  const lines = groups.map(({ name, summary }) => line(first, `-f -a ${name} -d ${shellQuoted(summary)}`));
  for (const { words, summary, options, operandWords } of completions) {
    if (words.length === 1) lines.push(line(first, `-f -a ${words[0] ?? ""} -d ${shellQuoted(summary)}`));
    const isSeen = seen(words);
    if (operandWords.length > 0) lines.push(line(isSeen, `-f -a ${shellQuoted(operandWords.join(" "))}`));
    for (const option of options) lines.push(line(isSeen, fishOption(option)));
  }
  for (const prefix of prefixesOf(completions)) {
    const isOnlyPrefix = `${seen(prefix)}; and test (count (commandline -opc)) -eq ${prefix.length + 1}`;
    for (const { word, summary } of nextOf(prefix, completions)) {
      lines.push(line(isOnlyPrefix, `-f -a ${word} -d ${shellQuoted(summary)}`));
    }
  }
  return `# fish completion of holdfast, made by: holdfast completion fish\n${lines.join("\n")}\n`;
}

function fishOption({ name, short, help, takesValue, values }: CompletionOption): string {
  const value = !takesValue ? "" : values.length === 0 ? " -r" : ` -x -a ${shellQuoted(values.join(" "))}`;
  return `-l ${name}${short === undefined ? "" : ` -s ${short}`}${value} -d ${shellQuoted(help)}`;
}

function completionOf(command: Command): Completion {
  const options = Object.entries(command.options).map(([name, option]): CompletionOption => {
    return {
      name,
      short: option.short,
      help: option.help,
      takesValue: option.kind !== "flag",
      isRepeatable: option.kind !== "flag" && option.repeatable === true,
      values: valuesOf(option),
    };
  });
  const help = { name: "help", short: "h", help: "show help", takesValue: false, isRepeatable: false, values: [] };
  const operandWords = Object.values(command.operands).flatMap(({ choices }) => choices ?? []);
  return { words: command.words, summary: command.summary, options: [...options, help], operandWords };
}

function valuesOf(option: Option): readonly string[] {
  if (option.kind === "choice") return option.choices;
  return option.kind === "size" ? (option.words ?? []) : [];
}

/** What stands before the last word of commands, the shortest first: `mail`, `mail cert`. */
function prefixesOf(completions: readonly Completion[]): readonly (readonly string[])[] {
  const prefixes = new Map<string, readonly string[]>();
  for (const { words } of completions) {
    for (let length = 1; length < words.length; length++) {
      const prefix = words.slice(0, length);
      prefixes.set(prefix.join(" "), prefix);
    }
  }
  return [...prefixes.values()].toSorted((a, b) => a.length - b.length);
}

function completionsBelow(prefix: readonly string[], completions: readonly Completion[]): readonly Completion[] {
  return completions.filter(
    ({ words }) => words.length > prefix.length && prefix.every((word, at) => words[at] === word),
  );
}

/** The words that may follow a prefix, each once, with what it is for. */
function nextOf(prefix: readonly string[], completions: readonly Completion[]) {
  const next = Map.groupBy(completionsBelow(prefix, completions), ({ words }) => words[prefix.length] ?? "");
  return [...next].map(([word, below]) => {
    const [only] = below;
    const isCommand = only !== undefined && only.words.length === prefix.length + 1;
    return { word, summary: isCommand ? only.summary : below.map(({ words }) => words.at(-1)).join(", ") };
  });
}

function firstWordsOf(commands: readonly Command[]): string[] {
  return [...new Set(commands.map(({ words }) => words[0] ?? ""))];
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

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
export function bashCompletion(commands: readonly Command[], groups: readonly CommandGroup[]): string {
  const completions = commands.map(completionOf);
  const cases = completions.map(({ words, options, operandWords }) => {
    const valueCases = options.filter(({ takesValue }) => takesValue).map(bashValueCase);
    const names = options.flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]);
    return `    ${shellQuoted(words.join(" "))})
      options=${shellQuoted(names.join(" "))} operands=${shellQuoted(operandWords.join(" "))}
      case "$previous" in${["", ...valueCases].join("\n")}
      esac ;;`;
  });
  const groupCases = groups.map(({ name }) => {
    const verbs = verbsIn(name, completions).map(({ words }) => words[1] ?? "");
    return `    ${name}) [[ $COMP_CWORD -eq 2 ]] && operands=${shellQuoted(verbs.join(" "))} ;;`;
  });
  return `# bash completion of holdfast, made by: holdfast completion bash
_holdfast() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local command=\${COMP_WORDS[1]} options='--help' operands='' values=''
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W ${shellQuoted([...firstWordsOf(commands), "help", "--version", "--help"].join(" "))} -- "$current"))
    return
  fi
  case "$command" in ${groups.map(({ name }) => name).join("|")}) [[ $COMP_CWORD -gt 2 ]] && command+=" \${COMP_WORDS[2]}" ;; esac
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
  const groupCases = groups.map(({ name }) => {
    const verbs = verbsIn(name, completions).map(({ words, summary }) => zshDescribed(words[1] ?? "", summary));
    return `    ${name}) verbs=(${verbs.join(" ")}); _describe verb verbs ;;`;
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
  case $command in (${groups.map(({ name }) => name).join("|")}) (( CURRENT > 3 )) && { command="$command $words[3]"; taken=2 } ;; esac
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
  const lines = groups.map(({ name, summary }) => line(first, `-f -a ${name} -d ${shellQuoted(summary)}`));
  for (const { words, summary, options, operandWords } of completions) {
    const [head = "", verb] = words;
    const isOnlyHead = `__fish_seen_subcommand_from ${head}; and test (count (commandline -opc)) -eq 2`;
    lines.push(line(verb === undefined ? first : isOnlyHead, `-f -a ${verb ?? head} -d ${shellQuoted(summary)}`));
    const isSeen = words.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ");
    if (operandWords.length > 0) lines.push(line(isSeen, `-f -a ${shellQuoted(operandWords.join(" "))}`));
    for (const option of options) lines.push(line(isSeen, fishOption(option)));
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

function verbsIn(group: string, completions: readonly Completion[]): Completion[] {
  return completions.filter(({ words }) => words.length > 1 && words[0] === group);
}

function firstWordsOf(commands: readonly Command[]): string[] {
  return [...new Set(commands.map(({ words }) => words[0] ?? ""))];
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

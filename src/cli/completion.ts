import { defineCommand } from "./command.ts";
import { bashCompletion, fishCompletion, zshCompletion } from "./completion-script.ts";
import { loadAll } from "./find-command.ts";

const scriptMakers = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** `holdfast completion` */
export const completion = defineCommand({
  words: ["completion"],
  summary: "print what a shell needs to complete the words of holdfast",
  operands: { shell: { arity: "one", choices: ["bash", "zsh", "fish"], help: "the shell" } },
  options: {},
  examples: [
    { line: "source <(holdfast completion bash)", help: "in ~/.bashrc" },
    { line: 'holdfast completion zsh > "${fpath[1]}/_holdfast"', help: "once; zsh finds it in a new session" },
    { line: "holdfast completion fish > ~/.config/fish/completions/holdfast.fish", help: "once" },
  ],
  async run(context, args) {
    await context.stdout.write(scriptMakers[args.shell](await loadAll(context.commands), context.commands.groups));
  },
});

import type { Program, ProgramCall } from "../shell/index.ts";
import { Unsupported } from "../shell/index.ts";
import type { UnpackedPackage } from "../unpacked-package.ts";
import type { ConfigurationState } from "./state.ts";

const unknownQuestion = 10;
const notAsked = 30;

/** debconf's commands as the front end that asks nothing has them: every answer is the default of its template. */
export function debconfPrograms({ answers }: ConfigurationState): Map<string, Program> {
  const get = ({ shell, args }: ProgramCall): number => {
    const answer = answers.get(args[0] ?? "");
    shell.assign("RET", answer ?? "");
    return answer === undefined ? unknownQuestion : 0;
  };
  const set = ({ args: [name = "", ...words] }: ProgramCall): number => {
    answers.set(name, words.join(" "));
    return 0;
  };
  const done = [
    "db_version",
    "db_capb",
    "db_stop",
    "db_title",
    "db_go",
    "db_fset",
    "db_subst",
    "db_settitle",
    "db_reset",
    "db_beginblock",
    "db_endblock",
  ];
  return new Map<string, Program>([
    [". /usr/share/debconf/confmodule", () => 0],
    ["db_get", get],
    ["db_set", set],
    ["db_metaget", (call) => get({ ...call, args: [metaKey(call.args[0] ?? "", call.args[1] ?? "")] })],
    ["db_input", () => notAsked],
    ["db_fget", ({ shell }) => (shell.assign("RET", "false"), 0)],
    ...done.map((name): [string, Program] => [name, () => 0]),
    ...["db_register", "db_unregister", "db_purge"].map((name): [string, Program] => [name, unsupported]),
  ]);
}

function unsupported(): never {
  throw new Unsupported("a command of debconf");
}

/** Where the fields of a question's template are kept among the answers. */
function metaKey(question: string, field: string): string {
  return `${question} ${field}`;
}

/** The questions of a package, answered by their defaults. */
export function readDefaults({ controlFiles }: UnpackedPackage, answers: Map<string, string>): void {
  const text = controlFiles.get("templates")?.toString("latin1") ?? "";
  for (const stanza of text.split(/\n\s*\n/)) {
    const name = /^Template: *(.+)$/m.exec(stanza)?.[1];
    const value = /^Default: *(.*)$/m.exec(stanza)?.[1] ?? "";
    if (name === undefined || answers.has(name)) continue;
    answers.set(name, value);
    const choices = /^Choices(?:-C)?: *(.*)$/m.exec(stanza)?.[1];
    for (const field of ["choices", "choices-c"]) if (choices !== undefined) answers.set(metaKey(name, field), choices);
  }
}

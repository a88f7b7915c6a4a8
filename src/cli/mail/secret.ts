import * as fs from "node:fs";
import { Failure, systemReason } from "../../base/index.ts";
import { askSecret } from "../ask.ts";
import type { CommandContext } from "../command.ts";

export interface SecretRequest {
  /** A file whose first line it is. */
  readonly file: string | undefined;
  /** A variable of the environment. */
  readonly variable: string;
  readonly question: string;
  /** Asks twice, as what is typed wrong now would be known by nobody. */
  readonly isNew?: boolean;
}

/** A secret from a file, the environment or the terminal; undefined where nobody gives one. */
export async function findSecret(
  context: Pick<CommandContext, "env" | "stderr" | "signal">,
  { file, variable, question, isNew = false }: SecretRequest,
): Promise<string | undefined> {
  if (file !== undefined) return firstLine(file);
  const told = context.env[variable];
  if (told !== undefined && told !== "") return told;
  const typed = await askSecret(context, `${question}: `);
  if (typed === undefined || !isNew) return typed;
  if ((await askSecret(context, "the same again: ")) === typed) return typed;
  throw new Failure("usage", "cannot use what was typed: it was not the same both times");
}

function firstLine(file: string): string {
  let text: string;
  try {
    text = fs.readFileSync(file, "utf8");
  } catch (error) {
    throw new Failure("failed", `cannot read the password in "${file}": ${systemReason(error)}`, { cause: error });
  }
  const [line = ""] = text.split(/\r?\n/);
  if (line === "") throw new Failure("usage", `cannot read the password in "${file}": its first line is empty`);
  return line;
}

/** The passphrase of the root's key. Throws `usage` where nobody gives one. */
export async function rootPassphrase(context: CommandContext, file: string | undefined): Promise<string> {
  const question = "passphrase of the root's key";
  const passphrase = await findSecret(context, { file, variable: "HOLDFAST_CA_PASSWORD", question });
  if (passphrase !== undefined) return passphrase;
  throw new Failure("usage", "cannot open the key of the root: there is no passphrase", {
    hint: "give --ca-password-file FILE, or HOLDFAST_CA_PASSWORD in the environment",
  });
}

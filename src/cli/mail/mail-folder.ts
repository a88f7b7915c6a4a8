import { mailFolder, mailPaths, type MailPaths } from "../../mail/settings/index.ts";
import type { CommandContext } from "../command.ts";

/** For every mail command. */
export const folderOption = {
  kind: "string",
  value: "DIR",
  help: "where settings, users and certificates are; else $HOLDFAST_MAIL, /etc/holdfast/mail or ~/.config/holdfast/mail",
} as const;

/** The places of a mail machine, as the words and the environment say. */
export function pathsOf({ env }: Pick<CommandContext, "env">, folder: string | undefined): MailPaths {
  return mailPaths(mailFolder(folder, env, process.getuid?.() === 0));
}

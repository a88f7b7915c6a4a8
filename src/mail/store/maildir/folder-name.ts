import { Failure } from "../../../base/index.ts";
import { decodeModifiedUtf7, encodeModifiedUtf7 } from "../../modified-utf7.ts";

/** A folder's name is one name of a file system. */
const folderNameLimitBytes = 255;

/** `INBOX` in any case is INBOX; of others the case counts. */
export function spelledMailbox(name: string): string {
  return name.replace(/^inbox(?=\/|$)/i, "INBOX");
}

/** The folder of a mailbox within the root: `Sent/2024` is `.Sent.2024`, INBOX the root itself, "". */
export function folderOfMailbox(name: string): string {
  const spelled = spelledMailbox(name);
  if (spelled === "INBOX") return "";
  const levels = spelled.split("/");
  const isBad = levels.some((level) => level === "" || level.includes(".") || hasControlSign(level));
  if (isBad || !spelled.isWellFormed()) {
    throw new Failure(
      "refused",
      `cannot use mailbox name "${name}": a level is empty, or has a dot or a control sign`,
      {
        hint: "a Maildir keeps levels apart by dots; give a name without them",
      },
    );
  }
  const folder = levels.map((level) => `.${encodeModifiedUtf7(level)}`).join("");
  if (Buffer.byteLength(folder) > folderNameLimitBytes) {
    throw new Failure("refused", `cannot use mailbox name "${name}": its folder's name would be too long`);
  }
  return folder;
}

export function hasControlSign(text: string): boolean {
  return Array.from(text).some((sign) => sign < " " || sign === "\x7f");
}

/** Undefined for folders that are no mailboxes. */
export function mailboxOfFolder(folder: string): string | undefined {
  if (folder === "") return "INBOX";
  if (!folder.startsWith(".") || folder.startsWith("..") || folder === ".") return undefined;
  const levels = folder.slice(1).split(".").map(decodeModifiedUtf7);
  const isBad = levels.some((level) => level === undefined || level === "" || level.includes("/"));
  const name = levels.join("/");
  return isBad || name === "INBOX" ? undefined : name;
}

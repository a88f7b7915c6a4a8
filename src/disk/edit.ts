import { Failure } from "../base/index.ts";
import type { ModeChange } from "./mode-change.ts";

/** An owner as it is written: numbers, or names that the image's own /etc/passwd and /etc/group know. */
export interface OwnerWords {
  /** As it was written. */
  readonly text: string;
  readonly user: string | undefined;
  /** `login`: the user's own group. */
  readonly group: { readonly name: string } | "login" | undefined;
}

/** What becomes of the owners, permissions and attributes of what is put. */
export interface PutEdit {
  readonly verb: "put";
  /** Files and folders of this machine; `-` is standard input. */
  readonly sources: readonly string[];
  readonly to: string;
  /** What is in folders, tars and packages, instead of these themselves. */
  readonly unpack: boolean;
  /** Keep owners, all permission bits and extended attributes. */
  readonly preserve: boolean;
  /** Make the directories on the way. */
  readonly makeParents: boolean;
  readonly mode?: ModeChange;
  readonly owner?: OwnerWords;
}

export interface WriteEdit {
  readonly verb: "write" | "append";
  readonly path: string;
  readonly bytes: Uint8Array;
  /** What the file has to hold for it to be written; where it holds something else, the edit fails. */
  readonly expected?: Uint8Array;
}

export interface RemoveEdit {
  readonly verb: "rm";
  readonly paths: readonly string[];
  readonly recursive: boolean;
  readonly force: boolean;
}

export interface MakeDirectoryEdit {
  readonly verb: "mkdir";
  readonly paths: readonly string[];
  readonly parents: boolean;
  readonly mode?: ModeChange;
  readonly owner?: OwnerWords;
}

export interface MoveEdit {
  readonly verb: "mv";
  readonly from: readonly string[];
  readonly to: string;
}

export interface LinkEdit {
  readonly verb: "ln";
  readonly target: string;
  readonly path: string;
  readonly symbolic: boolean;
  /** Replace a file that has the name. */
  readonly force: boolean;
  /** Take a link to a directory for a name to be given, not for the directory. */
  readonly noDereference: boolean;
}

export interface ChangeModeEdit {
  readonly verb: "chmod";
  readonly mode: ModeChange;
  readonly paths: readonly string[];
  readonly recursive: boolean;
}

export interface ChangeOwnerEdit {
  readonly verb: "chown";
  readonly owner: OwnerWords;
  readonly paths: readonly string[];
  readonly recursive: boolean;
  /** Change a symbolic link itself. */
  readonly noDereference: boolean;
}

/**
 * One change to what is in a file system. Paths begin at its root. The verbs of the command line and the lines of
 * a script come to the same edits.
 */
export type Edit =
  | PutEdit
  | WriteEdit
  | RemoveEdit
  | MakeDirectoryEdit
  | MoveEdit
  | LinkEdit
  | ChangeModeEdit
  | ChangeOwnerEdit;

/** Understands `root`, `1000:1000`, `:www-data`, and `joe:` for joe and his login group. Throws `usage` for the rest. */
export function parseOwner(text: string): OwnerWords {
  const match = /^([^:\s]*)(:?)([^:\s]*)$/.exec(text);
  const [, user = "", colon = "", group = ""] = match ?? [];
  if (user === "" && group === "") {
    throw new Failure("usage", `cannot understand the owner "${text}"`, { hint: "write USER, USER:GROUP or :GROUP" });
  }
  const loginGroup = colon === "" ? undefined : ("login" as const);
  return { text, user: user === "" ? undefined : user, group: group === "" ? loginGroup : { name: group } };
}

import type { ModeChange } from "./mode-change.ts";

/** An owner as it is written: numbers, or names that the image's own /etc/passwd and /etc/group know. */
export interface OwnerWords {
  readonly user: string | undefined;
  readonly group: string | undefined;
}

/**
 * One change to what is in a file system. Paths begin at its root. The verbs of the command line and the lines of
 * a script come to the same edits.
 */
export type Edit =
  | {
      readonly verb: "put";
      /** Files and folders of this machine; `-` is standard input. */
      readonly sources: readonly string[];
      readonly to: string;
      /** Trees: what is in a tar goes where a folder's content would. */
      readonly unpack: boolean;
      readonly preserve: boolean;
      readonly makeParents: boolean;
      readonly mode?: ModeChange;
      readonly owner?: OwnerWords;
    }
  | { readonly verb: "write"; readonly path: string; readonly bytes: Uint8Array; readonly isAppended: boolean }
  | { readonly verb: "rm"; readonly paths: readonly string[]; readonly recursive: boolean; readonly force: boolean }
  | { readonly verb: "mkdir"; readonly paths: readonly string[]; readonly parents: boolean; readonly mode?: ModeChange }
  | { readonly verb: "mv"; readonly from: readonly string[]; readonly to: string }
  | { readonly verb: "ln"; readonly target: string; readonly path: string; readonly symbolic: boolean }
  | {
      readonly verb: "chmod";
      readonly mode: ModeChange;
      readonly paths: readonly string[];
      readonly recursive: boolean;
    }
  | {
      readonly verb: "chown";
      readonly owner: OwnerWords;
      readonly paths: readonly string[];
      readonly recursive: boolean;
    };

/** `root`, `1000:1000`, `:www-data`. */
export function parseOwner(text: string): OwnerWords {
  const [user = "", group = "", ...rest] = text.split(":");
  if (rest.length > 0 || (user === "" && group === "")) return { user: text, group: undefined };
  return { user: user === "" ? undefined : user, group: group === "" ? undefined : group };
}

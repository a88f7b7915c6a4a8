import type { Program } from "../shell/index.ts";
import { accountPrograms } from "./accounts.ts";
import { debconfPrograms, readDefaults } from "./debconf.ts";
import { dpkgPrograms } from "./dpkg-programs.ts";
import { filePrograms } from "./files.ts";
import type { ConfigurationState } from "./state.ts";
import { systemPrograms } from "./system-programs.ts";
import { textPrograms } from "./texts.ts";

export { readDefaults };
export type { ConfigurationState };

/** Every program that a script may call, by name. */
export function allPrograms(state: ConfigurationState): ReadonlyMap<string, Program> {
  return new Map([
    ...filePrograms,
    ...textPrograms,
    ...accountPrograms,
    ...dpkgPrograms(state),
    ...debconfPrograms(state),
    ...systemPrograms(state),
  ]);
}

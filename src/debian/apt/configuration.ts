import * as fs from "node:fs";
import * as path from "node:path";
import { isSystemError } from "../../base/index.ts";
import { parseConfiguration } from "./configuration-text.ts";

/** apt's own defaults for what is asked for here (apt.conf(5), "Directories"). */
const defaults: readonly (readonly [name: string, value: string])[] = [
  ["dir", "/"],
  ["dir::state", "var/lib/apt"],
  ["dir::state::lists", "lists/"],
  ["dir::cache", "var/cache/apt"],
  ["dir::cache::archives", "archives/"],
  ["dir::etc", "etc/apt"],
  ["dir::etc::main", "apt.conf"],
  ["dir::etc::parts", "apt.conf.d"],
  ["dir::etc::sourcelist", "sources.list"],
  ["dir::etc::sourceparts", "sources.list.d"],
  ["dir::etc::trusted", "trusted.gpg"],
  ["dir::etc::trustedparts", "trusted.gpg.d"],
  ["dir::etc::netrc", "auth.conf"],
  ["dir::etc::netrcparts", "auth.conf.d"],
  ["dir::etc::preferences", "preferences"],
  ["dir::etc::preferencesparts", "preferences.d"],
];

const includeLimit = 100;

/** What apt's configuration says on this machine. Where there is no apt, its defaults. */
export class AptConfiguration {
  readonly #values = new Map<string, string>(defaults);
  readonly #lists = new Map<string, string[]>();
  #includes = 0;

  /** In apt's order: the file that APT_CONFIG names, the files of apt.conf.d, apt.conf. */
  static read(env: NodeJS.ProcessEnv): AptConfiguration {
    const configuration = new AptConfiguration();
    const first = env["APT_CONFIG"];
    if (first !== undefined && first !== "") configuration.#addFile(first);
    for (const file of filesIn(configuration.path("dir::etc::parts"), /^[A-Za-z0-9_-]+$|^[A-Za-z0-9_.-]+\.conf$/)) {
      configuration.#addFile(file);
    }
    configuration.#addFile(configuration.path("dir::etc::main"));
    return configuration;
  }

  #addFile(file: string): void {
    const text = textOf(file);
    if (text === undefined || ++this.#includes > includeLimit) return;
    for (const statement of parseConfiguration(text, file)) {
      if (statement.kind === "include") this.#addFile(path.resolve(path.dirname(file), statement.path));
      else if (statement.kind === "clear") this.#clear(statement.name);
      else if (statement.isElement) {
        const list = this.#lists.get(statement.name) ?? [];
        this.#lists.set(statement.name, [...list, statement.value]);
      } else this.#values.set(statement.name, statement.value);
    }
  }

  #clear(name: string): void {
    for (const map of [this.#values, this.#lists]) {
      for (const key of map.keys()) if (key === name || key.startsWith(`${name}::`)) map.delete(key);
    }
  }

  /** The value, undefined where there is none or an empty one. Names in any case. */
  get(name: string): string | undefined {
    return this.#values.get(name.toLowerCase()) || undefined;
  }

  /** The elements of a list. */
  list(name: string): readonly string[] {
    return this.#lists.get(name.toLowerCase()) ?? [];
  }

  /** Yes or no, in any of apt's words. */
  flag(name: string): boolean | undefined {
    return parseFlag(this.get(name));
  }

  /** A whole number. */
  count(name: string): number | undefined {
    const value = this.get(name);
    return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : undefined;
  }

  /** A file or folder of `Dir`: a relative one lies in the one named before it, and all in RootDir. */
  path(name: string): string {
    let found = "";
    for (let at: string | undefined = name.toLowerCase(); at !== undefined; at = parentOf(at)) {
      const value = this.#values.get(at) ?? "";
      if (value === "" && at === name.toLowerCase()) return ""; // switched off
      found = found === "" ? value : path.join(value, found);
      if (path.isAbsolute(value) || value.startsWith("./")) break;
    }
    return path.join(this.get("rootdir") ?? "", found);
  }
}

function parentOf(name: string): string | undefined {
  const at = name.lastIndexOf("::");
  return at < 0 ? undefined : name.slice(0, at);
}

/** Yes or no in any of the words that apt takes. */
export function parseFlag(value: string | undefined): boolean | undefined {
  const word = value?.toLowerCase() ?? "";
  if (["yes", "true", "with", "on", "enable", "1"].includes(word)) return true;
  if (["no", "false", "without", "off", "disable", "0"].includes(word)) return false;
  return undefined;
}

/** The files of a folder whose names fit, in apt's order; none where there is no such folder. */
export function filesIn(folder: string, names: RegExp): string[] {
  if (folder === "" || folder === "/dev/null") return [];
  try {
    return fs
      .readdirSync(folder, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory() && names.test(entry.name))
      .map((entry) => path.join(folder, entry.name))
      .toSorted((a, b) => (a < b ? -1 : 1));
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR", "EACCES")) return [];
    throw error;
  }
}

/** A file's text; undefined where it is not there or not for this user to read. */
export function textOf(file: string): string | undefined {
  if (file === "") return undefined;
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR", "EACCES", "EISDIR")) return undefined;
    throw error;
  }
}

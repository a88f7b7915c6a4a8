import * as fs from "node:fs";
import { parse, TomlError } from "smol-toml";
import { Failure, isSystemError, systemReason } from "../../base/index.ts";
import { keyLines } from "./key-lines.ts";
import { TomlTable, type TomlProblem } from "./toml-table.ts";

const fileLimitBytes = 1024 * 1024;

export interface TomlFile {
  /** Absent where the text is no TOML: `problems` says why. */
  readonly root?: TomlTable;
  /** What reading the tables complains of is added here. */
  readonly problems: TomlProblem[];
}

/** Reads a file of settings, called `kind` in messages. Throws only where there is no file, or no text in it. */
export function readToml(file: string, kind: string): TomlFile {
  const text = readText(file, kind);
  const problems: TomlProblem[] = [];
  try {
    const values = parse(text);
    return { root: new TomlTable([{ values, path: "" }], { lines: keyLines(text), found: problems }), problems };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [message = ""] = error.message.split("\n");
    problems.push({ line: error.line, key: "", message: message.replace(/^Invalid TOML document: /, "") });
    return { problems };
  }
}

function readText(file: string, kind: string): string {
  try {
    if (fs.statSync(file).size > fileLimitBytes) {
      throw new Failure("unsupported", `cannot read the ${kind} "${file}": it has more than ${fileLimitBytes} bytes`);
    }
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Failure) throw error;
    const code = isSystemError(error, "ENOENT", "ENOTDIR") ? "not-found" : "failed";
    throw new Failure(code, `cannot read the ${kind} "${file}": ${systemReason(error)}`, { cause: error });
  }
}

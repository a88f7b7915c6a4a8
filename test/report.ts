import * as path from "node:path";
import type { TestEvent } from "node:test/reporters";
import { inspect, styleText } from "node:util";

const slowMs = 1000;
const slowestShown = 5;

/** A few lines for what went well, all that is known for what did not, and Node's own summary at the end. */
export class CompactReport {
  readonly #root: string;
  readonly #failed: string[] = [];
  readonly #outputByFile = new Map<string, string>();
  passed = false;
  /** How long each file took, in milliseconds, by its path from the root. */
  readonly durations = new Map<string, number>();
  #hasListedSlowest = false;

  constructor(root: string) {
    this.#root = root;
  }

  /** What is to be printed for an event: whole lines, or nothing. */
  add({ type, data }: TestEvent): string {
    switch (type) {
      case "test:stdout":
      case "test:stderr":
        this.#outputByFile.set(data.file, (this.#outputByFile.get(data.file) ?? "") + data.message);
        return "";
      case "test:pass":
        return typeof data.skip === "string" ? `  ${styleText("yellow", "skipped")} ${data.name}: ${data.skip}\n` : "";
      case "test:fail":
        return this.#fail(data);
      case "test:summary":
        if (data.file !== undefined) return this.#file(data.file, data);
        this.passed = data.success;
        return "";
      case "test:diagnostic":
        if (data.file === undefined)
          return `${this.#listSlowest()}${this.#listFailed()}${styleText("blue", `ℹ ${data.message}`)}\n`;
        return data.level === "info" ? "" : indent(`${this.#shorten(data.file)}: ${data.message}`);
      default:
        return "";
    }
  }

  #fail({ name, file = "", line, details }: Extract<TestEvent, { type: "test:fail" }>["data"]): string {
    const { error } = details;
    if ("failureType" in error && error.failureType === "subtestsFailed") return ""; // each has been reported
    const isWholeFile = path.isAbsolute(name);
    const title = isWholeFile ? this.#shorten(name) : `${name} (${this.#shorten(file)}:${line})`;
    const reason = isWholeFile ? processEnd(error) : reasonOf(error);
    const output = isWholeFile ? (this.#outputByFile.get(name) ?? "") : "";
    this.#failed.push(title);
    return `${styleText("red", "✖")} ${title}\n${indent(`${reason}\n${output}`)}`;
  }

  #file(
    file: string,
    { counts, duration_ms: durationMs }: Extract<TestEvent, { type: "test:summary" }>["data"],
  ): string {
    this.durations.set(this.#shorten(file), durationMs);
    const failed = counts.tests - counts.passed - counts.skipped - counts.todo;
    const mark = failed === 0 ? styleText("green", "✔") : styleText("red", "✖");
    const tests = `${counts.passed} passed${failed === 0 ? "" : `, ${failed} failed`}`;
    const output = failed === 0 ? "" : indent(this.#outputByFile.get(file) ?? "");
    return `${mark} ${this.#shorten(file)}: ${tests} (${inSeconds(durationMs)})\n${output}`;
  }

  /** Where the time went, once, if it is worth a look. */
  #listSlowest(): string {
    if (this.#hasListedSlowest) return "";
    this.#hasListedSlowest = true;
    const files = [...this.durations].filter(([, durationMs]) => durationMs >= slowMs);
    const slowest = files.toSorted(([, a], [, b]) => b - a).slice(0, slowestShown);
    const lines = slowest.map(([file, durationMs]) => `${inSeconds(durationMs).padStart(7)}  ${file}`);
    return lines.length < 2 ? "" : `Slowest:\n${indent(lines.join("\n"))}`;
  }

  /** The failures by name, once, ahead of the summary: for whoever reads from the end. */
  #listFailed(): string {
    const titles = this.#failed.splice(0);
    return titles.length === 0 ? "" : `${styleText("red", "Failed:")}\n${indent(titles.join("\n"))}`;
  }

  #shorten(file: string): string {
    return path.relative(this.#root, file);
  }
}

function reasonOf(error: Error): string {
  const reason = error.cause ?? error;
  return typeof reason === "string" ? reason : inspect(reason, { depth: 8 });
}

function processEnd(error: object): string {
  if ("signal" in error && typeof error.signal === "string") return `its process was ended by ${error.signal}`;
  return "its process failed";
}

function inSeconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}

function indent(text: string): string {
  return text.trimEnd() === "" ? "" : `${text.trimEnd().replaceAll(/^/gm, "    ")}\n`;
}

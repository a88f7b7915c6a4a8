import { spawn } from "node:child_process";
import { Failure, findProgram } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import type { LogicalVolume } from "../../device/index.ts";

type Program = "lvs" | "lvcreate" | "lvremove";

/** Of what a program says no more is kept. */
const outputLimitBytes = 16 * 1024 * 1024;

/** A volume as lvs(8) tells of it. */
export interface ListedVolume extends LogicalVolume {
  /** `swi-a-s---` */
  readonly attributes: string;
  /** Of a snapshot the volume that it is of; else empty. */
  readonly origin: string;
  readonly tags: readonly string[];
  readonly sizeBytes: number;
  /** How much of a snapshot's room is in use. */
  readonly filledPercent: number;
  readonly groupFreeBytes: number;
  readonly extentBytes: number;
}

const fields = "vg_name,lv_name,lv_attr,origin,lv_tags,lv_size,snap_percent,vg_free,vg_extent_size";

/** The system's own programs of LVM. */
export class Lvm {
  readonly #paths: Readonly<Record<Program, string>>;
  readonly #env: NodeJS.ProcessEnv;
  readonly #source: string;

  private constructor(paths: Readonly<Record<Program, string>>, env: NodeJS.ProcessEnv, source: string) {
    this.#paths = paths;
    this.#env = env;
    this.#source = source;
  }

  /** Throws `not-found` where one of them is not installed. Messages are about a source. */
  static find(env: NodeJS.ProcessEnv, source: string): Lvm {
    const find = (name: Program): string => {
      const path = findProgram(name, env);
      if (path !== undefined) return path;
      throw new Failure("not-found", `cannot take a snapshot of "${source}": ${name} is not installed`, {
        hint: "it is in the package lvm2",
      });
    };
    return new Lvm({ lvs: find("lvs"), lvcreate: find("lvcreate"), lvremove: find("lvremove") }, env, source);
  }

  /** The volumes of a group, or the one of that name (`vg/root`). */
  async list(name: string): Promise<readonly ListedVolume[]> {
    const format = ["--reportformat", "json", "--units", "b", "--nosuffix", "-o", fields];
    return volumesIn(await this.#run("lvs", [...format, name]));
  }

  async create(words: readonly string[]): Promise<void> {
    await this.#run("lvcreate", words);
  }

  async remove({ group, name }: LogicalVolume): Promise<void> {
    await this.#run("lvremove", ["--yes", `${group}/${name}`]);
  }

  async #run(program: Program, words: readonly string[]): Promise<string> {
    const { status, output, errors } = await this.#ended(program, words);
    if (status === "0") return output;
    const last = errors.split("\n").findLast((line) => line.trim() !== "");
    const why = last === undefined ? "" : `: ${printableName(last.trim())}`;
    const isRoot = process.getuid?.() === 0;
    throw new Failure("failed", `cannot use LVM for "${this.#source}": ${program} ended with ${status}${why}`, {
      hint: isRoot ? `"${[program, ...words].join(" ")}" says more` : "LVM needs root: run the same command with sudo",
    });
  }

  /** In a group of processes of its own: Ctrl-C ends this program, which then removes what was made. */
  async #ended(program: Program, words: readonly string[]) {
    const child = spawn(this.#paths[program], words, {
      env: { ...this.#env, LC_ALL: "C", LVM_SUPPRESS_FD_WARNINGS: "1" },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const said = { output: "", errors: "" };
    const keep = (name: keyof typeof said) => (text: string) => {
      said[name] = (said[name] + text).slice(0, outputLimitBytes);
    };
    child.stdout.setEncoding("utf8").on("data", keep("output"));
    child.stderr.setEncoding("utf8").on("data", keep("errors"));
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    child.once("error", reject);
    child.once("close", (status, signal) => resolve(String(status ?? signal)));
    return { status: await promise, ...said };
  }
}

/** Throws `unsupported` for what is no report. */
function volumesIn(report: string): readonly ListedVolume[] {
  const rows = rowsOf(report);
  if (rows === undefined) throw new Failure("unsupported", "cannot understand what lvs says of the system's volumes");
  return rows.map((row) => {
    const text = (key: string): string => row[key] ?? "";
    return {
      group: text("vg_name"),
      name: text("lv_name"),
      attributes: text("lv_attr"),
      origin: text("origin"),
      tags: text("lv_tags").split(","),
      sizeBytes: Number(text("lv_size")),
      filledPercent: Number(text("snap_percent")),
      groupFreeBytes: Number(text("vg_free")),
      extentBytes: Number(text("vg_extent_size")),
    };
  });
}

type Row = Readonly<Record<string, string | undefined>>;

function rowsOf(text: string): readonly Row[] | undefined {
  try {
    const { report } = JSON.parse(text) as { readonly report?: readonly { readonly lv?: readonly Row[] }[] };
    return report?.flatMap(({ lv = [] }) => lv);
  } catch {
    return undefined;
  }
}

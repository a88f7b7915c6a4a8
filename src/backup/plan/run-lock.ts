import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Failure, libc, systemReason } from "../../base/index.ts";

export interface BegunBackup {
  /** The name that it will have. */
  readonly name: string;
  /** How often it was tried to go on with it. */
  readonly attempts: number;
}

/**
 * Held while a plan is run, so that two runs of it never overlap. The lock is the kernel's: it is gone with the process,
 * however that ends. Throws `refused` where another run has it.
 * Its files remember when the last run was, and what is unfinished.
 */
export class RunLock implements Disposable {
  readonly #file: string;
  readonly #fd: number;

  private constructor(file: string, fd: number) {
    this.#file = file;
    this.#fd = fd;
  }

  static take(plan: string, env: NodeJS.ProcessEnv): RunLock {
    const folder = stateFolderIn(env);
    const id = createHash("sha256").update(fs.realpathSync(plan)).digest("hex").slice(0, 16);
    const file = path.join(folder, `plan-${id}.lock`);
    let fd: number;
    try {
      fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
      fd = fs.openSync(file, "a", 0o600);
    } catch (error) {
      throw new Failure("failed", `cannot lock the plan "${plan}": ${systemReason(error)}: "${file}"`, {
        cause: error,
      });
    }
    if (libc()?.lockWhole(fd) === false) {
      fs.closeSync(fd);
      throw new Failure("refused", `cannot run the plan "${plan}": another run of it is going on`);
    }
    return new RunLock(file, fd);
  }

  /** When the plan was last run to its end; undefined where it never was. */
  get lastRunMs(): number | undefined {
    const text = fs.readFileSync(this.#file, "utf8").trim();
    const lastMs = Date.parse(text);
    return Number.isNaN(lastMs) ? undefined : lastMs;
  }

  note(runMs: number): void {
    fs.ftruncateSync(this.#fd);
    fs.writeSync(this.#fd, `${new Date(runMs).toISOString()}\n`);
  }

  /** The backup that a run of a job has begun and not finished. */
  begun(job: string): BegunBackup | undefined {
    const file = this.#begunFile(job);
    if (!fs.existsSync(file)) return undefined;
    const [name = "", attempts = ""] = fs.readFileSync(file, "utf8").split("\n");
    return { name, attempts: Number(attempts) };
  }

  noteBegun(job: string, begun: BegunBackup | undefined): void {
    if (begun === undefined) fs.rmSync(this.#begunFile(job), { force: true });
    else fs.writeFileSync(this.#begunFile(job), `${begun.name}\n${begun.attempts}\n`, { mode: 0o600, flush: true });
  }

  #begunFile(job: string): string {
    return this.#file.replace(/\.lock$/, `-${job}.begun`);
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.#fd);
  }
}

/** Where what this program remembers between runs is kept: the system's place for root, the user's own for others. */
function stateFolderIn(env: NodeJS.ProcessEnv): string {
  const named = env["XDG_STATE_HOME"] ?? "";
  if (path.isAbsolute(named)) return path.join(named, "holdfast");
  if (process.getuid?.() === 0) return "/var/lib/holdfast";
  const home = env["HOME"] ?? "";
  return path.isAbsolute(home) ? path.join(home, ".local/state/holdfast") : path.join(os.tmpdir(), "holdfast-state");
}

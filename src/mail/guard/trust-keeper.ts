import * as fs from "node:fs";
import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import { renewRevocationListIfDue, renewServerCertificateIfDue } from "../pki/index.ts";
import { readTrustFiles, trustOf, type TrustFiles, type TrustPlaces } from "./trust.ts";

export interface TrustKeeperOptions {
  /** Of the authority whose lists are renewed here. */
  readonly folder: string;
  readonly places: TrustPlaces;
  readonly clock: () => number;
  readonly onChange: (files: TrustFiles) => void;
  readonly onNotice: (text: string) => void;
}

/** How often the files are looked at where nothing tells of a change. */
const lookMs = 5000;
const renewMs = 60 * 60 * 1000;
/** Within this before the end of a list, each look at it is told. */
const alarmMs = 30 * 86_400_000;

/** Keeps the files that trust rests on: sees that they change, and renews what this machine itself has issued. */
export class TrustKeeper {
  readonly #options: TrustKeeperOptions;
  #files: TrustFiles | undefined;
  #mark = "";
  #lookTimer: NodeJS.Timeout | undefined;
  #renewTimer: NodeJS.Timeout | undefined;
  readonly #watchers: fs.FSWatcher[] = [];
  #told = "";

  constructor(options: TrustKeeperOptions) {
    this.#options = options;
  }

  get #paths(): readonly string[] {
    const { certificate, key, authorities } = this.#options.places;
    return [certificate, key, ...authorities];
  }

  get files(): TrustFiles {
    return (this.#files ??= readTrustFiles(this.#options.places));
  }

  /** Renews what is due first. Throws where there is nothing to trust. */
  async start(): Promise<void> {
    await this.#renew();
    this.#files = readTrustFiles(this.#options.places);
    this.#mark = this.#markOfFiles();
    this.#alarm();
    this.#lookTimer = setInterval(() => void this.lookAgain(), lookMs).unref();
    this.#renewTimer = setInterval(() => void this.#renew(), renewMs).unref();
    for (const folder of new Set(this.#paths.map((file) => path.dirname(file)))) {
      try {
        this.#watchers.push(fs.watch(folder, () => void this.lookAgain()).unref());
      } catch {
        // Not everywhere can a folder be watched; the timer sees it a little later.
      }
    }
  }

  stop(): void {
    clearInterval(this.#lookTimer);
    clearInterval(this.#renewTimer);
    for (const watcher of this.#watchers) watcher.close();
  }

  /** Takes the files where they have changed; keeps what it has where they are not whole. */
  async lookAgain(): Promise<void> {
    const mark = this.#markOfFiles();
    if (mark === this.#mark) return;
    try {
      const files = readTrustFiles(this.#options.places);
      trustOf(files);
      this.#mark = mark;
      this.#files = files;
      this.#options.onChange(files);
      this.#told = "";
      this.#alarm();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#tell(`${error.message}; what was read before still holds`);
    }
  }

  async #renew(): Promise<void> {
    const { folder, clock } = this.#options;
    try {
      const now = new Date(clock());
      await renewRevocationListIfDue(folder, now);
      await renewServerCertificateIfDue(folder, now);
    } catch (error) {
      // An authority that is kept elsewhere has no key here: then its lists come from there.
      if (!(error instanceof Failure)) throw error;
      if (error.code !== "not-found") this.#tell(error.message);
    }
    if (this.#files !== undefined) {
      await this.lookAgain();
      this.#alarm();
    }
  }

  /** Tells of lists that end soon: then nobody gets in any more. */
  #alarm(): void {
    const now = this.#options.clock();
    for (const { list } of trustOf(this.files).bundle.authorities) {
      if (list === undefined || list.nextUpdate.getTime() - now > alarmMs) continue;
      const isPast = list.nextUpdate.getTime() <= now;
      const end = list.nextUpdate.toISOString();
      this.#tell(isPast ? `a revocation list is past its end since ${end}` : `a revocation list ends at ${end}`);
    }
  }

  #tell(text: string): void {
    if (this.#told === text) return;
    this.#told = text;
    this.#options.onNotice(text);
  }

  #markOfFiles(): string {
    return this.#paths
      .map((file) => {
        const stat = fs.statSync(file, { bigint: true, throwIfNoEntry: false });
        return stat === undefined ? "" : `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
      })
      .join("\n");
  }
}

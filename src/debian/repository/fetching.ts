import type { JobOptions } from "../../base/index.ts";
import type { AptConfiguration } from "../apt/index.ts";
import type { RetrySettings, Transport } from "../download/index.ts";
import type { ByteTally } from "./byte-tally.ts";
import type { Cache } from "./cache.ts";
import type { TrustedKeys } from "./trusted-keys.ts";

/** What all that fetches here shares. */
export interface Fetching {
  readonly configuration: AptConfiguration;
  readonly transport: Transport;
  readonly retry: RetrySettings;
  readonly connections: number;
  readonly cache: Cache;
  readonly keys: TrustedKeys;
  readonly nowMs: number;
  readonly job: JobOptions;
  /** Of all indexes. */
  readonly indexTally: ByteTally;
  /** What the user should know though it went well. */
  readonly warn: (text: string) => void;
}

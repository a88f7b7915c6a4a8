import { S3Error, S3NetworkError, S3ServiceError } from "s3mini";
import { Failure } from "../../../base/index.ts";
import { ConnectionLost } from "../connection-lost.ts";

const fullCodes = ["QuotaExceeded", "EntityTooLarge", "StorageQuotaExceeded", "XMinioStorageFull"];
const insufficientStorage = 507;

/** What a server's answer, or that none came, means to a user. `about` reads `cannot read "s3://…"`. */
export function s3Failure(about: string, error: unknown): unknown {
  if (error instanceof Failure) return error;
  const told = error instanceof Error && error.cause instanceof S3Error ? error.cause : error;
  if (!(told instanceof S3ServiceError)) return lost(about, told);
  const { status } = told;
  // An answer to HEAD says no more than its number.
  const serviceCode = told.serviceCode === undefined || told.serviceCode === "Unknown" ? `${status}` : told.serviceCode;
  const cause = { cause: error };
  if (status === insufficientStorage || fullCodes.includes(serviceCode)) {
    return new Failure("no-space", `${about}: no space is left there (${serviceCode})`, cause);
  }
  if (status === 404) return new Failure("not-found", `${about}: it is not there`, cause);
  if (status === 401 || status === 403) {
    return new Failure("failed", `${about}: the server refuses it (${serviceCode})`, {
      ...cause,
      hint: "are the keys right, may the account do that, and is the clock of this machine right?",
    });
  }
  if (status >= 500 || status === 429) {
    return new ConnectionLost(`${about}: the server has a problem (${serviceCode})`, cause);
  }
  return new Failure("failed", `${about}: the server answers ${serviceCode}`, cause);
}

/** `fetch` throws a TypeError whose cause says why. */
function lost(about: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const isNetwork = error instanceof S3NetworkError || error instanceof TypeError || error.name === "TimeoutError";
  if (!isNetwork) return error;
  const code = [error, error.cause]
    .map((one) => (one instanceof Error && "code" in one ? String(one.code) : ""))
    .find(Boolean);
  const why = code === "ECONNREFUSED" ? "nothing answers there" : (code ?? error.message);
  return new ConnectionLost(`${about}: ${why}`, { cause: error });
}

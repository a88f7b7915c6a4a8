import { Failure } from "../base/index.ts";

/** The failure of a structure that contradicts itself or its neighbours. */
export function damaged(what: string, why: string): Failure {
  return new Failure("damaged", `cannot read ${what}: ${why}`, {
    hint: "the check names everything that is wrong with this file system",
  });
}

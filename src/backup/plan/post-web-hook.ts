import { setTimeout as delay } from "node:timers/promises";
import { Failure, systemReason } from "../../base/index.ts";
import type { WebHook } from "./plan.ts";
import { readSecret } from "./read-secret.ts";

export interface PostOptions {
  readonly env: NodeJS.ProcessEnv;
  /** How long is waited before each further try. */
  readonly pausesMs?: readonly number[];
}

const usualPausesMs: readonly number[] = [2000, 10_000, 30_000];
const answerLimitMs = 30_000;

/** Sends a document as JSON. What may be better in a moment is tried again; throws `failed` where nothing helps. */
export async function postWebHook(hook: WebHook, document: unknown, options: PostOptions): Promise<void> {
  const { env, pausesMs = usualPausesMs } = options;
  const url = typeof hook.url === "string" ? hook.url : readSecret(hook.url, env);
  // Whoever reads the message need not learn more of a secret address than where it is.
  const where = typeof hook.url === "string" || !URL.canParse(url) ? "the web hook" : new URL(url).origin;
  const named = typeof hook.url === "string" ? `"${hook.url}"` : where;
  const headers = {
    "content-type": "application/json",
    ...(hook.token === undefined ? {} : { authorization: `Bearer ${readSecret(hook.token, env)}` }),
  };
  const body = JSON.stringify(document);
  let why = "";
  for (const pauseMs of [0, ...pausesMs]) {
    await delay(pauseMs);
    const answer = await post(url, { headers, body });
    if (answer.isTaken) return;
    why = answer.why;
    if (!answer.mayHelp) break;
  }
  throw new Failure("failed", `cannot tell ${named} of the run: ${why}`);
}

type Answer = { readonly isTaken: true } | { readonly isTaken: false; readonly why: string; readonly mayHelp: boolean };

async function post(
  url: string,
  { headers, body }: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
): Promise<Answer> {
  try {
    const signal = AbortSignal.timeout(answerLimitMs);
    // To follow elsewhere would show the token there.
    const response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
    await response.body?.cancel();
    if (response.ok) return { isTaken: true };
    const { status } = response;
    // RFC 9110 §15: what the server says of itself, that it is busy, or that it took too long.
    const mayHelp = status >= 500 || status === 429 || status === 408;
    return { isTaken: false, why: `it answered with status ${status}`, mayHelp };
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return { isTaken: false, why: systemReason(cause), mayHelp: true };
  }
}

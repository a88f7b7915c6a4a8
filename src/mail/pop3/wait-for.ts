import type { Duplex } from "node:stream";

export interface WaitOptions {
  readonly events: readonly string[];
  readonly signal: AbortSignal;
  readonly limitMs: number;
}

/** Waits for one of these events: true once it comes; false where the socket closes, the signal is given or time is up. */
export function waitFor(socket: Duplex, { events, signal, limitMs }: WaitOptions): Promise<boolean> {
  if (signal.aborted || socket.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const settle = (isThere: boolean): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onEnd);
      for (const name of events) socket.off(name, onEvent);
      for (const name of ["end", "close", "error"]) socket.off(name, onEnd);
      resolve(isThere);
    };
    const onEvent = (): void => settle(true);
    const onEnd = (): void => settle(false);
    const timer = setTimeout(onEnd, limitMs);
    signal.addEventListener("abort", onEnd);
    for (const name of events) socket.on(name, onEvent);
    for (const name of ["end", "close", "error"]) socket.on(name, onEnd);
  });
}

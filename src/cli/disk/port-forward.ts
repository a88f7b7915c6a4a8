import { Failure } from "../../base/index.ts";
import type { PortForward } from "../../disk/index.ts";

/** Understands `2222:22`: a port of this machine, and the port of the virtual one that it leads to. */
export function parseForward(text: string): PortForward {
  const [, here, there] = /^(\d{1,5}):(\d{1,5})$/.exec(text) ?? [];
  const forward = { hostPort: Number(here), guestPort: Number(there) };
  if ([forward.hostPort, forward.guestPort].every((port) => port >= 1 && port <= 65_535)) return forward;
  throw new Failure("usage", `cannot forward "${text}"`, { hint: "write two ports from 1 to 65535, as in 2222:22" });
}

import { Failure } from "../../base/index.ts";
import type { AptConfiguration } from "./configuration.ts";

const schemes: readonly string[] = ["http:", "https:"];

/**
 * The proxy for an address, undefined for none: of apt's configuration the one for the host, then the one for all
 * (`DIRECT` means none), for https those of http where it has none of its own; else what the environment says.
 */
export function proxyFor(url: URL, configuration: AptConfiguration, env: NodeJS.ProcessEnv): string | undefined {
  const own = url.protocol.slice(0, -1);
  for (const method of new Set([own, "http"])) {
    for (const name of [`acquire::${method}::proxy::${url.hostname}`, `acquire::${method}::proxy`]) {
      const value = configuration.get(name);
      if (value !== undefined) return value.toUpperCase() === "DIRECT" ? undefined : checked(value, name);
    }
  }
  const names = [`${own}_proxy`, `${own}_proxy`.toUpperCase()];
  const name = names.find((one) => env[one] !== undefined && env[one] !== "");
  if (name === undefined || isExempt(url.hostname, env["no_proxy"] ?? env["NO_PROXY"] ?? "")) return undefined;
  return checked(env[name] ?? "", name);
}

/** `no_proxy`: names with commas between them, each standing for what ends with it too; `*` for all. */
function isExempt(host: string, exceptions: string): boolean {
  return exceptions
    .split(",")
    .map((one) => one.trim().replace(/^\*?\./, ""))
    .some((one) => one !== "" && (one === "*" || host === one || host.endsWith(`.${one}`)));
}

function checked(value: string, name: string): string {
  const text = value.includes("://") ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !schemes.includes(url.protocol)) {
    throw new Failure("unsupported", `cannot use the proxy of "${name}": it is no http or https address`, {
      hint: "set it to http://HOST:PORT",
    });
  }
  return text;
}

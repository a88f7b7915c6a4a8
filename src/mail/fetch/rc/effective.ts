import type { RcFile, RcServer, RcUser, Setting, Settings } from "./rc-file.ts";

/** The servers of a file, with what its `defaults` say put in where they say nothing. */
export function effectiveServers(file: RcFile): readonly RcServer[] {
  const { defaults } = file;
  if (defaults === undefined) return file.servers;
  return file.servers.map((server) => ({
    ...server,
    options: laidOver(defaults.options, server.options),
    users: server.users.map((user) => withDefaults(user, defaults.users[0])),
  }));
}

function withDefaults(user: RcUser, defaults: RcUser | undefined): RcUser {
  if (defaults === undefined) return user;
  return {
    ...defaults,
    ...user,
    localNames: user.localNames.length > 0 ? user.localNames : defaults.localNames,
    options: laidOver(defaults.options, user.options),
  };
}

function laidOver(under: Settings, over: Settings): Settings {
  return new Map([...under, ...over]);
}

/** A flag: what was said, else what fetchmail does where nothing is said. */
export function flagOf(settings: Settings, name: string, otherwise = false): boolean {
  const value = settings.get(name)?.value;
  return typeof value === "boolean" ? value : otherwise;
}

export function numberOf(settings: Settings, name: string, otherwise = 0): number {
  const value = settings.get(name)?.value;
  return typeof value === "number" ? value : otherwise;
}

export function textOf(settings: Settings, name: string): string | undefined {
  const value = settings.get(name)?.value;
  return typeof value === "string" ? value : undefined;
}

export function listOf(settings: Settings, name: string): readonly string[] {
  const value: Setting["value"] | undefined = settings.get(name)?.value;
  return typeof value === "object" ? value : [];
}

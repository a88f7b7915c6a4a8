import { filesIn, textOf, type AptConfiguration } from "./configuration.ts";

/** What apt would go by on this machine and is not gone by here, in words for the user. */
export function unreadSettings(configuration: AptConfiguration): string[] {
  const finders = ["Acquire::http::Proxy-Auto-Detect", "Acquire::http::ProxyAutoDetect"];
  const finder = finders.find((name) => configuration.get(name) !== undefined);
  const preferences = preferenceFiles(configuration).filter((file) => /^Package:/im.test(textOf(file) ?? ""));
  return [
    ...(finder === undefined || configuration.get("Acquire::http::Proxy") !== undefined
      ? []
      : [`apt finds its proxy by a program (${finder}), which is not run here: if one is needed, http_proxy names it`]),
    ...preferences.map((file) => `apt's preferences in "${file}" are not read: the newest versions are taken`),
  ];
}

function preferenceFiles(configuration: AptConfiguration): string[] {
  const parts = configuration.path("dir::etc::preferencesparts");
  return [configuration.path("dir::etc::preferences"), ...filesIn(parts, /^[A-Za-z0-9_-]+$|^[A-Za-z0-9_.-]+\.pref$/)];
}

import { textOf, filesIn, type AptConfiguration } from "./configuration.ts";
import { parseOneLineSources, parseStanzaSources, type AptSource } from "./source.ts";

/** apt's sources on this machine, in apt's order: sources.list, then the files of sources.list.d by name. */
export function readAptSources(configuration: AptConfiguration): AptSource[] {
  const main = configuration.path("dir::etc::sourcelist");
  const parts = filesIn(configuration.path("dir::etc::sourceparts"), /^[A-Za-z0-9_.-]+\.(list|sources)$/);
  return [main, ...parts].flatMap((file) => {
    const text = textOf(file);
    if (text === undefined) return [];
    return file.endsWith(".sources") ? parseStanzaSources(text, file) : parseOneLineSources(text, file);
  });
}

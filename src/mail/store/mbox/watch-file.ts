import * as fs from "node:fs";
import * as path from "node:path";

/** Several changes at once are told of once. */
const gatherMs = 15;
/** How often one looks where the kernel does not tell. */
const pollMs = 2000;

/** Calls after something may have happened to a file, until disposed of. `isUnfinished` asks for being called again. */
export function watchFile(file: string, isUnfinished: () => boolean, onChange: () => void): Disposable {
  const name = path.basename(file);
  let gathering: NodeJS.Timeout | undefined;
  let before = timesOf(file);
  const happened = (): void => {
    gathering ??= setTimeout(() => {
      gathering = undefined;
      before = timesOf(file);
      onChange();
    }, gatherMs).unref();
  };
  let watcher: fs.FSWatcher | undefined;
  try {
    // The folder: a file may be replaced, or not be there yet.
    watcher = fs.watch(path.dirname(file), { persistent: false }, (_, changed) => {
      if (changed === name) happened();
    });
    watcher.on("error", () => watcher?.close());
  } catch {
    watcher = undefined; // the kernel refuses more of them; the timer is enough
  }
  const poll = setInterval(() => {
    if (isUnfinished() || timesOf(file) !== before) happened();
  }, pollMs).unref();
  return {
    [Symbol.dispose]() {
      watcher?.close();
      clearTimeout(gathering);
      clearInterval(poll);
    },
  };
}

function timesOf(file: string): string {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return `${stat?.ino} ${stat?.size} ${stat?.mtimeMs}`;
}
